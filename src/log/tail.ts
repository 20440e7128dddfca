import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../database/connect.ts';
import { onCommit } from './append.ts';
import { eventsAfter, type LoggedEvent, type LogHead, openLog, pageOfEvents, trimLog } from './history.ts';
import { logChannel, placeEvents } from './sequence.ts';

/** Commits of this long are placed by one statement. */
const coalesceMs = 2;
/** About as long as another process needs for its turn. */
const turnMs = 5;
const safetyPollMs = 1000;
const trimEveryMs = 60 * 60 * 1000;

export interface TailHandlers {
  /** Takes placed events, each once, in order. */
  onEvents(events: readonly LoggedEvent[]): void;
  /** Hears that the database now holds another history; only what is placed after its head follows. */
  onRestart?(head: LogHead): void;
  onFailure(error: unknown): void;
}

/**
 * The process's one reader of the log: places what this process committed, reads what is placed, hands it on in order.
 * Woken by its own commits and by NOTIFY; a poll a second stands behind both, for notifications may be lost.
 */
export class Tail implements AsyncDisposable {
  epoch: string;
  position: number;
  trimmedThrough: number;
  /** When the tail last knew that it had read everything placed. */
  caughtUpAt = Date.now();

  readonly #connection: Connection;
  readonly #handlers: TailHandlers;
  readonly #stop = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #listening: AsyncDisposable | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #place = false;
  #reopen = false;

  private constructor(connection: Connection, head: LogHead, handlers: TailHandlers) {
    this.#connection = connection;
    this.epoch = head.epoch;
    this.position = head.position;
    this.trimmedThrough = head.trimmedThrough;
    this.#handlers = handlers;
  }

  /** Opens the log at its head and follows it until disposed. */
  static async start(connection: Connection, options: TailHandlers & { retentionDays: number }): Promise<Tail> {
    const tail = new Tail(connection, await openLog(connection.db), options);
    onCommit(connection.db, () => tail.#wake(true));
    tail.#listening = await connection.listen(
      logChannel,
      () => tail.#wake(false),
      () => {
        // Whoever was away may come back to another server: one that was restored, or that took over.
        tail.#reopen = true;
        tail.#wake(true);
      },
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

  /** Waits until what this process has committed so far is placed and handed on; at once when it is. */
  async settled(): Promise<void> {
    await this.#running;
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
        if (this.#reopen) await this.#openAgain();
        if (this.#place) await this.#placeAll();
        await this.#drain();
      }
    } catch (error) {
      // The safety poll comes back to whatever could not be read now.
      this.#handlers.onFailure(error);
    }
  }

  async #placeAll(): Promise<void> {
    this.#place = false;
    // Until it is certain, so that whatever wakes the tail next tries again.
    const unplaced = () => {
      this.#place = true;
    };
    const hadTurn = await placeEvents(this.#connection.db).catch((error: unknown) => {
      unplaced();
      throw error;
    });
    if (hadTurn) return;
    // Whoever has the turn may have looked before our commit, and may have found nothing to tell of.
    unplaced();
    this.#again = true;
    await sleep(turnMs);
  }

  async #openAgain(): Promise<void> {
    const head = await openLog(this.#connection.db);
    this.#reopen = false;
    this.trimmedThrough = head.trimmedThrough;
    if (head.epoch === this.epoch) return;
    this.epoch = head.epoch;
    this.position = head.position;
    this.#handlers.onRestart?.(head);
  }

  async #drain(): Promise<void> {
    for (let count = pageOfEvents; count === pageOfEvents; ) {
      const events = await eventsAfter(this.#connection.db, this.position);
      count = events.length;
      const last = events.at(-1);
      if (last) {
        this.position = last.position;
        this.#handlers.onEvents(events);
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
