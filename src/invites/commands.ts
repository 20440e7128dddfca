import { and, eq, isNull, lt, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { viewerOf } from '../audiences/queries.ts';
import { audit } from '../audit/commands.ts';
import { enterChild } from '../children/commands.ts';
import { inserts } from '../database/chunks.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { type GroupRow, groups } from '../groups/tables.ts';
import { idempotencyKey, phoneNumber, valid } from '../input.ts';
import { append, type NewEvent, transact } from '../log/append.ts';
import { positionEnum, roleEnum } from '../memberships/tables.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import type { Viewer } from '../viewer.ts';
import { canInvite, canListInvites, canRevokeInvite, canSeeInvite, fits } from './policy.ts';
import { leadsTo } from './queries.ts';
import { type Invite, invites, maxChildDays, maxChildUses } from './tables.ts';

const defaultDays = 14;
const maxDays = 366;

const CreateInvite = z.object({
  groupId: z.string().nullish(),
  childId: z.string().nullish(),
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
    const { group, child, organization, viewer: fresh } = await enterPlace(tx, viewer, wish);
    if (!canInvite(fresh, group, wish.role)) throw new Forbidden('FORBIDDEN_INVITER');
    if (!fits(wish.role, group)) throw new InvalidInput('role', 'INVALID_ROLE');
    if (wish.position && wish.role !== 'EMPLOYEE') throw new InvalidInput('position', 'INVALID_ROLE');
    if ((wish.role === 'EMPLOYEE') === (child !== null)) throw new InvalidInput('childId', 'INVALID_INVITED_CHILD');
    if (child) demandNarrow(wish);
    if (wish.role === 'STUDENT' && (wish.maxUses ?? 1) > 1) throw new InvalidInput('maxUses', 'INVALID_STUDENT_USES');
    const [made] = await makeInvites(tx, organization, fresh, [
      {
        groupId: group.id,
        role: wish.role,
        childId: child?.id ?? null,
        position: wish.position ?? null,
        maxUses: wish.maxUses ?? 1,
        requiresApproval: wish.requiresApproval ?? false,
        intendedPhone,
        expiresAt: wish.expiresAt ?? null,
        idempotencyKey: wish.idempotencyKey,
      },
    ]);
    return made ?? { invite: await firstOf(tx, viewer, wish, group), code: null };
  });
}

/** What an invite is to be; without a time of its own it is good for two weeks. */
export interface InviteDraft
  extends Pick<
    Invite,
    'groupId' | 'role' | 'childId' | 'position' | 'maxUses' | 'requiresApproval' | 'intendedPhone' | 'idempotencyKey'
  > {
  readonly expiresAt: Date | null;
}

/**
 * Makes invites with their codes, which are known only now; not those whose idempotency key the viewer has used. Whoever
 * calls it knows that the viewer may invite so. Holds the organization's lock.
 */
export async function makeInvites(
  tx: Transaction,
  organization: Organization,
  viewer: Viewer,
  drafts: readonly InviteDraft[],
): Promise<{ invite: Invite; code: string }[]> {
  const codes = new Map(drafts.map((draft) => [newSecret(), draft]));
  const hashes = new Map([...codes.keys()].map((code) => [hashSecret(code).toString('hex'), code]));
  const values = [...codes].map(([code, draft]) => ({
    ...draft,
    organizationId: organization.id,
    codeHash: hashSecret(code),
    createdBy: viewer.userId,
    expiresAt: draft.expiresAt ?? sql`now() + make_interval(days => ${defaultDays})`,
  }));
  const made: Invite[] = [];
  for (const some of inserts(values)) {
    const target = [invites.createdBy, invites.idempotencyKey];
    made.push(...(await tx.insert(invites).values(some).onConflictDoNothing({ target }).returning()));
  }
  await announceInvites(tx, organization, viewer, made, 'INVITE_CREATED');
  await audit(
    tx,
    viewer.userId,
    ...made.map(({ id, groupId, role, childId, maxUses, requiresApproval }) => ({
      action: 'invite.create',
      target: { type: 'Invite', id },
      organizationId: organization.id,
      after: {
        groupId: globalId('Group', groupId),
        role,
        ...(childId && { childId: globalId('Child', childId) }),
        maxUses,
        requiresApproval,
      },
    })),
  );
  return made.map((invite) => ({ invite, code: hashes.get(invite.codeHash.toString('hex')) ?? '' }));
}

/** @throws InvalidInput unless it is a moment within the coming year, or none */
export function demandNearFuture(expiresAt: Date | null | undefined): void {
  const ahead = expiresAt ? expiresAt.getTime() - Date.now() : 1;
  if (ahead <= 0 || ahead > maxDays * 86_400_000) throw new InvalidInput('expiresAt', 'INVALID_FUTURE');
}

/** @throws InvalidInput unless a link for one child takes few people, for a short time */
export function demandNarrow({ maxUses, expiresAt }: { maxUses?: number | null; expiresAt?: Date | null }): void {
  if ((maxUses ?? 1) > maxChildUses) throw new InvalidInput('maxUses', 'INVALID_CHILD_USES', { max: maxChildUses });
  const ahead = expiresAt ? expiresAt.getTime() - Date.now() : 0;
  if (ahead > maxChildDays * 86_400_000)
    throw new InvalidInput('expiresAt', 'INVALID_CHILD_DAYS', { max: maxChildDays });
}

async function firstOf(
  tx: Transaction,
  viewer: Viewer,
  wish: z.output<typeof CreateInvite>,
  group: GroupRow,
): Promise<Invite> {
  const [first] = await tx
    .select()
    .from(invites)
    .where(and(eq(invites.createdBy, viewer.userId), eq(invites.idempotencyKey, wish.idempotencyKey ?? '')));
  if (first?.role !== wish.role || (wish.childId ? first.childId !== wish.childId : first.groupId !== group.id))
    throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first;
}

/**
 * The group into which somebody is to come, and the child for whom: a child's own group, while it has one.
 * @throws NotFound, InvalidInput
 */
async function enterPlace(
  tx: Transaction,
  viewer: Viewer,
  wish: Pick<z.output<typeof CreateInvite>, 'groupId' | 'childId'>,
) {
  const entered = wish.childId ? await enterChild(tx, viewer, wish.childId) : null;
  const child = entered?.child ?? null;
  if (child?.groupId && wish.groupId && child.groupId !== wish.groupId)
    throw new InvalidInput('groupId', 'INVALID_CHILD_GROUP');
  const groupId = child?.groupId ?? wish.groupId;
  if (!groupId) throw new InvalidInput('groupId', 'INVALID_INVITED_GROUP');
  const [group] = await tx.select().from(groups).where(eq(groups.id, groupId));
  if (!group || (child && group.organizationId !== child.organizationId)) throw new NotFound();
  const { organization, viewer: fresh } = entered ?? (await enterOrganization(tx, viewer, group.organizationId));
  if (!canSeeGroup(fresh, group) || group.state !== 'ACTIVE') throw new NotFound();
  return { organization, viewer: fresh, group, child };
}

/** The administrators hear of them, and their creators as long as they may see them. */
export async function announceInvites(
  tx: Transaction,
  organization: Organization,
  by: Viewer,
  announced: readonly Invite[],
  kind: string,
): Promise<void> {
  const events: NewEvent[] = [];
  const creators = new Map([[by.userId, by]]);
  for (const invite of announced) {
    const event = { kind, organizationId: organization.id, subjectId: invite.id };
    const creator = creators.get(invite.createdBy) ?? (await viewerOf(tx, invite.createdBy));
    creators.set(invite.createdBy, creator);
    events.push({ ...event, audienceId: organization.administratorsAudienceId });
    if (canSeeInvite(creator, invite)) events.push({ ...event, audienceId: invite.createdBy });
  }
  await append(tx, ...events);
}

/** Annuls an invite, at once; an annulled one stays so. @throws NotFound, InvalidState */
export async function revokeInvite(db: Database, viewer: Viewer, inviteId: string): Promise<Invite> {
  return transact(db, async (tx) => {
    const [known] = await tx.select().from(invites).where(eq(invites.id, inviteId));
    if (!known) throw new NotFound();
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    if (!canRevokeInvite(fresh, known)) throw new NotFound();
    await revokeInvites(tx, organization, fresh, eq(invites.id, inviteId));
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
    return revokeInvites(
      tx,
      organization,
      fresh,
      and(
        eq(invites.organizationId, organizationId),
        eq(invites.useCount, 0),
        groupId ? eq(leadsTo, groupId) : undefined,
        createdBefore ? lt(invites.createdAt, createdBefore) : undefined,
        fresh.administers(organizationId) ? undefined : eq(invites.createdBy, fresh.userId),
      ),
    );
  });
}

/** A group that is put away takes nobody in. */
export const revokeInvitesInto = (tx: Transaction, organization: Organization, viewer: Viewer, groupId: string) =>
  revokeInvites(tx, organization, viewer, eq(leadsTo, groupId));

/** Annuls the invites that a condition names, and are not annulled. Holds the organization's lock. */
export async function revokeInvites(
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
  await announceInvites(tx, organization, viewer, revoked, 'INVITE_REVOKED');
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
