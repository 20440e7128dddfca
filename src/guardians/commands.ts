import { and, desc, eq, ne, sql } from 'drizzle-orm';
import { z } from 'zod';
import { settleAudiences } from '../audiences/commands.ts';
import { audit } from '../audit/commands.ts';
import { staffAudiencesOf } from '../children/commands.ts';
import { type Child, children, contactVisibility, guardianLinks } from '../children/tables.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidState, NotFound } from '../errors.ts';
import { anyOf } from '../graphql/batches.ts';
import { globalId } from '../graphql/ids.ts';
import { line, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { type Membership, memberships } from '../memberships/tables.ts';
import { plannedMovements } from '../movements/tables.ts';
import { keepNames, markNamesakes } from '../names/commands.ts';
import { enterOrganization, tellAll } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canRevokeGuardianLink, canSeeGuardianLink, canSetContactVisibility, type GuardianLink } from './policy.ts';
import { guardianLinkById, visibilityOf } from './queries.ts';

/**
 * A person who belongs there as a guardian stands for a child from now on, and for every other child for whom the
 * institution has named them. Holds the organization's lock. Call `settleAudiences` for the person afterwards.
 */
export async function linkGuardian(
  tx: Transaction,
  organization: Organization,
  userId: string,
  childId: string | null,
): Promise<void> {
  if (childId) {
    await tx
      .insert(guardianLinks)
      .values({
        organizationId: organization.id,
        childId,
        userId,
        state: 'PENDING',
        contactVisibility: visibilityOf(sql`${userId}::uuid`, sql`${organization.id}::uuid`),
      })
      .onConflictDoNothing();
  }
  await linkNamed(tx, organization, userId, [userId]);
}

/** As `linkGuardian`, for people whom somebody else, who keeps the children's records, has named. */
export async function linkNamed(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  userIds: readonly string[],
): Promise<void> {
  const linked = await tx
    .update(guardianLinks)
    .set({ state: 'ACTIVE', activatedAt: sql`now()` })
    .where(
      and(
        eq(guardianLinks.organizationId, organization.id),
        anyOf(guardianLinks.userId, userIds),
        eq(guardianLinks.state, 'PENDING'),
      ),
    )
    .returning();
  await recordLinks(tx, organization, actorId, 'GUARDIAN_LINKED', 'guardian.link', linked);
}

/** The child's record becomes the student's own. @throws InvalidState when it is somebody else's, or they have another */
export async function linkStudent(tx: Transaction, userId: string, child: Child): Promise<void> {
  const [own] = await tx
    .select({ id: children.id })
    .from(children)
    .where(and(eq(children.organizationId, child.organizationId), eq(children.userId, userId)));
  if ((child.userId ?? userId) !== userId || (own && own.id !== child.id)) throw new InvalidState('LINKED');
  await tx.update(children).set({ userId }).where(eq(children.id, child.id));
}

const RevokeGuardianLink = z.object({ guardianLinkId: z.string(), reason: line(500) });

/**
 * Ends that somebody stands for a child, at once and everywhere it reaches; without another child here their membership
 * ends too. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function revokeGuardianLink(db: Database, viewer: Viewer, input: unknown): Promise<GuardianLink> {
  const { guardianLinkId, reason } = valid(RevokeGuardianLink, input);
  return transact(db, async (tx) => {
    const { organization, link, viewer: fresh } = await enterLink(tx, viewer, guardianLinkId);
    if (!canRevokeGuardianLink(fresh, link)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (link.state === 'REVOKED') return link;
    await revokeLinks(tx, organization, viewer.userId, [link.userId], { childId: link.childId, reason });
    await endFamilies(tx, organization, viewer.userId, [link.userId]);
    await settleAudiences(tx, organization.id, [link.userId]);
    return { ...link, ...(await linkRow(tx, link.id)) };
  });
}

/** Ends what people stand for, for one child or all: the institution says so, or they leave it. */
export async function revokeLinks(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  userIds: readonly string[],
  { childId, reason }: { readonly childId?: string; readonly reason: string | null },
): Promise<void> {
  const revoked = await tx
    .update(guardianLinks)
    .set({ state: 'REVOKED', revokedAt: sql`now()`, revokedBy: actorId, reason })
    .where(
      and(
        eq(guardianLinks.organizationId, organization.id),
        anyOf(guardianLinks.userId, userIds),
        ne(guardianLinks.state, 'REVOKED'),
        childId ? eq(guardianLinks.childId, childId) : undefined,
      ),
    )
    .returning();
  await recordLinks(tx, organization, actorId, 'GUARDIAN_UNLINKED', 'guardian.unlink', revoked);
}

const SetContactVisibility = z.object({
  guardianLinkId: z.string(),
  contactVisibility: z.enum(contactVisibility.enumValues),
});

/** Hides a guardian from the child's other guardians, or shows them again. @throws NotFound, Forbidden, InvalidState */
export async function setGuardianContactVisibility(
  db: Database,
  viewer: Viewer,
  input: unknown,
): Promise<GuardianLink> {
  const wish = valid(SetContactVisibility, input);
  return transact(db, async (tx) => {
    const { organization, link, viewer: fresh } = await enterLink(tx, viewer, wish.guardianLinkId);
    if (!canSetContactVisibility(fresh, link)) throw new Forbidden('FORBIDDEN_OTHERS');
    if (link.state === 'REVOKED') throw new InvalidState(link.state);
    if (link.contactVisibility === wish.contactVisibility) return link;
    const changed = await tx
      .update(guardianLinks)
      .set({ contactVisibility: wish.contactVisibility })
      .where(eq(guardianLinks.id, link.id))
      .returning();
    await recordLinks(
      tx,
      organization,
      viewer.userId,
      'GUARDIAN_CONTACT_VISIBILITY_SET',
      'guardian.setVisibility',
      changed,
    );
    return { ...link, ...wish };
  });
}

async function enterLink(tx: Transaction, viewer: Viewer, id: string) {
  const known = await linkRow(tx, id);
  const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
  const [link] = await guardianLinkById(tx, [id], () => fresh); // again: only now does the organization's lock keep it still
  if (!link || !canSeeGuardianLink(fresh, link)) throw new NotFound();
  return { organization, link, viewer: fresh };
}

async function linkRow(tx: Transaction, id: string) {
  const [link] = await tx.select().from(guardianLinks).where(eq(guardianLinks.id, id));
  if (!link) throw new NotFound();
  return link;
}

/**
 * Tells those who keep the children's records and the guardian; the child's other guardians need not know. By what became of the links
 * somebody may be hidden from now on, or no longer.
 */
async function recordLinks(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  kind: string,
  action: string,
  changed: readonly (typeof guardianLinks.$inferSelect)[],
): Promise<void> {
  if (changed.length === 0) return;
  const people = changed.map(({ userId }) => userId);
  await markNamesakes(tx, organization.id, people);
  const places = await tx
    .select({ id: children.id, groupId: children.groupId })
    .from(children)
    .where(
      anyOf(
        children.id,
        changed.map(({ childId }) => childId),
      ),
    );
  const staff = await staffAudiencesOf(
    tx,
    places.flatMap(({ groupId }) => groupId ?? []),
  );
  const audienceOf = new Map(places.map(({ id, groupId }) => [id, staff.get(groupId ?? '')]));
  await tellAll(
    tx,
    organization,
    changed.map(({ id, childId, userId }) => ({
      kind,
      subjectId: id,
      to: [userId, audienceOf.get(childId)].flatMap((audience) => audience ?? []),
    })),
  );
  await audit(
    tx,
    actorId,
    ...changed.map(({ id, childId, state, contactVisibility, reason }) => ({
      action,
      target: { type: 'GuardianLink', id },
      organizationId: organization.id,
      after: { childId: globalId('Child', childId), state, contactVisibility },
      reason,
    })),
  );
}

/** Why families' memberships end and begin: their children leave and come back. */
const childrenLeft = 'CHILDREN_LEFT';

/**
 * Ends the memberships of those among some people to whom no child is left, here or expected; a suspended one stays as it
 * is. Call `settleAudiences` for them afterwards.
 */
export async function endFamilies(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  userIds: readonly string[],
): Promise<void> {
  const left = await withoutChildren(tx, organization.id, userIds);
  if (left.length === 0) return;
  const ended = await tx
    .update(memberships)
    .set({ state: 'ENDED', endedAt: sql`now()`, endedBy: childrenLeft })
    .where(
      and(
        eq(memberships.organizationId, organization.id),
        anyOf(memberships.userId, left),
        ne(memberships.role, 'EMPLOYEE'),
        eq(memberships.state, 'ACTIVE'),
      ),
    )
    .returning();
  await recordFamilies(tx, organization, actorId, ended, 'MEMBERSHIP_ENDED', 'membership.end');
}

async function withoutChildren(tx: Transaction, organizationId: string, userIds: readonly string[]): Promise<string[]> {
  const found = await rows<{ id: string }>(
    tx,
    sql`
    select u.id from unnest(${sql.param([...userIds])}::uuid[]) u (id)
    where not exists (
      select from ${children} c left join ${guardianLinks} l on l.child_id = c.id and l.state = 'ACTIVE' and l.user_id = u.id
      where c.organization_id = ${organizationId} and (l.id is not null or c.user_id = u.id)
        and (c.group_id is not null or exists (
          select from ${plannedMovements} p where p.child_id = c.id and p.kind = 'ENROLLED' and p.state = 'PLANNED')))`,
  );
  return found.map(({ id }) => id);
}

/** Begins anew what `endFamilies` ended, for families whose children come back. */
export async function beginFamilies(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  userIds: readonly string[],
): Promise<void> {
  const latest = tx
    .selectDistinctOn([memberships.userId, memberships.role])
    .from(memberships)
    .where(
      and(
        eq(memberships.organizationId, organization.id),
        anyOf(memberships.userId, userIds),
        ne(memberships.role, 'EMPLOYEE'),
      ),
    )
    .orderBy(memberships.userId, memberships.role, desc(memberships.id))
    .as('latest');
  const left = await tx.select().from(latest).where(eq(latest.endedBy, childrenLeft));
  const back = left.filter(({ role }) => role !== 'STUDENT' || organization.studentsAllowed);
  if (back.length === 0) return;
  const begun = await tx
    .insert(memberships)
    .values(back.map(({ userId, role }) => ({ organizationId: organization.id, userId, role })))
    .onConflictDoNothing()
    .returning();
  const people = begun.map(({ userId }) => ({ userId, name: null }));
  await keepNames(tx, organization.id, people);
  await recordFamilies(tx, organization, actorId, begun, 'MEMBERSHIP_STARTED', 'membership.begin');
}

async function recordFamilies(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  changed: readonly Membership[],
  kind: string,
  action: string,
): Promise<void> {
  await tellAll(
    tx,
    organization,
    changed.map(({ id: subjectId, userId }) => ({ kind, subjectId, to: [userId] })),
  );
  await audit(
    tx,
    actorId,
    ...changed.map(({ id, state }) => ({
      action,
      target: { type: 'Membership', id },
      organizationId: organization.id,
      after: { state },
      reason: childrenLeft,
    })),
  );
}
