import { type SQL, sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import type { Met } from '../audiences/policy.ts';
import { hiddenFrom, type Meeter, meeterOf } from '../audiences/queries.ts';
import { type Own, ownOf } from '../chats/queries.ts';
import type { Database, Executor } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import { wordsSought } from '../database/words.ts';
import { filesAsJson, type ShownFile } from '../files/queries.ts';
import type { Page } from '../graphql/connections.ts';
import type { Batch, Context } from '../graphql/context.ts';
import { canSeeMessage, type Reacted } from './policy.ts';
import type { MessageRow } from './tables.ts';

/** A message with all that it shows, read in one statement. */
export interface Message extends MessageRow, Reacted {
  readonly audienceId: string;
  readonly author: PersonName;
  readonly limitedIn: readonly (string | null)[];
  readonly files: readonly ShownFile[];
  /** Whom it names, each with what decides who meets them. */
  readonly mentioned: readonly (PersonName & Pick<Met, 'limitedIn'>)[];
  /** When whoever looks left the chat, where that has been read with it; null: they take part. */
  readonly leftAt?: string | null;
  /** Whether everybody who takes part now may read what it answers. */
  readonly replyIsForAll: boolean;
}

type Instants = 'sentAt' | 'sendAt' | 'editedAt' | 'pinnedAt' | 'deletedAt';
export type Found = Omit<Message, Instants | 'createdAt'> & { [Name in Instants]: string | null } & {
  createdAt: string;
};

/** The columns of a row; of what is not shown of it they are left empty. */
export const columns = sql.raw(`
  m.id, m.chat_id as "chatId", m.number, m.author_id as "authorId", m.capacity, m.state, m.text,
  m.client_message_id as "clientMessageId", m.reply_to_id as "replyToId", m.forwarded_from_id as "forwardedFromId", m.mentions,
  m.priority, m.acknowledgement_required as "acknowledgementRequired", m.sent_at as "sentAt", m.send_at as "sendAt", m.failure,
  m.edited_at as "editedAt", m.pinned_at as "pinnedAt", m.deleted_at as "deletedAt", m.deleted_by as "deletedBy",
  m.created_at as "createdAt"`);

export const authorIn = (organizationId: SQL): SQL => sql`${personIn(sql`m.author_id`, organizationId)} as author`;

export const shown = sql`
  ${columns}, c.organization_id as "organizationId", c.audience_id as "audienceId", ${authorIn(sql`c.organization_id`)},
  case when m.capacity = 'GUARDIAN' then (
    select coalesce(json_agg(h.group_id), '[]') from hidden_people h
    where h.user_id = m.author_id and h.organization_id = c.organization_id) else '[]' end as "limitedIn",
  ${filesAsJson(sql`m`)} as files,
  (select coalesce(json_agg(json_build_object('emoji', r.emoji, 'count', r.size) order by r.size desc, r.emoji), '[]')
    from (select emoji, count(*)::int as size from message_reactions where message_id = m.id group by emoji) r
  ) as "reactionCounts",
  (select coalesce(json_agg(json_build_object('emoji', r.emoji, 'userId', r.user_id, 'limitedIn', (
        select json_agg(h.group_id) from hidden_people h
        where h.user_id = r.user_id and h.organization_id = c.organization_id))), '[]')
    from message_reactions r where r.message_id = m.id and exists (
      select from hidden_people h where h.user_id = r.user_id and h.organization_id = c.organization_id offset 0)
  ) as "hiddenReactions",
  case when m.mentions = '{}' then '[]' else (
    select json_agg(${personIn(sql`n.id`, sql`c.organization_id`)}::jsonb || jsonb_build_object('limitedIn', (
      select coalesce(json_agg(h.group_id), '[]') from hidden_people h
      where h.user_id = n.id and h.organization_id = c.organization_id)))
    from users n where n.id = any(m.mentions)) end as mentioned,
  m.reply_to_id is null or c.history_visibility = 'ALL' or not exists (
    select from messages r join audience_members w on w.audience_id = c.audience_id and w.until is null
    where r.id = m.reply_to_id and w.since_number >= r.number) as "replyIsForAll"`;

export const around = sql`join chats c on c.id = m.chat_id`;

const instant = (value: string | null): Date | null => (value === null ? null : new Date(value));

export const asMessage = (row: Found): Message => ({
  ...row,
  sentAt: instant(row.sentAt),
  sendAt: instant(row.sendAt),
  editedAt: instant(row.editedAt),
  pinnedAt: instant(row.pinnedAt),
  deletedAt: instant(row.deletedAt),
  createdAt: new Date(row.createdAt),
});

const byIds = prepareRaw<Found, { ids: readonly string[] }>(
  sql`select ${shown} from messages m ${around} where m.id = any(${sql.placeholder('ids')}::uuid[])`,
);

/** Messages by their ids, whoever asks. */
export const messageById: Batch<string, Message | null> = async (db, ids) => {
  const found = new Map((await byIds(db, { ids: [...ids] })).map((row) => [row.id, asMessage(row)]));
  return ids.map((id) => found.get(id) ?? null);
};

/** A message's place: its chat, and its number there. */
export interface Place {
  readonly chatId: string;
  readonly number: number;
}

const byPlaces = prepareRaw<Found, { chatIds: readonly string[]; numbers: readonly number[] }>(sql`
  select ${shown} from unnest(${sql.placeholder('chatIds')}::uuid[], ${sql.placeholder('numbers')}::bigint[]) p (chat_id, number)
  join messages m on m.chat_id = p.chat_id and m.number = p.number ${around}`);

/** Messages by their places, whoever asks: the last ones of chats. */
export const messageAt: Batch<Place, Message | null> = async (db, places) => {
  const values = { chatIds: places.map(({ chatId }) => chatId), numbers: places.map(({ number }) => number) };
  const found = new Map((await byPlaces(db, values)).map((row) => [`${row.chatId} ${row.number}`, asMessage(row)]));
  return places.map(({ chatId, number }) => found.get(`${chatId} ${number}`) ?? null);
};

const forAll = prepareRaw<{ id: string }, { ids: readonly string[] }>(sql`
  select m.id from messages m join chats c on c.id = m.chat_id
  where m.id = any(${sql.placeholder('ids')}::uuid[]) and (c.history_visibility = 'ALL' or not exists (
    select from audience_members w
    where w.audience_id = c.audience_id and w.until is null and w.since_number >= m.number))`);

/** Whether everybody who takes part now may read messages: also those who came last. */
const isForAll: Batch<string, boolean> = async (db, ids) => {
  const found = new Set((await forAll(db, { ids: [...ids] })).map(({ id }) => id));
  return ids.map((id) => found.has(id));
};

const canSee = (ctx: Context, message: Message) => async () =>
  canSeeMessage(ctx.viewer, message, await ownOf(ctx, { id: message.chatId }));

const placeOf = ({ number, authorId, audienceId }: Message): string => (number === null ? authorId : audienceId);

/** Whether whoever looks sees a message. */
export const seesMessage = (ctx: Context, message: Message): Promise<boolean> =>
  ctx.belongs(placeOf(message), canSee(ctx, message), () => ctx.load(isForAll, message.id));

/** Whether whoever is told that a message was sent sees it: all who are told at that moment were there. */
export const hearsMessage = (ctx: Context, message: Message): Promise<boolean> =>
  ctx.belongs(placeOf(message), canSee(ctx, message));

/** Which messages of a chat: all, those that are pinned, or those with some words. */
export interface HistoryFilter {
  readonly pinned: boolean;
  readonly search: string | null;
}

interface HistoryValues extends Record<string, unknown> {
  readonly chatId: string;
  readonly afters: readonly number[];
  readonly throughs: readonly number[];
  readonly before: number;
  readonly behind: number;
  readonly limit: number;
  readonly leftAt?: string | null;
}

type Kind = 'ALL' | 'PINNED' | 'FOUND';

const sought = wordsSought(sql`${sql.placeholder('search')}::text`);

/** Whether something was so when the viewer left, if they did: nothing is found by what was changed afterwards. */
function isAsLeft(changedAt: SQL): SQL {
  return sql`(${sql.placeholder('leftAt')}::timestamptz is null or ${changedAt} <= ${sql.placeholder('leftAt')}::timestamptz)`;
}

const narrowing: Readonly<Record<Kind, SQL>> = {
  ALL: sql``,
  PINNED: sql`and m.pinned_at is not null and ${isAsLeft(sql`m.pinned_at`)}`,
  FOUND: sql`and m.state = 'SENT' and numnode(${sought}) > 0 and (m.edited_at is null or ${isAsLeft(sql`m.edited_at`)})
    and m.search @@ (${sought} && quote_literal(${sql.placeholder('chatId')}::text)::tsquery)`,
};

/** What is behind a number and before another, within what may be read. */
const within = (kind: Kind): SQL => sql`
  from messages m
  where m.chat_id = ${sql.placeholder('chatId')}
    and m.number > ${sql.placeholder('behind')}::bigint and m.number < ${sql.placeholder('before')}::bigint
    and exists (
      select from unnest(${sql.placeholder('afters')}::bigint[], ${sql.placeholder('throughs')}::bigint[]) s (after, through)
      where m.number > s.after and m.number <= s.through)
    ${narrowing[kind]}`;

const pageStatement = (kind: Kind, direction: 'asc' | 'desc') =>
  prepareRaw<Found, HistoryValues & { search?: string }>(sql`
    select ${shown} from (
      select m.id ${within(kind)} order by m.number ${sql.raw(direction)} limit ${sql.placeholder('limit')}::int
    ) page join messages m on m.id = page.id ${around}
    order by m.number ${sql.raw(direction)}`);

const sizeStatement = (kind: Kind) =>
  prepareRaw<{ size: number }, HistoryValues & { search?: string }>(sql`select count(*)::int as size ${within(kind)}`);

const statements = (kind: Kind) => ({
  asc: pageStatement(kind, 'asc'),
  desc: pageStatement(kind, 'desc'),
  size: sizeStatement(kind),
});
const history = { ALL: statements('ALL'), PINNED: statements('PINNED'), FOUND: statements('FOUND') };

const kindOf = ({ pinned, search }: HistoryFilter): Kind => (search === null ? (pinned ? 'PINNED' : 'ALL') : 'FOUND');

/** Higher than any number. */
const end = Number.MAX_SAFE_INTEGER;

function valuesOf(chatId: string, { stretches, leftAt }: Own, filter: HistoryFilter) {
  const afters = stretches.map(({ after }) => after);
  const throughs = stretches.map(({ through }) => through ?? end);
  const bounds = { behind: Math.min(...afters), before: Math.max(...throughs) };
  return {
    chatId,
    afters,
    throughs,
    ...bounds,
    ...(filter.search !== null && { search: filter.search }),
    ...(kindOf(filter) !== 'ALL' && { leftAt }),
  };
}

/** A page of what the viewer may read of a chat, latest first. */
export async function pageOfMessages(
  db: Database,
  chatId: string,
  own: Own,
  filter: HistoryFilter,
  { after, before, inverted, limit }: Page,
): Promise<Message[]> {
  const values = valuesOf(chatId, own, filter);
  const found = await history[kindOf(filter)][inverted ? 'asc' : 'desc'](db, {
    ...values,
    behind: Math.max(values.behind, before ? Number(before) : 0),
    // The latest come first: what is after a cursor has a lower number.
    before: Math.min(values.before === end ? end : values.before + 1, after ? Number(after) : end),
    limit,
  });
  return found.map((row) => ({ ...asMessage(row), leftAt: own.leftAt }));
}

/** How many messages the viewer may read of a chat. */
export async function sizeOfMessages(db: Executor, chatId: string, own: Own, filter: HistoryFilter): Promise<number> {
  const values = valuesOf(chatId, own, filter);
  const before = values.before === end ? end : values.before + 1;
  const [counted] = await history[kindOf(filter)].size(db, { ...values, before, limit: 0 });
  return counted?.size ?? 0;
}

/** What the viewer has done with a message, and who else has read it. */
export interface OwnMarks {
  readonly emojis: readonly string[];
  readonly acknowledgedAt: Date | null;
  readonly readCount: number;
}

interface FoundMarks {
  readonly marks: readonly (Pick<MessageRow, 'id' | 'chatId' | 'authorId'> & {
    number: number | null;
    emojis: readonly string[];
    acknowledgedAt: string | null;
  })[];
  readonly readers: readonly { chatId: string; userId: string; through: number; since: number }[];
}

/** Who has read how far is told once a chat and counted here: to count in Postgres takes longer than all the rest. */
const marksOf = prepareRaw<FoundMarks, Meeter & { ids: readonly string[] }>(sql`
  with wanted as materialized (
    select m.id, m.chat_id, m.number, m.author_id from messages m where m.id = any(${sql.placeholder('ids')}::uuid[])
  ),
  readers as (
    select k.chat_id, k.user_id, k.read_through, w.since
    from chats c join chat_marks k on k.chat_id = c.id
    cross join lateral (
      select case when c.history_visibility = 'ALL' then 0 else min(w.since_number) end as since from audience_members w
      where w.audience_id = c.audience_id and w.user_id = k.user_id and w.until is null having count(*) > 0) w
    where c.id in (select chat_id from wanted) and not ${hiddenFrom(sql`k.user_id`, sql`c.organization_id`)}
  )
  select
    (select coalesce(json_agg(json_build_object('id', m.id, 'chatId', m.chat_id, 'number', m.number, 'authorId', m.author_id,
        'acknowledgedAt', a.created_at, 'emojis', (
          select coalesce(json_agg(r.emoji order by r.created_at), '[]') from message_reactions r
          where r.message_id = m.id and r.user_id = ${sql.placeholder('userId')}))), '[]')
      from wanted m left join message_acknowledgements a on a.message_id = m.id and a.user_id = ${sql.placeholder('userId')}) as marks,
    (select coalesce(json_agg(json_build_object('chatId', chat_id, 'userId', user_id, 'through', read_through, 'since', since)), '[]')
      from readers) as readers`);

/** What the viewer has done with messages, and how many others have read them, in one statement. */
export const ownMarks: Batch<string, OwnMarks> = async (db, ids, viewer) => {
  const [{ marks, readers } = { marks: [], readers: [] }] = await marksOf(db, { ...meeterOf(viewer()), ids: [...ids] });
  const readersOf = Map.groupBy(readers, ({ chatId }) => chatId);
  const found = new Map(marks.map((row) => [row.id, row]));
  return ids.map((id) => {
    const { chatId = '', number = null, authorId, emojis = [], acknowledgedAt = null } = found.get(id) ?? {};
    let readCount = 0;
    for (const { userId, through, since } of readersOf.get(chatId) ?? []) {
      if (number !== null && since < number && number <= through && userId !== authorId) readCount++;
    }
    return { emojis, readCount, acknowledgedAt: instant(acknowledgedAt) };
  });
};
