import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../database/connect.ts';
import { onCommit } from './append.ts';
import { eventsAfter, type LoggedEvent, openLog, pageOfEvents, trimLog } from './history.ts';
import { logChannel, placeEvents } from './sequence.ts';

/** Commits of this long are placed by one statement. */
const coalesceMs = 2;
const safetyPollMs = 1000;
const trimEveryMs = 60 * 60 * 1000;

/**
 * The process's one reader of the log: places what this process committed, reads what is placed, hands it on in order.
 * Woken by its own commits and by NOTIFY; a poll a second stands behind both, for notifications may be lost.
 */
export class Tail implements AsyncDisposable {
  readonly epoch: string;
  position: number;
  trimmedThrough: number;
  /** When the tail last knew that it had read everything placed. */
  caughtUpAt = Date.now();

  readonly #connection: Connection;
  readonly #onEvents: (events: readonly LoggedEvent[]) => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #stop = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #listening: AsyncDisposable | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #place = false;

  private constructor(
    connection: Connection,
    head: { epoch: string; position: number; trimmedThrough: number },
    handlers: { onEvents: (events: readonly LoggedEvent[]) => void; onFailure: (error: unknown) => void },
  ) {
    this.#connection = connection;
    this.epoch = head.epoch;
    this.position = head.position;
    this.trimmedThrough = head.trimmedThrough;
    this.#onEvents = handlers.onEvents;
    this.#onFailure = handlers.onFailure;
  }

  /** Opens the log at its head and follows it until disposed. */
  static async start(
    connection: Connection,
    options: {
      retentionDays: number;
      onEvents: (events: readonly LoggedEvent[]) => void;
      onFailure: (error: unknown) => void;
    },
  ): Promise<Tail> {
    const tail = new Tail(connection, await openLog(connection.db), options);
    onCommit(connection.db, () => tail.#wake(true));
    tail.#listening = await connection.listen(
      logChannel,
      () => tail.#wake(false),
      () => tail.#wake(true),
    );
    const trim = () =>
      trimLog(connection.db, options.retentionDays).then((through) => {
        tail.trimmedThrough = through;
      }, options.onFailure);
    tail.#timers.push(
      setInterval(() => tail.#wake(true), safetyPollMs),
      setInterval(trim, trimEveryMs),
    );
    await trim();
    return tail;
  }

  #wake(place: boolean): void {
    this.#again = true;
    this.#place ||= place;
    if (this.#running || this.#stop.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      if (this.#again && !this.#stop.signal.aborted) this.#wake(false);
    });
  }

  async #run(): Promise<void> {
    try {
      await sleep(coalesceMs);
      while (this.#again) {
        this.#again = false;
        if (this.#place) {
          this.#place = false;
          await placeEvents(this.#connection.db);
        }
        await this.#drain();
      }
    } catch (error) {
      // The safety poll comes back to whatever could not be read now.
      this.#onFailure(error);
    }
  }

  async #drain(): Promise<void> {
    for (let count = pageOfEvents; count === pageOfEvents; ) {
      const events = await eventsAfter(this.#connection.db, this.position);
      count = events.length;
      const last = events.at(-1);
      if (last) {
        this.position = last.position;
        this.#onEvents(events);
      }
    }
    this.caughtUpAt = Date.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#listening?.[Symbol.asyncDispose]();
    await this.#running;
  }
}
