import { and, eq, inArray, ne, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { settleAudiences } from '../audiences/commands.ts';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { DomainError, Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { line, order, personName, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { keepNames, type Name, renameMembers } from '../names/commands.ts';
import { enterOrganization, tell } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canAppointHead, canChangeMembership, canRenameMember, canSeeMembership } from './policy.ts';
import { membershipById } from './queries.ts';
import { type AdministratorGrant, administratorGrants, type Membership, memberships, verifications } from './tables.ts';

/** An active organization must keep an administrator: appoint another one first. */
export class LastAdministrator extends DomainError {
  readonly code = 'LAST_ADMIN';
  constructor() {
    super('LAST_ADMIN');
  }
}

/** The person is a member in this role already. */
export class AlreadyMember extends DomainError {
  readonly code = 'ALREADY_MEMBER';
  constructor() {
    super('ALREADY_MEMBER');
  }
}

/**
 * A person becomes a member in a role, at once and everywhere it reaches, by the name that the institution wrote, if it did. Call it
 * holding the organization's lock.
 * @throws AlreadyMember when a membership in this role is open, also a suspended one
 */
export async function beginMembership(
  tx: Transaction,
  organization: Organization,
  { userId, role, position }: Pick<Membership, 'userId' | 'role' | 'position'>,
  name: Name | null,
): Promise<Membership> {
  demandStudentsAllowed(organization, role);
  const [membership] = await tx
    .insert(memberships)
    .values({ userId, role, position, organizationId: organization.id })
    .onConflictDoNothing({
      target: [memberships.userId, memberships.organizationId, memberships.role],
      where: sql`${memberships.state} <> 'ENDED'`,
    })
    .returning();
  if (!membership) throw new AlreadyMember();
  await keepNames(tx, organization.id, [{ userId, name }]);
  await settleAudiences(tx, organization.id, [userId]);
  await tell(tx, organization, { kind: 'MEMBERSHIP_STARTED', subjectId: membership.id }, userId);
  return membership;
}

/** @throws Forbidden where students have no accounts */
export function demandStudentsAllowed(organization: Organization, role: Membership['role']): void {
  if (role === 'STUDENT' && !organization.studentsAllowed) throw new Forbidden('FORBIDDEN_STUDENTS');
}

/** @throws LastAdministrator when, after what this transaction did, nobody active administers the organization */
export async function keepAnAdministrator(tx: Transaction, organizationId: string): Promise<void> {
  const [left] = await tx
    .select({ id: administratorGrants.id })
    .from(administratorGrants)
    .innerJoin(memberships, eq(memberships.id, administratorGrants.membershipId))
    .where(
      and(
        eq(administratorGrants.organizationId, organizationId),
        eq(administratorGrants.state, 'ACTIVE'),
        eq(memberships.state, 'ACTIVE'),
      ),
    )
    .limit(1);
  if (!left) throw new LastAdministrator();
}

/** A membership in an organization that the viewer has entered, with the viewer as of now. @throws NotFound, InvalidState */
export async function enterMembership(tx: Transaction, viewer: Viewer, membershipId: string) {
  const find = () => membershipById(tx, [membershipId], () => viewer);
  const [known] = await find();
  if (!known) throw new NotFound();
  const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
  const [membership] = await find(); // again: only now does the organization's lock keep it still
  if (!membership || !canSeeMembership(fresh, membership)) throw new NotFound();
  return { organization, membership, viewer: fresh };
}

const reasonInput = z.object({ reason: line(500) });

/** Takes a member's access until it is restored. @throws NotFound, Forbidden, InvalidState, LastAdministrator */
export function suspendMembership(db: Database, viewer: Viewer, input: { membershipId: string; reason: string }) {
  const { reason } = valid(reasonInput, input);
  return changeMembership(db, viewer, input.membershipId, 'suspend', { from: ['ACTIVE'], to: 'SUSPENDED', reason });
}

/** Gives a suspended member's access back. @throws NotFound, Forbidden, InvalidState */
export function restoreMembership(db: Database, viewer: Viewer, input: { membershipId: string }) {
  return changeMembership(db, viewer, input.membershipId, 'restore', {
    from: ['SUSPENDED'],
    to: 'ACTIVE',
    reason: null,
  });
}

export interface Change {
  readonly from: readonly Membership['state'][];
  readonly to: Membership['state'];
  readonly reason: string | null;
  /** What must end before it does: of higher floors. */
  readonly before?: (tx: Transaction, entered: Awaited<ReturnType<typeof enterMembership>>) => Promise<void>;
}

/** @throws NotFound, Forbidden, InvalidState, LastAdministrator */
export function changeMembership(
  db: Database,
  viewer: Viewer,
  membershipId: string,
  verb: string,
  { before, ...change }: Change,
): Promise<Membership> {
  return transact(db, async (tx) => {
    const entered = await enterMembership(tx, viewer, membershipId);
    const { organization, membership, viewer: fresh } = entered;
    if (!fresh.administers(organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (!canChangeMembership(fresh, membership)) throw new Forbidden('FORBIDDEN_OWN');
    if (membership.state === change.to) return membership;
    if (!change.from.includes(membership.state)) throw new InvalidState(membership.state);
    await before?.(tx, entered);
    return moveMembership(tx, fresh, organization, membership, verb, { ...change, endedBy: 'REMOVED' });
  });
}

/** Changes where a membership stands, and what follows from that. Call it having entered the membership. */
export async function moveMembership(
  tx: Transaction,
  viewer: Viewer,
  organization: Organization,
  before: Membership,
  verb: string,
  { to, reason, endedBy }: Pick<Change, 'to' | 'reason'> & { endedBy: 'LEFT' | 'REMOVED' },
): Promise<Membership> {
  const end = to === 'ENDED' ? { endedAt: sql`now()`, endedBy } : {};
  const [membership] = await tx
    .update(memberships)
    .set({ state: to, reason, changedAt: sql`now()`, changedBy: viewer.userId, ...end })
    .where(eq(memberships.id, before.id))
    .returning();
  if (!membership) throw new NotFound();
  if (to === 'ENDED') await revokeWhatDepends(tx, viewer, organization, before.id);
  await keepAnAdministrator(tx, organization.id);
  await settleAudiences(tx, organization.id, [before.userId]);
  const kind =
    to === 'ENDED' ? 'MEMBERSHIP_ENDED' : to === 'SUSPENDED' ? 'MEMBERSHIP_SUSPENDED' : 'MEMBERSHIP_RESTORED';
  await tell(tx, organization, { kind, subjectId: before.id }, before.userId);
  await audit(tx, viewer.userId, {
    action: `membership.${verb}`,
    target: { type: 'Membership', id: before.id },
    organizationId: organization.id,
    before: { state: before.state },
    after: { state: to },
    reason,
  });
  return membership;
}

/** Ending employment revokes the status of employee and the right to administer (domain §2). */
async function revokeWhatDepends(
  tx: Transaction,
  viewer: Viewer,
  organization: Organization,
  membershipId: string,
): Promise<void> {
  const revoked = await tx
    .update(verifications)
    .set({ state: 'REVOKED', decidedAt: sql`now()`, decidedBy: viewer.userId })
    .where(and(eq(verifications.membershipId, membershipId), inArray(verifications.state, ['PENDING', 'VERIFIED'])))
    .returning();
  for (const verification of revoked) {
    await tell(tx, organization, { kind: 'VERIFICATION_DECIDED', subjectId: verification.id }, verification.userId);
    await audit(tx, viewer.userId, {
      action: 'verification.revoke',
      target: { type: 'Verification', id: verification.id },
      organizationId: organization.id,
      after: { state: 'REVOKED' },
    });
  }
  await revokeGrants(tx, viewer, organization, eq(administratorGrants.membershipId, membershipId));
}

/**
 * Takes the rights to administer that a condition names, and those that are in force among them. Call `settleAudiences`
 * for their holders afterwards. @throws LastAdministrator
 */
export async function revokeGrants(
  tx: Transaction,
  viewer: Viewer,
  organization: Organization,
  which: SQL | undefined,
): Promise<AdministratorGrant[]> {
  const revoked = await tx
    .update(administratorGrants)
    .set({ state: 'REVOKED', revokedAt: sql`now()`, revokedBy: viewer.userId })
    .where(and(eq(administratorGrants.organizationId, organization.id), which, eq(administratorGrants.state, 'ACTIVE')))
    .returning();
  if (revoked.length > 0) await keepAnAdministrator(tx, organization.id);
  for (const grant of revoked) {
    await tell(tx, organization, { kind: 'ADMINISTRATOR_REVOKED', subjectId: grant.id }, grant.userId);
    await audit(tx, viewer.userId, {
      action: 'administrator.revoke',
      target: { type: 'AdministratorGrant', id: grant.id },
      organizationId: organization.id,
      before: { state: 'ACTIVE' },
      after: { state: 'REVOKED' },
    });
  }
  return revoked;
}

const RenameMember = z.object({ membershipId: z.string(), ...personName });

/** The institution calls a member otherwise, in whatever roles they are there. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function renameMember(db: Database, viewer: Viewer, input: unknown): Promise<Membership> {
  const { membershipId, ...name } = valid(RenameMember, input);
  return transact(db, async (tx) => {
    const { organization, membership, viewer: fresh } = await enterMembership(tx, viewer, membershipId);
    if (!canRenameMember(fresh, membership)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    await renameMembers(tx, organization, viewer.userId, [{ membershipId, userId: membership.userId, name }]);
    return membership;
  });
}

const AppointHead = z.object({ membershipId: z.string(), order: order.nullish() });

/**
 * Makes a verified employee the head; who was head before keeps the membership without a position (§2.2.3).
 * @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function appointHead(db: Database, viewer: Viewer, input: unknown): Promise<Membership> {
  const { membershipId, order } = valid(AppointHead, input);
  return transact(db, async (tx) => {
    const { organization, membership, viewer: fresh } = await enterMembership(tx, viewer, membershipId);
    if (!canAppointHead(fresh, membership)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    await demandVerifiedEmployee(tx, membership);
    if (membership.position === 'HEAD') return membership;
    const [former] = await tx
      .update(memberships)
      .set({ position: null })
      .where(
        and(
          eq(memberships.organizationId, organization.id),
          eq(memberships.position, 'HEAD'),
          ne(memberships.state, 'ENDED'),
        ),
      )
      .returning();
    const [head] = await tx
      .update(memberships)
      .set({ position: 'HEAD' })
      .where(eq(memberships.id, membership.id))
      .returning();
    if (!head) throw new NotFound();
    const people = [head, ...(former ? [former] : [])].map(({ userId }) => userId);
    await settleAudiences(tx, organization.id, people);
    if (former) await tell(tx, organization, { kind: 'HEAD_REPLACED', subjectId: former.id }, former.userId);
    await tell(tx, organization, { kind: 'HEAD_APPOINTED', subjectId: head.id }, head.userId);
    await audit(tx, viewer.userId, {
      action: 'head.appoint',
      target: { type: 'Membership', id: head.id },
      organizationId: organization.id,
      before: { headMembershipId: former ? globalId('Membership', former.id) : null },
      after: { headMembershipId: globalId('Membership', head.id), order },
    });
    return head;
  });
}

/** @throws InvalidInput unless the membership is an active employee's whose status is confirmed */
export async function demandVerifiedEmployee(tx: Transaction, membership: Membership): Promise<void> {
  const [verified] = await tx
    .select({ id: verifications.id })
    .from(verifications)
    .where(and(eq(verifications.membershipId, membership.id), eq(verifications.state, 'VERIFIED')));
  if (membership.role !== 'EMPLOYEE' || membership.state !== 'ACTIVE' || !verified) {
    throw new InvalidInput('membershipId', 'INVALID_VERIFIED_EMPLOYEE');
  }
}
