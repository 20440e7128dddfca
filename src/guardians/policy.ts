import { canKeepRecord } from '../children/policy.ts';
import type { GuardianLinkRow } from '../children/tables.ts';
import type { Viewer } from '../viewer.ts';

/**
 * A link with the group in which its child is now, and whether the person is hidden from other families: LIMITED for one child,
 * they are so for all (§4.11).
 */
export type GuardianLink = GuardianLinkRow & { readonly groupId: string | null; readonly isHidden: boolean };

type Whose = Pick<GuardianLink, 'organizationId' | 'childId' | 'userId' | 'groupId'>;

const isOwn = (viewer: Viewer, link: Whose): boolean =>
  link.userId === viewer.userId && viewer.belongsTo(link.organizationId);

/** Sees that somebody stands for a child: who keeps its record, that person, and of each other those who are not hidden. */
export const canSeeGuardianLink = (viewer: Viewer, link: Whose & Pick<GuardianLink, 'state' | 'isHidden'>): boolean =>
  canKeepRecord(viewer, link) ||
  isOwn(viewer, link) ||
  (viewer.isOfChild(link.childId) && link.state === 'ACTIVE' && !link.isHidden);

/** Reads how to reach a guardian: who keeps the child's record, and that person (§3). */
export const canReachGuardian = (viewer: Viewer, link: Whose): boolean =>
  canKeepRecord(viewer, link) || isOwn(viewer, link);

/** Hides a guardian from the child's other guardians, and shows them again: administrators, and that person. */
export const canSetContactVisibility = (viewer: Viewer, link: Whose): boolean =>
  viewer.administers(link.organizationId) || isOwn(viewer, link);

/** Ends that somebody stands for a child. */
export const canRevokeGuardianLink = (viewer: Viewer, { organizationId }: Pick<Whose, 'organizationId'>): boolean =>
  viewer.administers(organizationId);
