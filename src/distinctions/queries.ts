import { sql } from 'drizzle-orm';
import type { Shown } from '../accounts/queries.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Batch } from '../graphql/context.ts';
import type { Membership } from '../memberships/tables.ts';

/** As what somebody is told apart from their namesakes. */
export type Distinction = Pick<Membership, 'role' | 'position'>;

// Employment comes first, of a guardian who is hidden also one that is over: it is what others know (§4.11).
const distinctions = prepareRaw<
  { distinction: Distinction | null },
  { userIds: readonly string[]; organizationIds: readonly (string | null)[] }
>(sql`
  select (
    select json_build_object('role', m.role, 'position', m.position) from memberships m
    where m.user_id = wanted.user_id and m.organization_id = wanted.organization_id
    order by m.role = 'EMPLOYEE' and (m.state <> 'ENDED' or exists (
        select from hidden_people h where h.user_id = m.user_id and h.organization_id = m.organization_id)) desc,
      m.state <> 'ENDED' desc, m.id desc
    limit 1) as distinction
  from unnest(${sql.placeholder('userIds')}::uuid[], ${sql.placeholder('organizationIds')}::uuid[])
    with ordinality wanted (user_id, organization_id, place)
  order by wanted.place`);

/** As what people are, or were last, in organizations where somebody else has their name. */
export const distinctionOf: Batch<Shown, Distinction | null> = async (db, keys) => {
  const found = await distinctions(db, {
    userIds: keys.map(({ userId }) => userId),
    organizationIds: keys.map(({ organizationId }) => organizationId),
  });
  return found.map(({ distinction }) => distinction);
};
