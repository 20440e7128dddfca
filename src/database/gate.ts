import { RateLimited } from '../errors.ts';

/** How long whoever is turned away is told to wait. */
const crowdedMs = 2_000;

/** Lets so many in at once; the others wait in the order in which they came. */
export class Gate {
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #atOnce: number;
  #inside = 0;

  constructor(atOnce: number, mostWaiting = Number.POSITIVE_INFINITY) {
    this.#atOnce = atOnce;
    this.#mostWaiting = mostWaiting;
  }

  /** How many it lets in from now on. */
  widen(atOnce: number): void {
    this.#atOnce = atOnce;
    this.#admit();
  }

  /** @throws RateLimited when too many wait already */
  async through<Result>(work: () => PromiseLike<Result>): Promise<Result> {
    if (this.#inside < this.#atOnce) this.#inside++;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#admit();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting) throw new RateLimited(new Date(Date.now() + crowdedMs));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #admit(): void {
    while (this.#inside < this.#atOnce) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#inside++;
      next();
    }
  }
}
