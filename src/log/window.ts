import type { LoggedEvent } from './history.ts';

/** How many events it keeps, at least. */
const size = 5000;

/** The latest events in memory, so that who was away shortly, or lags, is served without a statement. */
export class Window {
  /** Everything after this place is here. */
  #start: number;
  #events: LoggedEvent[] = [];
  #byAudience = new Map<string, LoggedEvent[]>();

  constructor(start: number) {
    this.#start = start;
  }

  /** Forgets everything and begins at another place. */
  restart(start: number): void {
    this.#start = start;
    this.#keep([]);
  }

  /** Takes the next event. */
  add(event: LoggedEvent): void {
    this.#events.push(event);
    this.#index(event);
    if (this.#events.length < 2 * size) return;
    this.#start = this.#events[size - 1]?.position ?? this.#start;
    this.#keep(this.#events.slice(size));
  }

  #keep(events: LoggedEvent[]): void {
    this.#events = events;
    this.#byAudience = new Map();
    for (const event of events) this.#index(event);
  }

  #index(event: LoggedEvent): void {
    const found = this.#byAudience.get(event.audienceId);
    if (found) found.push(event);
    else this.#byAudience.set(event.audienceId, [event]);
  }

  /** Whether everything after a place is here. */
  reaches(position: number): boolean {
    return position >= this.#start;
  }

  /** The first event of some audiences after a place, or null. */
  next(audienceIds: readonly string[], after: number): LoggedEvent | null {
    let first: LoggedEvent | null = null;
    for (const id of audienceIds) {
      const events = this.#byAudience.get(id);
      const event = events && firstAfter(events, after);
      if (event && (!first || event.position < first.position)) first = event;
    }
    return first;
  }
}

/** The first of ordered events after a place. */
export function firstAfter(events: readonly LoggedEvent[], after: number): LoggedEvent | undefined {
  if ((events.at(-1)?.position ?? 0) <= after) return undefined;
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.position ?? 0) <= after) low = middle + 1;
    else high = middle;
  }
  return events[low];
}
