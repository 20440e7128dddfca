import { isNull, sql } from 'drizzle-orm';
import { type PersonName, users } from '../accounts/tables.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import { staffAssignments } from './tables.ts';

/** Who it is, read with each: a whole tree with its staff is one statement. */
const person = {
  user: sql<PersonName>`(
    select json_build_object('id', u.id, 'familyName', u.family_name, 'givenName', u.given_name, 'patronymic', u.patronymic)
    from ${users} u where u.id = ${staffAssignments.userId})`.as('user'),
};

export const assignmentById = byId(staffAssignments, person);

export type StaffAssignment = NonNullable<Awaited<ReturnType<typeof assignmentById>>[number]>;

const current = ({ includeEnded }: { readonly includeEnded: boolean }) =>
  includeEnded ? undefined : isNull(staffAssignments.endedOn);

/** Who works in groups; reached through a group whose staff the viewer may see. */
export const staffOf = listsOf(staffAssignments, staffAssignments.groupId, current, person);

/** Where employees work; reached through a membership that is visible. */
export const assignmentsOf = listsOf(staffAssignments, staffAssignments.membershipId, current, person);
