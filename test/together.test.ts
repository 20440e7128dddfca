import { expect, test } from 'vitest';
import type { Database } from '../src/database/connect.ts';
import { shared } from '../src/database/together.ts';

const database = () => ({}) as Database; // of which nothing is asked here

test('what many ask at once is read once, each key once, and everybody is told their own', async () => {
  const reads: string[][] = [];
  const lengthOf = shared(async (_db, keys) => {
    reads.push([...keys]);
    return keys.map((key) => key.length);
  });
  const db = database();
  expect(await Promise.all(['a', 'bb', 'a', 'ccc', 'bb'].map((key) => lengthOf(db, key)))).toEqual([1, 2, 1, 3, 2]);
  expect(reads).toEqual([['a', 'bb', 'ccc']]);
  expect(await lengthOf(db, 'a')).toBe(1);
  expect(reads).toHaveLength(2); // nothing is kept
});

test('who asks while it is read is told what is read afterwards', async () => {
  let value = 0;
  const [begun, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const current = shared(async (_db, keys) => {
    const read = value;
    begun.resolve();
    await answered.promise;
    return keys.map(() => read);
  });
  const db = database();
  const first = current(db, 'a');
  await begun.promise;
  value = 1;
  const rest = Promise.all([current(db, 'a'), current(db, 'a')]);
  answered.resolve();
  expect([await first, ...(await rest)]).toEqual([0, 1, 1]);
});

test('of another database another answer is read', async () => {
  const [one, other] = [database(), database()];
  const which = shared(async (db, keys) => keys.map(() => (db === one ? 'one' : 'other')));
  expect(await Promise.all([which(one, 'a'), which(other, 'a')])).toEqual(['one', 'other']);
});

test('when it cannot be read, all who wait hear of it, and the next try again', async () => {
  let isDown = true;
  const read = shared(async (_db, keys) => {
    if (isDown) throw new Error('the database is away');
    return keys;
  });
  const db = database();
  const [one, other] = await Promise.allSettled([read(db, 'a'), read(db, 'a')]);
  expect([one?.status, other?.status]).toEqual(['rejected', 'rejected']);
  isDown = false;
  expect(await read(db, 'a')).toBe('a');
});
