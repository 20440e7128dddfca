/**
 * The client's side of WebSocket framing (RFC 6455 §5), no more of it than a measured server needs to be spoken to: so
 * cheap that 15,000 sockets fit into one process.
 */
import { randomFillSync } from 'node:crypto';

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const mask = new Uint8Array(4);

/** A whole masked frame. */
export function frameOf(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  if (length > 0xffff) throw new RangeError('the bench sends nothing so long');
  const head = length < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(head + 4 + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (head === 2 ? length : 126);
  if (head === 4) frame.writeUInt16BE(length, 2);
  randomFillSync(mask);
  frame.set(mask, head);
  for (let index = 0; index < length; index++) {
    frame[head + 4 + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return frame;
}

export interface FrameListener {
  /** Takes the payload of a frame: `bytes` from `start` to `end`, valid during the call. */
  hear(opcode: number, bytes: Buffer, start: number, end: number): void;
}

/** Takes a stream of chunks, however it was cut, for frames. */
export class FrameReader {
  #rest: Buffer | null = null;

  /** Reads the first `length` bytes of a chunk, which may be used anew after the call. */
  read(chunk: Buffer, length: number, listener: FrameListener): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk.subarray(0, length)]) : chunk;
    const end = this.#rest ? bytes.length : length;
    this.#rest = null;
    let from = 0;
    while (end - from >= 2) {
      const first = bytes[from] ?? 0;
      let size = bytes[from + 1] ?? 0;
      let head = 2;
      if (!(first & 0x80) || size > 126)
        throw new RangeError('the bench reads no fragments, no masks, nothing of 64 KiB');
      if (size === 126) {
        if (end - from < 4) break;
        size = bytes.readUInt16BE(from + 2);
        head = 4;
      }
      if (end - from < head + size) break;
      listener.hear(first & 0x0f, bytes, from + head, from + head + size);
      from += head + size;
    }
    if (from < end) this.#rest = Buffer.from(bytes.subarray(from, end));
  }
}
