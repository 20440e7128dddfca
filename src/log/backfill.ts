import type { Database } from '../database/connect.ts';
import { together } from '../database/together.ts';
import { eventsBetween, headOf, type LoggedEvent, pageOfEvents } from './history.ts';

/** A piece of the log. It may hold events of others' audiences too. */
export interface Page {
  readonly events: readonly LoggedEvent[];
  /** Whoever asked has, with this page, everything up to here. */
  readonly reaches: number;
}

interface Wish {
  readonly epoch: string;
  readonly audienceIds: readonly string[];
  readonly after: number;
  readonly through: number;
}

/** Reads the log for all who are further behind than memory reaches: who asks in one turn shares one statement. */
export function backfill(db: Database): (wish: Wish) => Promise<Page | null> {
  return together<Wish, Page | null>(async (wishes) => {
    const audienceIds = new Set(wishes.flatMap((wish) => wish.audienceIds));
    const after = Math.min(...wishes.map((wish) => wish.after));
    const through = Math.max(...wishes.map((wish) => wish.through));
    const events = await eventsBetween(db, [...audienceIds], after, through);
    // Asked after the page: another process may have trimmed the log meanwhile, or a restore replaced it.
    const head = await headOf(db);
    const end = events.length < pageOfEvents ? Infinity : (events.at(-1)?.position ?? Infinity);
    return wishes.map((wish) => {
      if (wish.epoch !== head.epoch || wish.after < head.trimmedThrough) return null;
      return { events, reaches: Math.min(wish.through, Math.max(wish.after, end)) };
    });
  });
}
