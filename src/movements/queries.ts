import { and, eq, gte, lte, or, type SQL } from 'drizzle-orm';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import type { Viewer } from '../viewer.ts';
import { type Movement, movements, type PlannedMovement, plannedMovements } from './tables.ts';

export const movementById = byId(movements);
export const plannedMovementById = byId(plannedMovements);

export interface MovementFilter {
  readonly kind: Movement['kind'] | null;
  readonly since: string | null;
  readonly until: string | null;
}

type Journal = typeof movements | typeof plannedMovements;

const filtered = (journal: Journal, { kind, since, until }: MovementFilter): SQL | undefined =>
  and(
    kind ? eq(journal.kind, kind) : undefined,
    since ? gte(journal.effectiveOn, since) : undefined,
    until ? lte(journal.effectiveOn, until) : undefined,
  );

/** `canSeeMovement`, for a list. */
const visibleIn = (journal: Journal, viewer: Viewer): SQL | undefined =>
  or(
    anyOf(
      journal.organizationId,
      viewer.organizationsWhere((id) => viewer.leads(id)),
    ),
    anyOf(journal.fromGroupId, viewer.groupsTaught),
    anyOf(journal.toGroupId, viewer.groupsTaught),
    anyOf(journal.childId, viewer.children),
    and(
      eq(journal.userId, viewer.userId),
      anyOf(
        journal.organizationId,
        viewer.organizationsWhere((id) => viewer.isVerifiedStaffOf(id)),
      ),
    ),
  );

/** What has moved in organizations, as far as the viewer may know. */
export const movementsOf = listsOf(movements, movements.organizationId, (filter: MovementFilter, viewer) =>
  and(filtered(movements, filter), visibleIn(movements, viewer)),
);

/** How children have moved, as far as the viewer may know. */
export const movementsOfChild = listsOf(movements, movements.childId, (_filter: null, viewer) =>
  visibleIn(movements, viewer),
);

/** What is going to move in organizations, as far as the viewer may know. */
export const plannedMovementsOf = listsOf(
  plannedMovements,
  plannedMovements.organizationId,
  ({ state, ...filter }: MovementFilter & { readonly state: PlannedMovement['state'] | null }, viewer) =>
    and(
      state ? eq(plannedMovements.state, state) : undefined,
      filtered(plannedMovements, filter),
      visibleIn(plannedMovements, viewer),
    ),
);
