import { and, eq, or } from 'drizzle-orm';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import { type Group, groups } from './tables.ts';

export const groupById = byId(groups);

/** The groups of organizations that the viewer may see: `canSeeGroup`, for a list. */
export const groupsOf = listsOf(groups, groups.organizationId, ({ kind }: { kind: Group['kind'] | null }, viewer) =>
  and(
    kind ? eq(groups.kind, kind) : undefined,
    or(
      anyOf(
        groups.organizationId,
        viewer.organizationsWhere((id) => viewer.leads(id)),
      ),
      and(
        anyOf(
          groups.organizationId,
          viewer.organizationsWhere((id) => viewer.isVerifiedStaffOf(id)),
        ),
        eq(groups.kind, 'STAFF'),
      ),
    ),
  ),
);
