import type { Viewer } from '../viewer.ts';
import type { StaffAssignmentRow } from './tables.ts';

/** Sees who works in a group: leaders and other staff, and whoever is in it. */
export const canSeeAssignment = (
  viewer: Viewer,
  { organizationId, groupId }: Pick<StaffAssignmentRow, 'organizationId' | 'groupId'>,
): boolean => viewer.leads(organizationId) || viewer.isVerifiedStaffOf(organizationId) || viewer.isOfGroup(groupId);

/** Assigns employees to groups and ends that (§2.1.9). */
export const canAssignStaff = (viewer: Viewer, organizationId: string): boolean => viewer.administers(organizationId);
