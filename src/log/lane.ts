import type { LoggedEvent } from './history.ts';
import type { Moment } from './outlet.ts';
import type { Audience, Topic } from './reader.ts';
import type { Slices, Task } from './slices.ts';

/** What goes out for an event, or null: it depends on who looks. */
export type Rendered = Uint8Array | null;

/** How a subscription shows events. All who follow by the same one are shown the same. */
export interface Renderer {
  /** What everybody in the audience is shown of an event; of a recent one at once. Rejects when it cannot be read now. */
  shared(event: LoggedEvent, audience: Audience): Rendered | Promise<Rendered>;
  /** As `shared`, for what is told beside the log. Who is told the same is given the same object. */
  moment(moment: Moment, audience: Audience): Rendered | Promise<Rendered>;
}

/** An event on its way to the followers of its audience. */
export interface Job {
  readonly event: LoggedEvent;
  readonly audience: Audience;
  readonly followers: ReadonlySet<Recipient>;
  /** Undefined until it is known. */
  rendered: Rendered | undefined;
  failure: unknown;
}

export interface Recipient {
  /** Takes events in order; each is rendered, or has failed. */
  deliver(jobs: readonly Job[]): void;
}

/** Followers who are handed over in one step, and events that are rendered at once. */
const step = 16;
const most = 64;

/**
 * The way from the log to all who follow by one renderer: each event is rendered once and handed to everybody in order. What
 * comes while it is busy waits and is then rendered, and handed over, together: the more there is, the less each costs.
 */
export class Lane implements Task {
  readonly renderer: Renderer;
  /** Those of all who follow by it are about the same. */
  readonly topic: Topic;
  /** How many follow by it, whether they are caught up or not. */
  size = 0;
  readonly #slices: Slices;
  /** What has not been handed to everybody; the first of it are being rendered, or are. */
  readonly #jobs: Job[] = [];
  #begun = 0;
  #busy = false;
  #batch: readonly Job[] = [];
  #rest: Iterator<Recipient> | null = null;

  constructor(renderer: Renderer, topic: Topic, slices: Slices) {
    this.renderer = renderer;
    this.topic = topic;
    this.#slices = slices;
  }

  /** Takes an event for those of its audience's followers who are caught up. */
  push(event: LoggedEvent, audience: Audience, followers: ReadonlySet<Recipient>): void {
    this.#jobs.push({ event, audience, followers, rendered: undefined, failure: null });
    if (this.#busy) return;
    this.#busy = true;
    // Not before all that is dispatched now has come.
    queueMicrotask(() => this.#render());
  }

  /** Whoever was caught up when it was read has everything before this place; null: everything. */
  get waitingFrom(): number | null {
    return this.#jobs[0]?.event.position ?? null;
  }

  #render(): void {
    this.#begun = Math.min(this.#jobs.length, most);
    this.#busy = this.#begun > 0;
    for (const job of this.#jobs.slice(0, this.#begun)) void this.#renderOne(job);
  }

  async #renderOne(job: Job): Promise<void> {
    let rendered: Rendered = null;
    try {
      rendered = await this.renderer.shared(job.event, job.audience);
    } catch (failure) {
      job.failure = failure;
    }
    job.rendered = rendered;
    if (job === this.#jobs[0] && this.#batch.length === 0) this.#slices.add(this);
  }

  /** Hands what is rendered, one audience at a time, to a few followers more. */
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

  /** Events of one audience that follow each other go together: one write for all of them. */
  #next(): Iterator<Recipient> {
    const followers = this.#jobs[0]?.followers ?? new Set<Recipient>();
    const end = this.#jobs.findIndex((job) => job.rendered === undefined || job.followers !== followers);
    this.#batch = this.#jobs.slice(0, end === -1 ? undefined : end);
    return followers.values();
  }

  #finish(): void {
    this.#jobs.splice(0, this.#batch.length);
    this.#begun -= this.#batch.length;
    this.#batch = [];
    this.#rest = null;
    if (this.#begun === 0) this.#render();
    else if (this.#jobs[0]?.rendered !== undefined) this.#slices.add(this);
  }
}
