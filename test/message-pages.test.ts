import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { arrayLiteral } from '../src/database/arrays.ts';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { operation } from './support/operations.ts';
import { inDatabase } from './support/sql.ts';
import { openTalk, ownChat, say, type Talk } from './support/talk.ts';
import type { Person } from './support/world.ts';

const otherChats = 200;
const sizes = { own: 2_000, each: 150 };

let app: TestApp;
let talk: Talk;
/** Full of messages, three of which tell of a giraffe. */
let fullChat: string;
/** Everything that the server sends to Postgres, as it begins. */
let sent: MockInstance<PostgresJsPreparedQuery<never>['execute']>;

/** One chat of 2,000 messages, and 30,000 in 200 others, so that indexes matter. */
beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
  const { teacher, otherTeacher, head, school } = talk;
  fullChat = await ownChat(app.world, school, [teacher, otherTeacher, head]);
  const userId = idOf('User', await app.world.userId(teacher));
  const organizationId = idOf('Organization', school.id);
  await inDatabase(app, async (sql) => {
    await sql`
      with made as (select uuidv7() as id from generate_series(1, ${otherChats})),
      audience as (
        insert into audiences (kind, organization_id, subject_id) select 'CHAT', ${organizationId}, id from made returning id, subject_id)
      insert into chats (id, organization_id, kind, name, creator_id, audience_id, last_number)
      select subject_id, ${organizationId}, 'CUSTOM', 'Other', ${userId}, id, ${sizes.each} from audience`;
    await sql`
      insert into messages (chat_id, number, author_id, capacity, text, client_message_id, sent_at)
      select c.id, n, ${userId}, 'EMPLOYEE',
        'Прогулка номер ' || n || case when c.id = ${idOf('Chat', fullChat)} and n % 700 = 1 then ' Видели жирафа' else '' end
          || case when c.name = 'Other' and n % 3 = 0 then ' слон' else '' end,
        'filled-' || n, now() - interval '1 hour' + n * interval '1 second'
      from chats c, generate_series(1, case when c.name = 'Other' then ${sizes.each}::int else ${sizes.own}::int end) n
      where c.name = 'Other' or c.id = ${idOf('Chat', fullChat)}`;
    await sql`update chats set last_number = ${sizes.own} where id = ${idOf('Chat', fullChat)}`;
    // Done by autovacuum elsewhere.
    await sql`vacuum analyze`;
  });
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(() => {
  sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
});
afterEach(() => sent.mockRestore());

interface Statement {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** What somebody is answered, and the fewest statements that it took: what the server does by itself makes them more. */
async function ask(who: Person, document: string, variables: object): Promise<{ data: Json; statements: Statement[] }> {
  let fewest: Statement[] | null = null;
  let data: Json = null;
  for (let time = 0; time < 8; time++) {
    sent.mockClear();
    const result = await who.send(document, variables);
    if (result.errors) throw new Error(JSON.stringify(result.errors));
    ({ data } = result);
    const statements = sent.mock.contexts.map((query, index) => {
      const [values] = sent.mock.calls[index] ?? [];
      // As Drizzle keeps them: a placeholder, or the value itself.
      const parameters = Object(query).params.map((one: Json) => (one?.name ? Object(values)[one.name] : one));
      return { text: String(Object(query).queryString), parameters };
    });
    if (fewest === null || statements.length < fewest.length) fewest = statements;
  }
  return { data, statements: fewest ?? [] };
}

const page = `query ($id: ID!) { chat(id: $id) { id name viewerUnreadCount messages(first: 50) { pageInfo { hasNextPage endCursor }
  nodes { id number text sentAt state capacity isPinned viewerIsAuthor readCount viewerReactions viewerAcknowledgedAt
    author { id displayName } reactions { emoji count } attachments { id name } mentions { id } replyTo { id text author { displayName } }
  } } } }`;

/** How Postgres runs a statement, whichever way it comes to plan it. */
async function plansOf({
  text,
  parameters,
}: Statement): Promise<{ scanned: string[]; indexes: string[]; buffers: number }[]> {
  const literal = (value: unknown) =>
    value === null ? 'null' : `'${(Array.isArray(value) ? arrayLiteral(value) : String(value)).replaceAll("'", "''")}'`;
  const nodes = (one: Json): Json[] => [one, ...(one.Plans ?? []).flatMap(nodes)];
  return inDatabase(app, async (sql) => {
    await sql.unsafe(`prepare page as ${text}`);
    const plans = [];
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await sql.unsafe(`set plan_cache_mode = ${mode}`);
      await sql.unsafe(`execute page (${parameters.map(literal)})`);
      const [row] = await sql.unsafe(
        `explain (analyze, buffers, format json) execute page (${parameters.map(literal)})`,
      );
      const plan = row?.['QUERY PLAN'][0].Plan;
      plans.push({
        scanned: nodes(plan).flatMap((one) => (one['Node Type'] === 'Seq Scan' ? one['Relation Name'] : [])),
        indexes: nodes(plan).flatMap((one) => one['Index Name'] ?? []),
        buffers: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
      });
    }
    return plans;
  });
}

const search = async (person: Person, id: string, words: string): Promise<string[]> => {
  const { chat } = await person.run('SearchChat', { id, search: words });
  expect(chat.messages.nodes).toHaveLength(Math.min(20, chat.messages.totalCount));
  return chat.messages.nodes.map(({ text }: Json) => text);
};

test('a page of fifty messages with all that they show takes at most five statements, with asking who asks', async () => {
  const { teacher, otherTeacher, head } = talk;
  const file = await app.world.upload(teacher);
  const { id } = await say(teacher, fullChat, 'Look', { fileIds: [file.id], replyToId: null });
  await otherTeacher.does('AddMessageReaction', { messageId: id, emoji: '👍' });
  await say(head, fullChat, 'Nice', { replyToId: id, mentionedIds: [await app.world.userId(teacher)] });
  const { data, statements } = await ask(otherTeacher, page, { id: fullChat });
  expect(data.chat.messages.nodes).toHaveLength(50);
  expect(data.chat.messages.nodes.slice(0, 2)).toMatchObject([
    { text: 'Nice', replyTo: { text: 'Look' }, readCount: expect.any(Number) },
    { text: 'Look', attachments: [{ id: file.id }], reactions: [{ count: 1 }], viewerReactions: ['👍'] },
  ]);
  expect(statements.length, statements.map(({ text }) => text.slice(0, 200)).join('\n')).toBeLessThanOrEqual(5);
});

test('pages meet without a gap, forwards and backwards, and each costs the same', async () => {
  const { head } = talk;
  const numbers: number[] = [];
  for (let page: Json = { hasNextPage: true, endCursor: null }; page.hasNextPage; ) {
    const { chat } = await head.run('Chat', { id: fullChat, first: 100, after: page.endCursor });
    numbers.push(...chat.messages.nodes.map(({ number }: Json) => number));
    page = chat.messages.pageInfo;
  }
  const { lastNumber } = (await head.run('Chat', { id: fullChat, first: 1 })).chat;
  expect(numbers).toEqual(Array.from({ length: lastNumber }, (_, index) => lastNumber - index));
  const { chat } = await head.run('Chat', { id: fullChat, first: null, last: 3, before: '10' });
  expect(chat.messages.nodes.map(({ number }: Json) => number)).toEqual([13, 12, 11]);
  for (const after of [null, '1000', '60']) {
    const { statements } = await ask(head, operation('Chat'), { id: fullChat, first: 50, after });
    const read = statements.find(({ text }) => text.includes('message_reactions where message_id'));
    for (const { scanned, buffers } of read ? await plansOf(read) : []) {
      expect(scanned).not.toContain('messages');
      expect(buffers).toBeLessThan(1_500);
    }
    expect(read).toBeDefined();
  }
});

describe('search', () => {
  test('looks at what is in this chat only, by an index, however much others say the same', async () => {
    const { head } = talk;
    for (const [words, size] of [
      ['жираф', 3],
      ['слон', 0],
      ['прогулки жирафа', 3],
    ] as const) {
      const { data, statements } = await ask(head, operation('SearchChat'), { id: fullChat, search: words });
      expect(data.chat.messages.totalCount).toBe(size);
      const pages = statements.filter(({ text }) => text.includes('websearch_to_tsquery'));
      expect(pages.length).toBeGreaterThan(0);
      for (const page of pages) {
        const plans = await plansOf(page);
        expect(plans[0]?.indexes, words).toContain('messages_search_index');
        // One plan for all words walks through this chat; never through others.
        for (const { scanned, buffers } of plans) {
          expect(scanned).not.toContain('messages');
          expect(buffers, words).toBeLessThan(200);
        }
      }
    }
  });

  test('finds Russian and English words in any form and case, phrases, and not what is excluded', async () => {
    const { teacher, head, staffChat } = talk;
    for (const text of [
      'Завтра ёлка для детей',
      'Ёлки привезут в субботу',
      'Bring the Boots',
      'The meeting was moved',
      'Вода, вода',
    ])
      await app.world.message(teacher, staffChat, text);
    for (const [words, found] of [
      ['елка', ['Ёлки привезут в субботу', 'Завтра ёлка для детей']],
      ['ЁЛКУ ребёнку', []],
      ['ёлка дети', ['Завтра ёлка для детей']],
      ['boot', ['Bring the Boots']],
      ['meetings', ['The meeting was moved']],
      ['ёлка -суббота', ['Завтра ёлка для детей']],
      ['"ёлка для детей"', ['Завтра ёлка для детей']],
      ['"детей ёлка"', []],
      ['boots or вода', ['Вода, вода', 'Bring the Boots']],
      ['для', []],
      ["о'", []],
      ['& | ! (вода:*', ['Вода, вода']],
    ] as const)
      expect(await search(head, staffChat, words), words).toEqual(found);
  });

  test('finds what a message says now, not what it said; nothing that was deleted, and nothing from before one came', async () => {
    const { teacher, otherTeacher, school } = talk;
    const chatId = await ownChat(app.world, school, [teacher, otherTeacher]);
    const [edited, gone] = [
      await app.world.message(teacher, chatId, 'Носорог'),
      await app.world.message(teacher, chatId, 'Носорог тоже'),
    ];
    const late = await app.world.staff(school);
    await teacher.does('AddChatMembers', { chatId, userIds: [await app.world.userId(late)] });
    await app.world.message(teacher, chatId, 'Носороги');
    expect(await search(otherTeacher, chatId, 'носорог')).toEqual(['Носороги', 'Носорог тоже', 'Носорог']);
    expect(await search(late, chatId, 'носорог')).toEqual(['Носороги']);
    await teacher.does('EditMessage', { input: { messageId: edited.id, text: 'Бегемот' } });
    await teacher.does('DeleteMessage', { messageId: gone.id });
    expect(await search(otherTeacher, chatId, 'носорог')).toEqual(['Носороги']);
    expect(await search(otherTeacher, chatId, 'бегемоты')).toEqual(['Бегемот']);
    await otherTeacher.does('LeaveChat', { chatId });
    await app.world.message(teacher, chatId, 'Носорог после');
    expect(await search(otherTeacher, chatId, 'носорог')).toEqual(['Носороги']);
    expect(await search(teacher, chatId, idOf('Chat', chatId))).toEqual([]);
  });
});
