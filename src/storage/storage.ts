import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { StorageConfig } from '../config.ts';
import { DirectoryStore } from './directory.ts';

/** A part of a file, by the places of its first and its last byte. */
export interface ByteRange {
  readonly start: number;
  /** Inclusive; where the file is shorter, its last byte. */
  readonly end: number;
}

/** Where the bytes of files lie: each under a key, written once, never changed. */
export interface Storage extends AsyncDisposable {
  /**
   * Keeps a finished local file, which stays where it is. Once it resolves the bytes survive a power failure. A repeat with
   * the same key replaces them; who is reading goes on reading what was there.
   * @throws StorageFailed
   */
  put(key: string, path: string): Promise<void>;

  /**
   * The bytes, or a part of them. Whoever asks reads the stream to its end or destroys it; a loss on the way is its error.
   * @throws Missing, RangeError when the part begins behind the last byte, StorageFailed
   */
  read(key: string, range?: ByteRange): Promise<Readable>;

  /**
   * Forgets what lies under some keys; absent ones are fine.
   * @throws StorageFailed when some may still be there
   */
  remove(keys: readonly string[]): Promise<void>;

  /**
   * Does all of the above once, so that a wrong setting is known before the first upload.
   * @throws StorageFailed
   */
  check(): Promise<void>;
}

/** What the two kinds of storage differ in. Keys are valid here, and absence is null. */
export interface Store extends AsyncDisposable {
  put(key: string, path: string): Promise<void>;
  read(key: string, range?: ByteRange): Promise<Readable | null>;
  remove(keys: readonly string[]): Promise<void>;
}

/** Nothing lies under this key. */
export class Missing extends Error {
  override readonly name = 'Missing';
  constructor(key: string) {
    super(`no file lies under ${key}`);
  }
}

/** The storage does not do what it is there for; says which one and why, and holds no secret. */
export class StorageFailed extends Error {
  override readonly name = 'StorageFailed';
}

/** Opens where the configuration puts files. Nothing is touched before the first use. */
export function openStorage(config: StorageConfig): Storage {
  let opened: Promise<Store> | null = null;
  const use = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
    opened ??= openStore(config);
    try {
      return await work(await opened);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw new StorageFailed(`${nameOf(config)} failed: ${reasonOf(error)}`, { cause: error });
    }
  };
  return {
    put: async (key, path) => {
      demandKeys([key]);
      await use((store) => store.put(key, path));
    },
    read: async (key, range) => {
      demandKeys([key]);
      if (range && !(range.start >= 0 && range.start <= range.end)) throw new RangeError('it is no part of any file');
      const stream = await use((store) => store.read(key, range));
      if (!stream) throw new Missing(key);
      return stream;
    },
    remove: async (keys) => {
      demandKeys(keys);
      await use((store) => store.remove(keys));
    },
    check: () => use(tryOut),
    [Symbol.asyncDispose]: async () => {
      const store = await opened?.catch(() => null);
      await store?.[Symbol.asyncDispose]();
    },
  };
}

async function openStore(config: StorageConfig): Promise<Store> {
  // Loaded on demand: the SDK is large, and most installations keep files in a directory.
  if (config.kind === 's3') return new (await import('./s3.ts')).S3Store(config);
  return DirectoryStore.open(config.directory);
}

/** Each process tries with a key of its own: several may start at once. */
async function tryOut(store: Store): Promise<void> {
  const key = `check-${randomUUID()}`;
  const directory = await mkdtemp(join(tmpdir(), 'homeroom-check-'));
  try {
    const path = join(directory, key);
    await writeFile(path, key);
    await store.put(key, path);
    const stream = await store.read(key);
    if (!stream || (await text(stream)) !== key) throw new Error('it does not give back what it was given');
    await store.remove([key]);
    // Whoever may not list a bucket is told that this is forbidden, and would never learn that a file is missing.
    const other = await store.read(`${key}.absent`);
    if (other) throw new Error('it gives what it was never given');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A key leads nowhere but into its storage: none of its parts is empty, or begins with a dot. */
function demandKeys(keys: readonly string[]): void {
  const wrong = keys.find((key) => key.length > 200 || !/^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)*$/.test(key));
  if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is no key`);
}

function nameOf(config: StorageConfig): string {
  if (config.kind === 'directory') return `The directory of files ${config.directory}`;
  return `The bucket ${config.bucket} at ${config.endpoint ?? `Amazon S3 in ${config.region}`}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host with several addresses fails with an error without words for all of them.
  const said = error.message || ('code' in error ? String(error.code) : '');
  return [error.name === 'Error' ? '' : error.name, said].filter(Boolean).join(': ');
}
