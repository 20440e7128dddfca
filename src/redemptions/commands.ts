import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { demandName, givenName } from '../accounts/commands.ts';
import { admit, isThere } from '../arrivals/commands.ts';
import { viewerOf } from '../audiences/queries.ts';
import { audit } from '../audit/commands.ts';
import { children } from '../children/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { DomainError, Forbidden, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { groups } from '../groups/tables.ts';
import { valid } from '../input.ts';
import { announceInvites } from '../invites/commands.ts';
import { canInvite, needsApproval } from '../invites/policy.ts';
import { isForOneWhoLeft, stateOf } from '../invites/queries.ts';
import { type Invite, inviteRedemptions, invites } from '../invites/tables.ts';
import { fileJoinRequest, settleWaiting } from '../join-requests/commands.ts';
import { type JoinRequest, joinRequests } from '../join-requests/tables.ts';
import { transact } from '../log/append.ts';
import { type Membership, memberships } from '../memberships/tables.ts';
import { lockOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { wasSentAway } from '../revocations/queries.ts';
import { hashSecret } from '../secrets.ts';
import type { Viewer } from '../viewer.ts';

/** All uses are taken. */
export class InviteExhausted extends DomainError {
  readonly code = 'INVITE_EXHAUSTED';
  constructor() {
    super('INVITE_EXHAUSTED');
  }
}

/** Its time is over. */
export class InviteExpired extends DomainError {
  readonly code = 'INVITE_EXPIRED';
  constructor() {
    super('INVITE_EXPIRED');
  }
}

/** Annulled, or its creator lost the right, or its group was archived. */
export class InviteRevoked extends DomainError {
  readonly code = 'INVITE_REVOKED';
  constructor() {
    super('INVITE_REVOKED');
  }
}

/** The code, and the name of who has none yet. */
const RedeemInvite = z.object({ code: z.string(), ...givenName });

/** What a redemption gave: a membership, or a request that waits for an administrator. */
export interface Redemption {
  readonly membership: Membership | null;
  readonly joinRequest: JoinRequest | null;
}

/**
 * Uses an invite (§2.1.7, 2.2.3): its group and role are fixed, the creator's right is checked again. Whom an administrator
 * has sent away asks by it, as by one that requires approval. While what the first use gave lasts, the same person's second
 * returns that; none of theirs after the first takes a use. @throws NotFound, Forbidden, InvalidInput, NameRequired, InviteExhausted, InviteExpired, InviteRevoked,
 * AlreadyMember, AlreadyRequested
 */
export async function redeemInvite(db: Database, viewer: Viewer, input: unknown): Promise<Redemption> {
  const { code, ...name } = valid(RedeemInvite, input);
  return transact(db, async (tx) => {
    const find = () =>
      tx
        .select()
        .from(invites)
        .where(eq(invites.codeHash, hashSecret(code)));
    const [known] = await find();
    if (!known) throw new NotFound();
    // The organization's lock puts redemptions in a row: of two for the last use, one comes first.
    const organization = await lockOrganization(tx, known.organizationId);
    const before = await earlierRedemption(tx, viewer, known.id);
    if (before && (await isInForce(tx, viewer, known, before))) return before;
    const [invite] = await find();
    if (!invite) throw new NotFound();
    await demandUsable(tx, viewer, organization, invite);
    await demandName(tx, viewer, name);
    const person = { userId: viewer.userId, organizationId: organization.id };
    const given =
      needsApproval(invite) || (await wasSentAway(tx, person))
        ? { joinRequest: await fileJoinRequest(tx, viewer, organization, asRequest(invite)), membership: null }
        : { membership: await joinNow(tx, viewer, organization, invite), joinRequest: null };
    const gave = { membershipId: given.membership?.id ?? null, joinRequestId: given.joinRequest?.id ?? null };
    await tx
      .insert(inviteRedemptions)
      .values({ inviteId: invite.id, userId: viewer.userId, ...gave })
      .onConflictDoUpdate({ target: [inviteRedemptions.inviteId, inviteRedemptions.userId], set: gave });
    await tx
      .update(invites)
      .set({ useCount: sql`${invites.useCount} + ${before ? 0 : 1}` })
      .where(eq(invites.id, invite.id));
    await announceInvites(tx, organization, viewer, [invite], 'INVITE_REDEEMED');
    await audit(tx, viewer.userId, {
      action: 'invite.redeem',
      target: { type: 'Invite', id: invite.id },
      organizationId: organization.id,
      after: given.membership
        ? { membershipId: globalId('Membership', given.membership.id) }
        : { joinRequestId: globalId('JoinRequest', given.joinRequest?.id ?? '') },
    });
    return given;
  });
}

/** The membership that an invite gives at once; a request for the same role that waits is settled by it. */
async function joinNow(tx: Transaction, viewer: Viewer, organization: Organization, invite: Invite) {
  const { role, position, childId } = invite;
  const membership = await admit(tx, organization, { userId: viewer.userId, role, position, childId });
  await settleWaiting(tx, organization, membership, childId);
  return membership;
}

const asRequest = ({ id, role, position, childId }: Invite) => ({
  role,
  position,
  childId,
  inviteId: id,
  note: null,
  idempotencyKey: null,
});

async function earlierRedemption(tx: Transaction, viewer: Viewer, inviteId: string): Promise<Redemption | null> {
  const [found] = await tx
    .select({ membership: memberships, joinRequest: joinRequests })
    .from(inviteRedemptions)
    .leftJoin(memberships, eq(memberships.id, inviteRedemptions.membershipId))
    .leftJoin(joinRequests, eq(joinRequests.id, inviteRedemptions.joinRequestId))
    .where(and(eq(inviteRedemptions.inviteId, inviteId), eq(inviteRedemptions.userId, viewer.userId)));
  return found ?? null;
}

/** Whether what a link gave somebody lasts, or waits, or was refused; what is over is asked for anew, also by the same link. */
async function isInForce(
  tx: Transaction,
  { userId }: Viewer,
  { role, organizationId, childId }: Invite,
  { joinRequest }: Redemption,
): Promise<boolean> {
  if (joinRequest?.state === 'PENDING' || joinRequest?.state === 'REJECTED') return true;
  return isThere(tx, { userId, role, organizationId, childId });
}

async function demandUsable(
  tx: Transaction,
  viewer: Viewer,
  organization: Organization,
  invite: Invite,
): Promise<void> {
  if (organization.state !== 'ACTIVE') throw new NotFound();
  const state = stateOf(invite);
  if (state === 'REVOKED') throw new InviteRevoked();
  if (state === 'EXHAUSTED') throw new InviteExhausted();
  if (state === 'EXPIRED') throw new InviteExpired();
  if (invite.intendedPhone && invite.intendedPhone !== viewer.phone) throw new Forbidden('FORBIDDEN_PHONE');
  const [child] = invite.childId ? await tx.select().from(children).where(eq(children.id, invite.childId)) : [];
  const [group] = await tx
    .select()
    .from(groups)
    .where(eq(groups.id, child?.groupId ?? invite.groupId));
  const [late] = await tx
    .select({ id: invites.id })
    .from(invites)
    .where(and(eq(invites.id, invite.id), isForOneWhoLeft));
  if (late) throw new InviteRevoked();
  const creator = await viewerOf(tx, invite.createdBy);
  if (group?.state !== 'ACTIVE' || !canInvite(creator, group, invite.role)) throw new InviteRevoked();
  if (invite.role === 'STUDENT' && !organization.studentsAllowed) throw new Forbidden('FORBIDDEN_STUDENTS');
}
