import type { Page } from './backfill.ts';
import type { Follower } from './follower.ts';
import type { Lane, Renderer } from './lane.ts';
import type { Topic } from './reader.ts';
import type { Slices } from './slices.ts';
import type { Window } from './window.ts';

/** What followers need of the hub. */
export interface Source {
  readonly position: number;
  readonly window: Window;
  readonly slices: Slices;
  /** The lane of all who follow by one renderer, entered and left by each of them. */
  enter(renderer: Renderer, topic: Topic): Lane;
  leave(lane: Lane): void;
  /** Whether everything behind a place is still there. */
  remembers(position: number): Promise<boolean>;
  /** What was missed, from the log; null when it is forgotten. */
  backfill(audienceIds: readonly string[], after: number, through: number): Promise<Page | null>;
  /** Begins and ceases to have its lane hand it what happens. */
  attach(follower: Follower, lane: Lane): void;
  detach(follower: Follower, lane: Lane): void;
}

/**
 * Who tells followers something beside the log, while they are caught up: not before, not while their connection is full, and
 * not after their access ended. Whoever joins, also again, has been told nothing.
 */
export interface Company {
  joined(follower: Follower): void;
  left(follower: Follower): void;
}
