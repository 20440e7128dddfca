import { webcrypto } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { z } from 'zod';

const algorithm = 'HS256';
const maxLength = 1_000;

/** What somebody may do, told to them in a signed token: nothing of it is kept here, and it is good for some minutes. */
export class Tickets<Claims extends Record<string, string>> {
  readonly #key: webcrypto.CryptoKey;
  readonly #shape: z.ZodType<Claims>;
  readonly #validForS: number;

  private constructor(key: webcrypto.CryptoKey, shape: z.ZodType<Claims>, validForS: number) {
    this.#key = key;
    this.#shape = shape;
    this.#validForS = validForS;
  }

  /** `shape` says what a token of this kind tells; of one secret there is one kind. */
  static async signedWith<Claims extends Record<string, string>>(
    secret: Uint8Array,
    shape: z.ZodType<Claims>,
    validForS: number,
  ): Promise<Tickets<Claims>> {
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    const key = await webcrypto.subtle.importKey('raw', new Uint8Array(secret), hmac, false, ['sign', 'verify']);
    return new Tickets(key, shape, validForS);
  }

  async issue(claims: Claims): Promise<{ token: string; expiresAt: Date }> {
    const expiresAt = new Date((Math.floor(Date.now() / 1000) + this.#validForS) * 1000);
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm })
      .setExpirationTime(expiresAt)
      .sign(this.#key);
    return { token, expiresAt };
  }

  /** What a token says; null: it is not from here, or too old. */
  async read(token: string): Promise<Claims | null> {
    if (token.length > maxLength) return null;
    try {
      const { payload } = await jwtVerify(token, this.#key, { algorithms: [algorithm], requiredClaims: ['exp'] });
      return this.#shape.safeParse(payload).data ?? null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }
}
