import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { zstdDecompressSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { migrate } from '../src/database/migrate.ts';
import { prepareTasks } from '../src/jobs/queue.ts';
import { startTestApp } from './support/app.ts';
import { TestClient } from './support/client.ts';
import { openSchool, Server } from './support/mortal-server.ts';
import { alive, childrenOf, parentOf, processesOf } from './support/postgres-processes.ts';
import { eventually } from './support/waiting.ts';

async function directoryOfOurOwn() {
  const path = await mkdtemp(join(tmpdir(), 'homeroom-embedded-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

const open = (dataDirectory: string, more: Partial<Parameters<typeof connect>[0]> = {}): Promise<Connection> =>
  connect({ databaseUrl: null, dataDirectory, ...more });

const postmasterOf = async (data: string): Promise<number> => (await processesOf(join(data, 'database')))[0] ?? 0;

/** What 0.1 left behind, unpacked. */
async function unpack(directory: string): Promise<string> {
  const packed = await readFile(new URL('./fixtures/0.1/data.tar.zst', import.meta.url));
  const data = join(directory, 'data');
  await mkdir(data);
  const tar = execFile('tar', ['-x', '-C', data]);
  tar.stdin?.end(zstdDecompressSync(packed));
  const said = tar.stderr ? await text(tar.stderr) : '';
  expect(said).toBe('');
  return data;
}

const makeTables = async (connection: Connection) => {
  await migrate(connection);
  await prepareTasks(connection, [], pino({ level: 'silent' }));
};

test('what was written is there at the next start', async () => {
  await using directory = await directoryOfOurOwn();
  {
    await using connection = await open(directory.path);
    await connection.script('create table things (id int); insert into things values (7)');
  }
  expect(await postmasterOf(directory.path)).toBe(0);
  await using connection = await open(directory.path);
  expect(await rows(connection.db, sql`select id from things`)).toEqual([{ id: 7 }]);
});

test('a directory belongs to one at a time', async () => {
  await using directory = await directoryOfOurOwn();
  await using _first = await open(directory.path);
  await expect(open(directory.path)).rejects.toThrow('is in use by process');
});

test('a Postgres that ends by itself is begun again, and nothing acknowledged is missing', async () => {
  await using directory = await directoryOfOurOwn();
  const troubles: string[] = [];
  await using connection = await open(directory.path, { onTrouble: (lastWords) => troubles.push(lastWords) });
  await connection.script('create table things (id int); insert into things values (7)');
  const first = await postmasterOf(directory.path);
  process.kill(first, 'SIGKILL');
  await eventually(async () => expect([0, first]).not.toContain(await postmasterOf(directory.path)));
  expect(await eventually(() => rows(connection.db, sql`select id from things`))).toEqual([{ id: 7 }]);
  expect(troubles.length).toBeGreaterThan(0);
});

test('one that was left behind with nobody to end it is ended by the next start', async () => {
  await using directory = await directoryOfOurOwn();
  const environment = { HOMEROOM_DATA: directory.path };
  await using stack = new AsyncDisposableStack();
  const first = stack.use(await Server.start(environment));
  const { token } = await openSchool(first);
  const left = await postmasterOf(directory.path);
  // Its guard goes first, and cannot tell it.
  const guard = await parentOf(left);
  for (const child of (await childrenOf(guard)).filter((pid) => pid !== left)) process.kill(child, 'SIGKILL');
  process.kill(guard, 'SIGKILL');
  await first.kill();
  expect(alive(left)).toBe(true);
  const second = stack.use(await Server.start(environment));
  expect(await postmasterOf(directory.path)).not.toBe(left);
  expect((await new TestClient(second.url, token).run('Viewer')).viewer.memberships.nodes).toHaveLength(1);
});

test.each([
  ['database/PG_VERSION'],
  ['database/global/pg_control'],
  ['database'],
  ['database.password'],
])('without %s nothing is begun over what is there', async (missing) => {
  await using directory = await directoryOfOurOwn();
  await (await open(directory.path))[Symbol.asyncDispose]();
  await rm(join(directory.path, missing), { recursive: true });
  const before = await readdir(directory.path, { recursive: true });
  await expect(open(directory.path)).rejects.toThrow(/of which database\S* is missing: bring the whole directory back/);
  expect(await readdir(directory.path, { recursive: true })).toEqual(before);
});

test.each(['database', 'postgres'])('a directory «%s» that holds nothing is not taken for none', async (name) => {
  await using directory = await directoryOfOurOwn();
  await mkdir(join(directory.path, name));
  await expect(open(directory.path)).rejects.toThrow('is missing: bring the whole directory back');
  expect(await readdir(join(directory.path, name))).toEqual([]);
});

test('a start that was cut short is made anew', async () => {
  await using directory = await directoryOfOurOwn();
  await mkdir(join(directory.path, 'database.unfinished'));
  await writeFile(join(directory.path, 'database.unfinished', 'PG_VERSION'), '18');
  await using connection = await open(directory.path);
  await connection.ping();
  expect(await readdir(directory.path)).not.toContain('database.unfinished');
});

test('a database of 0.1 comes along, row by row, and the demo’s people find what was theirs', async () => {
  await using directory = await directoryOfOurOwn();
  const data = await unpack(directory.path);
  await using app = await startTestApp({ embedded: true, config: { dataDirectory: data } });
  const head = await app.world.person(undefined, '+79160000002');
  const { viewer } = await head.run('Viewer');
  expect(viewer.memberships.nodes).toHaveLength(1);
  const { feed } = (await head.run('Feed', { organizationId: viewer.memberships.nodes[0].organization.id })).viewer;
  expect(feed.nodes.length).toBeGreaterThan(3);
});

test('every table and sequence of PGlite’s is the same afterwards', async () => {
  await using directory = await directoryOfOurOwn();
  const data = await unpack(directory.path);
  await cp(join(data, 'postgres'), join(directory.path, 'as-it-was'), { recursive: true });
  await using connection = await open(data, { makeTables });
  const old = await PGlite.create(join(directory.path, 'as-it-was'));
  try {
    const namesOf = `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1`;
    const there = (await connection.script(namesOf)) as { name: string }[];
    const both = (await old.query<{ name: string }>(namesOf)).rows.filter(({ name }) =>
      there.some((one) => one.name === name),
    );
    expect(both.length).toBeGreaterThan(50);
    for (const { name } of both) {
      // Codes that are under way end with the version: the next binds them to the device that asked.
      if (name === 'sign_in_challenges') continue;
      const count = `select '${name}' as name, count(*)::int as count from ${name}`;
      expect(await connection.script(count)).toEqual((await old.query(count)).rows);
    }
    const sequence = `select last_value::text from log_events_id_seq`;
    expect(await connection.script(sequence)).toEqual((await old.query(sequence)).rows);
  } finally {
    await old.close();
  }
});
