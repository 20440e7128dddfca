import type { Organization } from '../organizations/tables.ts';
import type { Standing, Viewer } from '../viewer.ts';

type Place = Pick<Organization, 'id' | 'guardianChatsAllowed'>;

/** Somebody as what they may take part in chats: a standing of theirs in the organization. */
export type Candidate = Pick<Standing, 'role' | 'verified' | 'administrator' | 'position' | 'groupIds'>;

/** Begins chats at all: leaders and confirmed staff; where the institution allows it, guardians a DIRECT one (§3). */
export const canBeginChat = (viewer: Viewer, organization: Place, kind: 'DIRECT' | 'CUSTOM'): boolean =>
  viewer.leads(organization.id) ||
  viewer.isVerifiedStaffOf(organization.id) ||
  (kind === 'DIRECT' && organization.guardianChatsAllowed && isGuardianIn(viewer, organization.id));

const isGuardianIn = (viewer: Viewer, organizationId: string): boolean =>
  viewer.standings.some((standing) => standing.organizationId === organizationId && standing.role === 'GUARDIAN');

/** Answers for families: leads, or works in a group of theirs. */
export const answersFor = (one: Candidate, other: Candidate): boolean =>
  one.role === 'EMPLOYEE' &&
  (one.administrator ||
    (one.verified && one.position === 'HEAD') ||
    (one.verified && one.groupIds.some((id) => other.groupIds.includes(id))));

/**
 * May bring somebody into a chat: leaders everybody who may write; confirmed staff their colleagues and the families of the
 * groups assigned to them; a guardian the staff of their own child's group (§2.3.3, §3).
 */
export function canTalkTo(viewer: Viewer, organization: Place, candidate: Candidate): boolean {
  const isColleague = candidate.role === 'EMPLOYEE';
  if (isColleague && !candidate.verified && !candidate.administrator) return false;
  if (viewer.leads(organization.id)) return true;
  if (viewer.isVerifiedStaffOf(organization.id) && (isColleague || candidate.groupIds.some((id) => viewer.teaches(id))))
    return true;
  return (
    organization.guardianChatsAllowed &&
    isColleague &&
    candidate.verified &&
    candidate.groupIds.some((id) => viewer.hasChildIn(id))
  );
}
