import { and, eq, not, or, type SQL, sql } from 'drizzle-orm';
import { viewerOf } from '../audiences/queries.ts';
import { children, enrollments } from '../children/tables.ts';
import type { Database } from '../database/connect.ts';
import { prepare } from '../database/statements.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import { groups } from '../groups/tables.ts';
import { plannedMovements } from '../movements/tables.ts';
import { organizations } from '../organizations/tables.ts';
import { hashSecret } from '../secrets.ts';
import { canInvite, canListInvites } from './policy.ts';
import { type Invite, inviteRedemptions, invites } from './tables.ts';

/** Where an invite leads: for a child that is enrolled, to its group, wherever it is by now. */
export const leadsTo = sql<string>`coalesce(
  (select c.group_id from ${children} c where c.id = ${invites}.child_id), ${invites}.group_id)`;
const place = { groupId: leadsTo.as('leads_to') };

/** Whether an invite is for a child that was here, has no place any more, and is not expected back. */
export const isForOneWhoLeft = sql`exists (
  select from ${children} c where c.id = ${invites}.child_id and c.group_id is null
    and exists (select from ${enrollments} e where e.child_id = c.id)
    and not exists (
      select from ${plannedMovements} p where p.child_id = c.id and p.kind = 'ENROLLED' and p.state = 'PLANNED'))`;

export const inviteById = byId(invites, place);
export type InviteState = 'ACTIVE' | 'EXHAUSTED' | 'EXPIRED' | 'REVOKED';
export type InviteRedemption = typeof inviteRedemptions.$inferSelect & { readonly organizationId: string };

/** The state that follows from an invite's columns; the first reason that kills it counts. */
export function stateOf(invite: Invite): InviteState {
  if (invite.revokedAt) return 'REVOKED';
  if (invite.useCount >= invite.maxUses) return 'EXHAUSTED';
  return invite.expiresAt <= new Date() ? 'EXPIRED' : 'ACTIVE';
}

/** `stateOf`, in SQL. */
const stateColumn = sql<InviteState>`case
  when ${invites.revokedAt} is not null then 'REVOKED'
  when ${invites.useCount} >= ${invites.maxUses} then 'EXHAUSTED'
  when ${invites.expiresAt} <= now() then 'EXPIRED'
  else 'ACTIVE' end`;

export interface InviteFilter {
  readonly state?: InviteState | null;
  readonly unclaimed?: boolean | null;
}

const filtered = ({ state, unclaimed }: InviteFilter): SQL | undefined =>
  and(state ? sql`${stateColumn} = ${state}` : undefined, unclaimed ? eq(invites.useCount, 0) : undefined);

/** The invites of organizations that the viewer may see: `canSeeInvite`, for a list. */
export const invitesOf = listsOf(
  invites,
  invites.organizationId,
  (filter: InviteFilter, viewer) =>
    and(
      filtered(filter),
      or(
        anyOf(
          invites.organizationId,
          viewer.organizationsWhere((id) => viewer.administers(id)),
        ),
        and(
          anyOf(
            invites.organizationId,
            viewer.organizationsWhere((id) => canListInvites(viewer, id)),
          ),
          eq(invites.createdBy, viewer.userId),
        ),
      ),
    ),
  place,
);

/** Who used an invite; reached through an invite that is visible. */
export const redemptionsOf = listsOf(inviteRedemptions, inviteRedemptions.inviteId, (_filter: null) => undefined, {
  organizationId:
    sql<string>`(select i.organization_id from ${invites} i where i.id = invite_redemptions.invite_id)`.as(
      'organization_id',
    ),
});

/** What anybody who holds a code may know: names only. */
export interface InvitePreview {
  readonly organizationName: string;
  readonly groupName: string;
  readonly role: Invite['role'];
}

const previewByHash = prepare((db) =>
  db
    .select({
      organizationName: organizations.name,
      groupName: groups.name,
      id: groups.id,
      organizationId: groups.organizationId,
      role: invites.role,
      createdBy: invites.createdBy,
    })
    .from(invites)
    .innerJoin(organizations, and(eq(organizations.id, invites.organizationId), eq(organizations.state, 'ACTIVE')))
    .leftJoin(children, eq(children.id, invites.childId))
    .innerJoin(
      groups,
      and(eq(groups.id, sql`coalesce(${children.groupId}, ${invites.groupId})`), eq(groups.state, 'ACTIVE')),
    )
    .where(and(eq(invites.codeHash, sql.placeholder('hash')), sql`${stateColumn} = 'ACTIVE'`, not(isForOneWhoLeft))),
);

/** What a code leads to; null unless it can be redeemed now. */
export async function previewInvite(db: Database, code: string): Promise<InvitePreview | null> {
  const [preview] = await previewByHash(db, { hash: hashSecret(code) });
  if (!preview) return null;
  const creator = await viewerOf(db, preview.createdBy);
  return canInvite(creator, preview, preview.role) ? preview : null;
}
