import { and, eq, inArray, lte, sql } from 'drizzle-orm';
import { z } from 'zod';
import { demandName, givenName } from '../accounts/commands.ts';
import { admit, presentMembership } from '../arrivals/commands.ts';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { constraintOf } from '../database/failures.ts';
import { DomainError, Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { idempotencyKey, line, prose, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { demandStudentsAllowed } from '../memberships/commands.ts';
import { type Membership, positionEnum, roleEnum } from '../memberships/tables.ts';
import { enterOrganization, lockOrganization, tell, tellAll } from '../organizations/commands.ts';
import { type Organization, organizations } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canDecideJoinRequest, canListJoinRequests, canSeeJoinRequest } from './policy.ts';
import { latestRequest, type Revocation, requestByKey, revocationsOf } from './queries.ts';
import { type JoinRequest, joinRequests } from './tables.ts';

const openDays = 30;
const coolDownDays = 7;
const bulkCap = 100;

/** A request for this role is waiting already. */
export class AlreadyRequested extends DomainError {
  readonly code = 'ALREADY_REQUESTED';
  readonly joinRequestId: string;
  constructor(joinRequestId: string) {
    super('ALREADY_REQUESTED');
    this.joinRequestId = joinRequestId;
  }
}

/** Rejected not long ago; allowed again at `until`. */
export class CoolDown extends DomainError {
  readonly code = 'COOL_DOWN';
  readonly until: Date;
  constructor(until: Date) {
    super('COOL_DOWN');
    this.until = until;
  }
}

/** An administrator has sent this person away before: who lets them in again says that they know. */
export class RevokedBefore extends DomainError {
  readonly code = 'REVOKED_BEFORE';
  readonly revocations: readonly Revocation[];
  constructor(revocations: readonly Revocation[]) {
    super('REVOKED_BEFORE');
    this.revocations = revocations;
  }
}

const SubmitJoinRequest = z.object({
  organizationId: z.string(),
  role: z.enum(roleEnum.enumValues),
  position: z.enum(positionEnum.enumValues).exclude(['HEAD']).nullish(),
  note: prose(1000),
  ...givenName,
  idempotencyKey,
});

/**
 * Asks to become a member in a role (§2.1.10); pushed to the administrators at once. Waits at most 30 days.
 * @throws NotFound, Forbidden, InvalidInput, NameRequired, AlreadyMember, AlreadyRequested, CoolDown
 */
export async function submitJoinRequest(db: Database, viewer: Viewer, input: unknown): Promise<JoinRequest> {
  const wish = valid(SubmitJoinRequest, input);
  return transact(db, async (tx) => {
    const organization = await lockOrganization(tx, wish.organizationId);
    const repeated = await sameKey(tx, viewer, wish);
    if (repeated) return repeated;
    // Who asks is no member yet: a closed organization is to them as if it were not there.
    if (organization.state !== 'ACTIVE') throw new NotFound();
    const { familyName, givenName, patronymic, ...asked } = wish;
    await demandName(tx, viewer, { familyName, givenName, patronymic });
    const latest = await latestRequest(tx, { ...wish, userId: viewer.userId });
    const coolDownEnds =
      latest?.state === 'REJECTED' && latest.decidedAt ? daysAfter(latest.decidedAt, coolDownDays) : null;
    if (coolDownEnds && coolDownEnds > new Date()) throw new CoolDown(coolDownEnds);
    const given = { position: wish.position ?? null, inviteId: null, childId: null };
    return fileJoinRequest(tx, viewer, organization, { ...asked, ...given });
  });
}

/**
 * Files a request for a role, by invite or without. Call it holding the organization's lock.
 * @throws Forbidden, InvalidInput, AlreadyMember, AlreadyRequested
 */
export async function fileJoinRequest(
  tx: Transaction,
  viewer: Viewer,
  organization: Organization,
  wish: Pick<JoinRequest, 'role' | 'position' | 'note' | 'inviteId' | 'childId' | 'idempotencyKey'>,
): Promise<JoinRequest> {
  demandStudentsAllowed(organization, wish.role);
  if (wish.position && wish.role !== 'EMPLOYEE') throw new InvalidInput('position', 'INVALID_ROLE');
  const person = { userId: viewer.userId, organizationId: organization.id, role: wish.role };
  await presentMembership(tx, { ...person, childId: wish.childId });
  await expire(tx, organization);
  const [request] = await tx
    .insert(joinRequests)
    .values({ ...wish, ...person, expiresAt: sql`now() + make_interval(days => ${openDays})` })
    .onConflictDoNothing({
      target: [joinRequests.userId, joinRequests.organizationId, joinRequests.role],
      where: sql`${joinRequests.state} = 'PENDING'`,
    })
    .returning()
    .catch((error: unknown) => {
      // The same key, at the same moment, in another organization: it is not for this wish.
      if (constraintOf(error) === 'join_requests_idempotency_key')
        throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
      throw error;
    });
  if (!request) {
    const waiting = await latestRequest(tx, person);
    throw new AlreadyRequested(waiting?.id ?? '');
  }
  await tell(tx, organization, { kind: 'JOIN_REQUEST_SUBMITTED', subjectId: request.id }, request.userId);
  await record(tx, viewer, request, 'submit');
  return request;
}

async function sameKey(tx: Transaction, viewer: Viewer, wish: z.output<typeof SubmitJoinRequest>) {
  const first = wish.idempotencyKey ? await requestByKey(tx, viewer.userId, wish.idempotencyKey) : null;
  if (first && (first.organizationId !== wish.organizationId || first.role !== wish.role)) {
    throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  }
  return first;
}

const daysAfter = (instant: Date, days: number) => new Date(instant.getTime() + days * 86_400_000);

/** Writes down that requests have waited too long; until then their state is derived from `expiresAt`. */
async function expire(tx: Transaction, organization: Organization): Promise<void> {
  const expired = await tx
    .update(joinRequests)
    .set({ state: 'EXPIRED' })
    .where(and(eq(joinRequests.organizationId, organization.id), waitedTooLong))
    .returning();
  await tellAll(
    tx,
    organization,
    expired.map(({ id, userId }) => ({ kind: 'JOIN_REQUEST_EXPIRED', subjectId: id, to: [userId] })),
  );
}

const waitedTooLong = and(eq(joinRequests.state, 'PENDING'), lte(joinRequests.expiresAt, sql`now()`));

/** Writes down every request that has waited too long, and tells who asked. */
export async function expireJoinRequests(db: Database): Promise<void> {
  const due = await db.selectDistinct({ id: joinRequests.organizationId }).from(joinRequests).where(waitedTooLong);
  for (const { id } of due) await transact(db, async (tx) => expire(tx, await lockOrganization(tx, id)));
}

/** Takes back one's own request; a withdrawn one stays so. @throws NotFound, Forbidden, InvalidState */
export async function withdrawJoinRequest(db: Database, viewer: Viewer, joinRequestId: string): Promise<JoinRequest> {
  return transact(db, async (tx) => {
    const { organization, request: before } = await lockedRequest(tx, joinRequestId);
    if (!canSeeJoinRequest(viewer, before)) throw new NotFound();
    if (before.userId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
    if (before.state === 'WITHDRAWN') return before;
    if (before.state !== 'PENDING') throw new InvalidState(before.state);
    const request = await setState(tx, before, { state: 'WITHDRAWN' });
    await tell(tx, organization, { kind: 'JOIN_REQUEST_WITHDRAWN', subjectId: request.id }, request.userId);
    await record(tx, viewer, request, 'withdraw');
    return request;
  });
}

/** How a request is approved: for which child, unless it says so itself, and whether earlier revocations are known. */
export interface Approval {
  readonly childId: string | null;
  readonly despiteRevocations: boolean;
}

/** One of many is not looked at alone: who was sent away before is not among them. */
const unseen: Approval = { childId: null, despiteRevocations: false };

/**
 * Approves a request: the person is a member from now on, a guardian or student for the child that is named. Who was LIMITED
 * stays so. Repeating it changes nothing.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState, AlreadyMember, RevokedBefore
 */
export async function approveJoinRequest(
  db: Database,
  viewer: Viewer,
  joinRequestId: string,
  approval: Approval = unseen,
): Promise<JoinRequest> {
  return transact(db, (tx) => approve(tx, viewer, joinRequestId, approval));
}

export interface BulkApproval {
  readonly approved: readonly JoinRequest[];
  readonly skipped: readonly { readonly joinRequestId: string; readonly error: DomainError }[];
}

/**
 * Approves up to 100 requests in one transaction; those that cannot be approved (any more) are skipped and named.
 * @throws InvalidInput
 */
export async function approveJoinRequests(
  db: Database,
  viewer: Viewer,
  joinRequestIds: readonly string[],
): Promise<BulkApproval> {
  const ids = valid(z.array(z.string()).min(1).max(bulkCap), joinRequestIds);
  return transact(db, async (tx) => {
    const approved: JoinRequest[] = [];
    const skipped: { joinRequestId: string; error: DomainError }[] = [];
    await lockOrganizationsOf(tx, viewer, ids);
    for (const joinRequestId of new Set(ids)) {
      try {
        approved.push(await tx.transaction((nested) => approve(nested, viewer, joinRequestId, unseen)));
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        skipped.push({ joinRequestId, error });
      }
    }
    return { approved, skipped };
  });
}

/** All of them at once and in one order: two bulk approvals must not wait for each other. */
async function lockOrganizationsOf(tx: Transaction, viewer: Viewer, joinRequestIds: readonly string[]): Promise<void> {
  const asked = tx
    .select({ id: joinRequests.organizationId })
    .from(joinRequests)
    .where(inArray(joinRequests.id, [...joinRequestIds]));
  const own = viewer.organizationsWhere((id) => canListJoinRequests(viewer, id));
  await tx
    .select({ id: organizations.id })
    .from(organizations)
    .where(and(inArray(organizations.id, own), inArray(organizations.id, asked)))
    .orderBy(organizations.id)
    .for('no key update');
}

async function approve(
  tx: Transaction,
  viewer: Viewer,
  joinRequestId: string,
  { childId: named, despiteRevocations }: Approval,
): Promise<JoinRequest> {
  const { organization, request: before } = await enterDecision(tx, viewer, joinRequestId);
  if (before.state === 'APPROVED') return before;
  if (before.state !== 'PENDING') throw new InvalidState(before.state);
  const [revocations = []] = await revocationsOf(tx, [before.id], () => viewer);
  if (revocations.length > 0 && !despiteRevocations) throw new RevokedBefore(revocations);
  const { userId, role, position } = before;
  const childId = named ?? before.childId;
  const membership = await admit(tx, organization, { userId, role, position, childId });
  const request = await setState(tx, before, {
    state: 'APPROVED',
    childId,
    decidedBy: viewer.userId,
    membershipId: membership.id,
  });
  await tell(tx, organization, { kind: 'JOIN_REQUEST_DECIDED', subjectId: request.id }, request.userId);
  await record(tx, viewer, request, 'approve', revocations);
  return request;
}

/** A request that waits while its person joins otherwise, not for another child, has got what it asked for. Call it after `admit`. */
export async function settleWaiting(
  tx: Transaction,
  organization: Organization,
  membership: Membership,
  childId: string | null,
): Promise<void> {
  const waiting = await latestRequest(tx, membership);
  if (waiting?.state !== 'PENDING' || (waiting.childId ?? childId) !== childId) return;
  const request = await setState(tx, waiting, { state: 'APPROVED', membershipId: membership.id });
  await tell(tx, organization, { kind: 'JOIN_REQUEST_DECIDED', subjectId: request.id }, request.userId);
  await record(tx, null, request, 'settle');
}

/** Rejects a request with a reason; the person may ask again after 7 days. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function rejectJoinRequest(
  db: Database,
  viewer: Viewer,
  input: { joinRequestId: string; reason: string },
): Promise<JoinRequest> {
  const { reason } = valid(z.object({ reason: line(500) }), input);
  return transact(db, async (tx) => {
    const { organization, request: before } = await enterDecision(tx, viewer, input.joinRequestId);
    if (before.state === 'REJECTED') return before;
    if (before.state !== 'PENDING') throw new InvalidState(before.state);
    const request = await setState(tx, before, { state: 'REJECTED', decidedBy: viewer.userId, reason });
    await tell(tx, organization, { kind: 'JOIN_REQUEST_DECIDED', subjectId: request.id }, request.userId);
    await record(tx, viewer, request, 'reject');
    return request;
  });
}

async function lockedRequest(tx: Transaction, joinRequestId: string) {
  const find = () => tx.select().from(joinRequests).where(eq(joinRequests.id, joinRequestId));
  const [known] = await find();
  if (!known) throw new NotFound();
  const organization = await lockOrganization(tx, known.organizationId);
  await expire(tx, organization);
  const [request] = await find(); // again: only now does the organization's lock keep it still
  if (!request) throw new NotFound();
  return { organization, request };
}

async function enterDecision(tx: Transaction, viewer: Viewer, joinRequestId: string) {
  const { request } = await lockedRequest(tx, joinRequestId);
  const { organization, viewer: fresh } = await enterOrganization(tx, viewer, request.organizationId);
  if (!canSeeJoinRequest(fresh, request)) throw new NotFound();
  if (!canListJoinRequests(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
  if (!canDecideJoinRequest(fresh, request)) throw new Forbidden('FORBIDDEN_OWN');
  return { organization, request };
}

async function setState(
  tx: Transaction,
  before: JoinRequest,
  change: Pick<JoinRequest, 'state'> & Partial<Pick<JoinRequest, 'childId' | 'decidedBy' | 'membershipId' | 'reason'>>,
): Promise<JoinRequest> {
  const [request] = await tx
    .update(joinRequests)
    .set({ ...change, decidedAt: sql`now()` })
    .where(eq(joinRequests.id, before.id))
    .returning();
  if (!request) throw new NotFound();
  return request;
}

const record = (
  tx: Transaction,
  viewer: Viewer | null,
  request: JoinRequest,
  verb: string,
  despite: readonly Revocation[] = [],
): Promise<void> =>
  audit(tx, viewer?.userId ?? null, {
    action: `joinRequest.${verb}`,
    target: { type: 'JoinRequest', id: request.id },
    organizationId: request.organizationId,
    after: { state: request.state, role: request.role, ...(despite.length > 0 && { despite: despite.map(quoted) }) },
    reason: request.reason,
  });

const quoted = ({ kind, reason, revokedAt, revokedBy }: Revocation) => ({
  kind,
  reason,
  revokedAt,
  revokedBy: revokedBy && globalId('User', revokedBy),
});
