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
    const pages = new Map<Wish, Page>();
    // A page that those furthest behind fill may hold nothing yet for the others.
    for (let rest = wishes; rest.length > 0; rest = rest.filter((wish) => !pages.has(wish))) {
      for (const [wish, page] of await readPage(db, rest)) if (page.reaches > wish.after) pages.set(wish, page);
    }
    // Asked after the pages: another process may have trimmed the log meanwhile, or a restore replaced it.
    const head = await headOf(db);
    return wishes.map((wish) =>
      wish.epoch === head.epoch && wish.after >= head.trimmedThrough ? (pages.get(wish) ?? null) : null,
    );
  });
}

async function readPage(db: Database, wishes: readonly Wish[]): Promise<[Wish, Page][]> {
  const audienceIds = new Set(wishes.flatMap((wish) => wish.audienceIds));
  const after = Math.min(...wishes.map((wish) => wish.after));
  const through = Math.max(...wishes.map((wish) => wish.through));
  const events = await eventsBetween(db, [...audienceIds], after, through);
  const end = events.length < pageOfEvents ? Infinity : (events.at(-1)?.position ?? Infinity);
  return wishes.map((wish) => [wish, { events, reaches: Math.min(wish.through, end) }]);
}
