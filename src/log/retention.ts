import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';

/** Positions that one transaction forgets at most: a few hundredths of a second, and no more is locked at once. */
const slice = 5000;
/** After each slice it rests so many times as long as that took, for the sake of those who write. */
const rest = 4;
const everyMs = 60 * 60 * 1000;

const { raw } = sql;

const forgetSlice = prepareRaw<
  { before: number | null; through: number | null; full: boolean },
  { days: number; after: number | null }
>(sql`
  with state as materialized (select trimmed_through as before from log_state for update skip locked),
  next as materialized (
    select position, created_at < now() - make_interval(days => ${sql.placeholder('days')}) as old
    from log_events where position > (select before from state) order by position limit ${raw(String(slice))}
  ),
  cut as materialized (
    select coalesce(min(position) filter (where not old) - 1, max(position), (select before from state)) as through,
      count(*) filter (where old) = ${raw(String(slice))} as full
    from next
    where (select before from state) = coalesce(${sql.placeholder('after')}::bigint, (select before from state))
  ),
  forgotten as (
    delete from log_events where position > (select before from state) and position <= (select through from cut)
  ),
  moved as (
    update log_state set trimmed_through = cut.through from cut where cut.through > trimmed_through
  )
  select state.before, cut.through, cut.full from cut left join state on true`);

/**
 * Forgets placed events older than `days`, oldest first, and returns when there are none left, when it is told to stop, or
 * when another process turns out to be at it. What waits for its place stays, whatever its age.
 *
 * By ranges of positions and not by partitions: to drop a partition takes a lock for which every writer waits, a row would
 * move between them when it gets its place, and a range costs no more than an index scan on either kind of database. The
 * mark moves with each range, in the same transaction, so nobody takes a range that is partly gone for all there was.
 */
export async function trimLog(db: Database, days: number, stop?: AbortSignal): Promise<void> {
  let after: number | null = null;
  while (!stop?.aborted) {
    const began = performance.now();
    const [cut] = await forgetSlice(db, { days, after });
    // Without a mark somebody holds it just now: a slice elsewhere, or a process that opens the log.
    if (cut && cut.before !== null) {
      if (after !== null && cut.before !== after) return;
      if (!cut.full) return;
      after = cut.through;
    }
    await sleep(rest * (performance.now() - began), undefined, { signal: stop }).catch(() => {});
  }
}

/** Trims the log now and every hour, in the background, until disposed. */
export function startRetention(db: Database, days: number, onFailure: (error: unknown) => void): AsyncDisposable {
  const stop = new AbortController();
  let trimming = Promise.resolve();
  const trim = () => {
    trimming = trimming.then(() => trimLog(db, days, stop.signal)).catch(onFailure);
  };
  const timer = setInterval(trim, everyMs);
  trim();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      stop.abort();
      await trimming;
    },
  };
}
