import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import { settleAudiences } from '../audiences/commands.ts';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { line, prose, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { enterMembership, revokeGrants } from '../memberships/commands.ts';
import { canDecideVerification, canListVerifications } from '../memberships/policy.ts';
import {
  administratorGrants,
  type Membership,
  memberships,
  type Verification,
  verifications,
} from '../memberships/tables.ts';
import { enterOrganization, tell } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';

const SubmitVerification = z.object({ membershipId: z.string(), evidence: prose(2000) });

/**
 * Asks that the viewer's own status of employee be confirmed (§2.2.4). While one is pending, a repeat replaces its
 * evidence; after a rejection or a revocation it is a new one. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function submitVerification(db: Database, viewer: Viewer, input: unknown): Promise<Verification> {
  const { membershipId, evidence } = valid(SubmitVerification, input);
  return transact(db, async (tx) => {
    const { organization, membership } = await enterMembership(tx, viewer, membershipId);
    if (membership.userId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
    if (membership.role !== 'EMPLOYEE') throw new InvalidInput('membershipId', 'INVALID_EMPLOYEE');
    if (membership.state !== 'ACTIVE') throw new InvalidState(membership.state);
    const open = await openVerification(tx, membership);
    if (open?.state === 'VERIFIED') throw new InvalidState(open.state);
    const [verification] = open
      ? await tx.update(verifications).set({ evidence }).where(eq(verifications.id, open.id)).returning()
      : await tx
          .insert(verifications)
          .values({ organizationId: organization.id, membershipId, userId: viewer.userId, evidence })
          .returning();
    if (!verification) throw new NotFound();
    await record(tx, viewer, organization, verification, 'submit', 'VERIFICATION_SUBMITTED');
    return verification;
  });
}

async function openVerification(tx: Transaction, membership: Membership): Promise<Verification | undefined> {
  const [open] = await tx
    .select()
    .from(verifications)
    .where(and(eq(verifications.membershipId, membership.id), inArray(verifications.state, ['PENDING', 'VERIFIED'])))
    .orderBy(desc(verifications.id));
  return open;
}

/** Confirms the status «employee» (§2.1.11): from now on the person is verified staff. @throws NotFound, Forbidden, InvalidState */
export const confirmVerification = (db: Database, viewer: Viewer, input: { verificationId: string }) =>
  decide(db, viewer, input.verificationId, { verb: 'confirm', from: 'PENDING', to: 'VERIFIED', reason: null });

/** Refuses it with a reason; the person may submit again. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const rejectVerification = (db: Database, viewer: Viewer, input: { verificationId: string; reason: string }) =>
  decide(db, viewer, input.verificationId, {
    verb: 'reject',
    from: 'PENDING',
    to: 'REJECTED',
    reason: reasonOf(input),
  });

/**
 * Takes a confirmed status away, and the right to administer that hangs on it.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState, LastAdministrator
 */
export const revokeVerification = (db: Database, viewer: Viewer, input: { verificationId: string; reason: string }) =>
  decide(db, viewer, input.verificationId, {
    verb: 'revoke',
    from: 'VERIFIED',
    to: 'REVOKED',
    reason: reasonOf(input),
  });

const reasonOf = (input: { reason: string }) => valid(z.object({ reason: line(500) }), input).reason;

async function decide(
  db: Database,
  viewer: Viewer,
  verificationId: string,
  {
    verb,
    from,
    to,
    reason,
  }: { verb: string; from: Verification['state']; to: Verification['state']; reason: string | null },
): Promise<Verification> {
  return transact(db, async (tx) => {
    const find = () => tx.select().from(verifications).where(eq(verifications.id, verificationId));
    const [known] = await find();
    if (!known) throw new NotFound();
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    const [before] = await find();
    if (!before || !(canListVerifications(fresh, organization.id) || before.userId === fresh.userId))
      throw new NotFound();
    if (!fresh.administers(organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (!canDecideVerification(fresh, before)) throw new Forbidden('FORBIDDEN_OWN');
    if (before.state === to) return before;
    if (before.state !== from) throw new InvalidState(before.state);
    if (to === 'VERIFIED') await demandActive(tx, before);
    const [verification] = await tx
      .update(verifications)
      .set({ state: to, reason, decidedAt: sql`now()`, decidedBy: viewer.userId })
      .where(eq(verifications.id, verificationId))
      .returning();
    if (!verification) throw new NotFound();
    if (to === 'REVOKED') await revokeGrants(tx, fresh, organization, hangsOn(verification));
    await settleAudiences(tx, organization.id, [before.userId]);
    await record(tx, viewer, organization, verification, verb, 'VERIFICATION_DECIDED', before.state);
    return verification;
  });
}

/** Only who works there now can be confirmed as an employee. @throws InvalidState */
async function demandActive(tx: Transaction, { membershipId }: Verification): Promise<void> {
  const [membership] = await tx.select().from(memberships).where(eq(memberships.id, membershipId));
  if (membership?.state !== 'ACTIVE') throw new InvalidState(membership?.state ?? 'ENDED');
}

/** The right to administer that needs this confirmed status; the reserved first one does not (domain §2). */
const hangsOn = ({ membershipId }: Verification) =>
  and(eq(administratorGrants.membershipId, membershipId), eq(administratorGrants.reserved, false));

async function record(
  tx: Transaction,
  viewer: Viewer,
  organization: Organization,
  verification: Verification,
  verb: string,
  kind: string,
  before: string | null = null,
): Promise<void> {
  await tell(tx, organization, { kind, subjectId: verification.id }, verification.userId);
  await audit(tx, viewer.userId, {
    action: `verification.${verb}`,
    target: { type: 'Verification', id: verification.id },
    organizationId: organization.id,
    before: { state: before },
    after: { state: verification.state },
    reason: verification.reason,
  });
}
