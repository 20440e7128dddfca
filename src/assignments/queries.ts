import { and, eq, isNull, or, sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import type { Viewer } from '../viewer.ts';
import { staffAssignments } from './tables.ts';

/** Who it is, read with each: a whole tree with its staff is one statement. */
const person = {
  user: sql<PersonName>`${personIn(sql`${staffAssignments}.user_id`, sql`${staffAssignments}.organization_id`)}`.as(
    'user',
  ),
};

export const assignmentById = byId(staffAssignments, person);

export type StaffAssignment = NonNullable<Awaited<ReturnType<typeof assignmentById>>[number]>;

/** `canSeeAssignment`, for a list. */
const visible = ({ includeEnded }: { readonly includeEnded: boolean }, viewer: Viewer) =>
  and(
    includeEnded ? undefined : isNull(staffAssignments.endedOn),
    or(
      anyOf(
        staffAssignments.organizationId,
        viewer.organizationsWhere((id) => viewer.leads(id)),
      ),
      anyOf(staffAssignments.groupId, viewer.groups),
      and(
        eq(staffAssignments.userId, viewer.userId),
        anyOf(
          staffAssignments.organizationId,
          viewer.organizationsWhere((id) => viewer.isVerifiedStaffOf(id)),
        ),
      ),
    ),
  );

/** Who works in groups, as far as the viewer may know. */
export const staffOf = listsOf(staffAssignments, staffAssignments.groupId, visible, person);

/** Where employees work, as far as the viewer may know. */
export const assignmentsOf = listsOf(staffAssignments, staffAssignments.membershipId, visible, person);
