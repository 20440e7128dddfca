import { sql } from 'drizzle-orm';
import { type Database, rows } from '../database/connect.ts';
import { type MemberName, memberNames } from './tables.ts';

/**
 * Whether another person of the organization has a name like `n`'s. The mark that says so is the same for all who look, so it must not
 * tell the other parent that a LIMITED guardian is there, and by what name (§4.11): he makes nobody a namesake, unless he works there or
 * has, which is no secret. His own name, which those alone see who meet him, is marked like any. Nor does anybody make one who is only
 * expected. Names tables of higher floors, and so as text.
 */
export const hasNamesake = sql`exists (
  select from member_names o
  join memberships m on m.user_id = o.user_id and m.organization_id = o.organization_id
  where o.organization_id = n.organization_id and o.likeness = n.likeness and o.user_id <> n.user_id
    and (m.role = 'EMPLOYEE' or not exists (
      select from hidden_people h where h.user_id = o.user_id and h.organization_id = o.organization_id)))`;

/** Whose stored mark is not as it follows: empty, or something is wrong. */
export const checkNamesakes = (
  db: Database,
): Promise<Pick<MemberName, 'organizationId' | 'userId' | 'hasNamesake'>[]> =>
  rows(
    db,
    sql`
    select n.organization_id as "organizationId", n.user_id as "userId", n.has_namesake as "hasNamesake"
    from ${memberNames} n where n.has_namesake <> ${hasNamesake}`,
  );
