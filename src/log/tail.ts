import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../database/connect.ts';
import { onCommit } from './append.ts';
import { eventsAfter, type LoggedEvent, type LogHead, openLog, pageOfEvents, trimmedThrough } from './history.ts';
import { sequencer } from './sequence.ts';
import type { WakeUp } from './wake-up.ts';

/** Commits of this long are placed by one statement, and what is told in this long is read by one. */
const coalesceMs = 2;
/** About as long as another process needs for its turn. */
const turnMs = 5;
const safetyPollMs = 1000;

export interface TailHandlers {
  /** Takes placed events, each once, in order. */
  onEvents(events: readonly LoggedEvent[]): void;
  /** Hears that the database now holds another history; only what is placed after its head follows. */
  onRestart?(head: LogHead): void;
  onFailure(error: unknown): void;
}

/**
 * The process's one reader of the log: places what this process committed, reads what is placed, hands it on in order.
 * Woken by its own commits and by what other processes tell; a poll a second stands behind both, for telling may be lost.
 */
export class Tail implements AsyncDisposable {
  epoch: string;
  position: number;
  trimmedThrough: number;
  /** When the tail last knew that it had read everything placed. */
  caughtUpAt = Date.now();

  readonly #connection: Connection;
  readonly #wakeUp: WakeUp;
  readonly #handlers: TailHandlers;
  readonly #sequence: ReturnType<typeof sequencer>;
  readonly #stop = new AbortController();
  #poll: NodeJS.Timeout | null = null;
  #hearing: AsyncDisposable | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #place = false;
  #reopen = false;
  #verify = false;
  #readAt = 0;
  /** Who waits for the turn in hand to be over, and who for the one after it. */
  readonly #waiting: (() => void)[] = [];
  readonly #waitingNext: (() => void)[] = [];

  private constructor(connection: Connection, wakeUp: WakeUp, head: LogHead, handlers: TailHandlers) {
    this.#connection = connection;
    this.#wakeUp = wakeUp;
    this.#sequence = sequencer(wakeUp.withPlaces);
    this.epoch = head.epoch;
    this.position = head.position;
    this.trimmedThrough = head.trimmedThrough;
    this.#handlers = handlers;
  }

  /** Opens the log at its head and follows it until disposed. */
  static async start(connection: Connection, wakeUp: WakeUp, handlers: TailHandlers): Promise<Tail> {
    const tail = new Tail(connection, wakeUp, await openLog(connection.db), handlers);
    onCommit(connection.db, () => tail.#wake(true));
    tail.#hearing = await wakeUp.hear(
      // Also what this process told; and whatever is not a number may mean anything.
      (position) => position <= tail.position || tail.#wake(false),
      () => {
        // Whoever was away may come back to another server: one that was restored, or that took over.
        tail.#reopen = true;
        tail.#wake(true);
      },
    );
    tail.#poll = setInterval(() => {
      tail.#verify = true;
      tail.#wake(true);
    }, safetyPollMs);
    return tail;
  }

  /** Waits until what this process has committed so far is placed and handed on; at once when it is. */
  async settled(): Promise<void> {
    if (!this.#running) return;
    // Not for the end of all turns: while others write without a pause there is none.
    await new Promise<void>((resolve) => (this.#again ? this.#waitingNext : this.#waiting).push(resolve));
  }

  #wake(place: boolean): void {
    this.#again = true;
    this.#place ||= place;
    if (this.#running || this.#stop.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      for (const settle of [...this.#waiting.splice(0), ...this.#waitingNext.splice(0)]) settle();
      if (this.#again && !this.#stop.signal.aborted) this.#wake(false);
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        const wait = this.#place ? coalesceMs : this.#readAt + coalesceMs - performance.now();
        if (wait > 0) await sleep(wait);
        this.#again = false;
        this.#waiting.push(...this.#waitingNext.splice(0));
        if (this.#verify) await this.#verifyHistory();
        if (this.#reopen) await this.#openAgain();
        this.#readAt = performance.now();
        const place = this.#place ? await this.#placeAll() : 'NOTHING';
        if (place !== 'HANDED_ON') await this.#drain();
        this.caughtUpAt = Date.now();
        if (place !== 'UNCERTAIN') for (const settle of this.#waiting.splice(0)) settle();
      }
    } catch (error) {
      // The safety poll comes back to whatever could not be read now.
      this.#handlers.onFailure(error);
    }
  }

  /** Places what waits, and hands it on where nothing unread stands before it. */
  async #placeAll(): Promise<'HANDED_ON' | 'PLACED' | 'UNCERTAIN'> {
    this.#place = false;
    // Until it is certain, so that whatever wakes the tail next tries again.
    const unplaced = () => {
      this.#place = true;
    };
    const turn = await this.#sequence(this.#connection.db).catch((error: unknown) => {
      unplaced();
      throw error;
    });
    if (!turn || turn.more) {
      unplaced();
      this.#again = true;
    }
    if (!turn) {
      // Whoever has the turn may have looked before our commit, and may have found nothing to tell of.
      await sleep(turnMs);
      return 'UNCERTAIN';
    }
    const [first, last] = [turn.placed[0], turn.placed.at(-1)];
    if (last) this.#wakeUp.tell(last.position);
    const next = first?.position === this.position + 1;
    if (next) this.#handOn(turn.placed);
    if (turn.more) return 'UNCERTAIN';
    return next ? 'HANDED_ON' : 'PLACED';
  }

  #handOn(events: readonly LoggedEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    this.position = last.position;
    this.#handlers.onEvents(events);
  }

  async #verifyHistory(): Promise<void> {
    const through = await trimmedThrough(this.#connection.db, this.epoch);
    this.#verify = false;
    if (through === null) this.#reopen = true;
    else this.trimmedThrough = through;
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
      this.#handOn(events);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    if (this.#poll) clearInterval(this.#poll);
    await this.#running;
    await this.#hearing?.[Symbol.asyncDispose]();
  }
}
