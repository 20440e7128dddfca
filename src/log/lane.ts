import type { LoggedEvent } from './history.ts';
import type { Audience } from './reader.ts';
import type { Slices, Task } from './slices.ts';

/** What goes out for an event, or null: it depends on who looks. */
export type Rendered = Uint8Array | null;

/** How a subscription shows events. All who follow by the same one are shown the same. */
export interface Renderer {
  /** What everybody in the audience is shown of an event; of a recent one at once. Rejects when it cannot be read now. */
  shared(event: LoggedEvent, audience: Audience): Rendered | Promise<Rendered>;
}

/** An event on its way to the followers of its audience. */
export interface Job {
  readonly event: LoggedEvent;
  readonly followers: ReadonlySet<Recipient>;
  rendered: Rendered | undefined;
  failure: unknown;
}

export interface Recipient {
  /** Takes events in order; each is rendered, or has failed. */
  deliver(jobs: readonly Job[]): void;
}

/** Followers who are handed over in one step. */
const step = 16;

/** The way from the log to all who follow by one renderer: each event is rendered once and handed to everybody in order. */
export class Lane implements Task {
  readonly renderer: Renderer;
  readonly kinds: ReadonlySet<string> | null;
  /** How many follow by it, whether they are caught up or not. */
  size = 0;
  readonly #slices: Slices;
  #jobs: Job[] = [];
  #batch: readonly Job[] = [];
  #rest: Iterator<Recipient> | null = null;

  constructor(renderer: Renderer, kinds: ReadonlySet<string> | null, slices: Slices) {
    this.renderer = renderer;
    this.kinds = kinds;
    this.#slices = slices;
  }

  /** Begins to render an event for those of its audience's followers who are caught up. */
  push(event: LoggedEvent, audience: Audience, followers: ReadonlySet<Recipient>): void {
    const job: Job = { event, followers, rendered: undefined, failure: null };
    this.#jobs.push(job);
    Promise.resolve(this.renderer.shared(event, audience))
      .then(
        (rendered) => {
          job.rendered = rendered;
        },
        (failure: unknown) => {
          job.failure = failure;
          job.rendered = null;
        },
      )
      .then(() => {
        if (job === this.#jobs[0] && this.#batch.length === 0) this.#slices.add(this);
      });
  }

  /** Whoever was caught up when it was read has everything before this place; null: everything. */
  get waitingFrom(): number | null {
    return this.#jobs[0]?.event.position ?? null;
  }

  /** Hands what is ready, one audience at a time, to a few followers more. */
  work(): void {
    this.#rest ??= this.#next();
    for (let count = 0; count < step; count++) {
      const { value, done } = this.#rest.next();
      if (done) {
        this.#finish();
        return;
      }
      value.deliver(this.#batch);
    }
    this.#slices.add(this);
  }

  /** Events that wait for each other go together: one write for all of them. */
  #next(): Iterator<Recipient> {
    const first = this.#jobs[0];
    const end = this.#jobs.findIndex((job) => job.rendered === undefined || job.followers !== first?.followers);
    this.#batch = this.#jobs.slice(0, end === -1 ? undefined : end);
    return (first?.followers ?? new Set<Recipient>()).values();
  }

  #finish(): void {
    this.#jobs.splice(0, this.#batch.length);
    this.#batch = [];
    this.#rest = null;
    if (this.#jobs[0]?.rendered !== undefined) this.#slices.add(this);
  }
}
