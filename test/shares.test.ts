import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { counted } from '../src/database/allowance.ts';
import { connect, rows } from '../src/database/connect.ts';
import { Gate } from '../src/database/gate.ts';
import { Share, Shares } from '../src/database/shares.ts';
import { shared } from '../src/database/together.ts';
import { OperationTooLarge, RateLimited } from '../src/errors.ts';
import { startTestApp } from './support/app.ts';
import { createDatabase } from './support/postgres.ts';
import { openTalk } from './support/talk.ts';

const times = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, at) => part(at)).join(' ');

/** As many statements as one operation may send. */
const most = 30;
const ample = () => new Share({ percent: 1_000_000, poolSize: 10 });
const inOperation = <Result>(work: () => Promise<Result>) => counted(ample(), { statements: most, ms: 60_000 }, work);
const tooLarge = { cause: expect.any(OperationTooLarge) };

/** A database that is asked in the course of operations. */
async function open() {
  const stack = new AsyncDisposableStack();
  const { url } = stack.use(await createDatabase());
  const { db } = stack.use(await connect({ databaseUrl: url, dataDirectory: 'memory://' }));
  const ask = async (count: number) => {
    for (let asked = 0; asked < count; asked++) await db.execute(sql`select 1`);
  };
  return { db, ask, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('an operation sends so many statements and no more, and the next begins anew', async () => {
  await using database = await open();
  await inOperation(() => database.ask(most));
  await expect(inOperation(() => database.ask(most + 1))).rejects.toMatchObject(tooLarge);
  await inOperation(() => database.ask(most));
});

test('what an operation has changed when it turns out too large is undone', async () => {
  await using database = await open();
  const { db } = database;
  await db.execute(sql`create table things (id int)`);
  const change = (count: number) =>
    inOperation(() =>
      db.transaction(async (tx) => {
        for (let made = 0; made < count; made++) await tx.execute(sql`insert into things values (${made})`);
      }),
    );
  await expect(change(most + 1)).rejects.toMatchObject(tooLarge);
  expect(await rows(db, sql`select * from things`)).toEqual([]);
  await change(3);
  expect(await rows(db, sql`select * from things`)).toHaveLength(3);
});

test('what is read for everybody is no one’s to pay, so nobody is refused it for another’s sake', async () => {
  await using database = await open();
  const ask = shared(async (db, keys) => {
    await db.execute(sql`select 1`);
    return keys;
  });
  const answer = inOperation(async () => {
    await database.ask(most);
    return ask(database.db, 'known');
  });
  expect(await answer).toBe('known');
});

test('one person has three of ten connections at once, and one for a while after a heavy statement', async () => {
  const share = ample();
  const mostAtOnce = async () => {
    let [now, top] = [0, 0];
    const pass = () =>
      share.statements.through(async () => {
        top = Math.max(top, ++now);
        await Promise.resolve();
        now--;
      });
    await Promise.all(Array.from({ length: 20 }, pass));
    return top;
  };
  expect(await mostAtOnce()).toBe(3);
  share.chargeStatement(49);
  expect(await mostAtOnce()).toBe(3);
  share.chargeStatement(50);
  expect(await mostAtOnce()).toBe(1);
});

test('a gate lets people in as they came, turns away whom it has no room for, and is not held by who fails', async () => {
  const gate = new Gate(1, 2);
  const order: number[] = [];
  const enter = (number: number) =>
    gate.through(async () => {
      order.push(number);
      await Promise.resolve();
      if (number === 1) throw new Error('failed');
    });
  const outcomes = await Promise.allSettled([enter(1), enter(2), enter(3), enter(4)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'rejected']);
  expect(outcomes[3]).toMatchObject({ reason: expect.any(RateLimited) });
  await enter(5);
  expect(order).toEqual([1, 2, 3, 5]);
});

test('who has taken more than their share is told when to come back, and nobody else waits', async () => {
  const shares = new Shares({ percent: 10, poolSize: 10 });
  const [greedy, other] = [shares.of('viewer:1'), shares.of('viewer:2')];
  await greedy.turn();
  greedy.charge(10_000);
  const refused = await greedy.turn().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RateLimited);
  // 8 s are missing, of which a tenth comes back in each.
  expect((refused as RateLimited).retryAt.getTime() - Date.now()).toBeGreaterThan(60_000);
  await other.turn();
  expect(shares.of('viewer:1')).toBe(greedy);
});

test('each mutation counts for itself, by whatever alias or fragment it is asked for', async () => {
  await using app = await startTestApp({ config: { ratePerMinute: 50 } });
  const person = await app.world.person();
  const turn = (index: number) => `a${index}: turnOffQuietHours { __typename }`;
  const mutation = `mutation { ${times(10, turn)} ...More } fragment More on Mutation { ${times(10, (at) => turn(at + 10))} }`;
  const results = [];
  for (let asked = 0; asked < 3; asked++) results.push(await person.send(mutation));
  expect(results[0]?.errors).toBeUndefined();
  expect(results[2]).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  // What is refused is refused whole.
  expect(results[2]?.data ?? null).toBeNull();
});

describe('what one operation may ask for', () => {
  const searching = (field: string) => times(30, (at) => `a${at}: ${field}(first: 1, search: "w${at}") { totalCount }`);

  test('a hundred chats’ worth of searches is refused before anything is read', async () => {
    await using app = await startTestApp();
    const { teacher, chatId, school, groupId } = await openTalk(app.world);
    const hundred = (id: string) => ({ ids: Array.from({ length: 100 }, () => id) });
    const documents: [string, object][] = [
      [`query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Chat { ${searching('messages')} } } }`, hundred(chatId)],
      [
        `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Organization { ${searching('posts')} } } }`,
        hundred(school.id),
      ],
      [
        `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Group { ${times(30, (at) => `a${at}: staff(first: ${at + 1}) { totalCount }`)} } } }`,
        hundred(groupId),
      ],
    ];
    for (const [query, variables] of documents) {
      const { data, errors } = await teacher.send(query, variables);
      expect(errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_LARGE' } }]);
      expect(data ?? null).toBeNull();
    }
  });

  test('a search in each of thirty ways is answered', async () => {
    await using app = await startTestApp();
    const { teacher, chatId } = await openTalk(app.world);
    const { data, errors } = await teacher.send(
      `{ node(id: "${chatId}") { ... on Chat { ${searching('messages')} } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data.node.a29).toEqual({ totalCount: 0 });
  });
});
