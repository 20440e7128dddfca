import type { Writable } from 'node:stream';

/** Bytes on their way to one connection; beyond it nothing is added until its other side has read. */
const roomBytes = 256 * 1024;

/** The sending side of one connection: one write a turn, whatever is sent in it, and no more than there is room for. */
export class Outbox {
  readonly #stream: Writable;
  #gathering = false;
  #waiting: (() => void)[] | null = null;
  #fullSince = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Holds back what is written until `flush`, at the latest at the end of this turn. Call before writing. */
  gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#stream.cork();
    if (gathered.push(this) === 1) process.nextTick(flush);
  }

  release(): void {
    this.#gathering = false;
    this.#stream.uncork();
  }

  get full(): boolean {
    return this.#stream.writableLength > roomBytes;
  }

  /** Calls back once everything on its way has been taken. Only for one that is full. */
  whenRoom(go: () => void): void {
    if (this.#waiting) return void this.#waiting.push(go);
    this.#waiting = [go];
    this.#fullSince = performance.now();
    this.#stream.once('drain', () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      for (const next of waiting) next();
    });
  }

  /** For how many milliseconds somebody has waited for room. */
  get stalledMs(): number {
    return this.#waiting ? performance.now() - this.#fullSince : 0;
  }
}

let gathered: Outbox[] = [];

/** Writes what has been gathered, on all connections. */
export function flush(): void {
  const due = gathered;
  gathered = [];
  for (const outbox of due) outbox.release();
}
