import { type SQL, sql } from 'drizzle-orm';
import type { Connection } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';

/**
 * How processes tell each other that events have got their places. Only a hint, at most once: the log is the truth, the
 * tail reads it at every (re)connection, and its poll stands behind.
 */
export interface WakeUp {
  /** What the sequencing statement selects from its `placed` rows when Postgres itself tells, as it commits; else null. */
  readonly withPlaces: SQL | null;
  /** Tells that events up to a position are placed and committed. Neither waits nor fails. */
  tell(position: number): void;
  /**
   * Hears up to which position events are placed, until the result is disposed. `onHearing` is called whenever it begins
   * to hear, also again: what was told before is lost. Resolves once hearing, or at once where that may take long.
   */
  hear(onTold: (position: number) => void, onHearing: () => void): Promise<AsyncDisposable>;
}

/** How processes tell each other short texts, each below 8,000 bytes: at once, to all the others, at most once. */
export interface Line {
  /** Tells them together. May fail, and then they are lost. */
  tell(texts: readonly string[]): Promise<void>;
  /** Hears, as `WakeUp.hear`; what this process told itself may be among it, and texts that mean nothing. */
  hear(onTold: (text: string) => void, onHearing: () => void): Promise<AsyncDisposable>;
}

const channel = 'homeroom_log';

/** By NOTIFY: nothing to run beside the database, one round trip, told with the commit. */
export function throughPostgres(connection: Connection): WakeUp {
  return {
    withPlaces: sql`pg_notify(${sql.raw(`'${channel}'`)}, max(position)::text)`,
    tell: () => {},
    hear: (onTold, onHearing) => connection.listen(channel, (position) => onTold(Number(position)), onHearing),
  };
}

const notify = prepareRaw<never, { channel: string; texts: readonly string[] }>(
  sql`select pg_notify(${sql.placeholder('channel')}::text, t) from unnest(${sql.placeholder('texts')}::text[]) t`,
);

/** By NOTIFY, whose lock is taken once for all that is told together. */
export const lineThroughPostgres = (connection: Connection, name: string): Line => ({
  tell: async (texts) => void (await notify(connection.db, { channel: `homeroom_${name}`, texts })),
  hear: (onTold, onHearing) => connection.listen(`homeroom_${name}`, onTold, onHearing),
});
