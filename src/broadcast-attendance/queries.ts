import { sql } from 'drizzle-orm';
import type { PersonName } from '../accounts/tables.ts';
import { hiddenFrom, peopleList } from '../audiences/queries.ts';
import { prepareRaw } from '../database/statements.ts';
import { shared } from '../database/together.ts';
import type { Batch } from '../graphql/context.ts';

/** Somebody who has watched a broadcast; times as Postgres writes them. */
export interface Attendee {
  readonly id: string;
  readonly user: PersonName;
  readonly joinedAt: string;
  readonly leftAt: string | null;
  readonly watchedSeconds: number;
  readonly isWatching: boolean;
}

/** Who was not seen for so long watches no longer: the media server asks about everybody several times in it. */
const watching = sql.raw(`(b.state = 'LIVE' and a.left_at is null and a.seen_at > now() - interval '1 minute')`);

/** Who has watched a broadcast, as far as the viewer meets them. Until when: who did not say that they left was last seen then. */
export const attendeesOf = peopleList<Attendee, { broadcastId: string }>(
  sql`a.id`,
  sql`a.joined_at as "joinedAt", case when ${watching} then null else coalesce(a.left_at, a.seen_at) end as "leftAt",
    a.watched_seconds as "watchedSeconds", ${watching} as "isWatching"`,
  sql`from broadcast_attendances a
    join broadcasts b on b.id = a.broadcast_id
    join users u on u.id = a.user_id
    where a.broadcast_id = ${sql.placeholder('broadcastId')} and not ${hiddenFrom(sql`a.user_id`, sql`b.organization_id`)}`,
  sql`b.organization_id`,
);

const watchers = prepareRaw<{ id: string; size: number }, { ids: readonly string[] }>(sql`
  select b.id, (select count(*)::int from broadcast_attendances a where a.broadcast_id = b.id and ${watching}) as size
  from broadcasts b where b.id = any(${sql.placeholder('ids')}::uuid[]) and b.state = 'LIVE'`);

/** Who comes asks how many are there: counted for each of thousands, that would be most of the work. */
const countGapMs = 50;

const countOf = shared<number>(async (db, ids) => {
  const found = new Map((await watchers(db, { ids: [...ids] })).map(({ id, size }) => [id, size]));
  return ids.map((id) => found.get(id) ?? 0);
}, countGapMs);

/** How many people watch each broadcast now. */
export const watchersOf: Batch<string, number> = (db, ids) => Promise.all(ids.map((id) => countOf(db, id)));
