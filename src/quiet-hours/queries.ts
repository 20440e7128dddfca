import { type SQL, sql } from 'drizzle-orm';
import { prepare, prepareRaw } from '../database/statements.ts';
import type { Batch } from '../graphql/context.ts';
import type { QuietHours } from './policy.ts';
import { type QuietHoursRow, quietHours } from './tables.ts';

const byUsers = prepare((db) =>
  db
    .select()
    .from(quietHours)
    .where(sql`${quietHours.userId} = any(${sql.placeholder('ids')})`),
);

/** What people have chosen for themselves, by their ids; null: nothing, they follow their institutions. */
export const ownQuietHours: Batch<string, QuietHoursRow | null> = async (db, ids) => {
  const index = new Map((await byUsers(db, { ids: [...ids] })).map((row) => [row.userId, row]));
  return ids.map((id) => index.get(id) ?? null);
};

/**
 * The quiet hours of a person in an organization, as {@link QuietHours} or null: their own, `q`, in place of the defaults of the
 * organization, `o`.
 */
export const hoursThere: SQL = sql.raw(`
  case when q.user_id is not null then
    case when q.quiet_from is not null then
      json_build_object('from', q.quiet_from, 'until', q.quiet_until, 'timeZone', q.time_zone) end
  when o.quiet_from is not null then
    json_build_object('from', o.quiet_from, 'until', o.quiet_until, 'timeZone', o.time_zone) end`);

const byOrganizations = prepareRaw<
  { id: string; hours: QuietHours | null },
  { userId: string; ids: readonly string[] }
>(
  sql`select o.id, ${hoursThere} as hours
    from organizations o left join quiet_hours q on q.user_id = ${sql.placeholder('userId')}
    where o.id = any(${sql.placeholder('ids')}::uuid[])`,
);

/** The viewer's quiet hours in organizations; null: never quiet. */
export const quietHoursIn: Batch<string, QuietHours | null> = async (db, ids, viewer) => {
  const { userId } = viewer();
  const index = new Map((await byOrganizations(db, { userId, ids: [...ids] })).map(({ id, hours }) => [id, hours]));
  return ids.map((id) => index.get(id) ?? null);
};
