import type { LoggedEvent } from './history.ts';

/** Who may see something together: `kind` is what its domain calls it, `PERSON` for one person alone. */
export interface Audience {
  readonly id: string;
  readonly kind: string;
  readonly organizationId: string | null;
  /** Whose it is where an organization has several of the kind, a group's id; else null. */
  readonly subjectId: string | null;
}

/** From which place to which place in the log somebody is in an audience; infinite while it is open, or not placed yet. */
export interface Interval {
  readonly audience: Audience;
  since: number;
  until: number;
}

/** What a subscription follows. Losing the anchor's audience ends it. */
export interface Topic {
  readonly anchor: Audience;
  /** Which other of the reader's audiences it spans: none, those of the anchor's subject or organization, or all. */
  readonly scope: 'ANCHOR' | 'SUBJECT' | 'ORGANIZATION' | 'READER';
  /** The kinds of events it wants. */
  readonly kinds: ReadonlySet<string>;
  /**
   * Only what happened at this place, which several audiences may hear of: a channel's id, in the event's `placeId`, or that of
   * something within it, in its `partId`.
   */
  readonly placeId?: string;
}

export type SessionEnding = 'SIGNED_OUT' | 'SESSION_EXPIRED';

/** What keeps a reader here: a socket or another open connection of one session. */
export interface Holder {
  readonly userId: string;
  readonly sessionId: string;
  /** The session is over; called after the streams of the session have been ended. */
  sessionEnded(): void;
  /** Nothing more can be done for it here: whoever it is has to connect anew. */
  comeBack(): void;
}

/** What a change of access or of a session means something to. */
export interface Watcher {
  readonly sessionId: string;
  accessChanged(event: LoggedEvent): void;
  /** Something was told to the person alone. */
  told(event: LoggedEvent): void;
  endNow(reason: SessionEnding): void;
  forget(): void;
}

/** The kind of audience that is one person alone; its id is the user's. */
export const personAlone = 'PERSON';

/** Kinds of events that change what somebody may hear, and are not told themselves. */
export const control: ReadonlySet<string> = new Set(['ACCESS_BEGAN', 'ACCESS_ENDED', 'SESSION_ENDED']);

/**
 * Somebody who is connected to this process, with what they may see: read once, and from then on kept right by the log's
 * own events, each at its place.
 */
export class Reader {
  readonly userId: string;
  readonly alone: Audience;
  readonly holders: Holder[] = [];
  readonly watchers: Watcher[] = [];
  /** While what they may see is being read. */
  learned: Promise<void> | null = null;
  /** Sessions that are over: nothing may be opened for them any more. */
  readonly #over = new Set<string>();
  #intervals: Interval[] = [];
  /** What happened while it was being read, which may or may not be in what was read. */
  #meanwhile: [LoggedEvent, Audience][] = [];

  constructor(userId: string) {
    this.userId = userId;
    this.alone = { id: userId, kind: personAlone, organizationId: null, subjectId: null };
  }

  /** Reads what they may see, now or again; changes go on being applied meanwhile. */
  async learn(read: () => Promise<readonly Interval[]>): Promise<void> {
    this.#meanwhile = [];
    const intervals = await read();
    this.#intervals = [{ audience: this.alone, since: 0, until: Infinity }, ...intervals];
    for (const [event, audience] of this.#meanwhile) this.#apply(event, audience);
    this.#meanwhile = [];
  }

  /** Takes a change of access at its place, then tells whoever watches. */
  changed(event: LoggedEvent, audience: Audience): void {
    if (this.learned) this.#meanwhile.push([event, audience]);
    this.#apply(event, audience);
    for (const watcher of [...this.watchers]) watcher.accessChanged(event);
  }

  /** Ends what belongs to a session, and refuses what is opened for it from now on. */
  endSession(sessionId: string, reason: SessionEnding): void {
    if (this.#over.has(sessionId)) return;
    this.#over.add(sessionId);
    for (const watcher of [...this.watchers]) if (watcher.sessionId === sessionId) watcher.endNow(reason);
    for (const holder of [...this.holders]) if (holder.sessionId === sessionId) holder.sessionEnded();
  }

  isOver(sessionId: string): boolean {
    return this.#over.has(sessionId);
  }

  #apply({ kind, payload, position }: LoggedEvent, audience: Audience): void {
    const known = this.#intervals.filter((interval) => interval.audience.id === audience.id);
    if (kind === 'ACCESS_ENDED') {
      // Another capacity may still keep them in.
      if (payload.last !== true) return;
      for (const interval of known) if (interval.since < position) interval.until = Math.min(interval.until, position);
      return;
    }
    // One that was read before it had its place comes first: this is where it gets it.
    const unplaced = known.find((interval) => interval.since === Infinity);
    const open = unplaced ?? known.find((interval) => interval.until > position);
    if (open) open.since = Math.min(open.since, position);
    else this.#intervals.push({ audience, since: position, until: Infinity });
  }

  /** The audience that fits and that they are in now, or null. */
  find(fits: (audience: Audience) => boolean): Audience | null {
    return this.#intervals.find(({ audience, until }) => until === Infinity && fits(audience))?.audience ?? null;
  }

  /** In the audience when the event happened. */
  couldSee({ audienceId, position }: LoggedEvent): boolean {
    return this.#intervals.some(
      ({ audience, since, until }) => audience.id === audienceId && since < position && position < until,
    );
  }

  /** The audiences, besides themselves, that a topic spans for them at a place: what was read may know of later ones. */
  hears(topic: Topic, position: number): Audience[] {
    return this.#intervals
      .filter(({ since, until }) => since <= position && position < until)
      .map(({ audience }) => audience)
      .filter((audience) => audience !== this.alone && spans(topic, audience));
  }

  /** The audiences that a topic spans for them, or did once. */
  spanned(topic: Topic): Audience[] {
    return [...new Set(this.#intervals.map(({ audience }) => audience).filter((audience) => spans(topic, audience)))];
  }
}

/** Whether a topic is about an event, of whatever audience. */
export const wants = ({ kinds, placeId }: Topic, { kind, payload }: LoggedEvent): boolean =>
  kinds.has(kind) && (placeId === undefined || payload.placeId === placeId || payload.partId === placeId);

/**
 * Whether a topic spans an audience of its reader. What an organization tells one person alone is not among its events, but what
 * they are told alone about a place is among those of the place.
 */
export const spans = ({ anchor, scope, placeId }: Topic, { id, kind, organizationId, subjectId }: Audience): boolean =>
  scope === 'READER' ||
  id === anchor.id ||
  (placeId !== undefined && kind === personAlone) ||
  (scope === 'SUBJECT' && subjectId === anchor.subjectId) ||
  (scope === 'ORGANIZATION' && kind !== personAlone && organizationId === anchor.organizationId);
