import type { Viewer } from '../viewer.ts';
import type { Group } from './tables.ts';

/** Sees the whole structure: leaders. Verified staff see the group «Staff», which is theirs; others none of it (§2.4.2). */
export const canSeeGroup = (viewer: Viewer, group: Pick<Group, 'organizationId' | 'kind'>): boolean =>
  viewer.leads(group.organizationId) || (group.kind === 'STAFF' && viewer.isVerifiedStaffOf(group.organizationId));

/** Reads the list of groups at all. */
export const canListGroups = (viewer: Viewer, organizationId: string): boolean =>
  viewer.leads(organizationId) || viewer.isVerifiedStaffOf(organizationId);
