import { and, eq, sql } from 'drizzle-orm';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import type { Batch } from '../graphql/context.ts';
import { canListVerifications } from '../memberships/policy.ts';
import { type Verification, verifications } from '../memberships/tables.ts';

export const verificationById = byId(verifications);

/** The submissions in organizations that the viewer administers. */
export const verificationsOf = listsOf(
  verifications,
  verifications.organizationId,
  ({ state }: { state: Verification['state'] | null }, viewer) =>
    and(
      state ? eq(verifications.state, state) : undefined,
      anyOf(
        verifications.organizationId,
        viewer.organizationsWhere((id) => canListVerifications(viewer, id)),
      ),
    ),
);

/** The newest submission of each membership. */
export const latestVerification: Batch<string, Verification | null> = async (db, membershipIds) => {
  const found = await db
    .selectDistinctOn([verifications.membershipId])
    .from(verifications)
    .where(sql`${verifications.membershipId} = any(${sql.param([...membershipIds])}::uuid[])`)
    .orderBy(verifications.membershipId, sql`${verifications.id} desc`);
  const index = new Map(found.map((row) => [row.membershipId, row]));
  return membershipIds.map((id) => index.get(id) ?? null);
};
