import type { GroupRow } from '../groups/tables.ts';
import type { Viewer } from '../viewer.ts';
import { freeUses, type Invite } from './tables.ts';

/** Invites people to a group in a role (§2.1.7, 2.4.1): administrators anybody, the head and the group's staff guardians. */
export const canInvite = (
  viewer: Viewer,
  { id, organizationId }: Pick<GroupRow, 'id' | 'organizationId'>,
  role: Invite['role'],
): boolean =>
  viewer.administers(organizationId) || (role === 'GUARDIAN' && (viewer.heads(organizationId) || viewer.teaches(id)));

/** Invites people in a role to some group there. */
export const canInviteSomewhere = (viewer: Viewer, organizationId: string, role: Invite['role']): boolean =>
  viewer.administers(organizationId) ||
  (role === 'GUARDIAN' &&
    (viewer.heads(organizationId) ||
      viewer.standings.some(
        (own) => own.organizationId === organizationId && own.groupIds.some((id) => viewer.teaches(id)),
      )));

/** Whether an administrator decides on the next use: where the invite says so, and for one child from the third person on. */
export const needsApproval = ({
  requiresApproval,
  childId,
  useCount,
}: Pick<Invite, 'requiresApproval' | 'childId' | 'useCount'>): boolean =>
  requiresApproval || (childId !== null && useCount >= freeUses);

/** Whether the role makes sense in a group: employees come to the group «Staff», others to any other. */
export const fits = (role: Invite['role'], group: Pick<GroupRow, 'kind'>): boolean =>
  (role === 'EMPLOYEE') === (group.kind === 'STAFF');

/** Sees an invite: administrators all of them, others their own as long as they belong there. */
export const canSeeInvite = (viewer: Viewer, invite: Pick<Invite, 'organizationId' | 'createdBy'>): boolean =>
  viewer.administers(invite.organizationId) ||
  (invite.createdBy === viewer.userId && viewer.isVerifiedStaffOf(invite.organizationId));

/** Annuls an invite (§2.1.13): whoever sees it. */
export const canRevokeInvite = canSeeInvite;

/** Reads a list of invites at all. */
export const canListInvites = (viewer: Viewer, organizationId: string): boolean =>
  viewer.administers(organizationId) || viewer.isVerifiedStaffOf(organizationId);
