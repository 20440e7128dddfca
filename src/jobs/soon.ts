import { setTimeout as sleep } from 'node:timers/promises';

/** How long others may ask for the same before it begins. */
const gatherMs = 100;

/** Work that is done a moment after it is asked for, once for all who ask until it begins, and never twice at a time. */
export class Soon implements AsyncDisposable {
  readonly #work: () => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #isAsked = false;
  #running: Promise<void> | null = null;
  readonly #stop = new AbortController();

  constructor(work: () => Promise<void>, onFailure: (error: unknown) => void) {
    this.#work = work;
    this.#onFailure = onFailure;
  }

  ask(): void {
    this.#isAsked = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#isAsked && !signal.aborted) {
      await sleep(gatherMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      this.#isAsked = false;
      await this.#work().catch(this.#onFailure);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
