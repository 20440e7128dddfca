import type { Database } from '../database/connect.ts';
import { NotFound, RateLimited } from '../errors.ts';
import { backfill, type Page } from './backfill.ts';
import { decodeCursor } from './cursor.ts';
import { Follower } from './follower.ts';
import { headOf, type LoggedEvent } from './history.ts';
import { Lane, type Renderer } from './lane.ts';
import { type Audience, control, type Holder, type Interval, Reader, type Topic, wants } from './reader.ts';
import { Slices } from './slices.ts';
import type { Company, Source } from './source.ts';
import { Window } from './window.ts';

/** Sockets and streams of one person, and what they may follow at once on all of them. */
const holdersPerPerson = 20;
const followersPerPerson = 200;
/** Kinds of events after which what was shown of earlier ones is not to be shown again: something was taken back or says otherwise. */
const overtaking = /_(DELETED|REMOVED|WITHDRAWN|CANCELLED|EDITED|UPDATED|CHANGED)$/;
/** Kinds after which somebody may be hidden from others, or seen again: what was shown before may name them (§4.11). */
const meeting = /^GUARDIAN_(LINKED|UNLINKED|CONTACT_VISIBILITY_SET)$/;
const inAMinute = () => new Date(Date.now() + 60_000);

/** When somebody was in which audience, as the domain that keeps audiences tells it. */
export interface Stay extends Audience {
  readonly since: number;
  readonly until: number;
}

export interface HubOptions {
  readonly db: Database;
  readonly head: { readonly epoch: string; readonly position: number };
  trimmedThrough(): number;
  /** Waits until what this process has committed is handed on. */
  settled(): Promise<void>;
  /** Writes what outlets were given; called after each step of a fan-out. */
  flush?(): void;
  /** Everything a person may see or ever could. */
  staysOf(userId: string): Promise<readonly Stay[]>;
  readonly witness?: Witness;
}

export interface Witness {
  /** Somebody is connected here, and is no longer, by any socket or stream. */
  came(userId: string): void;
  left(userId: string): void;
  /** Called for every event, after who is connected has lost or got what they may see by it. */
  happened(event: LoggedEvent): void;
}

/**
 * One process's fan-out. The tail hands it every event once, in order; it hands each to the lanes of the event's audience,
 * and they to their followers. Changes of access are events of the same log and are applied at their place in it.
 */
export class Hub implements Source {
  readonly slices: Slices;
  readonly window: Window;
  readonly #options: HubOptions;
  readonly #backfill: ReturnType<typeof backfill>;
  #epoch: string;
  #position: number;
  #heads: Promise<{ epoch: string; position: number }> | null = null;
  /** One object an audience, for as long as the process lives: there are no more than in the database. */
  readonly #audiences = new Map<string, Audience>();
  readonly #readers = new Map<string, Reader>();
  readonly #lanes = new Map<Renderer, Lane>();
  readonly #byAudience = new Map<string, Map<Lane, Set<Follower>>>();
  readonly #overtaken = new Map<string, number>();
  #metAnew = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#epoch = options.head.epoch;
    this.#position = options.head.position;
    this.window = new Window(options.head.position);
    this.slices = new Slices(options.flush ?? (() => {}));
    this.#backfill = backfill(options.db);
  }

  /** Which history the positions belong to. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The place of the last event handed on. */
  get position(): number {
    return this.#position;
  }

  /**
   * Where in an audience something was last taken back or changed, or anywhere who meets whom: what was shown before that may be what
   * is gone now, or name somebody who is hidden.
   */
  overtakenAt(audienceId: string): number {
    return Math.max(this.#overtaken.get(audienceId) ?? 0, this.#metAnew);
  }

  /** The place behind everything that this process has committed before. */
  async currentPosition(): Promise<number> {
    await this.#options.settled();
    return this.#position;
  }

  /** How much it holds; nothing when nobody listens. */
  get size(): number {
    return this.#readers.size + this.#lanes.size + this.#byAudience.size;
  }

  // What happens.

  /** Hands events on, in order. Called by the tail alone. */
  dispatch(events: readonly LoggedEvent[]): void {
    for (const event of events) {
      this.#position = event.position;
      this.window.add(event);
      if (overtaking.test(event.kind)) this.#overtaken.set(event.audienceId, event.position);
      if (meeting.test(event.kind)) this.#metAnew = event.position;
      if (control.has(event.kind)) this.#applyControl(event);
      else this.#hand(event);
      this.#options.witness?.happened(event);
    }
  }

  #hand(event: LoggedEvent): void {
    for (const watcher of this.#readers.get(event.audienceId)?.watchers ?? []) watcher.told(event);
    const audience = this.#audiences.get(event.audienceId);
    if (!audience) return;
    for (const [lane, followers] of this.#byAudience.get(event.audienceId) ?? []) {
      if (wants(lane.topic, event)) lane.push(event, audience, followers);
    }
  }

  #applyControl(event: LoggedEvent): void {
    const { audienceId: id, organizationId, kind, payload } = event;
    if (kind === 'SESSION_ENDED') {
      this.#readers.get(id)?.endSession(event.subjectId, 'SIGNED_OUT');
      return;
    }
    const subjectId = typeof payload.subjectId === 'string' ? payload.subjectId : null;
    const audience = { id, organizationId, kind: String(payload.audience), subjectId };
    // Only whoever comes in is told what kind of audience it is.
    const known = kind === 'ACCESS_BEGAN' ? this.#intern(audience) : audience;
    this.#readers.get(String(payload.userId))?.changed(event, known);
  }

  /** Begins anew after a restore or a failover: what was read before it may never have happened. */
  restart(head: { epoch: string; position: number }): void {
    this.#epoch = head.epoch;
    this.#position = head.position;
    this.window.restart(head.position);
    // What is still on its way by the old ones has places of the old history.
    this.#lanes.clear();
    for (const reader of this.#readers.values()) {
      for (const watcher of [...reader.watchers]) watcher.forget();
      this.#learn(reader).catch(() => {
        // Nobody knows what they may see now: whoever still holds them has to come back.
        this.#dismiss(reader);
        for (const holder of [...reader.holders]) holder.comeBack();
      });
    }
  }

  #intern({ id, kind, organizationId, subjectId }: Audience): Audience {
    let audience = this.#audiences.get(id);
    if (!audience) {
      audience = { id, kind, organizationId, subjectId };
      this.#audiences.set(id, audience);
    }
    return audience;
  }

  // Who is here.

  /**
   * Keeps somebody here, with what they may see, until `release`. `since` is the place before which their session was known
   * to be good. @throws RateLimited beyond 20 connections
   */
  async hold(holder: Holder, since: number): Promise<Reader> {
    const reader = this.#readers.get(holder.userId) ?? new Reader(holder.userId);
    const known = this.#readers.has(holder.userId);
    if (reader.holders.length >= holdersPerPerson) throw new RateLimited(inAMinute());
    this.#readers.set(holder.userId, reader);
    reader.holders.push(holder);
    if (!known) this.#options.witness?.came(holder.userId);
    try {
      await (known ? reader.learned : this.#learn(reader));
    } catch (error) {
      this.release(holder);
      throw error;
    }
    if (reader.isOver(holder.sessionId)) holder.sessionEnded();
    for (let at: number | undefined = since; at !== undefined; ) {
      const told: LoggedEvent | null = this.window.next([holder.userId], at);
      if (told?.kind === 'SESSION_ENDED') reader.endSession(told.subjectId, 'SIGNED_OUT');
      at = told?.position;
    }
    return reader;
  }

  release(holder: Holder): void {
    const reader = this.#readers.get(holder.userId);
    const place = reader?.holders.indexOf(holder) ?? -1;
    if (place >= 0) reader?.holders.splice(place, 1);
    if (reader?.holders.length === 0) this.#dismiss(reader);
  }

  #dismiss({ userId }: Reader): void {
    this.#readers.delete(userId);
    this.#options.witness?.left(userId);
  }

  /** Somebody who is held here. */
  reader(userId: string): Reader | null {
    return this.#readers.get(userId) ?? null;
  }

  /** Reads what somebody may see, after whatever is being read already: it may have begun too early. */
  #learn(reader: Reader): Promise<void> {
    const read = async (): Promise<Interval[]> => {
      const stays = await this.#options.staysOf(reader.userId);
      return stays.map(({ since, until, ...audience }) => ({ audience: this.#intern(audience), since, until }));
    };
    const learned = (reader.learned ?? Promise.resolve())
      .catch(() => {})
      .then(() => reader.learn(read))
      .finally(() => {
        if (reader.learned === learned) reader.learned = null;
      });
    reader.learned = learned;
    return learned;
  }

  /** The sessions of all who are here. */
  sessions(): Set<string> {
    return new Set([...this.#readers.values()].flatMap(({ holders }) => holders.map(({ sessionId }) => sessionId)));
  }

  /** Ends every stream of some sessions at once, and what holds them: their time has run out. */
  expire(sessionIds: ReadonlySet<string>): void {
    for (const reader of [...this.#readers.values()]) {
      const over = new Set(reader.holders.map(({ sessionId }) => sessionId)).intersection(sessionIds);
      for (const sessionId of over) reader.endSession(sessionId, 'SESSION_EXPIRED');
    }
  }

  // What is followed.

  /**
   * Opens a subscription of somebody who is held here: from a cursor, or from now on. It delivers once it is started.
   * @throws NotFound when they are in no such audience, InvalidInput for a cursor that is not one
   */
  async follow(
    reader: Reader,
    sessionId: string,
    wanted: { anchor: (audience: Audience) => boolean } & Omit<Topic, 'anchor'>,
    after: string | null,
    company: Company | null = null,
  ): Promise<Follower> {
    const cursor = after === null ? null : decodeCursor(after);
    if (reader.watchers.length >= followersPerPerson) throw new RateLimited(inAMinute());
    await reader.learned;
    // Access that was given a moment ago may not have come through the log yet.
    if (!reader.find(wanted.anchor)) await this.#learn(reader);
    const anchor = reader.find(wanted.anchor);
    if (!anchor) throw new NotFound();
    const from = cursor?.epoch === this.#epoch ? cursor.position : cursor ? -1 : this.#position;
    return new Follower(this, { ...wanted, anchor }, reader, sessionId, from, company);
  }

  enter(renderer: Renderer, topic: Topic): Lane {
    const lane = this.#lanes.get(renderer) ?? new Lane(renderer, topic, this.slices);
    this.#lanes.set(renderer, lane);
    lane.size++;
    return lane;
  }

  leave(lane: Lane): void {
    if (--lane.size === 0 && this.#lanes.get(lane.renderer) === lane) this.#lanes.delete(lane.renderer);
  }

  /** Another process may know of events that this one does not yet. */
  async remembers(position: number): Promise<boolean> {
    if (position < this.#options.trimmedThrough()) return false;
    if (position <= this.#position) return true;
    this.#heads ??= headOf(this.#options.db).finally(() => {
      this.#heads = null;
    });
    const head = await this.#heads;
    return head.epoch === this.#epoch && position <= head.position;
  }

  backfill(audienceIds: readonly string[], after: number, through: number): Promise<Page | null> {
    return this.#backfill({ epoch: this.#epoch, audienceIds, after, through });
  }

  /** Hands a caught-up follower what happens in its audiences from now on. */
  attach(follower: Follower, lane: Lane): void {
    for (const { id } of follower.reader.hears(follower.topic, this.#position)) {
      const lanes = this.#byAudience.get(id) ?? new Map<Lane, Set<Follower>>();
      this.#byAudience.set(id, lanes);
      const followers = lanes.get(lane);
      if (followers) followers.add(follower);
      else lanes.set(lane, new Set([follower]));
    }
  }

  detach(follower: Follower, lane: Lane): void {
    for (const { id } of follower.reader.spanned(follower.topic)) {
      const lanes = this.#byAudience.get(id);
      const followers = lanes?.get(lane);
      followers?.delete(follower);
      if (followers?.size === 0) lanes?.delete(lane);
      if (lanes?.size === 0) this.#byAudience.delete(id);
    }
  }
}
