import { and, eq, isNull, lt, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { viewerOf } from '../audiences/queries.ts';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { DomainError, Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { groups } from '../groups/tables.ts';
import { idempotencyKey, phoneNumber, valid } from '../input.ts';
import { fileJoinRequest, settleWaiting } from '../join-requests/commands.ts';
import { type JoinRequest, joinRequests } from '../join-requests/tables.ts';
import { append, type NewEvent, transact } from '../log/append.ts';
import { beginMembership } from '../memberships/commands.ts';
import { type Membership, memberships, positionEnum, roleEnum } from '../memberships/tables.ts';
import { enterOrganization, lockOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import type { Viewer } from '../viewer.ts';
import { canInvite, canListInvites, canRevokeInvite, canSeeInvite, fits } from './policy.ts';
import { stateOf } from './queries.ts';
import { type Invite, inviteRedemptions, invites } from './tables.ts';

const defaultDays = 14;
const maxDays = 366;

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

const CreateInvite = z.object({
  groupId: z.string(),
  role: z.enum(roleEnum.enumValues),
  position: z.enum(positionEnum.enumValues).exclude(['HEAD']).nullish(),
  maxUses: z.int().min(1).max(1000).nullish(),
  expiresAt: z.date().nullish(),
  requiresApproval: z.boolean().nullish(),
  intendedPhone: z.string().nullish(),
  idempotencyKey,
});

/**
 * Makes an invite into a group in a role (§2.1.7). The code is returned once: a repeat with the same idempotency key
 * returns the invite without it. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function createInvite(
  db: Database,
  viewer: Viewer,
  input: unknown,
): Promise<{ invite: Invite; code: string | null }> {
  const wish = valid(CreateInvite, input);
  const intendedPhone = wish.intendedPhone ? phoneNumber(wish.intendedPhone, 'intendedPhone') : null;
  demandNearFuture(wish.expiresAt);
  return transact(db, async (tx) => {
    const { group, organization, viewer: fresh } = await enterGroup(tx, viewer, wish.groupId);
    if (!canInvite(fresh, group, wish.role)) throw new Forbidden('FORBIDDEN_INVITER');
    if (!fits(wish.role, group)) throw new InvalidInput('role', 'INVALID_ROLE');
    if (wish.position && wish.role !== 'EMPLOYEE') throw new InvalidInput('position', 'INVALID_ROLE');
    const code = newSecret();
    const [invite] = await tx
      .insert(invites)
      .values({
        organizationId: group.organizationId,
        groupId: group.id,
        role: wish.role,
        position: wish.position,
        codeHash: hashSecret(code),
        maxUses: wish.maxUses ?? 1,
        requiresApproval: wish.requiresApproval ?? false,
        intendedPhone,
        createdBy: viewer.userId,
        expiresAt: wish.expiresAt ?? sql`now() + make_interval(days => ${defaultDays})`,
        idempotencyKey: wish.idempotencyKey,
      })
      .onConflictDoNothing({ target: [invites.createdBy, invites.idempotencyKey] })
      .returning();
    if (!invite) return { invite: await firstOf(tx, viewer, wish), code: null };
    await announce(tx, organization, fresh, [invite], 'INVITE_CREATED');
    await audit(tx, viewer.userId, {
      action: 'invite.create',
      target: { type: 'Invite', id: invite.id },
      organizationId: invite.organizationId,
      after: {
        groupId: globalId('Group', group.id),
        role: invite.role,
        maxUses: invite.maxUses,
        requiresApproval: invite.requiresApproval,
      },
    });
    return { invite, code };
  });
}

function demandNearFuture(expiresAt: Date | null | undefined): void {
  const ahead = expiresAt ? expiresAt.getTime() - Date.now() : 1;
  if (ahead <= 0 || ahead > maxDays * 86_400_000) throw new InvalidInput('expiresAt', 'INVALID_FUTURE');
}

async function firstOf(tx: Transaction, viewer: Viewer, wish: z.output<typeof CreateInvite>): Promise<Invite> {
  const [first] = await tx
    .select()
    .from(invites)
    .where(and(eq(invites.createdBy, viewer.userId), eq(invites.idempotencyKey, wish.idempotencyKey ?? '')));
  if (first?.groupId !== wish.groupId || first.role !== wish.role)
    throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first;
}

async function enterGroup(tx: Transaction, viewer: Viewer, groupId: string) {
  const [group] = await tx.select().from(groups).where(eq(groups.id, groupId));
  if (!group) throw new NotFound();
  const entered = await enterOrganization(tx, viewer, group.organizationId);
  if (!canSeeGroup(entered.viewer, group) || group.state !== 'ACTIVE') throw new NotFound();
  return { ...entered, group };
}

/** The administrators hear of them, and their creators as long as they may see them. */
async function announce(
  tx: Transaction,
  organization: Organization,
  by: Viewer,
  announced: readonly Invite[],
  kind: string,
): Promise<void> {
  const events: NewEvent[] = [];
  for (const invite of announced) {
    const event = { kind, organizationId: organization.id, subjectId: invite.id };
    const creator = invite.createdBy === by.userId ? by : await viewerOf(tx, invite.createdBy);
    events.push({ ...event, audienceId: organization.administratorsAudienceId });
    if (canSeeInvite(creator, invite)) events.push({ ...event, audienceId: invite.createdBy });
  }
  await append(tx, ...events);
}

/** What a redemption gave: a membership, or a request that waits for an administrator. */
export interface Redemption {
  readonly membership: Membership | null;
  readonly joinRequest: JoinRequest | null;
}

/**
 * Uses an invite (§2.1.7, 2.2.3): its group and role are fixed, the creator's right is checked again. The same person's
 * second use returns what the first gave and takes no use. @throws NotFound, Forbidden, InviteExhausted, InviteExpired,
 * InviteRevoked, AlreadyMember, AlreadyRequested
 */
export async function redeemInvite(db: Database, viewer: Viewer, code: string): Promise<Redemption> {
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
    if (before) return before;
    const [invite] = await find();
    if (!invite) throw new NotFound();
    await demandUsable(tx, viewer, organization, invite);
    const given = invite.requiresApproval
      ? { joinRequest: await fileJoinRequest(tx, viewer, organization, asRequest(invite)), membership: null }
      : { membership: await joinNow(tx, viewer, organization, invite), joinRequest: null };
    await tx.insert(inviteRedemptions).values({
      inviteId: invite.id,
      userId: viewer.userId,
      membershipId: given.membership?.id,
      joinRequestId: given.joinRequest?.id,
    });
    await tx
      .update(invites)
      .set({ useCount: sql`${invites.useCount} + 1` })
      .where(eq(invites.id, invite.id));
    await announce(tx, organization, viewer, [invite], 'INVITE_REDEEMED');
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
async function joinNow(tx: Transaction, viewer: Viewer, organization: Organization, { role, position }: Invite) {
  const membership = await beginMembership(tx, organization, { userId: viewer.userId, role, position });
  await settleWaiting(tx, organization, membership);
  return membership;
}

const asRequest = ({ id, role, position }: Invite) => ({
  role,
  position,
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
  const [group] = await tx.select().from(groups).where(eq(groups.id, invite.groupId));
  const creator = await viewerOf(tx, invite.createdBy);
  if (group?.state !== 'ACTIVE' || !canInvite(creator, group, invite.role)) throw new InviteRevoked();
  if (invite.role === 'STUDENT' && !organization.studentsAllowed) throw new Forbidden('FORBIDDEN_STUDENTS');
}

/** Annuls an invite, at once; an annulled one stays so. @throws NotFound, InvalidState */
export async function revokeInvite(db: Database, viewer: Viewer, inviteId: string): Promise<Invite> {
  return transact(db, async (tx) => {
    const [known] = await tx.select().from(invites).where(eq(invites.id, inviteId));
    if (!known) throw new NotFound();
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    if (!canRevokeInvite(fresh, known)) throw new NotFound();
    await revokeWhere(tx, organization, fresh, eq(invites.id, inviteId));
    const [invite] = await tx.select().from(invites).where(eq(invites.id, inviteId));
    return invite ?? known;
  });
}

const RevokeUnclaimed = z.object({
  organizationId: z.string(),
  groupId: z.string().nullish(),
  createdBefore: z.date().nullish(),
});

/**
 * Annuls every invite that nobody has used (§2.1.13), of a group or all, older than an instant or all; others than
 * administrators annul their own. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function revokeUnclaimedInvites(db: Database, viewer: Viewer, input: unknown): Promise<Invite[]> {
  const { organizationId, groupId, createdBefore } = valid(RevokeUnclaimed, input);
  return transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, organizationId);
    if (!canListInvites(fresh, organizationId)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    return revokeWhere(
      tx,
      organization,
      fresh,
      and(
        eq(invites.organizationId, organizationId),
        eq(invites.useCount, 0),
        groupId ? eq(invites.groupId, groupId) : undefined,
        createdBefore ? lt(invites.createdAt, createdBefore) : undefined,
        fresh.administers(organizationId) ? undefined : eq(invites.createdBy, fresh.userId),
      ),
    );
  });
}

async function revokeWhere(
  tx: Transaction,
  organization: Organization,
  viewer: Viewer,
  where: SQL | undefined,
): Promise<Invite[]> {
  const revoked = await tx
    .update(invites)
    .set({ revokedAt: sql`now()` })
    .where(and(where, isNull(invites.revokedAt)))
    .returning();
  await announce(tx, organization, viewer, revoked, 'INVITE_REVOKED');
  await audit(
    tx,
    viewer.userId,
    ...revoked.map(({ id }) => ({
      action: 'invite.revoke',
      target: { type: 'Invite', id },
      organizationId: organization.id,
    })),
  );
  return revoked;
}
