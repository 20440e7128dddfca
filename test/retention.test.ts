import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { headOf, openLog } from '../src/log/history.ts';
import { trimLog } from '../src/log/retention.ts';
import { startTestApp } from './support/app.ts';
import { TestClient } from './support/client.ts';
import { createDatabase } from './support/postgres.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';

/** A log with so many old events, then 10 young ones, and 3 old ones that still wait for their place. */
async function openHistory(old: number) {
  await using stack = new AsyncDisposableStack();
  const databaseUrl = stack.use(await createDatabase()).url;
  const connection = stack.use(await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 2 }));
  const { db } = connection;
  await openLog(db);
  await db.execute(sql`create table forgettings (backend int default pg_backend_pid(), count bigint)`);
  await db.execute(sql`create function note_forgetting() returns trigger language plpgsql as
    $$ begin insert into forgettings (count) select count(*) from gone; return null; end $$`);
  await db.execute(sql`create trigger forgetting after delete on log_events referencing old table as gone
    for each statement execute function note_forgetting()`);
  await write(connection, old, '8 days', true);
  await write(connection, 10, '6 days', true);
  await write(connection, 3, '8 days', false);
  const kept = stack.move();
  /** Another process's connection. */
  const open = async () => kept.use(await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 2 }));
  return { db, open, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const write = ({ db }: Pick<Connection, 'db'>, count: number, age: string, placed: boolean) =>
  db.execute(sql`insert into log_events (audience_id, kind, subject_id, position, created_at)
    select gen_random_uuid(), 'HAPPENED', gen_random_uuid(), case when ${placed} then nextval('log_position') end,
      now() - ${age}::interval
    from generate_series(1, ${count}::int)`);

/** How many were forgotten at once, each time, and by whom. */
const forgettings = (db: Connection['db']) =>
  rows<{ backend: number; count: number }>(db, sql`select backend, count from forgettings where count > 0`);

const remaining = async (db: Connection['db']) => {
  const [log] = await rows<{ placed: number; waiting: number; first: number }>(
    db,
    sql`select count(position) as placed, count(*) filter (where position is null) as waiting, min(position) as first
      from log_events`,
  );
  return { ...log, trimmedThrough: (await headOf(db)).trimmedThrough };
};

test('what is old is forgotten in slices, oldest first, and nothing else is', async () => {
  await using history = await openHistory(12_000);
  const { db } = history;
  await trimLog(db, 7);
  expect(await remaining(db)).toEqual({ placed: 10, waiting: 3, first: 12_001, trimmedThrough: 12_000 });
  expect((await forgettings(db)).map(({ count }) => count)).toEqual([5_000, 5_000, 2_000]);
  await trimLog(db, 7);
  expect(await remaining(db)).toEqual({ placed: 10, waiting: 3, first: 12_001, trimmedThrough: 12_000 });
  await trimLog(db, 5);
  expect(await remaining(db)).toEqual({ placed: 0, waiting: 3, first: null, trimmedThrough: 12_010 });
});

test('at no moment does somebody see a part of what is called remembered', async () => {
  await using history = await openHistory(60_000);
  const { db } = history;
  const seen = new Set<number>();
  let over = false;
  const looking = (async () => {
    while (!over) {
      const [moment] = await rows<{ trimmedThrough: number; first: number }>(
        db,
        sql`select trimmed_through as "trimmedThrough", (select min(position) from log_events) as first from log_state`,
      );
      expect(moment?.first).toBe(Number(moment?.trimmedThrough) + 1);
      seen.add(Number(moment?.first));
    }
  })();
  await trimLog(db, 7).finally(() => {
    over = true;
  });
  await looking;
  expect(seen.size).toBeGreaterThan(5);
});

test('an old event behind a young one waits for it', async () => {
  await using history = await openHistory(100);
  const { db } = history;
  await write(history, 100, '8 days', true); // of a transaction that took long, say
  await trimLog(db, 7);
  expect(await remaining(db)).toMatchObject({ placed: 110, trimmedThrough: 100 });
});

test('what several processes trim at once, as when one only seemed dead, is forgotten once', async () => {
  await using history = await openHistory(100_000);
  const others = await Promise.all([history.open(), history.open()]);
  await Promise.all([history, ...others].map(({ db }) => trimLog(db, 7)));
  expect(await remaining(history.db)).toEqual({ placed: 10, waiting: 3, first: 100_001, trimmedThrough: 100_000 });
  const counts = (await forgettings(history.db)).map(({ count }) => count);
  expect(counts).toEqual(Array.from({ length: 20 }, () => 5_000));
});

test('who opens the log meanwhile delays the trimming and does not end it', async () => {
  await using history = await openHistory(20_000);
  const { db } = history;
  let trimming = Promise.resolve();
  await db.transaction(async (tx) => {
    await tx.execute(sql`select from log_state for update`);
    trimming = trimLog((await history.open()).db, 7);
    await eventually(async () => {
      // A transaction keeps what it has once seen of the others' activity.
      await tx.execute(sql`select pg_stat_clear_snapshot()`);
      const [asked] = await rows(
        tx,
        sql`select from pg_stat_activity where datname = current_database() and query ilike '%skip locked%' and pid <> pg_backend_pid()`,
      );
      expect(asked).toBeDefined();
    });
  });
  await trimming;
  expect(await remaining(db)).toMatchObject({ placed: 10, trimmedThrough: 20_000 });
});

test('a process that stops leaves the rest for later', async () => {
  await using history = await openHistory(60_000);
  const { db } = history;
  const stop = new AbortController();
  const trimming = trimLog(db, 7, stop.signal);
  await eventually(async () => expect((await remaining(db)).trimmedThrough).toBeGreaterThan(0));
  stop.abort();
  await expect(trimming).rejects.toThrow();
  const left = await remaining(db);
  expect(left.trimmedThrough).toBeLessThan(60_000);
  expect(left.placed).toBe(60_010 - left.trimmedThrough);
  await trimLog(db, 7);
  expect(await remaining(db)).toMatchObject({ placed: 10, trimmedThrough: 60_000 });
});

test('a cursor from before what one process forgot is told to read anew by all', async () => {
  await using app = await startTestApp();
  await using other = await startTestApp({ databaseUrl: app.databaseUrl ?? '' });
  const person = await app.world.person();
  const { cursor } = (await person.run('Viewer')).viewer;
  for (let turn = 0; turn < 3; turn++) await person.does('UpdateProfile', { input: { givenName: 'Anna' } });
  await inDatabase(app, (sql) => sql`update log_events set created_at = now() - interval '8 days'`);
  await using third = await connect({ databaseUrl: app.databaseUrl, dataDirectory: 'memory://' });
  await trimLog(third.db, 7);
  await inDatabase(app, async (sql) => expect(await sql`select from log_events`).toEqual([]));
  for (const url of [app.url, other.url]) {
    // A server learns of it within a second, and until then still has those events in memory.
    await eventually(async () => {
      await using client = new TestClient(url, person.token);
      const stream = client.subscribe('ViewerEvents', { after: cursor });
      expect(await stream.next()).toMatchObject({ __typename: 'ResyncRequired' });
    });
  }
});
