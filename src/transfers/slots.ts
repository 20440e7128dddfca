import { unavailable } from './answers.ts';

/** How much goes on at once, in this process and for one person. */
export class Slots {
  readonly #total: number;
  readonly #each: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor({ total, each }: { total: number; each: number }) {
    this.#total = total;
    this.#each = each;
  }

  /** One more for this person, until the result is disposed. @throws Declined when there are too many */
  take(userId: string): Disposable {
    const own = this.#taken.get(userId) ?? 0;
    if (own >= this.#each) throw unavailable(429);
    if (this.#all >= this.#total) throw unavailable(503);
    this.#all++;
    this.#taken.set(userId, own + 1);
    return { [Symbol.dispose]: () => this.#leave(userId) };
  }

  #leave(userId: string): void {
    this.#all--;
    const left = (this.#taken.get(userId) ?? 1) - 1;
    if (left > 0) this.#taken.set(userId, left);
    else this.#taken.delete(userId);
  }
}
