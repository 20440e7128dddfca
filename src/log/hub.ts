import type { Database } from '../database/connect.ts';
import { RateLimited } from '../errors.ts';
import { decodeCursor } from './cursor.ts';
import { type Access, type Ending, Follower, type Reader, type Topic } from './follower.ts';
import { eventsBetween, headOf, type LoggedEvent, pageOfEvents } from './history.ts';

/** Events kept in memory, so that who was away shortly, or lags, is served without a statement. */
const windowSize = 5000;

/** What one person may follow at once, over all transports: as much as their sockets could carry. */
const followersPerPerson = 1000;
const inAMinute = () => new Date(Date.now() + 60_000);

/**
 * One process's fan-out. The tail hands it every event once, in order; it hands each to the followers of the event's
 * audience. Changes of access are events of the same log and are applied at their place in it.
 */
export class Hub {
  readonly #db: Database;
  readonly #trimmedThrough: () => number;
  readonly #settled: () => Promise<void>;
  #epoch: string;
  #position: number;
  #window: LoggedEvent[] = [];
  #windowStart: number;
  readonly #byAudience = new Map<string, Set<Follower>>();
  readonly #byUser = new Map<string, Set<Follower>>();
  readonly #sessionListeners = new Map<string, Set<() => void>>();

  constructor(
    db: Database,
    head: { epoch: string; position: number; trimmedThrough: () => number; settled: () => Promise<void> },
  ) {
    this.#db = db;
    this.#epoch = head.epoch;
    this.#position = head.position;
    this.#windowStart = head.position;
    this.#trimmedThrough = head.trimmedThrough;
    this.#settled = head.settled;
  }

  /** Which history the positions belong to. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The place behind everything that this process has committed before. */
  async currentPosition(): Promise<number> {
    await this.#settled();
    return this.#position;
  }

  /** The place of the last event handed on. */
  get position(): number {
    return this.#position;
  }

  /** Hands events on, in order. Called by the tail alone. */
  dispatch(events: readonly LoggedEvent[]): void {
    for (const event of events) {
      this.#position = event.position;
      this.#window.push(event);
      const person = event.payload.userId;
      if (event.kind === 'ACCESS_BEGAN' || event.kind === 'ACCESS_ENDED') {
        for (const follower of [...(this.#byUser.get(String(person)) ?? [])]) follower.accept(event);
      } else if (event.kind === 'SESSION_ENDED') {
        for (const follower of [...(this.#byUser.get(event.audienceId) ?? [])]) follower.accept(event);
        for (const hear of this.#sessionListeners.get(event.subjectId) ?? []) hear();
      } else {
        for (const follower of [...(this.#byAudience.get(event.audienceId) ?? [])]) follower.accept(event);
      }
    }
    if (this.#window.length > 2 * windowSize) {
      const dropped = this.#window.splice(0, this.#window.length - windowSize);
      this.#windowStart = dropped.at(-1)?.position ?? this.#windowStart;
    }
  }

  /**
   * Follows a topic: everything after the cursor, or after now, exactly once and in order; ends with an `Ending`.
   * @throws NotFound when the reader has no access now, Unauthenticated when their session is over,
   * InvalidInput when the cursor is malformed, RateLimited beyond 1,000 at once for one person
   */
  async follow(
    topic: Topic,
    reader: Reader,
    after: string | null,
  ): Promise<AsyncIterableIterator<LoggedEvent | Ending>> {
    const cursor = after === null ? null : decodeCursor(after);
    if ((this.#byUser.get(reader.userId)?.size ?? 0) >= followersPerPerson) throw new RateLimited(inAMinute());
    const from = cursor?.position ?? this.#position;
    const follower = new Follower(topic, reader, from, this);
    await follower.open();
    if (cursor && !(await this.#remembers(cursor, follower))) {
      return follower.refuse({ ending: 'RESYNC_REQUIRED', position: this.#position });
    }
    return follower.events();
  }

  /** Whether everything behind a cursor is still there. Another process may know of events that this one does not yet. */
  async #remembers(cursor: { epoch: string; position: number }, follower: Follower): Promise<boolean> {
    if (cursor.epoch !== this.#epoch || cursor.position < this.#trimmedThrough()) return false;
    if (cursor.position <= this.#position) return true;
    try {
      return cursor.position <= (await headOf(this.#db)).position;
    } catch (error) {
      follower.close();
      throw error;
    }
  }

  /** Begins anew after a restore or a failover: what was read before it may never have happened. */
  restart(head: { epoch: string; position: number }): void {
    this.#epoch = head.epoch;
    this.#position = head.position;
    this.#windowStart = head.position;
    this.#window = [];
    for (const follower of this.#followers()) follower.forget(head.position);
  }

  /**
   * Hears the end of a session (sign-out, revocation) at its place in the log, also when it came after `since` but before
   * this call. Returns how to stop hearing.
   */
  onSessionEnded(sessionId: string, since: number, hear: () => void): () => void {
    const ended = ({ kind, subjectId }: LoggedEvent) => kind === 'SESSION_ENDED' && subjectId === sessionId;
    if (this.recent(since)?.some(ended)) hear();
    add(this.#sessionListeners, sessionId, hear);
    return () => remove(this.#sessionListeners, sessionId, hear);
  }

  /** The sessions that follow something. */
  sessions(): Set<string> {
    return new Set(this.#followers().map(({ reader }) => reader.sessionId));
  }

  /** Ends every stream of some sessions at once: their time has run out. */
  expire(sessionIds: ReadonlySet<string>): void {
    for (const follower of this.#followers()) {
      if (sessionIds.has(follower.reader.sessionId)) follower.endNow('SESSION_EXPIRED', this.#position);
    }
  }

  #followers(): Follower[] {
    return [...this.#byUser.values()].flatMap((followers) => [...followers]);
  }

  /** How much it holds; nothing when nobody listens. */
  get size(): number {
    return this.#byAudience.size + this.#byUser.size + this.#sessionListeners.size;
  }

  /** The events after a position that memory still holds, or null when it no longer holds all of them. */
  recent(after: number): readonly LoggedEvent[] | null {
    if (after < this.#windowStart) return null;
    let low = 0;
    let high = this.#window.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#window[middle]?.position ?? 0) <= after) low = middle + 1;
      else high = middle;
    }
    return this.#window.slice(low);
  }

  /** One page of what a reader missed, oldest first, with the position it reaches; null when it is forgotten. */
  async missed(
    access: Access,
    after: number,
    through: number,
  ): Promise<{ events: LoggedEvent[]; reaches: number } | null> {
    const warm = this.recent(after);
    if (warm) {
      const audiences = new Set(access.map((interval) => interval.audienceId));
      const events = warm.filter((event) => event.position <= through && audiences.has(event.audienceId));
      return { events, reaches: through };
    }
    const audienceIds = [...new Set(access.map((interval) => interval.audienceId))];
    const events = await eventsBetween(this.#db, audienceIds, after, through);
    // Asked after the page: another process may have trimmed the log meanwhile, or a restore replaced it.
    const { epoch, trimmedThrough } = await headOf(this.#db);
    if (epoch !== this.#epoch || after < trimmedThrough) return null;
    return { events, reaches: events.length < pageOfEvents ? through : (events.at(-1)?.position ?? through) };
  }

  /** Called by followers when they start and stop hearing an audience. */
  attach(follower: Follower, audienceId: string): void {
    add(this.#byAudience, audienceId, follower);
  }

  detach(follower: Follower, audienceId: string): void {
    remove(this.#byAudience, audienceId, follower);
  }

  /** Called by followers when they begin and end. */
  enter(follower: Follower): void {
    add(this.#byUser, follower.reader.userId, follower);
  }

  leave(follower: Follower): void {
    remove(this.#byUser, follower.reader.userId, follower);
  }
}

function add<Key, Value>(index: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const found = index.get(key);
  if (found) found.add(value);
  else index.set(key, new Set([value]));
}

function remove<Key, Value>(index: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const found = index.get(key);
  found?.delete(value);
  if (found?.size === 0) index.delete(key);
}
