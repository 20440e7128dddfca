import type { Viewer } from '../viewer.ts';
import type { StaffAssignmentRow } from './tables.ts';

/** Sees who works in a group: leaders, whoever is in it, and the employee (§3). */
export const canSeeAssignment = (
  viewer: Viewer,
  { organizationId, groupId, userId }: Pick<StaffAssignmentRow, 'organizationId' | 'groupId' | 'userId'>,
): boolean =>
  viewer.leads(organizationId) ||
  viewer.isOfGroup(groupId) ||
  (userId === viewer.userId && viewer.isVerifiedStaffOf(organizationId));

/** Assigns employees to groups and ends that (§2.1.9). */
export const canAssignStaff = (viewer: Viewer, organizationId: string): boolean => viewer.administers(organizationId);
