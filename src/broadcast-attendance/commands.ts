import { type SQL, sql } from 'drizzle-orm';
import { canSeeBroadcast, canWatch } from '../broadcasts/policy.ts';
import { type Broadcast, broadcastById } from '../broadcasts/queries.ts';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import { shared } from '../database/together.ts';
import { Forbidden, InvalidState, NotFound } from '../errors.ts';
import type { Viewer } from '../viewer.ts';

/** What of the time since somebody was last seen counts as watched: who was away for longer was not there. */
const countedUntil = (at: SQL): SQL => sql`
  greatest(least(extract(epoch from ${at} - broadcast_attendances.seen_at), 60), 0)::int * (broadcast_attendances.left_at is null)::int`;
const counted = countedUntil(sql`now()`);

/** Notes that somebody came who may, if it is LIVE; answers no row where that is not so. */
export const joining = sql`
  insert into broadcast_attendances (broadcast_id, user_id)
  select b.id, m.user_id from broadcasts b
  join channels c on c.id = b.channel_id
  join audience_members m on m.audience_id = c.audience_id and m.until is null and m.user_id = ${sql.placeholder('userId')}
  where b.id = ${sql.placeholder('broadcastId')} and b.state = 'LIVE'
  limit 1
  on conflict (broadcast_id, user_id) do update
    set seen_at = now(), left_at = null, watched_seconds = broadcast_attendances.watched_seconds + ${counted}
  returning id`;

const join = prepareRaw<{ id: string }, { broadcastId: string; userId: string }>(joining);

/**
 * Comes to watch a broadcast that is LIVE. Nobody waits for anybody: one's own row is all that is locked. Coming again changes nothing
 * but that one has not left. @throws NotFound, Forbidden, InvalidState
 */
export async function joinBroadcast(db: Database, viewer: Viewer, broadcastId: string): Promise<Broadcast> {
  const broadcast = await watched(db, viewer, broadcastId);
  if (!canWatch(viewer, broadcast)) throw new Forbidden('FORBIDDEN_WATCH');
  if (broadcast.state !== 'LIVE') throw new InvalidState(broadcast.state);
  const [joined] = await join(db, { broadcastId, userId: viewer.userId });
  if (joined) return broadcast;
  // It ended, or the viewer went, in the moment between.
  const now = await watched(db, viewer, broadcastId);
  if (now.state !== 'LIVE') throw new InvalidState(now.state);
  throw new NotFound();
}

const leave = prepareRaw<{ id: string }, { broadcastId: string; userId: string }>(sql`
  update broadcast_attendances
  set watched_seconds = watched_seconds + ${counted}, seen_at = now(), left_at = now()
  where broadcast_id = ${sql.placeholder('broadcastId')} and user_id = ${sql.placeholder('userId')} and left_at is null
    and exists (select from broadcasts b where b.id = broadcast_id and b.state = 'LIVE')
  returning id`);

/** Goes from a broadcast. Who was not there, or has gone, is gone. @throws NotFound */
export async function leaveBroadcast(db: Database, viewer: Viewer, broadcastId: string): Promise<Broadcast> {
  const broadcast = await watched(db, viewer, broadcastId);
  await leave(db, { broadcastId, userId: viewer.userId });
  return broadcast;
}

/** A broadcast as it is: thousands ask for the same one when it begins. */
const known = shared((db, ids) => broadcastById(db, ids, nobody));

const nobody = (): never => {
  throw new Error('what all share is read for nobody');
};

async function watched(db: Database, viewer: Viewer, broadcastId: string): Promise<Broadcast> {
  const broadcast = await known(db, broadcastId);
  if (!broadcast || !canSeeBroadcast(viewer, broadcast)) throw new NotFound();
  return broadcast;
}

/** Somebody whom the media server has just played a broadcast to. */
export interface Seen {
  readonly broadcastId: string;
  readonly userId: string;
  /** How many seconds ago; clocks differ. */
  readonly agoS: number;
}

type SeenColumns = { broadcastIds: readonly string[]; userIds: readonly string[]; agoS: readonly number[] };

/** Who has left since is gone. */
const see = prepareRaw<{ id: string }, SeenColumns>(sql`
  update broadcast_attendances
  set watched_seconds = watched_seconds + ${countedUntil(sql`held.at`)}, seen_at = greatest(seen_at, held.at), left_at = null
  from (
    select a.id, now() - make_interval(secs => s.ago) as at
    from unnest(${sql.placeholder('broadcastIds')}::uuid[], ${sql.placeholder('userIds')}::uuid[], ${sql.placeholder('agoS')}::float8[])
      s (broadcast_id, user_id, ago)
    join broadcast_attendances a on a.broadcast_id = s.broadcast_id and a.user_id = s.user_id
    where a.left_at is null or a.left_at < now() - make_interval(secs => s.ago)
    order by a.id for update of a
  ) held
  where broadcast_attendances.id = held.id
  returning broadcast_attendances.id`);

/** Notes who was seen watching, all in one statement. Who plays has joined before: by that they got the address. */
export async function recordSeen(db: Database, seen: readonly Seen[]): Promise<void> {
  if (seen.length === 0) return;
  await see(db, {
    broadcastIds: seen.map((one) => one.broadcastId),
    userIds: seen.map((one) => one.userId),
    agoS: seen.map((one) => one.agoS),
  });
}
