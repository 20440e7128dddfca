import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { describe, expect, test, vi } from 'vitest';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { isUnavailable } from '../src/database/failures.ts';
import { createHalves, halfOf, halves, halvesOf, insertHalves, Load, watchProcess } from './support/halves.ts';
import { administer, createDatabase, databaseIn } from './support/postgres.ts';
import { type Cluster, startCluster } from './support/postgres-cluster.ts';
import { eventually } from './support/waiting.ts';

async function connectTo(cluster: Cluster, poolSize: number): Promise<Connection> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(cluster.url, `create database ${name}`);
  const connection = await connect({
    databaseUrl: databaseIn(cluster.url, name),
    dataDirectory: 'memory://',
    poolSize,
  });
  await createHalves(connection);
  return connection;
}

/** Waits for answers after now: proof that the pool has recovered. */
async function moreAnswers(load: Load): Promise<void> {
  const before = load.answered;
  await eventually(() => expect(load.answered).toBeGreaterThan(before + 200));
}

describe('a server that fails', () => {
  test('under load, backends terminated eight times and a crash cost clean errors and nothing else', async () => {
    using observed = watchProcess();
    await using cluster = await startCluster();
    await using connection = await connectTo(cluster, 8);
    const heard: string[] = [];
    const listening = vi.fn();
    await using _ear = await connection.listen('gate', (payload) => heard.push(payload), listening);
    expect(listening).toHaveBeenCalledTimes(1);

    const load = new Load(connection, 16);
    for (let round = 0; round < 8; round++) {
      await moreAnswers(load);
      await administer(
        cluster.url,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test_%' and pid <> pg_backend_pid()`,
      );
    }
    await moreAnswers(load);
    await cluster.restart('immediate');
    await load.stop();

    // Soon everything answers again.
    await eventually(() => Promise.all(Array.from({ length: 64 }, () => insertHalves(connection.db, randomUUID()))));
    await rows(connection.db, sql`select pg_notify('gate', 'still there')`);
    await eventually(() => expect(heard).toEqual(['still there']));
    expect(listening.mock.calls.length).toBeGreaterThan(1);

    expect(observed.fatal).toEqual([]);
    expect(load.errors.filter((error) => !isUnavailable(error))).toEqual([]);
    expect(load.errors.length).toBeGreaterThan(0);
    const torn = sql`select key from halves group by key having count(*) <> 2`;
    expect(await rows(connection.db, torn)).toEqual([]);
    const kept = await rows<{ key: string }>(connection.db, sql`select distinct key from halves`);
    expect(new Set(load.acknowledged).difference(new Set(kept.map(({ key }) => key)))).toEqual(new Set());
  });

  test('one that stands still keeps no caller waiting without end, and is used again when it moves', async () => {
    using observed = watchProcess();
    await using cluster = await startCluster();
    await using connection = await connectTo(cluster, 4);
    const { db } = connection;
    const listening = vi.fn();
    await using _ear = await connection.listen('gate', () => {}, listening);
    await Promise.all(Array.from({ length: 20 }, () => connection.ping()));

    let reached = (): void => {};
    const inTransaction = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let proceed = (): void => {};
    const paused = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const torn = db.transaction(async (tx) => {
      await tx.insert(halves).values({ key: randomUUID(), half: 1 });
      reached();
      await paused;
      await tx.insert(halves).values({ key: randomUUID(), half: 2 });
    });
    await inTransaction;
    await cluster.pause();
    proceed();
    // More than there are connections, so that some wait for one.
    const asked = [
      torn,
      ...Array.from({ length: 12 }, () => [connection.ping(), insertHalves(db, randomUUID())]).flat(),
    ];
    const outcomes = asked.map((answer) =>
      answer.then(
        () => null,
        (error: unknown) => error,
      ),
    );
    expect((await Promise.all(outcomes)).filter((error) => !isUnavailable(error))).toEqual([]);

    await cluster.resume();
    await eventually(() => connection.ping());
    await Promise.all(Array.from({ length: 20 }, () => insertHalves(db, randomUUID())));
    expect(await rows(db, sql`select key from halves group by key having count(*) <> 2`)).toEqual([]);
    expect(observed.fatal).toEqual([]);
  });
});

describe('a connection', () => {
  test('prepares a hot statement once, for plain use and in transactions', async () => {
    await using database = await createDatabase();
    await using connection = await connect({ databaseUrl: database.url, dataDirectory: 'memory://', poolSize: 1 });
    await createHalves(connection);
    for (let turn = 0; turn < 3; turn++) {
      await halfOf(connection.db, { key: randomUUID() });
      await connection.db.transaction((tx) => halfOf(tx, { key: randomUUID() }));
      await halvesOf(connection.db, { keys: [] });
    }
    const prepared = await rows<{ statement: string; uses: number }>(
      connection.db,
      // The driver prepares COMMIT for itself.
      sql`select statement, generic_plans + custom_plans as uses from pg_prepared_statements
        where statement like 'select %' order by uses desc`,
    );
    expect(prepared).toMatchObject([
      { statement: expect.stringContaining('"halves"."key" = $1'), uses: 6 },
      { statement: expect.stringContaining('key = any($1)'), uses: 3 },
    ]);
  });

  test('goes on when a statement cannot be encoded', async () => {
    await using database = await createDatabase();
    await using connection = await connect({ databaseUrl: database.url, dataDirectory: 'memory://', poolSize: 1 });
    await createHalves(connection);
    await halfOf(connection.db, { key: randomUUID() });
    const running = rows(connection.db, sql`select pg_sleep(0.1)`);
    await nextTurn();
    const [before, broken, after] = await Promise.allSettled([
      running,
      halfOf(connection.db, { key: undefined }),
      halfOf(connection.db, { key: randomUUID() }),
    ]);
    expect([before.status, broken.status, after.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('refuses what is added to a transaction that has ended', async () => {
    await using database = await createDatabase();
    await using connection = await connect({ databaseUrl: database.url, dataDirectory: 'memory://', poolSize: 1 });
    await createHalves(connection);
    const key = randomUUID();
    const ended = Promise.withResolvers<void>();
    let late: Promise<unknown> = Promise.resolve();
    await connection.db
      .transaction(async (tx) => {
        late = ended.promise.then(() => tx.insert(halves).values({ key, half: 1 }));
        throw new Error('changed our mind');
      })
      .catch(() => {});
    ended.resolve();
    await expect(late).rejects.toThrow();
    expect(await halfOf(connection.db, { key })).toEqual([]);
  });
});
