import { sql } from 'drizzle-orm';
import { rows, type Transaction } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Batch } from '../graphql/context.ts';
import type { Membership } from '../memberships/tables.ts';

/** That an administrator has sent somebody away: who comes back after that, comes by a decision and never by a link alone. */
export interface Revocation {
  readonly organizationId: string;
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
export async function wasSentAway(
  tx: Transaction,
  person: Pick<Recalled, 'userId' | 'organizationId'>,
): Promise<boolean> {
  const found = await rows(
    tx,
    sql`
    select from (select ${person.userId}::uuid as user_id, ${person.organizationId}::uuid as organization_id) p
    cross join lateral (${revocations}) r limit 1`,
  );
  return found.length > 0;
}

/** Whose revocations: all until now, or until an instant. */
export interface Recalled {
  readonly userId: string;
  readonly organizationId: string;
  readonly until: Date | null;
}

type Found = Omit<Revocation, 'revokedAt'> & { readonly place: number; readonly revokedAt: string };

const ofPeople = prepareRaw<
  Found,
  { userIds: readonly string[]; organizationIds: readonly string[]; untils: readonly (string | null)[] }
>(sql`
  select p.place::int, p.organization_id as "organizationId", r.kind, r.role, r.child_id as "childId", r.reason, r.revoked_at::text as "revokedAt",
    r.revoked_by as "revokedBy"
  from unnest(${sql.placeholder('userIds')}::uuid[], ${sql.placeholder('organizationIds')}::uuid[],
    ${sql.placeholder('untils')}::timestamptz[]) with ordinality p (user_id, organization_id, until, place)
  cross join lateral (${revocations}) r
  where p.until is null or r.revoked_at <= p.until
  order by r.revoked_at desc`);

/** What who decides on somebody must know of them, latest first. */
export const revocationsOf: Batch<Recalled, readonly Revocation[]> = async (db, keys) => {
  const found = await ofPeople(db, {
    userIds: keys.map(({ userId }) => userId),
    organizationIds: keys.map(({ organizationId }) => organizationId),
    untils: keys.map(({ until }) => until?.toISOString() ?? null),
  });
  const byPlace = Map.groupBy(found, ({ place }) => place);
  return keys.map((_key, index) =>
    (byPlace.get(index + 1) ?? []).map(({ place, revokedAt, ...rest }) => ({
      ...rest,
      revokedAt: new Date(revokedAt),
    })),
  );
};
