import { and, eq, inArray, ne, or, type SQL } from 'drizzle-orm';
import { byId, listsOf } from '../graphql/batches.ts';
import type { Viewer } from '../viewer.ts';
import { type Membership, memberships } from './tables.ts';

export const membershipById = byId(memberships);

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
    inArray(
      memberships.organizationId,
      viewer.organizationsWhere((id) => viewer.leads(id)),
    ),
    and(
      inArray(
        memberships.organizationId,
        viewer.organizationsWhere((id) => viewer.isVerifiedStaffOf(id)),
      ),
      eq(memberships.role, 'EMPLOYEE'),
    ),
    eq(memberships.userId, viewer.userId),
  );

/** The memberships of organizations that the viewer may see. */
export const membersOf = listsOf(memberships, memberships.organizationId, (filter: MembershipFilter, viewer) =>
  and(filtered(filter), viewer ? visibleTo(viewer) : undefined),
);

/** The memberships of people, for themselves. */
export const membershipsOfUser = listsOf(memberships, memberships.userId, filtered);
