import type { LoggedEvent } from './history.ts';
import type { Rendered } from './lane.ts';
import type { SessionEnding } from './reader.ts';

export type EndingReason = 'MEMBERSHIP_CHANGED' | 'ORGANIZATION_SUSPENDED' | SessionEnding;

/** The last thing a stream says. */
export type Ending =
  | { readonly ending: 'ACCESS_ENDED'; readonly reason: EndingReason; readonly position: number }
  | { readonly ending: 'RESYNC_REQUIRED'; readonly position: number };

/** What a subscription delivers: events of the log, and at the end the reason for it. */
export type Delivery = LoggedEvent | Ending;

/** Something told beside the log, which keeps nothing of it: `momentary` is the type of the API as which it appears. */
export interface Moment {
  readonly momentary: string;
}

/** One subscription's way out, on a connection that may be slow. */
export interface Outlet {
  /** What is delivered alone, as its reader may see it now; null: their session is over. */
  alone(told: Delivery | Moment): Promise<Rendered>;
  /** `position`: its place in the log; null: it has none. */
  send(payload: Uint8Array, position: number | null): void;
  /** The connection has more on its way than its other side reads. */
  readonly full: boolean;
  /** Calls back once when it is no longer full. */
  whenRoom(go: () => void): void;
  /** Everything is said. */
  end(): void;
  /** Breaks off, so that the client comes back behind what it has got. */
  fail(error: unknown): void;
}
