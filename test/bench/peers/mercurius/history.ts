/**
 * Mercurius with its JIT, over resolvers and loaders written by hand, each one statement, prepared. Who asks is found by their
 * token; they read what was said while they took part, and of other families no one who is LIMITED.
 */
import { createHash } from 'node:crypto';
import fastify from 'fastify';
import mercurius from 'mercurius';
import postgres from 'postgres';
import { hostname, port, tokenIn, typeDefs } from '../orders.ts';

const sql = postgres(process.env.DATABASE_URL ?? '', {
  max: 10,
  onnotice: () => {},
  types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
});

interface Context {
  readonly viewerId: string;
}

interface ChatRow {
  readonly rowId: string;
  readonly lastNumber: number;
  readonly readThrough: number;
  readonly since: number;
}

interface MessageRow {
  readonly rowId: string;
  readonly chatId: string;
  readonly authorId: string | null;
  readonly sentAt: Date;
}

type Queries = readonly { readonly obj: MessageRow }[];

const globalId = (type: string, id: string) => Buffer.from(`${type}:${id}`).toString('base64');
const rowIdOf = (id: string) => Buffer.from(id, 'base64').toString().split(':')[1] ?? '';
const rowIds = (queries: Queries) => queries.map(({ obj }) => obj.rowId);

async function context({ headers }: { headers: Readonly<Record<string, unknown>> }): Promise<Context> {
  const hash = createHash('sha256').update(tokenIn(headers)).digest();
  const [session] = await sql`
    select user_id from sessions where token_hash = ${hash} and ended_at is null and expires_at > now()`;
  if (!session) throw new Error('UNAUTHENTICATED');
  return { viewerId: session.user_id };
}

async function chat(_root: unknown, { id }: { id: string }, { viewerId }: Context): Promise<ChatRow | null> {
  const [found] = await sql<(ChatRow & { name: string })[]>`
    select c.id as "rowId", c.name, c.last_number as "lastNumber", coalesce(k.read_through, 0) as "readThrough", s.since
    from chats c
    join lateral (
      select min(m.since_number) as since from audience_members m
      where m.audience_id = c.audience_id and m.user_id = ${viewerId} and m.until is null having count(*) > 0) s on true
    left join chat_marks k on k.chat_id = c.id and k.user_id = ${viewerId}
    where c.id = ${rowIdOf(id)}`;
  return found ?? null;
}

async function messages({ rowId }: ChatRow, { first }: { first: number }, { viewerId }: Context) {
  const found = await sql<MessageRow[]>`
    select m.id as "rowId", m.chat_id as "chatId", m.number, m.text, m.sent_at as "sentAt",
      case when m.capacity = 'GUARDIAN' and m.author_id <> ${viewerId} and exists (
        select from hidden_people h where h.user_id = m.author_id and h.organization_id = c.organization_id)
        then null else m.author_id end as "authorId"
    from messages m join chats c on c.id = m.chat_id
    where m.chat_id = ${rowId} and exists (
      select from audience_members w
      where w.audience_id = c.audience_id and w.user_id = ${viewerId} and w.since_number < m.number
        and (w.until_number is null or m.number <= w.until_number))
    order by m.number desc limit ${first + 1}`;
  return { nodes: found.slice(0, first), pageInfo: { hasNextPage: found.length > first } };
}

async function author(queries: Queries) {
  const found = await sql`
    select id, nullif(concat_ws(' ', family_name, given_name, patronymic), '') as "displayName" from users
    where id = any(${queries.map(({ obj }) => obj.authorId).filter((id) => id !== null)}::uuid[])`;
  const people = new Map(found.map(({ id, displayName }) => [id, { id: globalId('User', id), displayName }]));
  return queries.map(({ obj }) => people.get(obj.authorId) ?? null);
}

async function reactions(queries: Queries) {
  const found = await sql`
    select message_id, emoji, count(*)::int as count from message_reactions where message_id = any(${rowIds(queries)}::uuid[])
    group by message_id, emoji order by count desc, emoji`;
  const all = Map.groupBy(found, ({ message_id }) => message_id);
  return queries.map(({ obj }) => all.get(obj.rowId) ?? []);
}

async function attachments(queries: Queries) {
  const found = await sql`
    select id as "rowId", owner_id, name, media_type as "mediaType", size from files
    where owner_id = any(${rowIds(queries)}::uuid[]) and state = 'READY' order by position`;
  const all = Map.groupBy(found, ({ owner_id }) => owner_id);
  return queries.map(({ obj }) => all.get(obj.rowId) ?? []);
}

async function readCount(queries: Queries, { viewerId }: Context) {
  const found = await sql`
    with wanted as materialized (select id, chat_id, number, author_id from messages where id = any(${rowIds(queries)}::uuid[])),
    readers as materialized (
      select k.chat_id, k.user_id, k.read_through, w.since
      from chats c join chat_marks k on k.chat_id = c.id
      cross join lateral (
        select min(w.since_number) as since from audience_members w
        where w.audience_id = c.audience_id and w.user_id = k.user_id and w.until is null having count(*) > 0) w
      where c.id in (select chat_id from wanted) and (k.user_id = ${viewerId} or not exists (
        select from hidden_people h where h.user_id = k.user_id and h.organization_id = c.organization_id)))
    select m.id, (
      select count(*)::int from readers r
      where r.chat_id = m.chat_id and r.read_through >= m.number and r.since < m.number and r.user_id <> m.author_id) as count
    from wanted m`;
  const counts = new Map(found.map(({ id, count }) => [id, count]));
  return queries.map(({ obj }) => counts.get(obj.rowId) ?? 0);
}

const app = fastify();
app.register(mercurius, {
  schema: typeDefs(),
  jit: 1,
  context,
  resolvers: {
    Query: { chat },
    Chat: {
      id: ({ rowId }: ChatRow) => globalId('Chat', rowId),
      viewerReadThrough: ({ readThrough }: ChatRow) => readThrough,
      viewerUnreadCount: ({ lastNumber, readThrough, since }: ChatRow) =>
        Math.max(0, lastNumber - Math.max(readThrough, since)),
      messages,
    },
    Message: {
      id: ({ rowId }: MessageRow) => globalId('Message', rowId),
      sentAt: ({ sentAt }: MessageRow) => sentAt.toISOString(),
    },
    File: { id: ({ rowId }: { rowId: string }) => globalId('File', rowId) },
  },
  loaders: { Message: { author, reactions, attachments, readCount } },
});
await app.listen({ port, host: hostname });
