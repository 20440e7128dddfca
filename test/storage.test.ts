import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { readConfig } from '../src/config.ts';
import { Missing, openStorage, StorageFailed } from '../src/storage/storage.ts';
import { type S3, startS3 } from './support/s3.ts';
import { eventually } from './support/waiting.ts';

type Settings = Readonly<Record<string, string>>;

/** A storage, a folder for what a test brings along, and a way to put what is no file yet. */
async function open(settingsIn: (folder: string) => Settings) {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'homeroom-test-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const storage = stack.use(openStorage(readConfig(settingsIn(folder)).storage));
  const put = async (key: string, content: string | Buffer) => {
    const path = join(folder, randomUUID());
    await writeFile(path, content);
    await storage.put(key, path);
    expect((await readFile(path)).equals(Buffer.from(content))).toBe(true);
  };
  const kept = stack.move();
  return { storage, put, folder, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function openDirectory() {
  const opened = await open((folder) => ({ HOMEROOM_FILES: join(folder, 'data/files') }));
  return Object.assign(opened, { directory: join(opened.folder, 'data/files') });
}

async function openBucket(settingsFor: (s3: S3) => Settings = ({ settings }) => settings) {
  await using stack = new AsyncDisposableStack();
  const s3 = stack.use(await startS3());
  const opened = stack.use(await open(() => settingsFor(s3)));
  const kept = stack.move();
  return { ...opened, s3, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Keys as servers of ours make them, one right after the other. */
const newKey = () => `0198c2f1-7d3e-7${randomUUID().slice(15)}`;
const partOf = async (stream: Promise<Parameters<typeof text>[0]>) => text(await stream);
/** Files and sockets that this process has open. */
const openHere = async () => (await readdir('/dev/fd')).length;
/** Every file below a folder, by its path. */
const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe.each(['directory', 's3'] as const)('%s', (kind) => {
  const opening = () => (kind === 's3' ? openBucket() : openDirectory());

  test('what was put is read again, whole or in part', async () => {
    await using files = await opening();
    const key = newKey();
    await files.put(key, 'Tomorrow at nine');
    const read = (start: number, end: number) => partOf(files.storage.read(key, { start, end }));
    expect(await partOf(files.storage.read(key))).toBe('Tomorrow at nine');
    expect(await read(0, 0)).toBe('T');
    expect(await read(9, 10)).toBe('at');
    expect(await read(12, 15)).toBe('nine');
    expect(await read(12, 1000)).toBe('nine');
    await expect(read(16, 20)).rejects.toThrow(RangeError);
    await expect(read(3, 2)).rejects.toThrow(RangeError);
  });

  test('an empty file is a file, of which there is no part', async () => {
    await using files = await opening();
    await files.put('empty', '');
    expect(await partOf(files.storage.read('empty'))).toBe('');
    await expect(files.storage.read('empty', { start: 0, end: 0 })).rejects.toThrow();
  });

  test('one large file comes back byte by byte, and so does a part of it', async () => {
    await using files = await opening();
    const content = randomBytes(5 * 1024 * 1024 + 1);
    await files.put('large', content);
    expect(content.equals(await buffer(await files.storage.read('large')))).toBe(true);
    const part = await buffer(await files.storage.read('large', { start: 1_000_000, end: 4_000_000 }));
    expect(content.subarray(1_000_000, 4_000_001).equals(part)).toBe(true);
  });

  test('a key that is used again leads to what was put last', async () => {
    await using files = await opening();
    const key = newKey();
    await files.put(key, 'the first, which was longer');
    await files.put(key, 'the second');
    expect(await partOf(files.storage.read(key))).toBe('the second');
  });

  test('what is removed is gone, and nothing else; what is not there does not hinder it', async () => {
    await using files = await opening();
    const keys = Array.from({ length: 20 }, newKey);
    const [kept = '', ...gone] = keys;
    await Promise.all(keys.map((key) => files.put(key, key)));
    await files.storage.remove([newKey(), ...gone, newKey()]);
    for (const key of gone) await expect(files.storage.read(key)).rejects.toThrow(Missing);
    expect(await partOf(files.storage.read(kept))).toBe(kept);
    await files.storage.remove(gone);
    await files.storage.remove([]);
  });

  test('nothing under a key is an answer, given before any byte', async () => {
    await using files = await opening();
    await expect(files.storage.read('0198-none')).rejects.toThrow(new Missing('0198-none'));
    await expect(files.storage.read('0198-none', { start: 0, end: 1 })).rejects.toThrow(Missing);
  });

  test('keys that continue one another, or differ in an ending, are different', async () => {
    await using files = await opening();
    const keys = ['one', 'one/two', 'one/two/none', 'one/none', 'one.preview', 'one-two', 'a', 'a.b/c'];
    for (const key of keys) await files.put(key, key);
    for (const key of keys) expect(await partOf(files.storage.read(key))).toBe(key);
  });

  test('what is no key of ours is refused, whoever asks', async () => {
    await using files = await opening();
    const wrong = ['', '/etc', '../up', 'a/../../up', 'a/./b', 'a//b', 'a/', '.hidden', 'A', 'ä', 'a b', 'a\n', 'a\0b'];
    for (const key of [...wrong, 'a'.repeat(201)]) {
      await expect(files.put(key, 'x')).rejects.toThrow('is no key');
      await expect(files.storage.read(key)).rejects.toThrow('is no key');
      await expect(files.storage.remove(['fine', key])).rejects.toThrow('is no key');
    }
  });

  test('twenty at once do not get in each other’s way', async () => {
    await using files = await opening();
    const contents = Array.from({ length: 20 }, () => ({ key: newKey(), content: randomBytes(300_000) }));
    await Promise.all(contents.map(({ key, content }) => files.put(key, content)));
    const read = await Promise.all(contents.map(async ({ key }) => buffer(await files.storage.read(key))));
    expect(contents.every(({ content }, place) => read[place]?.equals(content))).toBe(true);
  });

  test('who reads to the end, stops early, or asks for too much leaves nothing open', async () => {
    await using files = await opening();
    await files.put('large', randomBytes(5 * 1024 * 1024));
    await buffer(await files.storage.read('large'));
    const before = await openHere();
    const behind = { start: 5 * 1024 * 1024, end: 6_000_000 };
    for (let turn = 0; turn < 100; turn++) {
      const stream = await files.storage.read('large', turn % 3 ? { start: turn, end: 4_000_000 } : undefined);
      // Some at once, some amid the bytes.
      if (turn % 2) await once(stream, 'readable');
      await Promise.all([once(stream, 'close'), stream.destroy()]);
      await buffer(await files.storage.read('large', { start: turn, end: 1_000 }));
      await expect(files.storage.read('large', behind)).rejects.toThrow(RangeError);
    }
    // No patience: in time the garbage collector would close them, and warn.
    await eventually(async () => expect(await openHere()).toBeLessThan(before + 5));
    expect((await buffer(await files.storage.read('large'))).length).toBe(5 * 1024 * 1024);
  });

  test('a file that cannot be read is not kept, and ends nothing else', async () => {
    await using files = await opening();
    await mkdir(join(files.folder, 'no-file'));
    const before = await openHere();
    await expect(files.storage.put('none', join(files.folder, 'missing'))).rejects.toThrow('ENOENT');
    await expect(files.storage.put('none', join(files.folder, 'no-file'))).rejects.toThrow('EISDIR');
    await expect(files.storage.read('none')).rejects.toThrow(Missing);
    await eventually(async () => expect(await openHere()).toBeLessThan(before + 3));
  });
});

test('a directory is made where it is missing, is nobody else’s to read, and spreads files over subfolders', async () => {
  await using files = await openDirectory();
  await files.storage.check();
  expect(await filesIn(files.directory)).toEqual([]);
  const keys = Array.from({ length: 200 }, newKey).flatMap((key) => [key, `${key}.preview`]);
  await Promise.all(keys.map((key) => files.put(key, 'x')));
  const paths = await filesIn(files.directory);
  expect(paths).toHaveLength(400);
  for (const path of paths) expect((await stat(path)).mode & 0o777).toBe(0o600);
  const folders = new Set(paths.map(dirname));
  for (const folder of [...folders, files.directory]) expect((await stat(folder)).mode & 0o777).toBe(0o700);
  // Of 256, 200 by chance hit 139 as a rule.
  expect(folders.size).toBeGreaterThan(100);
  expect(new Set(paths.filter((path) => path.endsWith('.preview')).map(dirname))).toEqual(folders);
});

test('who reads a file of a directory is not disturbed when it is replaced or removed', async () => {
  await using files = await openDirectory();
  const content = randomBytes(1_000_000);
  await files.put('a', content);
  const early = await files.storage.read('a');
  await once(early, 'readable');
  await files.put('a', 'another');
  await files.storage.remove(['a']);
  expect(content.equals(await buffer(early))).toBe(true);
});

test('a copy that fails leaves nothing behind in a directory, and what a killed process left is cleared away', async () => {
  await using files = await openDirectory();
  await files.put('a', 'x');
  const [kept] = await filesIn(files.directory);
  await mkdir(join(files.folder, 'no-file'));
  await expect(files.storage.put('a', join(files.folder, 'no-file'))).rejects.toThrow(StorageFailed);
  expect(await filesIn(files.directory)).toEqual([kept]);
  expect(await partOf(files.storage.read('a'))).toBe('x');

  const left = join(files.directory, 'unfinished/of-yesterday');
  const underWay = join(files.directory, 'unfinished/of-another-process');
  for (const path of [left, underWay]) await writeFile(path, 'x');
  const yesterday = Date.now() / 1000 - 25 * 60 * 60;
  await utimes(left, yesterday, yesterday);
  await utimes(kept ?? '', yesterday, yesterday);
  await using next = openStorage({ kind: 'directory', directory: files.directory });
  await next.check();
  expect((await filesIn(files.directory)).sort()).toEqual([kept, underWay].sort());
});

test('a directory that cannot be one is said with its name, and its reason', async () => {
  await using files = await openDirectory();
  const path = join(files.folder, 'a-file');
  await writeFile(path, '');
  await using wrong = openStorage({ kind: 'directory', directory: join(path, 'files') });
  await expect(wrong.check()).rejects.toThrow(StorageFailed);
  await expect(wrong.check()).rejects.toThrow(`The directory of files ${path}/files failed: ENOTDIR`);
});

test('in memory there is a directory of one’s own, which goes in the end', async () => {
  await using files = await openDirectory();
  vi.stubEnv('TMPDIR', files.folder);
  try {
    const { storage: config } = readConfig({ HOMEROOM_DATA: 'memory://' });
    await mkdir(join(files.folder, 'cwd'));
    {
      await using one = openStorage(config);
      await using other = openStorage(config);
      await one.check();
      await one.put('a', import.meta.filename);
      await expect(other.read('a')).rejects.toThrow(Missing);
      expect(await filesIn(files.folder)).toHaveLength(1);
    }
    expect(await readdir(files.folder)).toEqual(['cwd']);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('a bucket is checked by what will be done with it, which leaves nothing in it', async () => {
  await using bucket = await openBucket();
  await bucket.storage.check();
  const done = bucket.s3.answers.map((answer) => answer.replace(/\/check-[0-9a-f-]{36}/, '/…'));
  const place = `/${bucket.s3.bucket}/…`;
  expect(done).toEqual([`PUT ${place} 200`, `GET ${place} 200`, `DELETE ${place} 204`, `GET ${place}.absent 404`]);
});

test('a wrong secret is known at the start, and is not told', async () => {
  await using bucket = await openBucket(({ settings }) => ({ ...settings, HOMEROOM_S3_SECRET_KEY: 'not-the-secret' }));
  const { endpoint, bucket: name } = bucket.s3;
  const error = await bucket.storage.check().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(StorageFailed);
  expect(String(error)).toContain(`The bucket ${name} at ${endpoint} failed: SignatureDoesNotMatch`);
  expect(inspect(error, { showHidden: true, depth: 20 })).not.toContain('not-the-secret');
  // Nor does who is refused amid a large file wait for it to end.
  await expect(bucket.put('large', randomBytes(5_000_000))).rejects.toThrow('SignatureDoesNotMatch');
  await expect(bucket.put('medium', randomBytes(1_900_000))).rejects.toThrow('SignatureDoesNotMatch');
  await eventually(async () => expect(await bucket.s3.connections()).toBeLessThan(2));
});

test('the bucket is named in the path, or in the host’s name, as one says', async () => {
  const seenWith = async (style: string) => {
    await using bucket = await openBucket(({ settings, endpoint }) => ({
      ...settings,
      HOMEROOM_S3_ENDPOINT: endpoint.replace('127.0.0.1', 'localhost'),
      HOMEROOM_S3_PATH_STYLE: style,
    }));
    // Whether `homeroom-files.localhost` leads anywhere is the system's affair.
    await bucket.storage.check().catch(() => {});
    return bucket.s3.answers.filter((answer) => answer.includes(` /${bucket.s3.bucket}/check-`)).length;
  };
  expect(await seenWith('1')).toBe(4);
  expect(await seenWith('0')).toBe(0);
});

test('a bucket that does not exist is a failure, not a missing file', async () => {
  await using bucket = await openBucket(({ settings }) => ({ ...settings, HOMEROOM_S3_BUCKET: 'another' }));
  await expect(bucket.storage.check()).rejects.toThrow(/The bucket another at .* failed: NoSuchBucket/);
  await expect(bucket.storage.read('a')).rejects.toThrow(StorageFailed);
});

test('an S3 that falters is asked three times, for a file too', async () => {
  await using bucket = await openBucket();
  const { s3, storage } = bucket;
  s3.falter(2);
  await bucket.put('a', randomBytes(3_000_000));
  s3.falter(2);
  expect((await buffer(await storage.read('a'))).length).toBe(3_000_000);
  s3.falter(2);
  await storage.remove(['a']);
  const place = `/${s3.bucket}/a`;
  const thrice = (method: string, last: number) => [503, 503, last].map((status) => `${method} ${place} ${status}`);
  expect(s3.answers).toEqual([...thrice('PUT', 200), ...thrice('GET', 200), ...thrice('DELETE', 204)]);
  s3.falter(3);
  await expect(bucket.put('a', 'x')).rejects.toThrow('ServiceUnavailable');
  s3.falter(3);
  await expect(storage.read('a')).rejects.toThrow('ServiceUnavailable');
  await expect(storage.read('a')).rejects.toThrow(Missing);
});

test('an S3 that is away is named, and holds nothing open', async () => {
  await using bucket = await openBucket();
  await bucket.put('a', 'x');
  const before = await openHere();
  await bucket.s3.stop();
  const away = new RegExp(`^The bucket ${bucket.s3.bucket} at ${bucket.s3.endpoint} failed: .*ECONNREFUSED`);
  await expect(bucket.put('b', randomBytes(3_000_000))).rejects.toThrow(away);
  await expect(bucket.storage.read('a')).rejects.toThrow(away);
  await expect(bucket.storage.remove(['a'])).rejects.toThrow(away);
  await expect(bucket.storage.check()).rejects.toThrow(away);
  await eventually(async () => expect(await openHere()).toBeLessThan(before + 1));
});

test('a file that is cut off on its way from S3 is an error, never a shorter file', async () => {
  await using bucket = await openBucket();
  await bucket.put('large', randomBytes(20_000_000));
  const stream = await bucket.storage.read('large');
  await once(stream, 'readable');
  await bucket.s3.stop();
  await expect(buffer(stream)).rejects.toThrow('aborted');
});

test('an S3 that knows no ranges is a failure: the first bytes are not the ones asked for', async () => {
  const server = createServer((_request, response) => void response.end('Tomorrow at nine'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  await using bucket = await openBucket(({ settings }) => ({
    ...settings,
    HOMEROOM_S3_ENDPOINT: `http://127.0.0.1:${port}`,
  }));
  await expect(bucket.storage.read('a', { start: 9, end: 10 })).rejects.toThrow('with everything to bytes=9-10');
  server.close();
  server.closeAllConnections();
});
