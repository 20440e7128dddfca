import type { Group } from '../groups/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { Invite } from './tables.ts';

/**
 * Invites people to a group in a role (§2.1.7): administrators anybody, the head guardians.
 */
export const canInvite = (
  viewer: Viewer,
  { organizationId }: Pick<Group, 'organizationId'>,
  role: Invite['role'],
): boolean => viewer.administers(organizationId) || (role === 'GUARDIAN' && viewer.heads(organizationId));

/** Whether the role makes sense in a group: employees come to the group «Staff», others to any other. */
export const fits = (role: Invite['role'], group: Group): boolean => (role === 'EMPLOYEE') === (group.kind === 'STAFF');

/** Sees an invite: administrators all of them, others their own as long as they belong there. */
export const canSeeInvite = (viewer: Viewer, invite: Pick<Invite, 'organizationId' | 'createdBy'>): boolean =>
  viewer.administers(invite.organizationId) ||
  (invite.createdBy === viewer.userId && viewer.isVerifiedStaffOf(invite.organizationId));

/** Annuls an invite (§2.1.13): whoever sees it. */
export const canRevokeInvite = canSeeInvite;

/** Reads a list of invites at all. */
export const canListInvites = (viewer: Viewer, organizationId: string): boolean =>
  viewer.administers(organizationId) || viewer.isVerifiedStaffOf(organizationId);
