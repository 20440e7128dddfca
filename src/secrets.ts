import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** A secret that its holder shows to prove who they are: 256 random bits, base64url. Stored only as `hashSecret`. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Six random digits. */
export const newCode = (): string => String(randomInt(1_000_000)).padStart(6, '0');

const saltBytes = 16;

/** Salt and hash of a code, bound to its phone. So few digits resist guessing by the limits on attempts, not by the hash. */
export function hashCode(phone: string, code: string, salt: Buffer = randomBytes(saltBytes)): Buffer {
  return Buffer.concat([salt, createHash('sha256').update(salt).update(`${phone}:${code}`).digest()]);
}

/** Whether a code is the hashed one, in the same time whether it is, is not, or there is none. */
export function codeMatches(phone: string, code: string, stored: Buffer | undefined): boolean {
  const expected = stored ?? hashCode('', '');
  const given = hashCode(phone, code.replace(/\D/g, ''), expected.subarray(0, saltBytes));
  return timingSafeEqual(given, expected) && stored !== undefined;
}
