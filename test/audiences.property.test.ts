import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { type Connection, connect } from '../src/database/connect.ts';
import { undone } from './property/deeds.ts';
import type * as model from './property/model.ts';
import { openLanes } from './property/opening.ts';
import { Place } from './property/place.ts';
import { type Wish, wish } from './property/wishes.ts';
import { createDatabase, type TestDatabase } from './support/postgres.ts';

const numRuns = Number(process.env.HOMEROOM_PROPERTY_RUNS ?? 600);
/** A run that fails names its seed; with it the same runs are made again. */
const seed = Number(process.env.HOMEROOM_PROPERTY_SEED ?? Math.floor(Math.random() * 0x7fffffff));
const longestRun = 6;
/** Runs at a time, each in schools of its own: while one waits for the database, another thinks. */
const lanes = 2;

let database: TestDatabase;
let connection: Connection;
/** Of each lane: two schools and the people of both, from which every run starts. */
let beginnings: readonly model.World[];

beforeAll(async () => {
  database = await createDatabase();
  connection = await connect({ databaseUrl: database.url, dataDirectory: 'memory://', poolSize: lanes });
  beginnings = await openLanes(connection.db, lanes);
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test('whatever people do, everybody is where they belong afterwards, and sees nothing beyond', {
  timeout: 600_000,
}, async () => {
  const run = (beginning: model.World) => (wishes: readonly Wish[]) =>
    undone(connection.db, async (tx) => {
      const place = new Place(tx, structuredClone(beginning));
      await place.learn();
      for (const [at, one] of wishes.entries()) await place.grant(one, at + 1);
    });
  const wishes = fc.array(wish, { maxLength: longestRun, size: 'max' });
  const ended = await Promise.allSettled(
    beginnings.map((beginning, lane) =>
      fc.assert(fc.asyncProperty(wishes, run(beginning)), { numRuns: Math.ceil(numRuns / lanes), seed: seed + lane }),
    ),
  );
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
});
