import { sql } from 'drizzle-orm';
import { rows } from '../database/connect.ts';
import type { Batch } from '../graphql/context.ts';

/** More unread posts of one channel are not counted. */
export const unreadCap = 100;

/**
 * How many posts of channels the viewer has not read: published behind the last they have, or since they came, and not their
 * own.
 */
export const unreadIn: Batch<string, number> = async (db, ids, viewer) => {
  const { userId } = viewer();
  const found = await rows<{ id: string; size: number }>(
    db,
    sql`
    select c.id, (
      select count(*)::int from (
        select from posts p
        where p.channel_id = c.id and p.state = 'PUBLISHED' and p.author_id <> ${userId}
          and p.place > coalesce(m.read_through, '00000000-0000-0000-0000-000000000000') and p.published_at >= s.since
        limit ${unreadCap}) unread) as size
    from channels c
    join lateral (
      select min(since) as since from audience_members
      where audience_id = c.audience_id and user_id = ${userId} and until is null) s on s.since is not null
    left join channel_marks m on m.channel_id = c.id and m.user_id = ${userId}
    where c.id = any(${sql.param([...ids])}::uuid[])`,
  );
  const index = new Map(found.map(({ id, size }) => [id, size]));
  return ids.map((id) => index.get(id) ?? 0);
};
