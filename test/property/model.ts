/**
 * A school as the regulation describes it, in the plainest terms: people, and who works, learns or has a child where. It
 * knows nothing of SQL, views or audiences’ rows, so that it can judge them.
 */

import { type Chat, chat, takingPart } from './talking.ts';
import { type Channel, channel, type Post } from './telling.ts';

export type Role = 'EMPLOYEE' | 'GUARDIAN' | 'STUDENT';
export type Position = 'EDUCATOR' | 'SPECIALIST';

export interface Somebody {
  readonly name: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly phone: string;
  readonly isOperator: boolean;
}

export interface Membership {
  id: string;
  readonly school: School;
  readonly person: Somebody;
  readonly role: Role;
  state: 'ACTIVE' | 'SUSPENDED' | 'ENDED';
  endedBy: 'CHILDREN_LEFT' | 'OTHERWISE' | null;
  status: 'NONE' | 'PENDING' | 'VERIFIED' | 'REVOKED';
  grant: 'NONE' | 'RESERVED' | 'GIVEN';
  isHead: boolean;
}

export interface Group {
  id: string;
  readonly school: School;
  readonly kind: 'STAFF' | 'AGE_GROUP';
  parent: Group | null;
  archived: boolean;
}

export interface Child {
  id: string;
  readonly school: School;
  group: Group | null;
  student: Somebody | null;
}

export interface Link {
  readonly child: Child;
  readonly person: Somebody;
  active: boolean;
  limited: boolean;
}

export interface Assignment {
  readonly membership: Membership;
  readonly group: Group;
  readonly position: Position;
  ended: boolean;
}

export interface Invite {
  id: string;
  code: string;
  readonly school: School;
  readonly role: Role;
  readonly child: Child | null;
  readonly group: Group;
  readonly creator: Somebody;
  revoked: boolean;
  readonly usedBy: Somebody[];
  readonly maxUses: number;
}

export interface Movement {
  readonly kind: 'ENROLLED' | 'TRANSFERRED' | 'GRADUATED' | 'WITHDRAWN' | 'ASSIGNED' | 'RELEASED';
  readonly child: Child | null;
  readonly membership: Membership | null;
  readonly from: Group | null;
  readonly to: Group | null;
}

export interface Plan extends Movement {
  readonly position: Position | null;
  readonly day: number;
  state: 'PLANNED' | 'DONE' | 'CANCELLED' | 'FAILED';
}

export interface School {
  id: string;
  suspended: boolean;
  readonly memberships: Membership[];
  readonly groups: Group[];
  readonly children: Child[];
  readonly links: Link[];
  readonly assignments: Assignment[];
  readonly invites: Invite[];
  /** What waits for an administrator. */
  readonly requests: (Pick<Invite, 'role' | 'child'> & { readonly person: Somebody; readonly invite: Invite })[];
  /** Whom an administrator has taken something from, for good. */
  readonly sentAway: Set<Somebody>;
  readonly movements: Movement[];
  readonly plans: Plan[];
  readonly channels: Channel[];
  readonly posts: Post[];
  readonly chats: Chat[];
  /** Whether guardians may begin to talk with somebody. */
  readonly guardiansBegin: boolean;
}

export interface World {
  readonly people: Somebody[];
  readonly schools: School[];
}

/** Why a command is not done; nothing has changed. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export const refuse = (code: string): never => {
  throw new Refused(code);
};

// Who somebody is: everything but the operator's duty counts only in a school that is open.

export const isOpen = (m: Membership): boolean => m.state === 'ACTIVE' && !m.school.suspended;

export const standings = (school: School, person: Somebody): Membership[] =>
  school.memberships.filter((m) => m.person === person && isOpen(m));

export const belongs = (school: School, person: Somebody): boolean => standings(school, person).length > 0;

export const administers = (school: School, person: Somebody): boolean =>
  standings(school, person).some(({ grant }) => grant !== 'NONE');

export const isVerified = (school: School, person: Somebody): boolean =>
  standings(school, person).some(({ role, status }) => role === 'EMPLOYEE' && status === 'VERIFIED');

export const leads = (school: School, person: Somebody): boolean =>
  administers(school, person) || standings(school, person).some((m) => m.isHead && m.status === 'VERIFIED');

export const teaches = (group: Group, person: Somebody): boolean =>
  group.school.assignments.some(
    ({ membership: m, group: place, ended }) =>
      place === group && !ended && m.person === person && isOpen(m) && m.status === 'VERIFIED',
  );

const isIn = (school: School, person: Somebody, role: Role): boolean =>
  standings(school, person).some((m) => m.role === role);

/** The enrolled children whose guardian somebody is. */
export const childrenOf = (school: School, person: Somebody): Child[] =>
  isIn(school, person, 'GUARDIAN')
    ? school.children.filter(
        (child) => child.group && school.links.some((l) => l.child === child && l.person === person && l.active),
      )
    : [];

const recordsOf = (school: School, person: Somebody): Child[] =>
  isIn(school, person, 'STUDENT') ? school.children.filter((c) => c.group && c.student === person) : [];

/** Has it as one's own: as a guardian, or as the student whom it describes. */
const isOwnChild = (child: Child, person: Somebody): boolean =>
  childrenOf(child.school, person).includes(child) || recordsOf(child.school, person).includes(child);

const isOfGroup = (group: Group, person: Somebody): boolean =>
  teaches(group, person) ||
  [...childrenOf(group.school, person), ...recordsOf(group.school, person)].some((child) => child.group === group);

// What somebody may see (domain §2.4.2, §3).

export const seesGroup = (group: Group, person: Somebody): boolean =>
  leads(group.school, person) ||
  isOfGroup(group, person) ||
  (group.kind === 'STAFF' && isVerified(group.school, person));

export const looksInto = (group: Group, person: Somebody): boolean =>
  leads(group.school, person) || teaches(group, person);

export const keepsRecord = (child: Child, person: Somebody): boolean =>
  leads(child.school, person) || (child.group !== null && teaches(child.group, person));

export const seesChild = (child: Child, person: Somebody): boolean =>
  keepsRecord(child, person) || isOwnChild(child, person);

export const seesLink = ({ child, person: whose, active }: Link, person: Somebody): boolean =>
  keepsRecord(child, person) ||
  (whose === person && belongs(child.school, person)) ||
  (active && !wasLimited(child.school, whose) && isOwnChild(child, person));

export const reachesGuardian = ({ child, person: whose }: Link, person: Somebody): boolean =>
  keepsRecord(child, person) || (whose === person && belongs(child.school, person));

export const seesStaffOf = (group: Group, person: Somebody): boolean =>
  leads(group.school, person) || isOfGroup(group, person);

export const seesAssignment = ({ group, membership: m }: Assignment, person: Somebody): boolean =>
  seesStaffOf(group, person) || (m.person === person && isVerified(group.school, person));

export const seesMembership = (m: Membership, person: Somebody): boolean =>
  m.person === person ||
  leads(m.school, person) ||
  (m.role === 'EMPLOYEE' && m.state !== 'ENDED' && isVerified(m.school, person)) ||
  (isOpen(m) && familiesChildren(m).some(({ group }) => group !== null && teaches(group, person)));

/** The children for whom somebody is a member. */
export const familiesChildren = ({ school, person, role }: Membership): Child[] =>
  role === 'GUARDIAN' ? childrenOf(school, person) : role === 'STUDENT' ? recordsOf(school, person) : [];

export const seesMovement = (move: Movement, person: Somebody): boolean => {
  const school = schoolOf(move);
  return (
    leads(school, person) ||
    [move.from, move.to].some((group) => group !== null && teaches(group, person)) ||
    (move.child !== null && childrenOf(school, person).includes(move.child)) ||
    (move.membership?.person === person && isVerified(school, person))
  );
};

const schoolOf = ({ child, membership }: Movement): School => child?.school ?? membership?.school ?? refuse('NOBODY');

export const seesInvite = (invite: Invite, person: Somebody): boolean =>
  administers(invite.school, person) || (invite.creator === person && isVerified(invite.school, person));

const mayInvite = (group: Group, role: Role, person: Somebody): boolean =>
  administers(group.school, person) || (role === 'GUARDIAN' && (leads(group.school, person) || teaches(group, person)));

/** Who is to be in which audience, and as what. */
export interface Belonging {
  readonly kind: string;
  readonly subjectId: string | null;
  readonly userId: string;
  readonly capacity: string;
}

/** Everybody’s audiences, each once. */
export function audiencesOf(school: School): Belonging[] {
  const found: Belonging[] = [];
  const put = (kind: string, subject: { id: string } | null, { person: { userId }, role: capacity }: Membership) =>
    found.push({ kind, subjectId: subject?.id ?? null, userId, capacity });
  for (const m of school.memberships.filter(isOpen)) {
    const verified = m.status === 'VERIFIED';
    const administrator = m.grant !== 'NONE';
    put('MEMBERS', null, m);
    if (m.role === 'EMPLOYEE') put('EMPLOYEES', null, m);
    if (verified || administrator) put('STAFF', null, m);
    if (verified) put('VERIFIED_STAFF', null, m);
    if (administrator) put('ADMINISTRATORS', null, m);
    for (const group of school.groups.filter(({ kind }) => kind !== 'STAFF')) {
      const works = m.role === 'EMPLOYEE' && teaches(group, m.person);
      const hasChild = m.role === 'GUARDIAN' && childrenOf(school, m.person).some((child) => child.group === group);
      const learns = m.role === 'STUDENT' && recordsOf(school, m.person).some((child) => child.group === group);
      const leading = !group.archived && (administrator || (m.isHead && verified));
      if (works || hasChild || learns || leading) put('GROUP', group, m);
      if (works) put('GROUP_STAFF', group, m);
      if (works || hasChild) put('GROUP_GUARDIANS', group, m);
    }
  }
  for (const each of school.chats.filter(({ kind }) => kind === 'DIRECT' || kind === 'CUSTOM'))
    for (const m of takingPart(each)) put('CHAT', each, m);
  return found;
}

// What may happen, and what follows from it.

/** Whoever has no business in a school cannot tell that there is anything. */
export function enter(school: School, person: Somebody): void {
  if (!belongs(school, person) && !person.isOperator) refuse('NOT_FOUND');
  if (school.suspended) refuse('INVALID_STATE');
}

function arrange(school: School, person: Somebody, sees = true): void {
  enter(school, person);
  if (!sees) refuse('NOT_FOUND');
  if (!administers(school, person)) refuse('FORBIDDEN');
}

function demandParent(school: School, parent: Group, moved: Group | null): void {
  if (parent.school !== school) refuse('NOT_FOUND');
  if (parent.archived || parent.kind === 'STAFF') refuse('INVALID_INPUT');
  const wholes = [...upwards(parent)];
  if (moved && wholes.includes(moved)) refuse('INVALID_INPUT');
  const below = moved ? Math.max(...school.groups.map((part) => [...upwards(part)].indexOf(moved))) : 0;
  if (wholes.length + below + 1 > maxFloors) refuse('INVALID_INPUT');
}

const maxFloors = 8;

/** A group, what it is part of, what that is part of … */
function* upwards(group: Group): Iterable<Group> {
  for (let whole: Group | null = group; whole; whole = whole.parent) yield whole;
}

/** A group where people may be. */
function demandPlace(school: School, group: Group): void {
  if (group.school !== school) refuse('NOT_FOUND');
  if (group.kind === 'STAFF' || group.archived) refuse('INVALID_INPUT');
}

export function createGroup(school: School, by: Somebody, parent: Group | null): Group {
  arrange(school, by);
  if (parent) demandParent(school, parent, null);
  const group: Group = { id: '', school, kind: 'AGE_GROUP', parent, archived: false };
  school.groups.push(group);
  school.channels.push(channel(school, 'GROUP', group));
  school.chats.push(chat(school, 'GROUP_GUARDIANS', { group }));
  return group;
}

export function moveGroup(group: Group, by: Somebody, parent: Group | null): void {
  arrange(group.school, by, seesGroup(group, by));
  if (group.kind === 'STAFF') refuse('INVALID_INPUT');
  if (group.archived) refuse('INVALID_STATE');
  if (parent && parent !== group.parent) demandParent(group.school, parent, group);
  group.parent = parent;
}

export function archiveGroup(group: Group, by: Somebody): void {
  const { school } = group;
  arrange(school, by, seesGroup(group, by));
  if (group.kind === 'STAFF') refuse('INVALID_INPUT');
  if (group.archived) return;
  const parts = school.groups.some(({ parent, archived }) => parent === group && !archived);
  if (parts || school.children.some((child) => child.group === group)) refuse('GROUP_NOT_EMPTY');
  for (const assignment of school.assignments) if (assignment.group === group) release(assignment);
  for (const invite of school.invites) if (invite.group === group && !invite.child?.group) invite.revoked = true;
  group.archived = true;
  putAway(group);
}

export function restoreGroup(group: Group, by: Somebody): void {
  arrange(group.school, by, seesGroup(group, by));
  if (group.kind === 'STAFF') refuse('INVALID_INPUT');
  if (!group.archived) return;
  if (group.parent) demandParent(group.school, group.parent, null);
  group.archived = false;
  putAway(group);
}

/** A group's channel and chat are in use while the group is. */
function putAway(group: Group): void {
  for (const each of group.school.channels) if (each.group === group) each.archived = group.archived;
  for (const each of group.school.chats) if (each.group === group) each.state = group.archived ? 'READ_ONLY' : 'ACTIVE';
}

function release(assignment: Assignment): void {
  if (assignment.ended) return;
  assignment.ended = true;
  const { membership, group } = assignment;
  group.school.movements.push({ kind: 'RELEASED', child: null, membership, from: group, to: null });
}

const isWork = (membership: Membership, group: Group, position: Position) => (a: Assignment) =>
  a.membership === membership && a.group === group && a.position === position && !a.ended;

function assign(membership: Membership, group: Group, position: Position): void {
  if (membership.role !== 'EMPLOYEE') refuse('INVALID_INPUT');
  if (membership.state === 'ENDED') refuse('INVALID_STATE');
  const { assignments, movements } = group.school;
  if (assignments.some(isWork(membership, group, position))) return;
  assignments.push({ membership, group, position, ended: false });
  movements.push({ kind: 'ASSIGNED', child: null, membership, from: null, to: group });
}

/** On a day to come, or now: null. */
export function assignStaff(
  membership: Membership,
  group: Group,
  by: Somebody,
  position: Position,
  day: number | null,
): void {
  const { school } = membership;
  arrange(school, by, seesMembership(membership, by));
  demandPlace(school, group);
  if (membership.role !== 'EMPLOYEE') refuse('INVALID_INPUT');
  if (membership.state === 'ENDED') refuse('INVALID_STATE');
  if (day === null) assign(membership, group, position);
  else planWork({ kind: 'ASSIGNED', child: null, membership, from: null, to: group, position, day, state: 'PLANNED' });
}

export function endStaffAssignment(assignment: Assignment, by: Somebody, day: number | null): void {
  const { membership, group, position, ended } = assignment;
  arrange(group.school, by, seesAssignment(assignment, by));
  if (ended) return;
  if (day === null) release(assignment);
  else planWork({ kind: 'RELEASED', child: null, membership, from: group, to: null, position, day, state: 'PLANNED' });
}

function planWork(plan: Plan): void {
  const { plans } = schoolOf(plan);
  const { kind, membership, from, to, position, day } = plan;
  const same = plans.some(
    (p) =>
      p.state === 'PLANNED' &&
      p.kind === kind &&
      p.membership === membership &&
      (p.from ?? p.to) === (from ?? to) &&
      p.position === position &&
      p.day === day,
  );
  if (!same) plans.push(plan);
}

export function addChild(school: School, by: Somebody): Child {
  arrange(school, by);
  const child: Child = { id: '', school, group: null, student: null };
  school.children.push(child);
  return child;
}

type ChildMove = Exclude<Movement['kind'], 'ASSIGNED' | 'RELEASED'>;

/** Into a group, or out of the school: null. */
export function moveChild(child: Child, to: Group | null, by: Somebody, kind: ChildMove, day: number | null): void {
  const { school } = child;
  arrange(school, by, seesChild(child, by));
  if (to) demandPlace(school, to);
  if (day !== null) {
    const that = school.plans.find((plan) => plan.state === 'PLANNED' && plan.child === child && plan.day === day);
    if (that && (that.kind !== kind || that.to !== to)) refuse('INVALID_INPUT');
    const move = { kind, child, membership: null, from: child.group, to } as const;
    if (!that) school.plans.push({ ...move, position: null, day, state: 'PLANNED' });
  } else if (child.group !== to) {
    if ((kind === 'ENROLLED') === (child.group !== null)) refuse('INVALID_STATE');
    move(child, to, kind);
  }
}

function move(child: Child, to: Group | null, kind: ChildMove): void {
  const { school } = child;
  school.movements.push({ kind, child, membership: null, from: child.group, to });
  child.group = to;
  if (kind === 'ENROLLED') for (const person of familyOf(child)) comeBack(school, person);
  if (to === null) for (const person of familyOf(child)) goWithChildren(school, person);
}

/** Its guardians, and the student whom it is. */
function familyOf(child: Child): Set<Somebody> {
  const links = child.school.links.filter((link) => link.child === child && link.active);
  return new Set([...links.map(({ person }) => person), ...(child.student ? [child.student] : [])]);
}

const isExpected = (child: Child): boolean =>
  child.school.plans.some((plan) => plan.child === child && plan.kind === 'ENROLLED' && plan.state === 'PLANNED');

/** What was expected does not come. */
function fallThrough(plan: Plan, state: 'FAILED' | 'CANCELLED'): void {
  plan.state = state;
  if (plan.kind !== 'ENROLLED' || !plan.child) return;
  for (const person of familyOf(plan.child)) goWithChildren(plan.child.school, person);
}

/** Families whose children had all left are members again. */
function comeBack(school: School, person: Somebody): void {
  for (const role of ['GUARDIAN', 'STUDENT'] as const) {
    const last = school.memberships.findLast((m) => m.person === person && m.role === role);
    if (last?.endedBy === 'CHILDREN_LEFT') begin(school, person, role);
  }
}

/** Families without a child here, or one that is expected, are members no longer. */
function goWithChildren(school: School, person: Somebody): void {
  const isTheirs = (child: Child) =>
    child.student === person || school.links.some((l) => l.child === child && l.person === person && l.active);
  if (school.children.some((child) => isTheirs(child) && (child.group !== null || isExpected(child)))) return;
  for (const m of school.memberships)
    if (m.person === person && m.role !== 'EMPLOYEE' && m.state === 'ACTIVE')
      Object.assign(m, { state: 'ENDED', endedBy: 'CHILDREN_LEFT' });
}

export function begin(school: School, person: Somebody, role: Role): Membership {
  const made: Membership = {
    id: '',
    school,
    person,
    role,
    state: 'ACTIVE',
    endedBy: null,
    status: 'NONE',
    grant: 'NONE',
    isHead: false,
  };
  school.memberships.push(made);
  return made;
}

/** The days of all plans come, one after the other. */
/** What was planned takes effect, each in its turn: who is somewhere only from one to the next has been there. */
export function daysPass(school: School, settle: (school: School) => void): void {
  if (school.suspended) return;
  const due = school.plans.filter(({ state }) => state === 'PLANNED').toSorted((a, b) => a.day - b.day);
  for (const plan of due) {
    try {
      takeEffect(school, plan);
      plan.state = 'DONE';
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fallThrough(plan, 'FAILED');
    }
    settle(school);
  }
}

function takeEffect(school: School, { kind, child, membership, from, to, position }: Plan): void {
  if (to?.archived) refuse('INVALID_INPUT');
  if (kind === 'ASSIGNED' && membership && to && position) assign(membership, to, position);
  else if (kind === 'RELEASED' && membership && from && position)
    school.assignments.filter(isWork(membership, from, position)).forEach(release);
  else if (child && child.group !== to && kind !== 'ASSIGNED' && kind !== 'RELEASED') {
    if ((kind === 'ENROLLED') === (child.group !== null)) refuse('INVALID_STATE');
    move(child, to, kind);
  }
}

export function cancelPlan(plan: Plan, by: Somebody): void {
  arrange(schoolOf(plan), by, seesMovement(plan, by));
  if (plan.state === 'CANCELLED') return;
  if (plan.state !== 'PLANNED') refuse('INVALID_STATE');
  fallThrough(plan, 'CANCELLED');
}

/** Into a child's group, wherever it is; where it has none, into the one that is told. */
export function inviteFamily(child: Child, by: Somebody, role: 'GUARDIAN' | 'STUDENT', told: Group): Invite {
  const { school } = child;
  enter(school, by);
  if (!seesChild(child, by)) refuse('NOT_FOUND');
  const group = child.group ?? told;
  if (group.school !== school || !seesGroup(group, by) || group.archived) refuse('NOT_FOUND');
  if (!mayInvite(group, role, by)) refuse('FORBIDDEN');
  if (group.kind === 'STAFF') refuse('INVALID_INPUT');
  return keep({ id: '', code: '', school, role, child, group, creator: by, revoked: false, usedBy: [], maxUses: 1 });
}

export function inviteEmployee(school: School, by: Somebody): Invite {
  const group = school.groups.find(({ kind }) => kind === 'STAFF') ?? refuse('NO_STAFF_GROUP');
  enter(school, by);
  if (!seesGroup(group, by)) refuse('NOT_FOUND');
  if (!mayInvite(group, 'EMPLOYEE', by)) refuse('FORBIDDEN');
  const role = 'EMPLOYEE';
  return keep({
    id: '',
    code: '',
    school,
    role,
    child: null,
    group,
    creator: by,
    revoked: false,
    usedBy: [],
    maxUses: 1,
  });
}

function keep(invite: Invite): Invite {
  invite.school.invites.push(invite);
  return invite;
}

export function redeemInvite(invite: Invite, person: Somebody): void {
  const { school, role, child } = invite;
  const present = school.memberships.find((m) => m.person === person && m.role === role && m.state !== 'ENDED');
  const isTheirs =
    child !== null &&
    (child.student === person || school.links.some((l) => l.child === child && l.person === person && l.active));
  const isThere = present !== undefined && (!child || present.state !== 'ACTIVE' || isTheirs);
  const waits = school.requests.some((request) => request.person === person && request.invite === invite);
  if (invite.usedBy.includes(person) && (isThere || waits)) return;
  if (school.suspended) refuse('NOT_FOUND');
  if (invite.revoked) refuse('INVITE_REVOKED');
  if (invite.usedBy.length >= invite.maxUses) refuse('INVITE_EXHAUSTED');
  const group = child?.group ?? invite.group;
  const hasLeft = child?.group === null && school.movements.some((move) => move.child === child) && !isExpected(child);
  if (hasLeft || group.archived || !mayInvite(group, role, invite.creator)) refuse('INVITE_REVOKED');
  if (isThere) refuse('ALREADY_MEMBER');
  if (wasSentAway(school, person)) {
    if (school.requests.some((request) => request.person === person && request.role === role))
      refuse('ALREADY_REQUESTED');
    school.requests.push({ person, role, child, invite });
    use(invite, person);
    return;
  }
  if (role === 'STUDENT' && child) {
    const another = school.children.some((other) => other !== child && other.student === person);
    if (another || (child.student && child.student !== person)) refuse('INVALID_STATE');
    child.student = person;
  }
  if (!present) begin(school, person, role);
  if (role === 'GUARDIAN' && child && !school.links.some((l) => l.child === child && l.person === person && l.active))
    school.links.push({ child, person, active: true, limited: wasLimited(school, person) });
  const settled = school.requests.findIndex(
    (r) => r.person === person && r.role === role && (r.child ?? child) === child,
  );
  if (settled >= 0) school.requests.splice(settled, 1);
  use(invite, person);
}

/** Whoever used it before takes no further use. */
function use({ usedBy }: Invite, person: Somebody): void {
  if (!usedBy.includes(person)) usedBy.push(person);
}

const wasSentAway = (school: School, person: Somebody): boolean =>
  school.sentAway.has(person) || school.memberships.some((m) => m.person === person && m.state === 'SUSPENDED');

/** Who is hidden for one child, as it stands or stood last, is hidden for those that come. */
const wasLimited = (school: School, person: Somebody): boolean =>
  school.children.some(
    (child) => school.links.findLast((link) => link.child === child && link.person === person)?.limited,
  );

export function revokeLink(link: Link, by: Somebody): void {
  const { school } = link.child;
  arrange(school, by, seesLink(link, by));
  if (!link.active) return;
  link.active = false;
  if (link.person !== by) school.sentAway.add(link.person);
  goWithChildren(school, link.person);
}

export function setVisibility(link: Link, by: Somebody, limited: boolean): void {
  const { school } = link.child;
  enter(school, by);
  if (!seesLink(link, by)) refuse('NOT_FOUND');
  if (!administers(school, by) && link.person !== by) refuse('FORBIDDEN');
  if (!link.active) refuse('INVALID_STATE');
  link.limited = limited;
}

/** Somebody has to be left who administers. */
function keepAnAdministrator(school: School, without: readonly Membership[]): void {
  const left = school.memberships.some((m) => m.state === 'ACTIVE' && m.grant !== 'NONE' && !without.includes(m));
  if (!left) refuse('LAST_ADMIN');
}

export function changeMembership(m: Membership, by: Somebody, to: Membership['state']): void {
  arrange(m.school, by, seesMembership(m, by));
  if (m.person === by) refuse('FORBIDDEN');
  if (m.state === to) return;
  if (m.state === 'ENDED') refuse('INVALID_STATE');
  if (to !== 'ACTIVE') keepAnAdministrator(m.school, [m]);
  if (to === 'ENDED') {
    end(m);
    m.school.sentAway.add(m.person);
  } else m.state = to;
}

/** What a membership was for ends with it. */
function end(m: Membership): void {
  const { school, person, role } = m;
  if (role === 'EMPLOYEE') for (const a of school.assignments) if (a.membership === m) release(a);
  if (role === 'GUARDIAN') for (const link of school.links) if (link.person === person) link.active = false;
  if (role === 'STUDENT') for (const child of school.children) if (child.student === person) child.student = null;
  const status = m.status === 'NONE' ? 'NONE' : 'REVOKED';
  Object.assign(m, { state: 'ENDED', endedBy: 'OTHERWISE', grant: 'NONE', status });
}

export function leave(school: School, person: Somebody, role: Role | null): void {
  enter(school, person);
  const own = school.memberships.filter(
    (m) => m.person === person && m.state !== 'ENDED' && (role === null || m.role === role),
  );
  if (own.length === 0) refuse('NOT_FOUND');
  if (own.some(({ state }) => state === 'SUSPENDED')) refuse('INVALID_STATE');
  keepAnAdministrator(school, own);
  own.forEach(end);
}

export function submitVerification(m: Membership): void {
  enter(m.school, m.person);
  if (m.role !== 'EMPLOYEE') refuse('INVALID_INPUT');
  if (m.state !== 'ACTIVE' || m.status === 'VERIFIED') refuse('INVALID_STATE');
  m.status = 'PENDING';
}

/** Of somebody who has asked for it at least once. */
export function decideVerification(m: Membership, by: Somebody, to: 'VERIFIED' | 'REVOKED'): void {
  const { school } = m;
  arrange(school, by, administers(school, by) || m.person === by);
  if (m.person === by) refuse('FORBIDDEN');
  if (m.status === to) return;
  if (m.status !== (to === 'VERIFIED' ? 'PENDING' : 'VERIFIED')) refuse('INVALID_STATE');
  if (to === 'VERIFIED' && m.state !== 'ACTIVE') refuse('INVALID_STATE');
  if (to === 'REVOKED' && m.grant === 'GIVEN') {
    keepAnAdministrator(school, [m]);
    m.grant = 'NONE';
  }
  m.status = to;
}

export function grantAdministrator(m: Membership, by: Somebody): void {
  enter(m.school, by);
  if (!seesMembership(m, by)) refuse('NOT_FOUND');
  if (!leads(m.school, by)) refuse('FORBIDDEN');
  if (m.role !== 'EMPLOYEE' || m.state !== 'ACTIVE' || m.status !== 'VERIFIED') refuse('INVALID_INPUT');
  if (m.grant === 'NONE') m.grant = 'GIVEN';
}

/** Of somebody who has the right. */
export function revokeAdministrator(m: Membership, by: Somebody): void {
  enter(m.school, by);
  if (!belongs(m.school, by)) refuse('NOT_FOUND');
  if (!leads(m.school, by)) refuse('FORBIDDEN');
  keepAnAdministrator(m.school, [m]);
  m.grant = 'NONE';
}

export function appointHead(m: Membership, by: Somebody): void {
  arrange(m.school, by, seesMembership(m, by));
  if (m.role !== 'EMPLOYEE' || m.state !== 'ACTIVE' || m.status !== 'VERIFIED') refuse('INVALID_INPUT');
  for (const other of m.school.memberships) if (other.state !== 'ENDED') other.isHead = other === m;
}

export function setSuspended(school: School, by: Somebody, suspended: boolean): void {
  if (!by.isOperator) refuse(belongs(school, by) ? 'FORBIDDEN' : 'NOT_FOUND');
  school.suspended = suspended;
}
