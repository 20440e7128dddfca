import { and, inArray } from 'drizzle-orm';
import { z } from 'zod';
import { admit } from '../arrivals/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { DomainError, Forbidden, InvalidState, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { line, valid } from '../input.ts';
import { lockedRequest, record, setState } from '../join-requests/commands.ts';
import { canDecideJoinRequest, canListJoinRequests, canSeeJoinRequest } from '../join-requests/policy.ts';
import { type JoinRequest, joinRequests } from '../join-requests/tables.ts';
import { transact } from '../log/append.ts';
import { enterOrganization, tell } from '../organizations/commands.ts';
import { organizations } from '../organizations/tables.ts';
import { type Revocation, revocationsOf } from '../revocations/queries.ts';
import type { Viewer } from '../viewer.ts';

const bulkCap = 100;

/** An administrator has sent this person away before: who lets them in again says that they know. */
export class RevokedBefore extends DomainError {
  readonly code = 'REVOKED_BEFORE';
  readonly revocations: readonly Revocation[];
  constructor(revocations: readonly Revocation[]) {
    super('REVOKED_BEFORE');
    this.revocations = revocations;
  }
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
  const [revocations = []] = await revocationsOf(tx, [{ ...before, until: null }], () => viewer);
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
  await record(tx, viewer, request, 'approve', revocations.map(quoted));
  return request;
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

async function enterDecision(tx: Transaction, viewer: Viewer, joinRequestId: string) {
  const { request } = await lockedRequest(tx, joinRequestId);
  const { organization, viewer: fresh } = await enterOrganization(tx, viewer, request.organizationId);
  if (!canSeeJoinRequest(fresh, request)) throw new NotFound();
  if (!canListJoinRequests(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
  if (!canDecideJoinRequest(fresh, request)) throw new Forbidden('FORBIDDEN_OWN');
  return { organization, request };
}

const quoted = ({ kind, reason, revokedAt, revokedBy }: Revocation) => ({
  kind,
  reason,
  revokedAt,
  revokedBy: revokedBy && globalId('User', revokedBy),
});
