import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { connect } from '../src/database/connect.ts';
import { transact } from '../src/log/append.ts';
import { createDatabase } from './support/postgres.ts';

test('of two commands that wait for each other, the one that is thrown out begins again', async () => {
  await using database = await createDatabase();
  await using connection = await connect({ databaseUrl: database.url, dataDirectory: '', poolSize: 4 });
  const { db } = connection;
  await db.execute(sql`create table places (id int primary key, visits int not null)`);
  await db.execute(sql`insert into places values (1, 0), (2, 0)`);
  const bothInside = Promise.withResolvers<void>();
  let inside = 0;
  let attempts = 0;
  const visit = (first: number, second: number) =>
    transact(db, async (tx) => {
      attempts++;
      await tx.execute(sql`update places set visits = visits + 1 where id = ${first}`);
      if (++inside === 2) bothInside.resolve();
      await bothInside.promise;
      await tx.execute(sql`update places set visits = visits + 1 where id = ${second}`);
    });
  await Promise.all([visit(1, 2), visit(2, 1)]);
  expect(attempts).toBe(3);
  const places = await db.execute(sql`select visits from places`);
  expect(places).toMatchObject([{ visits: 2 }, { visits: 2 }]);
});
