import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { RecurringJob } from '../jobs/queue.ts';

/** Positions that one transaction forgets at most: a few hundredths of a second, and no more is locked at once. */
const slice = 5000;
/** After each slice it rests so many times as long as that took, for the sake of those who write. */
const rest = 4;

const { raw } = sql;

const forgetSlice = prepareRaw<{ held: boolean; full: boolean }, { days: number }>(sql`
  with state as materialized (select trimmed_through as before from log_state for update skip locked),
  next as materialized (
    select position, created_at < now() - make_interval(days => ${sql.placeholder('days')}) as old
    from log_events where position > (select before from state) order by position limit ${raw(String(slice))}
  ),
  cut as materialized (
    select coalesce(min(position) filter (where not old) - 1, max(position), (select before from state)) as through,
      count(*) filter (where old) = ${raw(String(slice))} as full
    from next
  ),
  forgotten as (
    delete from log_events where position > (select before from state) and position <= (select through from cut)
  ),
  moved as (
    update log_state set trimmed_through = cut.through from cut where cut.through > trimmed_through
  )
  select not exists (select from state) as held, cut.full from cut`);

/**
 * Forgets placed events older than `days`, oldest first, until there are none left. What waits for its place stays, whatever
 * its age. Rejects when it is told to stop before.
 *
 * By ranges of positions and not by partitions: to drop a partition takes a lock for which every writer waits, a row would
 * move between them when it gets its place, and a range costs no more than an index scan on either kind of database. The
 * mark moves with each range, in the same transaction, so nobody takes a range that is partly gone for all there was.
 */
export async function trimLog(db: Database, days: number, stop?: AbortSignal): Promise<void> {
  for (;;) {
    const began = performance.now();
    const [cut] = await forgetSlice(db, { days });
    // Somebody holds the mark just now, as who opens the log does: then this slice is for later.
    if (!cut?.held && !cut?.full) return;
    await sleep(rest * (performance.now() - began), undefined, { signal: stop });
  }
}

/** Trims the log every hour. */
export const trimming = (days: number): RecurringJob => ({
  name: 'log.trim',
  cron: '17 * * * *',
  run: (db, stop) => trimLog(db, days, stop),
});
