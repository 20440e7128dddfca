import type { Viewer } from '../viewer.ts';
import type { GroupRow } from './tables.ts';

type Place = Pick<GroupRow, 'organizationId' | 'id'>;

/** Knows a group by its name: leaders all of them, others those where they work, learn or have a child (§2.4.2). */
export const canSeeGroup = (viewer: Viewer, group: Place & Pick<GroupRow, 'kind'>): boolean =>
  viewer.leads(group.organizationId) ||
  viewer.isOfGroup(group.id) ||
  (group.kind === 'STAFF' && viewer.isVerifiedStaffOf(group.organizationId));

/** Looks into a group, at its children and their families: leaders, and the staff assigned to it (§3). */
export const canLookInto = (viewer: Viewer, group: Place): boolean =>
  viewer.leads(group.organizationId) || viewer.teaches(group.id);

/** Reads a list of groups at all: all but staff whose status is not confirmed. */
export const canListGroups = (viewer: Viewer, organizationId: string): boolean =>
  viewer.leads(organizationId) ||
  viewer.isVerifiedStaffOf(organizationId) ||
  viewer.standings.some((standing) => standing.organizationId === organizationId && standing.role !== 'EMPLOYEE');

/** Builds the structure of groups and moves people in it (§2.1.6, 2.1.9, 2.1.12). */
export const canArrangeGroups = (viewer: Viewer, organizationId: string): boolean => viewer.administers(organizationId);
