import type { IncomingMessage } from 'node:http';

/** The body of a request; null: it is larger than it may be, and the rest is not read, or it was broken off. */
export async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    // To stop reading must not take the way back for the answer.
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      size += part.length;
      if (size > maxBytes) return null;
      parts.push(part);
    }
  } catch {
    return null;
  }
  return Buffer.concat(parts);
}
