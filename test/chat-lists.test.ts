import { fillPlaceholders } from 'drizzle-orm';
import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { arrayLiteral } from '../src/database/arrays.ts';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { idOfUser, say } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;
let school: School;
let reader: Person;
let colleague: Person;

/** Everything that the server sends to Postgres, as it begins. */
let sent: MockInstance<PostgresJsPreparedQuery<never>['execute']>;

const ownCount = 300;
const said = 5;

/** Somebody with 300 chats, a third of them DIRECT ones, in a house with 4,000 others. */
beforeAll(async () => {
  app = await startTestApp();
  const { world } = app;
  school = await world.school();
  [reader, colleague] = [await world.staff(school), await world.staff(school)];
  const others = [await world.school('A'), await world.school('B')];
  await fill(school, reader, colleague, ownCount, true);
  await fill(school, await world.staff(school), colleague, 1000, true);
  for (const other of others) await fill(other, await world.staff(other), await world.staff(other), 1500, false);
  await inDatabase(app, (sql) => sql`vacuum analyze`);
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(() => {
  sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
});
afterEach(() => sent.mockRestore());

/** Chats of two people, in each of which five things were said; of every sixth chat one has read nothing, of the next one, … */
async function fill({ id }: School, who: Person, other: Person, size: number, mixed: boolean): Promise<void> {
  const [organizationId, userId, otherId] = [
    idOf('Organization', id),
    ...(await Promise.all([who, other].map(async (person) => idOf('User', await idOfUser(person))))),
  ];
  await inDatabase(app, async (sql) => {
    await sql`
      create temp table made as
      select uuidv7(n * interval '-1 minute' - interval '1 hour') as id, uuidv7() as audience_id, n from generate_series(1, ${size}::int) n`;
    await sql`insert into audiences (id, organization_id, kind, subject_id) select audience_id, ${organizationId ?? ''}, 'CHAT', id from made`;
    await sql`
      insert into chats (id, organization_id, kind, name, audience_id, creator_id, last_number, place)
      select id, ${organizationId ?? ''}, 'CUSTOM', 'Talk ' || n, audience_id, ${userId ?? ''}, ${said},
        uuidv7(n * interval '-1 minute') from made`;
    const pairs = sql`made, unnest(array[${userId ?? ''}, ${otherId ?? ''}]::uuid[]) u`;
    await sql`insert into chat_members (chat_id, user_id, added_by) select id, u, ${userId ?? ''} from ${pairs}`;
    await sql`insert into audience_members (audience_id, user_id, capacity, since_event) select audience_id, u, 'EMPLOYEE', 0 from ${pairs}`;
    await sql`
      insert into chat_marks (chat_id, user_id, read_through)
      select id, ${userId ?? ''}, n % 6 from made where n % 6 > 0 and ${mixed}`;
    await sql`
      insert into messages (chat_id, number, author_id, capacity, text, client_message_id, sent_at)
      select id, k, ${otherId ?? ''}, 'EMPLOYEE', 'Word ' || k, 'message-' || k, now() from made, generate_series(1, ${said}::int) k`;
  });
}

const page = `query ($first: Int, $after: String, $last: Int, $before: String) {
  viewer { chats(first: $first, after: $after, last: $last, before: $before) {
    pageInfo { hasNextPage endCursor startCursor hasPreviousPage }
    nodes {
      id kind name state lastNumber viewerUnreadCount viewerReadThrough viewerDraft viewerMuted viewerCapacities viewerCanManage
      viewerCanWrite { allowed reason } counterpart { id displayName }
      lastMessage { id number text sentAt capacity author { id displayName } attachments { id name } }
    } } } }`;

const chatsOf = async (who: Person, variables: object): Promise<Json> => {
  const { data, errors } = await who.send(page, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.viewer.chats;
};

/** What somebody is answered, and the statements that it took at the least. */
async function ask(variables: object): Promise<{ chats: Json; statements: { text: string; parameters: unknown[] }[] }> {
  let statements: { text: string; parameters: unknown[] }[] | null = null;
  let chats: Json = null;
  for (let time = 0; time < 8; time++) {
    sent.mockClear();
    chats = await chatsOf(reader, variables);
    const seen = sent.mock.contexts.map((query, index) => ({
      text: String(Object(query).queryString),
      parameters: fillPlaceholders(Object(query).params, sent.mock.calls[index]?.[0] ?? {}),
    }));
    if (statements === null || seen.length < statements.length) statements = seen;
  }
  return { chats, statements: statements ?? [] };
}

test('a page of one’s chats with last messages, unread counts and whom they are with takes three statements', async () => {
  const { id: between } = await reader.does('CreateChat', {
    input: { organizationId: school.id, kind: 'DIRECT', userIds: [await idOfUser(colleague)] },
  });
  await say(colleague, between);
  const { chats, statements } = await ask({ first: 20 });
  expect(chats.nodes).toHaveLength(20);
  expect(chats.nodes[0]).toMatchObject({
    id: between,
    viewerUnreadCount: 1,
    counterpart: { id: await idOfUser(colleague) },
  });
  expect(statements.map(({ text }) => text)).toHaveLength(3);
});

test('each chat says how much of it is unread, by its numbers', async () => {
  const { nodes } = await chatsOf(reader, { first: 100 });
  const custom = nodes.filter(({ kind, name }: Json) => kind === 'CUSTOM' && name);
  expect(custom.length).toBeGreaterThan(90);
  for (const { name, viewerUnreadCount, lastMessage } of custom) {
    expect([name, viewerUnreadCount]).toEqual([name, said - (Number(name.slice(5)) % 6)]);
    expect(lastMessage.number).toBe(said);
  }
});

test('the list is paged to its end in both directions, and each chat stands in it once', async () => {
  const names = async (forth: boolean) => {
    const found: string[] = [];
    let cursor: string | null = null;
    for (;;) {
      const { nodes, pageInfo }: Json = await chatsOf(
        reader,
        forth ? { first: 90, after: cursor } : { last: 90, before: cursor },
      );
      const ids = nodes.map(({ id }: Json) => id);
      found.splice(forth ? found.length : 0, 0, ...ids);
      if (!(forth ? pageInfo.hasNextPage : pageInfo.hasPreviousPage)) return found;
      cursor = forth ? pageInfo.endCursor : pageInfo.startCursor;
    }
  };
  const [forth, back] = [await names(true), await names(false)];
  expect(forth.length).toBeGreaterThanOrEqual(ownCount);
  expect(new Set(forth).size).toBe(forth.length);
  expect(back).toEqual(forth);
});

test('while one pages, a chat where something is said goes to the top, and no other is lost or shown twice', async () => {
  const all = (await chatsOf(reader, { first: 60 })).nodes.map(({ id }: Json) => id);
  const first = await chatsOf(reader, { first: 20 });
  await say(colleague, all[30]);
  await say(colleague, all[5]);
  const rest = await chatsOf(reader, { first: 40, after: first.pageInfo.endCursor });
  const shown = [...first.nodes, ...rest.nodes].map(({ id }: Json) => id);
  expect(new Set(shown).size).toBe(shown.length);
  expect(all.filter((id: string) => !shown.includes(id))).toEqual([all[30]]);
  expect((await chatsOf(reader, { first: 2 })).nodes.map(({ id }: Json) => id)).toEqual([all[5], all[30]]);
});

test('what others have, however much, does not make it dearer', async () => {
  const { statements } = await ask({ first: 20 });
  const read = statements.find(({ text }) => text.includes('"isOrphaned"'));
  if (!read) throw new Error('no page was read');
  const literal = (value: unknown) =>
    value === null ? 'null' : `'${(Array.isArray(value) ? arrayLiteral(value) : String(value)).replaceAll("'", "''")}'`;
  await inDatabase(app, async (sql) => {
    await sql.unsafe(`prepare page as ${read.text}`);
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await sql.unsafe(`set plan_cache_mode = ${mode}`);
      const [row] = await sql.unsafe(
        `explain (analyze, buffers, format json) execute page (${read.parameters.map(literal)})`,
      );
      const plan = row?.['QUERY PLAN'][0];
      const nodes = (one: Json): Json[] => [one, ...(one.Plans ?? []).flatMap(nodes)];
      const scanned = nodes(plan.Plan)
        .filter((one) => one['Node Type'] === 'Seq Scan')
        .map((one) => one['Relation Name']);
      for (const table of ['audience_members', 'chat_members', 'messages']) expect(scanned).not.toContain(table);
      // A few blocks for each chat of one's own, none for anybody else's.
      expect(plan.Plan['Shared Hit Blocks'] + plan.Plan['Shared Read Blocks']).toBeLessThan(10 * ownCount);
    }
  });
});
