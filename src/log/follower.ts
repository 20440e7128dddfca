import { NotFound, Unauthenticated } from '../errors.ts';
import type { LoggedEvent } from './history.ts';
import type { Hub } from './hub.ts';

/** What a subscription follows. Losing the anchor's audience ends it. */
export interface Topic {
  readonly anchor: string;
  /** Which other audiences it spans: none, the viewer's in one organization, or all of the viewer's. */
  readonly scope: 'ANCHOR' | 'ORGANIZATION' | 'VIEWER';
  readonly organizationId: string | null;
  /** The kinds it wants; null: all of them. */
  readonly kinds: ReadonlySet<string> | null;
}

/** From which place to which place in the log somebody is in an audience; `until` is infinite while it is open. */
export interface Interval {
  readonly audienceId: string;
  readonly since: number;
  readonly until: number;
}
export type Access = readonly Interval[];

/** Whose subscription it is, and how to ask afresh what they may see: null when the session is over. */
export interface Reader {
  readonly userId: string;
  readonly sessionId: string;
  access(topic: Topic): Promise<Access | null>;
}

export type EndingReason = 'MEMBERSHIP_CHANGED' | 'ORGANIZATION_SUSPENDED' | 'SIGNED_OUT' | 'SESSION_EXPIRED';

/** The last thing a stream says. */
export type Ending =
  | { readonly ending: 'ACCESS_ENDED'; readonly reason: EndingReason; readonly position: number }
  | { readonly ending: 'RESYNC_REQUIRED'; readonly position: number };

/** Events that wait for a slow reader; beyond it they are dropped and read again from the log when the reader is ready. */
const queueLimit = 1000;

const control = new Set(['ACCESS_BEGAN', 'ACCESS_ENDED', 'SESSION_ENDED']);

/** One subscription: catches up from the log, cuts over to the live events without a gap, and streams. */
export class Follower {
  readonly topic: Topic;
  readonly reader: Reader;
  readonly #hub: Hub;
  /** Everything up to here is delivered, or was never to be. */
  #from: number;
  #open = new Set<string>();
  #live = false;
  #queue: LoggedEvent[] = [];
  #ending: Ending | null = null;
  /** Set when the end came before everything ahead of it was delivered. */
  #cutShort = false;
  #closed = false;
  #wake: () => void = () => {};
  #access: Access = [];
  /** What `#access` knows about reaches at least this place; later changes come as events. */
  #knownThrough = 0;

  constructor(topic: Topic, reader: Reader, from: number, hub: Hub) {
    this.topic = topic;
    this.reader = reader;
    this.#from = from;
    this.#hub = hub;
    hub.enter(this);
  }

  /** Asks what the reader may see. @throws NotFound when that is nothing, Unauthenticated when the session is over */
  async open(): Promise<void> {
    try {
      await this.#learn();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #learn(): Promise<void> {
    this.#knownThrough = this.#hub.position;
    const access = await this.reader.access(this.topic);
    if (!access) throw new Unauthenticated();
    if (!access.some(({ audienceId, until }) => audienceId === this.topic.anchor && until === Infinity))
      throw new NotFound();
    this.#access = access;
  }

  /** The stream; registered since the constructor, so nothing is missed before the first `next()`. */
  events(): AsyncIterableIterator<LoggedEvent | Ending> {
    return this.#iterator(this.#run());
  }

  /** A stream that says one thing and is over. */
  refuse(ending: Ending): AsyncIterableIterator<LoggedEvent | Ending> {
    this.close();
    return this.#iterator(
      (async function* () {
        yield ending;
      })(),
    );
  }

  #iterator(generator: AsyncGenerator<LoggedEvent | Ending>): AsyncIterableIterator<LoggedEvent | Ending> {
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => generator.next(),
      return: () => {
        // A generator that waits would not hear `return` until its next event: wake it first.
        this.close();
        return generator.return(undefined);
      },
    };
  }

  async *#run(): AsyncGenerator<LoggedEvent | Ending> {
    try {
      while (!this.#closed) {
        yield* this.#catchUp();
        yield* this.#stream();
        if (this.#ending && !this.#closed) {
          yield this.#lastWord(this.#ending);
          return;
        }
        if (!this.#closed) await this.#learnAgain();
      }
    } finally {
      this.close();
    }
  }

  /** Its cursor stands behind what was delivered, so that who may follow again some day resumes without a gap. */
  #lastWord(ending: Ending): Ending {
    return this.#cutShort && ending.ending === 'ACCESS_ENDED' ? { ...ending, position: this.#from } : ending;
  }

  async #learnAgain(): Promise<void> {
    try {
      await this.#learn();
    } catch (error) {
      if (error instanceof NotFound) this.endNow('MEMBERSHIP_CHANGED', this.#hub.position);
      else if (error instanceof Unauthenticated) this.endNow('SIGNED_OUT', this.#hub.position);
      else throw error;
    }
  }

  /** Reads what was missed up to what the access is known for, then takes the rest from memory in the same turn. */
  async *#catchUp(): AsyncGenerator<LoggedEvent> {
    while (!this.#closed && !this.#ending) {
      while (this.#from < this.#knownThrough) {
        const page = await this.#hub.missed(this.#access, this.#from, this.#knownThrough);
        if (!page) this.#ending ??= { ending: 'RESYNC_REQUIRED', position: this.#hub.position };
        for (const event of page?.events ?? []) {
          if (this.#closed || this.#ending) return;
          if (!this.#wants(event) || !this.#couldSee(event)) continue;
          this.#from = event.position;
          yield event;
        }
        if (!page || this.#closed || this.#ending) return;
        this.#from = page.reaches;
      }
      const recent = this.#hub.recent(this.#knownThrough);
      if (recent && !this.#ending) {
        this.#goLive(recent);
        return;
      }
      if (!this.#ending) await this.#learnAgain();
    }
  }

  #goLive(recent: readonly LoggedEvent[]): void {
    this.#live = true;
    this.#setOpen(
      this.#access
        .filter((interval) => interval.since <= this.#knownThrough && interval.until > this.#knownThrough)
        .map((interval) => interval.audienceId),
    );
    for (const event of recent) this.accept(event);
  }

  async *#stream(): AsyncGenerator<LoggedEvent> {
    while (!this.#closed) {
      const event = this.#queue.shift();
      if (event) {
        this.#from = event.position;
        yield event;
      } else if (this.#ending || !this.#live) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Takes an event at its place: a change of access is applied, a wanted one is queued. */
  accept(event: LoggedEvent): void {
    if (control.has(event.kind)) this.#applyAccess(event);
    else if (this.#live && this.#open.has(event.audienceId) && this.#wants(event) && event.position > this.#from) {
      this.#enqueue(event);
    }
  }

  #applyAccess(event: LoggedEvent): void {
    if (event.kind === 'SESSION_ENDED') {
      if (event.subjectId === this.reader.sessionId) this.endNow('SIGNED_OUT', event.position);
      return;
    }
    if (event.payload.userId !== this.reader.userId || !this.#covers(event)) return;
    const ends = event.kind === 'ACCESS_ENDED' && event.payload.last === true;
    // Who is catching up will meet the other changes again; the end of everything is not to wait for that.
    if (ends && event.audienceId === this.topic.anchor) {
      const reason =
        event.payload.reason === 'ORGANIZATION_SUSPENDED' ? 'ORGANIZATION_SUSPENDED' : 'MEMBERSHIP_CHANGED';
      this.#end({ ending: 'ACCESS_ENDED', reason, position: event.position });
    } else if (this.#live && event.kind === 'ACCESS_BEGAN') {
      this.#setOpen([...this.#open, event.audienceId]);
    } else if (this.#live && ends) {
      this.#setOpen([...this.#open].filter((id) => id !== event.audienceId));
    }
  }

  #covers(event: LoggedEvent): boolean {
    if (event.audienceId === this.topic.anchor || this.topic.scope === 'VIEWER') return true;
    return this.topic.scope === 'ORGANIZATION' && event.organizationId === this.topic.organizationId;
  }

  #wants(event: LoggedEvent): boolean {
    return !control.has(event.kind) && this.#covers(event) && (this.topic.kinds?.has(event.kind) ?? true);
  }

  #couldSee(event: LoggedEvent): boolean {
    return this.#access.some(
      ({ audienceId, since, until }) =>
        audienceId === event.audienceId && since < event.position && event.position < until,
    );
  }

  #enqueue(event: LoggedEvent): void {
    if (this.#queue.length >= queueLimit) this.#fallBehind();
    else this.#queue.push(event);
    this.#wake();
  }

  /** Lets the queue go; the stream reads it again from the log, from the last event it delivered. */
  #fallBehind(): void {
    this.#queue = [];
    this.#live = false;
    this.#setOpen([]);
  }

  #setOpen(audienceIds: readonly string[]): void {
    const open = new Set(audienceIds);
    for (const id of this.#open) if (!open.has(id)) this.#hub.detach(this, id);
    for (const id of open) if (!this.#open.has(id)) this.#hub.attach(this, id);
    this.#open = open;
  }

  /** Ends the stream without what is queued: whoever holds this session must hear nothing more. */
  endNow(reason: EndingReason, position: number): void {
    if (this.#queue.length > 0) this.#fallBehind();
    this.#end({ ending: 'ACCESS_ENDED', reason, position });
  }

  /** Ends the stream because the history that it followed is no more. */
  forget(position: number): void {
    this.#queue = [];
    this.#end({ ending: 'RESYNC_REQUIRED', position });
  }

  /** Ends the stream, after what is already queued. */
  #end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#cutShort = !this.#live;
    this.#live = false;
    this.#setOpen([]);
    this.#hub.leave(this);
    this.#wake();
  }

  /** Stops hearing anything. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#setOpen([]);
    this.#hub.leave(this);
    this.#wake();
  }
}
