import { and, desc, eq, gt, lte, or, type SQL, sql } from 'drizzle-orm';
import type { Transaction } from '../database/connect.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
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
    anyOf(
      joinRequests.organizationId,
      viewer.organizationsWhere((id) => canListJoinRequests(viewer, id)),
    ),
  ),
);

/** The requests of people, for themselves. */
export const joinRequestsOfUser = listsOf(joinRequests, joinRequests.userId, filtered);

type Person = Pick<JoinRequest, 'userId' | 'organizationId' | 'role'>;

/** A person's newest request for a role in an organization, whatever became of it. */
export async function latestRequest(tx: Transaction, person: Person): Promise<JoinRequest | null> {
  const [latest] = await tx
    .select()
    .from(joinRequests)
    .where(
      and(
        eq(joinRequests.userId, person.userId),
        eq(joinRequests.organizationId, person.organizationId),
        eq(joinRequests.role, person.role),
      ),
    )
    .orderBy(desc(joinRequests.id))
    .limit(1);
  return latest ?? null;
}

/** What a person made of this idempotency key. */
export async function requestByKey(tx: Transaction, userId: string, key: string): Promise<JoinRequest | null> {
  const [first] = await tx
    .select()
    .from(joinRequests)
    .where(and(eq(joinRequests.userId, userId), eq(joinRequests.idempotencyKey, key)));
  return first ?? null;
}
