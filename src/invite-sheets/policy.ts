import type { GroupRow } from '../groups/tables.ts';
import { canInvite } from '../invites/policy.ts';
import type { RosterKind } from '../rosters/tables.ts';
import type { Viewer } from '../viewer.ts';

/** Prints invites for a group, or for all of them (null): whoever may invite guardians, or employees, there. */
export const canPrintInvites = (
  viewer: Viewer,
  organizationId: string,
  group: Pick<GroupRow, 'id'> | null,
  kind: RosterKind,
): boolean =>
  kind === 'CHILDREN' && group
    ? canInvite(viewer, { ...group, organizationId }, 'GUARDIAN')
    : viewer.administers(organizationId) || (kind === 'CHILDREN' && viewer.heads(organizationId));
