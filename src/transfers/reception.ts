import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Declined } from './answers.ts';

/** How long nothing may come, and how slowly it may come on the whole: 16 KB a second, and a minute more. */
const idleMs = 30_000;
const graceMs = 60_000;
const bytesPerMs = 16;

export const tooLarge = () => new Declined(413, 'UPLOAD_TOO_LARGE', 'UPLOAD_TOO_LARGE');
export const tooShort = () => new Declined(400, 'UPLOAD_TOO_SHORT', 'UPLOAD_TOO_SHORT');

/**
 * Writes a request's body to a new file, as it comes, and returns its hash. `giveUp` is called when it comes too slowly, and is to
 * end the request. @throws Declined unless it has exactly `size` bytes, and what the connection breaks with
 */
export async function receive(
  request: IncomingMessage,
  path: string,
  size: number,
  giveUp: (why: Declined) => void,
): Promise<Buffer> {
  const late = () => giveUp(new Declined(408, 'UPLOAD_TOO_SLOW', 'UPLOAD_TOO_SLOW'));
  const idle = setTimeout(late, idleMs);
  const deadline = setTimeout(late, graceMs + size / bytesPerMs);
  await using file = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  let received = 0;
  try {
    // The connection is to outlive the loop, for the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > size) throw tooLarge();
      hash.update(chunk);
      // At the file's current place, and all of it.
      await file.writeFile(chunk);
      idle.refresh();
    }
  } finally {
    clearTimeout(idle);
    clearTimeout(deadline);
  }
  if (received < size) throw tooShort();
  return hash.digest();
}
