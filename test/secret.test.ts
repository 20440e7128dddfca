import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { connect } from '../src/database/connect.ts';
import { demandSameSecret } from '../src/installation/commands.ts';
import { openSecret, Secret, SecretError } from '../src/secrets.ts';
import { createDatabase, testSecret } from './support/postgres.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeroom-secret-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const hashOf = (secret: Secret) => secret.keyed('sign-in code', '123456').toString('hex');

test('the secret is made once, for its owner alone, and all who start at once have the same', async () => {
  const directory = join(folder, 'data');
  const secrets = await Promise.all(Array.from({ length: 8 }, () => openSecret(null, directory)));
  expect(new Set(secrets.map(hashOf)).size).toBe(1);
  expect((await stat(join(directory, 'secret'))).mode & 0o777).toBe(0o600);
  expect((await readFile(join(directory, 'secret'), 'utf8')).trim()).toMatch(/^[\w-]{43}$/);
  expect(hashOf(await openSecret(null, directory))).toBe(hashOf(secrets[0] ?? new Secret('')));
  expect(hashOf(await openSecret(testSecret, directory))).toBe(hashOf(new Secret(testSecret)));
});

test('a secret that is cut short is refused, and never replaced', async () => {
  await writeFile(join(folder, 'secret'), 'short\n');
  await expect(openSecret(null, folder)).rejects.toThrow(SecretError);
  expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('short\n');
  expect(() => readConfig({ HOMEROOM_SECRET: 'short' })).toThrow(/^HOMEROOM_SECRET: must be 32 characters or more$/);
});

test('of one value there is another hash for each purpose and each secret', () => {
  const [one, other] = [new Secret(testSecret), new Secret(`${testSecret}!`)];
  const hashes = [one.keyed('device', 'x'), one.keyed('network', 'x'), other.keyed('device', 'x')];
  expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(3);
});

test('a process with another secret than the database knows does not start, and says why in one sentence', async () => {
  await using database = await createDatabase();
  await using connection = await connect({ databaseUrl: database.url, dataDirectory: 'memory://', poolSize: 2 });
  const known = new Secret(testSecret);
  await Promise.all([1, 2, 3].map(() => demandSameSecret(connection.db, known)));
  const refused = demandSameSecret(connection.db, new Secret('another secret of nobody but these tests'));
  await expect(refused).rejects.toThrow(
    /^This database was written with another secret: give every process the same HOMEROOM_SECRET/,
  );
  await demandSameSecret(connection.db, known);
});
