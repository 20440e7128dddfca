import type { Ear, Signal } from './signals.ts';

/** How often what has run out is looked for. */
const sweepMs = 500;

/** Hears that something begins to hold of somebody, or does no longer. */
export type Watcher = (kind: string, placeId: string | null, userId: string) => void;

/**
 * What signals say holds now. What several processes say of somebody holds while one of them does; what one of them says is
 * over, with 0, is over for all: a call that was answered on one device rings on none.
 */
export class Board implements Ear, Disposable {
  /** By kind and place, by person, until when each process says so. */
  readonly #held = new Map<string, Map<string, Map<string, number>>>();
  readonly #watchers = new Set<Watcher>();
  readonly #sweeper: NodeJS.Timeout;
  /** Nothing runs out before. */
  #due = Infinity;

  constructor() {
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
  }

  heard({ kind, placeId, userId, forMs }: Signal, processId: string): void {
    const key = keyOf(kind, placeId);
    const people = this.#held.get(key) ?? new Map<string, Map<string, number>>();
    const sources = people.get(userId);
    if (forMs <= 0) {
      if (!sources) return;
      people.delete(userId);
      if (people.size === 0) this.#held.delete(key);
      this.#tell(kind, placeId, userId);
      return;
    }
    const until = performance.now() + forMs;
    this.#due = Math.min(this.#due, until);
    if (sources) {
      sources.set(processId, until);
      return;
    }
    this.#held.set(key, people.set(userId, new Map([[processId, until]])));
    this.#tell(kind, placeId, userId);
  }

  holds(kind: string, placeId: string | null, userId: string): boolean {
    return this.leftMs(kind, placeId, userId) > 0;
  }

  /** For how long it holds yet, if nobody says it again. */
  leftMs(kind: string, placeId: string | null, userId: string): number {
    const sources = this.#held.get(keyOf(kind, placeId))?.get(userId);
    return sources ? Math.max(0, ...sources.values().map((until) => until - performance.now())) : 0;
  }

  watch(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  #tell(...what: Parameters<Watcher>): void {
    for (const watcher of this.#watchers) watcher(...what);
  }

  #sweep(): void {
    const now = performance.now();
    if (now < this.#due) return;
    this.#due = Infinity;
    for (const [key, people] of this.#held) {
      for (const [userId, sources] of people) {
        for (const [processId, until] of sources) {
          if (until <= now) sources.delete(processId);
          else this.#due = Math.min(this.#due, until);
        }
        if (sources.size > 0) continue;
        people.delete(userId);
        const [kind, placeId] = partsOf(key);
        this.#tell(kind, placeId, userId);
      }
      if (people.size === 0) this.#held.delete(key);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
  }
}

const keyOf = (kind: string, placeId: string | null) => (placeId === null ? kind : `${kind} ${placeId}`);

function partsOf(key: string): [kind: string, placeId: string | null] {
  const [kind = '', placeId = null] = key.split(' ');
  return [kind, placeId];
}
