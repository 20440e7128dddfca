import { forEverybody } from '../database/allowance.ts';

/** How long one turn of the event loop may go to long work. */
const sliceMs = 0.2;

/** How many of many a step takes. */
const step = 16;

/** Long work that is done in steps. */
export interface Task {
  /** Takes one short step; a task with more to do adds itself again. Must not throw. */
  work(): void;
}

/**
 * Long work of the whole process, a slice in each turn of the event loop, every task in its turn: a fan-out to thousands
 * or a storm of people catching up never keeps a query waiting for longer than a slice.
 */
export class Slices {
  readonly #afterStep: () => void;
  #waiting: Task[] = [];
  #scheduled = false;

  /** `afterStep` does what a step leaves to the end, so that its time counts. */
  constructor(afterStep: () => void) {
    this.#afterStep = afterStep;
  }

  add(task: Task): void {
    this.#waiting.push(task);
    this.#schedule();
  }

  /** Begins something when its turn comes. */
  begin<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve) => this.add({ work: () => resolve(work()) }));
  }

  /** Does the same to many, a few in a step. */
  each<Item>(items: Iterable<Item>, act: (item: Item) => void): void {
    const rest = items[Symbol.iterator]();
    const task: Task = {
      work: () => {
        for (let count = 0; count < step; count++) {
          const { value, done } = rest.next();
          if (done) return;
          act(value);
        }
        this.add(task);
      },
    };
    this.add(task);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    forEverybody(() => setImmediate(() => this.#run()));
  }

  #run(): void {
    this.#scheduled = false;
    const until = performance.now() + sliceMs;
    let done = 0;
    do {
      this.#waiting[done++]?.work();
      this.#afterStep();
    } while (done < this.#waiting.length && performance.now() < until);
    this.#waiting.splice(0, done);
    if (this.#waiting.length > 0) this.#schedule();
  }
}
