import { type Audience, personAlone } from '../log/reader.ts';
import { type Standing, Viewer } from '../viewer.ts';

/** What being in an audience says about a person, and no more. */
const implied: Readonly<Record<string, Partial<Standing>>> = {
  MEMBERS: { role: 'STUDENT' },
  EMPLOYEES: { role: 'EMPLOYEE' },
  STAFF: { role: 'EMPLOYEE' },
  VERIFIED_STAFF: { role: 'EMPLOYEE', verified: true },
  ADMINISTRATORS: { role: 'EMPLOYEE', administrator: true },
  // Leaders, staff and families have in common what a student there has.
  GROUP: { role: 'STUDENT' },
  GROUP_STAFF: { role: 'EMPLOYEE', verified: true },
  GROUP_GUARDIANS: { role: 'STUDENT' },
  CHAT: { role: 'STUDENT' },
};

/**
 * A person with no more rights than being in an audience gives: what they may see, everybody in it may, so it can be shown to
 * all of them as one. Null where the audience gives no rights of its own. Rules must be such that more rights never hide.
 */
export function leastOf({ id, kind, organizationId, subjectId }: Audience): Viewer | null {
  const standing = implied[kind];
  if (!standing && kind !== 'OPERATORS' && kind !== personAlone) return null;
  const groupIds = subjectId !== null && kind.startsWith('GROUP') ? [subjectId] : [];
  const standings = standing && organizationId ? [{ ...nothing, ...standing, organizationId, groupIds }] : [];
  return new Viewer({
    // Of one person alone it is known who they are, and nothing else.
    userId: kind === personAlone ? id : '',
    sessionId: '',
    phone: '',
    locale: 'ru',
    isOperator: kind === 'OPERATORS',
    standings,
  });
}

const nothing: Omit<Standing, 'organizationId' | 'groupIds'> = {
  membershipId: '',
  role: 'STUDENT',
  position: null,
  verified: false,
  administrator: false,
  childIds: [],
};

/** Somebody as others meet them: `limitedIn` are the groups of the children on whose account a guardian is LIMITED. */
export interface Met {
  readonly userId: string;
  readonly organizationId: string;
  readonly limitedIn: readonly (string | null)[];
}

/** Sees who somebody is. A LIMITED guardian is named to those alone who keep their child's record, and to themself (§4.11). */
export const canSeePerson = (viewer: Viewer, { userId, organizationId, limitedIn }: Met): boolean =>
  limitedIn.length === 0 ||
  userId === viewer.userId ||
  viewer.leads(organizationId) ||
  limitedIn.some((groupId) => viewer.teaches(groupId));
