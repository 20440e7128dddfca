import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { constraintOf } from '../src/database/failures.ts';
import { isMigrated, migrate } from '../src/database/migrate.ts';
import { createHalves, halves, halvesOf } from './support/halves.ts';
import { createDatabase } from './support/postgres.ts';
import { eventually } from './support/waiting.ts';

async function open(): Promise<AsyncDisposable & { readonly connection: Connection }> {
  await using stack = new AsyncDisposableStack();
  const { url } = stack.use(await createDatabase());
  const connection = stack.use(await connect({ databaseUrl: url, dataDirectory: 'memory://' }));
  await createHalves(connection);
  const kept = stack.move();
  return { connection, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

test('names the constraint that refused a row', async () => {
  await using opened = await open();
  const { db } = opened.connection;
  const key = randomUUID();
  await db.insert(halves).values({ key, half: 1 });
  const refusal = (half: number) =>
    db
      .insert(halves)
      .values({ key, half })
      .then(() => null, constraintOf);
  expect(await refusal(1)).toBe('halves_key_half_unique');
  expect(await refusal(3)).toBe('halves_half_check');
  expect(constraintOf(await rows(db, sql`select 1 / 0`).catch((error: unknown) => error))).toBeNull();
});

test('reads lists and values alike', async () => {
  await using opened = await open();
  const { db } = opened.connection;
  const keys = [randomUUID(), randomUUID()];
  await db.insert(halves).values(keys.map((key) => ({ key, half: 1 })));
  expect(await halvesOf(db, { keys })).toEqual([{ half: 1 }, { half: 1 }]);
  expect(await halvesOf(db, { keys: [] })).toEqual([]);
  expect(await db.transaction((tx) => halvesOf(tx, { keys: [...keys, randomUUID()] }))).toHaveLength(2);
  const texts = ['plain', 'with "quotes", commas', 'back\\slash', 'NULL', '', '{}'];
  expect(
    await rows(
      db,
      sql`select ${sql.param(texts)}::text[] as texts, ${sql.param(keys)}::uuid[] as keys, ${sql.param([1, null])}::int[] as numbers,
        9007199254740991 as safe, 9007199254740993 as unsafe, 1.50::numeric(4, 2) as price, true as yes, null::text as nothing,
        '{"a":[1]}'::jsonb as document, ${new Date(0)}::timestamptz as instant`,
    ),
  ).toEqual([
    {
      texts,
      keys,
      numbers: [1, null],
      safe: 9007199254740991,
      unsafe: 9007199254740993n,
      price: '1.50',
      yes: true,
      nothing: null,
      document: { a: [1] },
      instant: '1970-01-01 00:00:00+00',
    },
  ]);
});

test('hears its own notifications until told to stop', async () => {
  await using opened = await open();
  const { connection } = opened;
  const heard: string[] = [];
  const notify = (payload: string) => rows(connection.db, sql`select pg_notify('news', ${payload})`);
  const ear = await connection.listen(
    'news',
    (payload) => heard.push(payload),
    () => heard.push('listening'),
  );
  await notify('first');
  await eventually(() => expect(heard).toEqual(['listening', 'first']));
  await ear[Symbol.asyncDispose]();
  await notify('second');
  await connection.ping();
  expect(heard).toEqual(['listening', 'first']);
});

test('is migrated once, however many begin at once', async () => {
  await using opened = await open();
  const { connection } = opened;
  await connection.db.execute(sql`drop schema if exists drizzle cascade`);
  await connection.db.execute(sql`drop schema public cascade`);
  await connection.db.execute(sql`create schema public`);
  expect(await isMigrated(connection)).toBe(false);
  await Promise.all([migrate(connection), migrate(connection)]);
  expect(await isMigrated(connection)).toBe(true);
});

test('a migration gives way to whoever holds a table for long, so that nobody waits behind it', async () => {
  await using opened = await open();
  const { connection } = opened;
  // As it was before the last of them, which refers to users.
  await connection.script(`drop table member_names; drop index memberships_user_index;
    delete from drizzle.__drizzle_migrations where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`);
  const held = Promise.withResolvers<void>();
  const blocked = Promise.withResolvers<void>();
  const holding = connection.db.transaction(async (tx) => {
    await tx.execute(sql`lock table users in row exclusive mode`);
    await held.promise;
  });
  let times = 0;
  const migrating = migrate(connection, () => {
    times++;
    blocked.resolve();
  });
  await blocked.promise;
  await connection.db.transaction((tx) => tx.execute(sql`update users set locale = locale`));
  expect(await isMigrated(connection)).toBe(false);
  held.resolve();
  await holding;
  await migrating;
  expect(await isMigrated(connection)).toBe(true);
  expect(times).toBeGreaterThan(0);
});
