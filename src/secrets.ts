import { createHash, createHmac, hkdfSync, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A secret that its holder shows to prove who they are: 256 random bits, base64url. Stored only as `hashSecret`. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** Without a key: nobody guesses 256 random bits, whatever they read. What has fewer, or is not ours, is stored as `Secret.keyed`. */
export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Six random digits. */
export const newCode = (): string => String(randomInt(1_000_000)).padStart(6, '0');

/** What is kept only under this installation's secret; each purpose has a key of its own. */
export type Purpose = 'sign-in code' | 'device' | 'network' | 'links to files' | 'fingerprint';

/**
 * What this installation knows and its database does not. Who reads the database, or finds a dump of it, can try all values of
 * something short in a second; without the key there is nothing to compare them with.
 */
export class Secret {
  readonly #keys = new Map<Purpose, Buffer>();
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The key of a purpose, to sign with. */
  keyFor(purpose: Purpose): Buffer {
    const known = this.#keys.get(purpose);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', this.#secret, '', `homeroom ${purpose}`, 32));
    this.#keys.set(purpose, key);
    return key;
  }

  /** The keyed hash of a value: as it is stored, counted and found again. */
  keyed(purpose: Purpose, value: string): Buffer {
    return createHmac('sha256', this.keyFor(purpose)).update(value).digest();
  }
}

/** The configured secret; without one that of the data directory, which is made at the first start. */
export async function openSecret(configured: string | null, dataDirectory: string): Promise<Secret> {
  if (configured) return new Secret(configured);
  return new Secret(dataDirectory.startsWith('memory://') ? newSecret() : await secretIn(dataDirectory));
}

/** Whoever comes first makes it, whole or not at all; all others find it. */
async function secretIn(directory: string): Promise<string> {
  const path = join(directory, 'secret');
  const found = await readFile(path, 'utf8').catch(ifMissing);
  if (found !== null) return long(found, path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Not by the process's number: in containers that share the directory all have the same.
  const mine = `${path}.${randomUUID()}`;
  await writeFile(mine, `${newSecret()}\n`, { mode: 0o600, flush: true });
  try {
    await link(mine, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(mine, { force: true });
  }
  return long(await readFile(path, 'utf8'), path);
}

function long(content: string, path: string): string {
  const secret = content.trim();
  if (secret.length < 32)
    throw new SecretError(`${path} must hold 32 characters or more: put back the one that was there.`);
  return secret;
}

function ifMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

/** The secret is not one that this installation can run with. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}
