import { and, eq, lte, sql } from 'drizzle-orm';
import { z } from 'zod';
import { demandName, givenName } from '../accounts/commands.ts';
import { presentMembership } from '../arrivals/commands.ts';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { constraintOf } from '../database/failures.ts';
import { DomainError, Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { idempotencyKey, prose, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { demandStudentsAllowed } from '../memberships/commands.ts';
import { type Membership, positionEnum, roleEnum } from '../memberships/tables.ts';
import { lockOrganization, tell, tellAll } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canSeeJoinRequest } from './policy.ts';
import { latestRequest, requestByKey } from './queries.ts';
import { type JoinRequest, joinRequests } from './tables.ts';

const openDays = 30;
const coolDownDays = 7;

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

/** A request that nobody else decides on meanwhile, by now expired if it has waited too long. @throws NotFound */
export async function lockedRequest(tx: Transaction, joinRequestId: string) {
  const find = () => tx.select().from(joinRequests).where(eq(joinRequests.id, joinRequestId));
  const [known] = await find();
  if (!known) throw new NotFound();
  const organization = await lockOrganization(tx, known.organizationId);
  await expire(tx, organization);
  const [request] = await find(); // again: only now does the organization's lock keep it still
  if (!request) throw new NotFound();
  return { organization, request };
}

/** Says what became of a request. */
export async function setState(
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

/** Writes down what was done with a request, and despite what. */
export const record = (
  tx: Transaction,
  viewer: Viewer | null,
  request: JoinRequest,
  verb: string,
  despite?: readonly object[],
): Promise<void> =>
  audit(tx, viewer?.userId ?? null, {
    action: `joinRequest.${verb}`,
    target: { type: 'JoinRequest', id: request.id },
    organizationId: request.organizationId,
    after: { state: request.state, role: request.role, ...(despite?.length && { despite }) },
    reason: request.reason,
  });
