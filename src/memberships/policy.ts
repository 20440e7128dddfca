import type { Viewer } from '../viewer.ts';
import type { Membership } from './tables.ts';

type Place = Pick<Membership, 'organizationId'>;

type Placed = Pick<Membership, 'organizationId' | 'userId'> & { readonly groupIds?: readonly string[] };

/** Reads how to reach a member: that person, whoever leads there, and verified staff whoever is in their own groups (§3). */
export const canReachMember = (viewer: Viewer, membership: Placed): boolean =>
  membership.userId === viewer.userId ||
  viewer.leads(membership.organizationId) ||
  (membership.groupIds?.some((id) => viewer.teaches(id)) ?? false);

/**
 * Sees a membership: their own, any in an organization they lead; as verified staff, while they last, colleagues' and those
 * of the families in their groups (`groupIds`: where the membership puts its person).
 */
export const canSeeMembership = (viewer: Viewer, membership: Placed & Pick<Membership, 'role' | 'state'>): boolean =>
  canReachMember(viewer, membership) ||
  (membership.role === 'EMPLOYEE' &&
    membership.state !== 'ENDED' &&
    viewer.isVerifiedStaffOf(membership.organizationId));

/** Reads why a membership was suspended or ended: the person, and whoever leads. */
export const canReadReason = (viewer: Viewer, membership: Pick<Membership, 'organizationId' | 'userId'>): boolean =>
  membership.userId === viewer.userId || viewer.leads(membership.organizationId);

/** Reads the member list at all: leaders all of it, verified staff the employees and the families in their groups. */
export const canListMembers = (viewer: Viewer, organizationId: string): boolean =>
  viewer.leads(organizationId) || viewer.isVerifiedStaffOf(organizationId);

/** Suspends, restores and ends memberships of others; one's own is left, not ended. */
export const canChangeMembership = (
  viewer: Viewer,
  membership: Pick<Membership, 'organizationId' | 'userId'>,
): boolean => viewer.administers(membership.organizationId) && membership.userId !== viewer.userId;

/** Says what a member is called there, oneself too: it is the institution's word. */
export const canRenameMember = (viewer: Viewer, { organizationId }: Place): boolean =>
  viewer.administers(organizationId);

/** Appoints the head; the operator has no say here. */
export const canAppointHead = (viewer: Viewer, { organizationId }: Place): boolean =>
  viewer.administers(organizationId);

/** Gives and takes the right to administer (§2.1.8). */
export const canAppointAdministrators = (viewer: Viewer, organizationId: string): boolean =>
  viewer.leads(organizationId);

/** Sees who administers: whoever works or learns there may know whom to ask. */
export const canSeeAdministrators = (viewer: Viewer, organizationId: string): boolean =>
  viewer.belongsTo(organizationId);

/** Reads the requests to confirm the status of employee. */
export const canListVerifications = (viewer: Viewer, organizationId: string): boolean =>
  viewer.administers(organizationId);

/** Decides on somebody else's status of employee (§2.1.11). */
export const canDecideVerification = (
  viewer: Viewer,
  subject: Pick<Membership, 'organizationId' | 'userId'>,
): boolean => viewer.administers(subject.organizationId) && subject.userId !== viewer.userId;
