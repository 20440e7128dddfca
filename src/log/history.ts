import { and, asc, gt, inArray, isNotNull, lte, sql } from 'drizzle-orm';
import { type Database, type Executor, rows } from '../database/connect.ts';
import { prepare, prepareRaw } from '../database/statements.ts';
import { logEvents, logState } from './tables.ts';

/** An event with its place in the one order. */
export interface LoggedEvent {
  readonly id: number;
  readonly position: number;
  readonly audienceId: string;
  readonly organizationId: string | null;
  readonly kind: string;
  readonly subjectId: string;
  readonly payload: Readonly<Record<string, string | number | boolean>>;
  readonly createdAt: Date;
}

/** The largest number of events that one read of the log returns. */
export const pageOfEvents = 1000;

const placedAfter = prepare((db) =>
  db
    .select()
    .from(logEvents)
    .where(gt(logEvents.position, sql.placeholder('position')))
    .orderBy(asc(logEvents.position))
    .limit(pageOfEvents),
);

/** Placed events are those with a position; the type says what the query's condition ensures. */
const placed = (found: readonly (typeof logEvents.$inferSelect)[]) => found as LoggedEvent[];

/** The next events after a position, in order, at most `pageOfEvents`. */
export async function eventsAfter(db: Database, position: number): Promise<LoggedEvent[]> {
  return placed(await placedAfter(db, { position }));
}

/** The next events of some audiences after a position and up to another, in order, at most `pageOfEvents`. */
export async function eventsBetween(
  db: Database,
  audienceIds: readonly string[],
  after: number,
  through: number,
): Promise<LoggedEvent[]> {
  if (audienceIds.length === 0 || after >= through) return [];
  return placed(
    await db
      .select()
      .from(logEvents)
      .where(
        and(
          isNotNull(logEvents.position),
          gt(logEvents.position, after),
          lte(logEvents.position, through),
          inArray(logEvents.audienceId, [...audienceIds]),
        ),
      )
      .orderBy(asc(logEvents.position))
      .limit(pageOfEvents),
  );
}

export interface LogHead {
  readonly epoch: string;
  readonly position: number;
  readonly trimmedThrough: number;
}

/** Where the log stands now, whatever this process has read of it. */
export async function headOf(db: Executor): Promise<LogHead> {
  const [head] = await rows<LogHead>(
    db,
    sql`select epoch::text as epoch, trimmed_through as "trimmedThrough",
      greatest(trimmed_through, (select max(position) from log_events)) as position from log_state`,
  );
  if (!head) throw new Error('log_state has no row');
  return head;
}

/** Which cluster, timeline and database this is: a restore or a failover changes it. */
const cluster = sql`(select s.system_identifier || '/' || c.timeline_id || '/' || d.oid
  from pg_control_system() s, pg_control_checkpoint() c, pg_database d where d.datname = current_database())`;

/**
 * Which history this is and where it stands. A new cluster, timeline or database (a restore, a failover) renews the epoch,
 * because positions given before it may be given again.
 */
export async function openLog(db: Database): Promise<LogHead> {
  const [here] = await rows<{ name: string }>(db, sql`select ${cluster} as name`);
  const name = here?.name ?? '';
  return db.transaction(async (tx) => {
    await tx.insert(logState).values({ cluster: name }).onConflictDoNothing();
    const [state] = await tx.select().from(logState).for('update');
    if (state?.cluster !== name) await tx.update(logState).set({ epoch: crypto.randomUUID(), cluster: name });
    return headOf(tx);
  });
}

const readState = prepareRaw<{ epoch: string; sameCluster: boolean; trimmedThrough: number }>(
  sql`select epoch::text as epoch, cluster = ${cluster} as "sameCluster", trimmed_through as "trimmedThrough" from log_state`,
);

/** How far the log is forgotten; null when it is no longer the history of this epoch. */
export async function trimmedThrough(db: Database, epoch: string): Promise<number | null> {
  const [state] = await readState(db, {});
  return state?.sameCluster && state.epoch === epoch ? state.trimmedThrough : null;
}
