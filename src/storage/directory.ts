import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteRange, Store } from './storage.ts';

/** The subfolder of what is still being written; those of files have names of two characters. */
const unfinished = 'unfinished';
/** Longer than any copy takes: what is older, a process that was killed has left. */
const abandonedMs = 24 * 60 * 60 * 1000;

/** Files in subfolders of a directory, which several processes may use at once. */
export class DirectoryStore implements Store {
  readonly #directory: string;
  readonly #temporary: boolean;

  private constructor(directory: string, temporary: boolean) {
    this.#directory = directory;
    this.#temporary = temporary;
  }

  /** Makes the directory where it is missing; `memory://` is one of its own that goes in the end. */
  static async open(path: string): Promise<DirectoryStore> {
    if (path.startsWith('memory://')) return new DirectoryStore(await mkdtemp(join(tmpdir(), 'homeroom-files-')), true);
    const directory = resolve(path);
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    for (let at = directory; made && at.length >= made.length; at = dirname(at)) await flush(dirname(at));
    await removeAbandoned(join(directory, unfinished));
    return new DirectoryStore(directory, false);
  }

  async put(key: string, path: string): Promise<void> {
    const copy = join(this.#directory, unfinished, randomUUID());
    const place = this.#placeOf(key);
    for (const folder of [copy, place].map(dirname)) await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await pipeline(createReadStream(path), createWriteStream(copy, { flags: 'wx', mode: 0o600, flush: true }));
      await rename(copy, place);
    } catch (error) {
      await rm(copy, { force: true });
      throw error;
    }
    // The subfolder may be new, and whoever made it not yet have come to this.
    for (const folder of [dirname(place), this.#directory]) await flush(folder);
  }

  async read(key: string, range?: ByteRange): Promise<Readable | null> {
    const file = await open(this.#placeOf(key)).catch(ignoreMissing);
    if (!file) return null;
    try {
      if (range && range.start >= (await file.stat()).size) throw new RangeError('it begins behind the last byte');
      return file.createReadStream(range);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    const places = keys.map((key) => this.#placeOf(key));
    for (const place of places) await rm(place, { force: true });
    for (const folder of new Set(places.map(dirname))) await flush(folder).catch(ignoreMissing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#temporary) await rm(this.#directory, { recursive: true, force: true });
  }

  /** Keys begin with the time and may end with what the file is of another; the middle is what spreads them. */
  #placeOf(key: string): string {
    // One level, so that a key may continue another; no key has a plus.
    const name = key.replaceAll('/', '+');
    const [stem = ''] = name.split('.');
    return join(this.#directory, stem.slice(-2).padStart(2, '0'), name);
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of (await readdir(folder).catch(ignoreMissing)) ?? []) {
    const path = join(folder, name);
    // Another process may be finishing or clearing it.
    const found = await stat(path).catch(ignoreMissing);
    if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true });
  }
}

/** Makes the names in a folder survive a power failure. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
