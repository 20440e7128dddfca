import { sql } from 'drizzle-orm';
import { type Database, rows } from '../database/connect.ts';

/** The channel on which processes hear that events have got their places. */
export const logChannel = 'homeroom_log';

const lock = 0x686f6d65;
const batch = 2000;

/**
 * Gives committed events their places, in the order of their ids, and tells every process. Whoever gets the lock places
 * everybody's; who does not get it is answered false. An event that another transaction waited for is visible, with a lower
 * id, whenever that other one is, so it always comes first. An older snapshot than the previous holder's may find events
 * already placed: the update sees their newest version and leaves them alone, and only numbers are lost.
 */
export async function placeEvents(db: Database): Promise<boolean> {
  for (;;) {
    const [result] = await rows<{ placed: number; mine: boolean }>(
      db,
      sql`
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
        returning log_events.position
      )
      select count(*)::int as placed, (select mine from turn) as mine,
        case when count(*) > 0 then pg_notify(${sql.raw(`'${logChannel}'`)}, max(position)::text) end
      from placed`,
    );
    if (!result?.mine) return false;
    if (result.placed < batch) return true;
  }
}
