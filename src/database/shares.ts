import { LRUCache } from 'lru-cache';
import { RateLimited } from '../errors.ts';
import { Gate } from './gate.ts';

/** How many of one person's operations are executed at once, and how many wait. */
const operationsAtOnce = 8;
const mostWaiting = 500;
/** The share of the pool that one person keeps busy at once. */
const shareOfPool = 0.3;
/** Whose statement took longer has one at a time for a while: Postgres' processes and this one want the same cores. */
const heavyMs = 50;
const heavyForMs = 5_000;
/** There is one event loop and there are many connections: a millisecond of the database weighs less than one of the loop. */
const databaseWeight = 0.2;
/** What somebody who was quiet may take at once, in milliseconds of the event loop. */
const burstMs = 2_000;
/** Who would have to wait longer for their turn is told when to come back. */
const maxWaitMs = 5_000;
/** Shares that are remembered; of whoever comes back later all is there again. */
const keptShares = 10_000;

/**
 * One person's share of the process, or one address's: it keeps whoever asks for the most from making everybody else wait. What
 * their operations really took is taken from it, and comes back with time; who has nothing left waits for that.
 */
export class Share {
  readonly operations = new Gate(operationsAtOnce, mostWaiting);
  readonly statements: Gate;
  readonly #statementsAtOnce: number;
  /** Milliseconds that come back in each. */
  readonly #rate: number;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  #credit = burstMs;
  #since = performance.now();
  #isTaken = false;
  #lightly: NodeJS.Timeout | null = null;

  constructor({ percent, poolSize }: ShareOptions) {
    this.#rate = percent / 100;
    this.#statementsAtOnce = Math.max(1, Math.floor(poolSize * shareOfPool));
    this.statements = new Gate(this.#statementsAtOnce);
  }

  get #left(): number {
    const now = performance.now();
    this.#credit = Math.min(burstMs, this.#credit + (now - this.#since) * this.#rate);
    this.#since = now;
    return this.#credit;
  }

  /** How long until something is left. */
  get #untilMs(): number {
    return Math.max(0, -this.#left / this.#rate);
  }

  /** Takes note of what held the event loop for so long. */
  charge(ms: number): void {
    this.#credit = this.#left - ms;
  }

  /** Takes note of a statement that took so long. */
  chargeStatement(ms: number): void {
    this.charge(ms * databaseWeight);
    if (ms < heavyMs) return;
    if (this.#lightly) return void this.#lightly.refresh();
    this.statements.widen(1);
    this.#lightly = setTimeout(() => {
      this.#lightly = null;
      this.statements.widen(this.#statementsAtOnce);
    }, heavyForMs).unref();
  }

  /**
   * Waits for their turn: one in each turn of the event loop, so that what the one before took is known.
   * @throws RateLimited when that would take too long
   */
  async turn(): Promise<void> {
    if (this.#waiting.length >= mostWaiting || this.#untilMs > maxWaitMs) throw this.#later();
    if (!this.#isTaken) {
      this.#isTaken = true;
      setImmediate(() => this.#next());
      if (this.#left > 0) return;
    }
    const mine = Promise.withResolvers<void>();
    this.#waiting.push(mine);
    await mine.promise;
  }

  #next(): void {
    const untilMs = this.#untilMs;
    if (untilMs > maxWaitMs) for (const one of this.#waiting.splice(0)) one.reject(this.#later());
    if (this.#waiting.length === 0) {
      this.#isTaken = false;
    } else if (untilMs > 0) {
      setTimeout(() => this.#next(), untilMs);
    } else {
      this.#waiting.shift()?.resolve();
      setImmediate(() => this.#next());
    }
  }

  #later(): RateLimited {
    return new RateLimited(new Date(Date.now() + Math.max(this.#untilMs, maxWaitMs)));
  }
}

export interface ShareOptions {
  /** What one person may take of the event loop's time, day in, day out. */
  readonly percent: number;
  readonly poolSize: number;
}

/** The shares of all who asked lately. */
export class Shares {
  readonly #options: ShareOptions;
  readonly #shares = new LRUCache<string, Share>({ max: keptShares });

  constructor(options: ShareOptions) {
    this.#options = options;
  }

  of(whose: string): Share {
    const share = this.#shares.get(whose) ?? new Share(this.#options);
    this.#shares.set(whose, share);
    return share;
  }
}
