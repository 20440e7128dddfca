import { and, eq, isNotNull, or, sql } from 'drizzle-orm';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import { type GroupRow, groups } from './tables.ts';

/**
 * How many children and staff a group has, read with it: a whole tree with its counts is one statement. The table is named,
 * because in a select of one table Drizzle writes a column without it, and `id` would be the child's.
 */
const counts = {
  childCount: sql<number>`(select count(*)::int from children c where c.group_id = ${groups}.id)`.as('child_count'),
  staffCount: sql<number>`(
    select count(distinct a.membership_id)::int from staff_assignments a
    where a.group_id = ${groups}.id and a.ended_on is null)`.as('staff_count'),
};

export type Group = GroupRow & { readonly childCount: number; readonly staffCount: number };

export const groupById = byId(groups, counts);

export interface GroupFilter {
  readonly kind: GroupRow['kind'] | null;
  readonly state: GroupRow['state'] | null;
  readonly academicYear: string | null;
  readonly topOnly: boolean;
}

/** The groups of organizations that the viewer may see: `canSeeGroup`, for a list. */
export const groupsOf = listsOf(
  groups,
  groups.organizationId,
  ({ kind, state, academicYear, topOnly }: GroupFilter, viewer) => {
    const led = anyOf(
      groups.organizationId,
      viewer.organizationsWhere((id) => viewer.leads(id)),
    );
    // To whom the whole is not shown, a part is nobody's part.
    const isPart = and(isNotNull(groups.parentId), or(led, anyOf(groups.parentId, viewer.groups)));
    return and(
      kind ? eq(groups.kind, kind) : undefined,
      state ? eq(groups.state, state) : undefined,
      academicYear ? eq(groups.academicYear, academicYear) : undefined,
      topOnly ? sql`not (${isPart})` : undefined,
      or(
        led,
        anyOf(groups.id, viewer.groups),
        and(
          anyOf(
            groups.organizationId,
            viewer.organizationsWhere((id) => viewer.isVerifiedStaffOf(id)),
          ),
          eq(groups.kind, 'STAFF'),
        ),
      ),
    );
  },
  counts,
);

/** The parts of groups, for whoever sees the whole structure. */
export const subgroupsOf = listsOf(
  groups,
  groups.parentId,
  (_filter: null, viewer) =>
    and(
      eq(groups.state, 'ACTIVE'),
      anyOf(
        groups.organizationId,
        viewer.organizationsWhere((id) => viewer.leads(id)),
      ),
    ),
  counts,
);
