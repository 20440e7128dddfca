import { and, eq, ne, or, type SQL, sql } from 'drizzle-orm';
import { activePlaces } from '../audiences/tables.ts';
import type { Transaction } from '../database/connect.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import type { Viewer } from '../viewer.ts';
import { type Membership, memberships } from './tables.ts';

/** In which groups a membership puts its person, which decides who of the staff may see it. */
const places = {
  groupIds: sql<string[]>`array(
    select distinct p.group_id from ${activePlaces} p where p.membership_id = ${memberships}.id)`.as('group_ids'),
};

export const membershipById = byId(memberships, places);

export interface MembershipFilter {
  readonly role?: Membership['role'] | null;
  readonly state?: Membership['state'] | null;
}

const filtered = ({ role, state }: MembershipFilter): SQL | undefined =>
  and(
    role ? eq(memberships.role, role) : undefined,
    state ? eq(memberships.state, state) : ne(memberships.state, 'ENDED'),
  );

/** `canSeeMembership`, for a list. */
const visibleTo = (viewer: Viewer): SQL | undefined =>
  or(
    anyOf(
      memberships.organizationId,
      viewer.organizationsWhere((id) => viewer.leads(id)),
    ),
    and(
      anyOf(
        memberships.organizationId,
        viewer.organizationsWhere((id) => viewer.isVerifiedStaffOf(id)),
      ),
      eq(memberships.role, 'EMPLOYEE'),
      ne(memberships.state, 'ENDED'),
    ),
    sql`exists (select from ${activePlaces} p
      where p.membership_id = ${memberships}.id and p.group_id = any(${sql.param(viewer.groupsTaught)}::uuid[]))`,
    eq(memberships.userId, viewer.userId),
  );

/** The memberships of organizations that the viewer may see. */
export const membersOf = listsOf(
  memberships,
  memberships.organizationId,
  (filter: MembershipFilter, viewer) => and(filtered(filter), visibleTo(viewer)),
  places,
);

/** The memberships of people, for themselves. */
export const membershipsOfUser = listsOf(memberships, memberships.userId, filtered);

/** A person's membership in a role that has not ended, be it suspended. */
export async function openMembership(
  tx: Transaction,
  { userId, organizationId, role }: Pick<Membership, 'userId' | 'organizationId' | 'role'>,
): Promise<Membership | null> {
  const [open] = await tx
    .select()
    .from(memberships)
    .where(
      and(
        eq(memberships.userId, userId),
        eq(memberships.organizationId, organizationId),
        eq(memberships.role, role),
        ne(memberships.state, 'ENDED'),
      ),
    );
  return open ?? null;
}
