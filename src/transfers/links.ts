import { webcrypto } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { FileLink } from '../graphql/context.ts';
import { uuid } from '../graphql/ids.ts';

const algorithm = 'HS256';
const validFor = '5 minutes';
const maxLength = 1_000;

const claims = z.object({
  sub: z.string().regex(uuid),
  sid: z.string().regex(uuid),
  variant: z.enum(['ORIGINAL', 'PREVIEW']),
  exp: z.number(),
});

/** Paths under which files may be fetched: signed, for one session, for a few minutes. */
export class FileLinks {
  readonly #key: webcrypto.CryptoKey;

  private constructor(key: webcrypto.CryptoKey) {
    this.#key = key;
  }

  static async with(secret: Buffer): Promise<FileLinks> {
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    return new FileLinks(
      await webcrypto.subtle.importKey('raw', new Uint8Array(secret), hmac, false, ['sign', 'verify']),
    );
  }

  async pathOf({ fileId, sessionId, variant }: FileLink): Promise<string> {
    const token = await new SignJWT({ sid: sessionId, variant })
      .setProtectedHeader({ alg: algorithm })
      .setSubject(fileId)
      .setExpirationTime(validFor)
      .sign(this.#key);
    return `/files/${token}`;
  }

  /** What a token is a link to; null: it is not from here, or too old. */
  async read(token: string): Promise<FileLink | null> {
    if (token.length > maxLength) return null;
    try {
      const { payload } = await jwtVerify(token, this.#key, { algorithms: [algorithm] });
      const { success, data } = claims.safeParse(payload);
      return success ? { fileId: data.sub, sessionId: data.sid, variant: data.variant } : null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }
}
