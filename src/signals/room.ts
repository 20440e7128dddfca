import { setTimeout as sleep } from 'node:timers/promises';
import type { Follower } from '../log/follower.ts';
import type { Moment } from '../log/outlet.ts';
import type { Slices, Task } from '../log/slices.ts';

/** Turns follow each other no faster: what changes in between is told together. */
const turnMs = 200;
/** After a turn that could not read who is there. */
const retryMs = 1_000;
/** How long what was read of a place's people is good for, if no change of access is heard of. */
const goodForMs = 2_000;
/** People told of at once: whoever looks is told of all but themself, so only one such part of many is theirs alone. */
const atOnce = 20;
/** Followers who are handed over in one step. */
const step = 16;

/** Somebody who is told of others at a place. */
export interface Looker {
  readonly userId: string;
  readonly sessionId: string;
}

/** Who is at a place now, as read a moment ago. */
export interface Roster<Person> {
  readonly people: ReadonlyMap<string, Person>;
  /** Those of whom not everybody at the place is told. */
  readonly limited: ReadonlySet<string>;
  /** Whether somebody who looks is at the place, and was regarded when this was read. */
  covers(looker: Looker): boolean;
  /** Whether somebody who looks is told of one of the limited. */
  shows(userId: string, looker: Looker): boolean;
}

/** What others at a place are told that somebody does. */
export interface State {
  readonly isOnline: boolean;
  readonly isTyping: boolean;
}

/** What is told of some people at a place. With `startsAnew`, whatever was told before is void. */
export interface Presence<Person> extends Moment {
  readonly startsAnew: boolean;
  readonly people: readonly (State & { readonly person: Person })[];
}

export interface RoomOptions<Person> {
  slices(): Slices;
  /** Who is at a place, with regard to those who look. */
  rosterOf(placeId: string, lookers: readonly Looker[]): Promise<Roster<Person>>;
  stateOf(placeId: string, userId: string): State;
  /** The type of the API as which presence appears. */
  readonly momentary: string;
  onFailure(error: unknown): void;
}

type Told<Person> = State & { readonly userId: string; readonly person: Person };
type Handed = readonly [Follower, readonly Uint8Array[]];

/**
 * Those of this process who look at one place, and are told who is there. Its people are read once for all of them, and what
 * changes is rendered once for all who are told the same.
 */
export class Room<Person> implements Task {
  readonly #placeId: string;
  readonly #options: RoomOptions<Person>;
  readonly #followers = new Set<Follower>();
  /** Who of them has to be told everything. */
  #newcomers = new Set<Follower>();
  #changed = new Set<string>();
  #roster: Roster<Person> | null = null;
  #goodUntil = 0;
  #isStale = false;
  /** What was told of those who do something. */
  #shown = new Map<string, State>();
  #isRunning = false;
  #handing: Iterator<Handed> | null = null;
  #handedOver = () => {};

  constructor(placeId: string, options: RoomOptions<Person>) {
    this.#placeId = placeId;
    this.#options = options;
  }

  joined(follower: Follower): void {
    this.#followers.add(follower);
    this.#newcomers.add(follower);
    this.#wake();
  }

  /** Whether nobody is left. */
  left(follower: Follower): boolean {
    this.#followers.delete(follower);
    this.#newcomers.delete(follower);
    return this.#followers.size === 0;
  }

  /** Whether somebody is at the place, or it is not known yet. */
  mayHold(userId: string): boolean {
    return this.#roster?.people.has(userId) ?? true;
  }

  changed(userId: string): void {
    if (!this.mayHold(userId)) return;
    this.#changed.add(userId);
    this.#wake();
  }

  peopleChanged(): void {
    this.#isStale = true;
    this.#wake();
  }

  #wake(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    // Whoever comes in the same turn of the event loop is told together.
    await Promise.resolve();
    while (this.#followers.size > 0 && (this.#newcomers.size > 0 || this.#changed.size > 0 || this.#isStale)) {
      const next = performance.now() + ((await this.#turn()) ? turnMs : retryMs);
      await sleep(Math.max(0, next - performance.now()), undefined, { ref: false });
    }
    this.#isRunning = false;
  }

  async #turn(): Promise<boolean> {
    const newcomers = this.#newcomers;
    const changed = this.#changed;
    this.#newcomers = new Set();
    this.#changed = new Set();
    const before = this.#roster;
    try {
      await this.#read(newcomers);
    } catch (error) {
      this.#options.onFailure(error);
      this.#again(...newcomers);
      for (const userId of changed) this.#changed.add(userId);
      this.#isStale = true;
      return false;
    }
    const roster = this.#roster;
    if (!roster) return false;
    const others = before === roster ? [] : differing(before, roster);
    for (const userId of others) if (!roster.people.has(userId)) this.#shown.delete(userId);
    const changes = this.#look(roster, others.length > 0 ? roster.people.keys() : changed);
    // Whoever is not told of any of them is not told that they came or went.
    const isAnewTo = (looker: Looker) =>
      others.some((userId) => !before || isToldOf(before, userId, looker) !== isToldOf(roster, userId, looker));
    const told = this.#shown.keys().flatMap((userId) => this.#toldOf(roster, userId));
    const whole = this.#compose(roster, [...told], true);
    const news = this.#compose(roster, changes, false);
    const wanted = [...this.#followers]
      .filter((follower) => roster.covers(lookerOf(follower)))
      .map((follower): [Follower, Moment[]] => [
        follower,
        (newcomers.has(follower) || isAnewTo(lookerOf(follower)) ? whole : news)(lookerOf(follower)),
      ]);
    const handed = await Promise.all(wanted.map(([follower, moments]) => this.#render(follower, moments)));
    await this.#handOver(handed);
    return true;
  }

  /** Has them be told everything, if they are here still. */
  #again(...followers: readonly Follower[]): void {
    for (const follower of followers) if (this.#followers.has(follower)) this.#newcomers.add(follower);
  }

  async #read(newcomers: ReadonlySet<Follower>): Promise<void> {
    const roster = this.#roster;
    const isGood = !this.#isStale && performance.now() < this.#goodUntil;
    if (isGood && roster && [...newcomers].every((follower) => roster.covers(lookerOf(follower)))) return;
    const until = performance.now() + goodForMs;
    this.#isStale = false;
    this.#roster = await this.#options.rosterOf(this.#placeId, [...this.#followers].map(lookerOf));
    this.#goodUntil = until;
  }

  /** What of some people is not as it was told. */
  #look({ people }: Roster<Person>, userIds: Iterable<string>): Told<Person>[] {
    const changes: Told<Person>[] = [];
    for (const userId of userIds) {
      const person = people.get(userId);
      if (person === undefined) continue;
      const state = this.#options.stateOf(this.#placeId, userId);
      const { isOnline, isTyping } = this.#shown.get(userId) ?? quiet;
      if (state.isOnline === isOnline && state.isTyping === isTyping) continue;
      if (state.isOnline || state.isTyping) this.#shown.set(userId, state);
      else this.#shown.delete(userId);
      changes.push({ ...state, userId, person });
    }
    return changes;
  }

  #toldOf({ people }: Roster<Person>, userId: string): Told<Person>[] {
    const [person, state] = [people.get(userId), this.#shown.get(userId)];
    return person !== undefined && state ? [{ ...state, userId, person }] : [];
  }

  /** What each who looks is told of some people; those who are told the same are given the same objects. */
  #compose(roster: Roster<Person>, told: readonly Told<Person>[], isWhole: boolean): (looker: Looker) => Moment[] {
    const { momentary } = this.#options;
    const parts = Array.from({ length: Math.max(Math.ceil(told.length / atOnce), isWhole ? 1 : 0) }, (_, at) => {
      const all = told.slice(at * atOnce, (at + 1) * atOnce);
      return {
        all,
        startsAnew: isWhole && at === 0,
        ids: new Set(all.map(({ userId }) => userId)),
        limited: all.filter(({ userId }) => roster.limited.has(userId)),
        composed: new Map<string, Presence<Person> | null>(),
      };
    });
    return (looker) =>
      parts.flatMap(({ all, startsAnew, ids, limited, composed }) => {
        const without = limited.filter(({ userId }) => !roster.shows(userId, looker)).map(({ userId }) => userId);
        if (ids.has(looker.userId)) without.push(looker.userId);
        const key = without.join();
        let moment = composed.get(key);
        if (moment === undefined) {
          const people = all.filter(({ userId }) => !without.includes(userId));
          moment = people.length > 0 || startsAnew ? { momentary, startsAnew, people } : null;
          composed.set(key, moment);
        }
        return moment ?? [];
      });
  }

  async #render(follower: Follower, moments: readonly Moment[]): Promise<Handed> {
    try {
      const rendered = await Promise.all(moments.map((moment) => follower.rendered(moment)));
      return [follower, rendered.filter((payload) => payload !== null)];
    } catch (error) {
      this.#options.onFailure(error);
      this.#again(follower);
      return [follower, []];
    }
  }

  #handOver(handed: readonly Handed[]): Promise<void> {
    return new Promise((resolve) => {
      this.#handing = handed.values();
      this.#handedOver = resolve;
      this.#options.slices().add(this);
    });
  }

  work(): void {
    for (let count = 0; count < step; count++) {
      const next = this.#handing?.next();
      if (!next || next.done) {
        this.#handedOver();
        return;
      }
      const [follower, payloads] = next.value;
      // Whoever came back meanwhile is told everything in the next turn.
      const isCurrent = this.#followers.has(follower) && !this.#newcomers.has(follower);
      if (isCurrent) for (const payload of payloads) follower.say(payload);
    }
    this.#options.slices().add(this);
  }
}

const quiet: State = { isOnline: false, isTyping: false };

const lookerOf = ({ reader, sessionId }: Follower): Looker => ({ userId: reader.userId, sessionId });

const nobody: ReadonlySet<string> = new Set();

/** Those who have come or gone, and those of whom others are told now, or others no longer. */
const differing = (before: Roster<unknown> | null, after: Roster<unknown>): string[] => [
  ...new Set(after.people.keys())
    .symmetricDifference(before?.people ?? nobody)
    .union(after.limited.symmetricDifference(before?.limited ?? nobody)),
];

const isToldOf = (roster: Roster<unknown>, userId: string, looker: Looker): boolean =>
  roster.people.has(userId) && (!roster.limited.has(userId) || roster.shows(userId, looker));
