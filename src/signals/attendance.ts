import type { Board } from './board.ts';
import type { Ear, Signals } from './signals.ts';

/** The kind of signal by which a process tells who is connected to it. */
export const online = 'ONLINE';

/** How often a process says who is here, and how long it is believed: then it has died, and its people are gone. */
const heartbeatMs = 30_000;
const believedMs = 75_000;
/** How long whoever has gone may be coming back. */
const graceMs = 5_000;

/** Who is here: with at least one socket or event stream on any process. */
export class Attendance implements Ear, Disposable {
  readonly #signals: Signals;
  readonly #board: Board;
  /** Who is on this process. */
  readonly #own = new Set<string>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(signals: Signals, board: Board) {
    this.#signals = signals;
    this.#board = board;
    signals.listen(this);
    this.#heartbeat = setInterval(() => this.asked(), heartbeatMs);
  }

  isHere(userId: string): boolean {
    return this.#own.has(userId) || this.#board.holds(online, null, userId);
  }

  came(userId: string): void {
    this.#own.add(userId);
    this.#say(believedMs, userId);
  }

  left(userId: string): void {
    this.#own.delete(userId);
    this.#say(graceMs, userId);
  }

  heard(): void {}

  asked(): void {
    this.#say(believedMs, ...this.#own);
  }

  #say(forMs: number, ...userIds: readonly string[]): void {
    if (userIds.length === 0) return;
    this.#signals.publish(...userIds.map((userId) => ({ kind: online, placeId: null, userId, forMs })));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
  }
}
