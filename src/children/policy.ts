import type { Viewer } from '../viewer.ts';
import type { Child } from './tables.ts';

/** Reads a child's record: leaders, staff of its group, its guardians, and the child itself (§3). */
export const canSeeChild = (viewer: Viewer, child: Pick<Child, 'id' | 'organizationId' | 'groupId'>): boolean =>
  canKeepRecord(viewer, child) || viewer.isOfChild(child.id);

/** Reads what the institution alone keeps: its own number for the child, who is expected, how to reach the family. */
export const canKeepRecord = (viewer: Viewer, child: Pick<Child, 'organizationId' | 'groupId'>): boolean =>
  viewer.leads(child.organizationId) || viewer.teaches(child.groupId);

/** Reads a list of children at all: leaders all of them, confirmed staff those of their groups. */
export const canListChildren = (viewer: Viewer, organizationId: string): boolean =>
  viewer.leads(organizationId) || viewer.isVerifiedStaffOf(organizationId);

/** Adds and edits records, enrols, transfers, graduates and withdraws (§2.1.12). */
export const canArrangeChildren = (viewer: Viewer, organizationId: string): boolean =>
  viewer.administers(organizationId);
