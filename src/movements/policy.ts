import type { Viewer } from '../viewer.ts';
import type { Movement } from './tables.ts';

/** Reads who moved where: leaders, staff of either group, the child's guardians, and the employee who moved (§3). */
export const canSeeMovement = (
  viewer: Viewer,
  movement: Pick<Movement, 'organizationId' | 'childId' | 'userId' | 'fromGroupId' | 'toGroupId'>,
): boolean =>
  viewer.leads(movement.organizationId) ||
  viewer.teaches(movement.fromGroupId) ||
  viewer.teaches(movement.toGroupId) ||
  viewer.guards(movement.childId) ||
  (movement.userId === viewer.userId && viewer.isVerifiedStaffOf(movement.organizationId));

/** Reads the journal at all: leaders all of it, confirmed staff what concerns their groups and themselves. */
export const canReadMovements = (viewer: Viewer, organizationId: string): boolean =>
  viewer.leads(organizationId) || viewer.isVerifiedStaffOf(organizationId);
