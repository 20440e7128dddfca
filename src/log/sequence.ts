import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { LoggedEvent } from './history.ts';
import { logEvents } from './tables.ts';

const lock = 0x686f6d65;
const batch = 2000;

/** What one turn of sequencing placed, in order, and whether more may be waiting; null: somebody else has the turn. */
export type Turn = { readonly placed: readonly LoggedEvent[]; readonly more: boolean } | null;

/** A row of {@link LoggedEvent} as drivers read it; without an event when nothing was placed. */
type Row = { mine: boolean; position: number | null; createdAt: string } & Omit<LoggedEvent, 'position' | 'createdAt'>;

/**
 * Gives committed events their places, in the order of their ids, and says `told` of it. Whoever gets the lock places
 * everybody's; who does not get it is answered null. An event that another transaction waited for is visible, with a lower
 * id, whenever that other one is, so it always comes first. An older snapshot than the previous holder's may find events
 * already placed: the update sees their newest version and leaves them alone, and only numbers are lost.
 */
export function sequencer(told: SQL | null): (db: Database) => Promise<Turn> {
  const place = prepareRaw<Row>(sql`
    with turn as materialized (select pg_try_advisory_xact_lock(${sql.raw(String(lock))}) as mine),
    waiting as materialized (
      select id from log_events where position is null and (select mine from turn) order by id limit ${sql.raw(String(batch))}
    ),
    numbered as materialized (
      select id, nextval('log_position') as position from (select id from waiting order by id) as ordered
    ),
    placed as (
      update log_events set position = numbered.position from numbered
      where log_events.id = numbered.id and log_events.position is null
      returning log_events.*
    )
    select mine, id, position, audience_id as "audienceId", organization_id as "organizationId", kind,
      subject_id as "subjectId", payload, created_at as "createdAt",
      (select ${told ?? sql`null`} from placed having count(*) > 0) as told
    from turn left join placed on true order by position`);
  return async (db) => {
    const found = await place(db, {});
    if (!found[0]?.mine) return null;
    const placed = found.flatMap(
      ({ id, position, audienceId, organizationId, kind, subjectId, payload, createdAt }) => {
        if (position === null) return [];
        const at = logEvents.createdAt.mapFromDriverValue(createdAt) as Date;
        return [{ id, position, audienceId, organizationId, kind, subjectId, payload, createdAt: at }];
      },
    );
    return { placed, more: placed.length === batch };
  };
}
