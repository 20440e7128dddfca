import { and, desc, eq, gt, lte, or, type SQL, sql } from 'drizzle-orm';
import { rows, type Transaction } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import type { Batch } from '../graphql/context.ts';
import type { Membership } from '../memberships/tables.ts';
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

/** That an administrator has sent somebody away: who comes back after that, comes by a decision and never by a link alone. */
export interface Revocation {
  readonly kind: 'GUARDIAN_LINK' | 'MEMBERSHIP_ENDED' | 'MEMBERSHIP_SUSPENDED';
  readonly role: Membership['role'];
  /** For whom they stood; null: the membership itself. */
  readonly childId: string | null;
  readonly reason: string | null;
  readonly revokedAt: Date;
  /** Null: written down before it was kept by whom. */
  readonly revokedBy: string | null;
}

/** The revocations of a person `p` in an organization, in whichever role. To leave by oneself, or with one's child, is none. */
const revocations = sql`
  select 'GUARDIAN_LINK' as kind, 'GUARDIAN' as role, l.child_id, l.reason, l.revoked_at, l.revoked_by
  from guardian_links l
  where l.user_id = p.user_id and l.organization_id = p.organization_id
    and l.state = 'REVOKED' and l.revoked_by is distinct from l.user_id
  union all
  select case m.state when 'ENDED' then 'MEMBERSHIP_ENDED' else 'MEMBERSHIP_SUSPENDED' end, m.role::text, null, m.reason,
    coalesce(m.changed_at, m.ended_at, m.created_at), m.changed_by
  from memberships m
  where m.user_id = p.user_id and m.organization_id = p.organization_id
    and (m.ended_by = 'REMOVED' or m.state = 'SUSPENDED')`;

/** Whether an administrator has ever sent somebody away from an organization. Ask holding its lock. */
export async function wasSentAway(tx: Transaction, person: Omit<Person, 'role'>): Promise<boolean> {
  const found = await rows(
    tx,
    sql`
    select from (select ${person.userId}::uuid as user_id, ${person.organizationId}::uuid as organization_id) p
    cross join lateral (${revocations}) r limit 1`,
  );
  return found.length > 0;
}

type FoundRevocation = Omit<Revocation, 'revokedAt'> & { readonly requestId: string; readonly revokedAt: string };

const revocationsByRequest = prepareRaw<FoundRevocation, { ids: readonly string[] }>(sql`
  select p.id as "requestId", r.kind, r.role, r.child_id as "childId", r.reason, r.revoked_at::text as "revokedAt",
    r.revoked_by as "revokedBy"
  from join_requests p cross join lateral (${revocations}) r
  where p.id = any(${sql.placeholder('ids')}::uuid[]) and (p.decided_at is null or r.revoked_at <= p.decided_at)
  order by r.revoked_at desc`);

/** What an administrator who decides on requests must know of who asks, latest first: as of now, or of the decision. */
export const revocationsOf: Batch<string, readonly Revocation[]> = async (db, ids) => {
  const found = Map.groupBy(await revocationsByRequest(db, { ids: [...ids] }), ({ requestId }) => requestId);
  return ids.map((id) =>
    (found.get(id) ?? []).map(({ requestId, revokedAt, ...rest }) => ({ ...rest, revokedAt: new Date(revokedAt) })),
  );
};

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
