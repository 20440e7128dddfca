import { and, eq, gt, inArray, lte, or, type SQL, sql } from 'drizzle-orm';
import { byId, listsOf } from '../graphql/batches.ts';
import { canListJoinRequests } from './policy.ts';
import { type JoinRequest, joinRequests } from './tables.ts';

export const joinRequestById = byId(joinRequests);

/** A request that has waited too long is expired from that moment, whenever that is written down. */
export const stateOf = ({ state, expiresAt }: JoinRequest): JoinRequest['state'] =>
  state === 'PENDING' && expiresAt <= new Date() ? 'EXPIRED' : state;

export interface JoinRequestFilter {
  readonly state?: JoinRequest['state'] | null;
}

/** `stateOf`, for a list. */
function filtered({ state }: JoinRequestFilter): SQL | undefined {
  const { state: column, expiresAt } = joinRequests;
  if (!state) return undefined;
  if (state === 'PENDING') return and(eq(column, state), gt(expiresAt, sql`now()`));
  if (state === 'EXPIRED') return or(eq(column, state), and(eq(column, 'PENDING'), lte(expiresAt, sql`now()`)));
  return eq(column, state);
}

/** The requests to organizations that the viewer administers. */
export const joinRequestsOf = listsOf(joinRequests, joinRequests.organizationId, (filter: JoinRequestFilter, viewer) =>
  and(
    filtered(filter),
    viewer
      ? inArray(
          joinRequests.organizationId,
          viewer.organizationsWhere((id) => canListJoinRequests(viewer, id)),
        )
      : undefined,
  ),
);

/** The requests of people, for themselves. */
export const joinRequestsOfUser = listsOf(joinRequests, joinRequests.userId, filtered);
