/**
 * What the regulation says about who talks with whom, and what of it stays readable (§2.2.6, 2.3.3, 2.4.2, the table of §3,
 * §4.6, 4.11), in the model's plain terms.
 */

import type { Group, Membership, Role, School, Somebody } from './model.ts';
import { childrenOf, enter, familiesChildren, isOpen, isVerified, leads, refuse, standings, teaches } from './model.ts';

export interface Chat {
  id: string;
  readonly school: School;
  readonly kind: 'HEAD_STAFF' | 'GROUP_GUARDIANS' | 'DIRECT' | 'CUSTOM';
  readonly group: Group | null;
  readonly maker: Somebody | null;
  /** Whoever comes reads all of its past. */
  readonly wholePast: boolean;
  state: 'ACTIVE' | 'READ_ONLY' | 'ARCHIVED';
  /** Who was put into it, and is not taken out. */
  readonly guests: Guest[];
  readonly messages: Message[];
  readonly stays: Stay[];
}

interface Guest {
  readonly person: Somebody;
  supervises: boolean;
}

export interface Message {
  id: string;
  readonly chat: Chat;
  readonly author: Somebody;
  readonly capacity: Role;
  deleted: boolean;
}

/** As what somebody was there, and how many messages there were when they came, and when they went; null: they are there. */
interface Stay {
  readonly person: Somebody;
  readonly capacity: Role;
  readonly came: number;
  gone: number | null;
}

export const chat = (school: School, kind: Chat['kind'], of: Partial<Chat> = {}): Chat => ({
  id: '',
  school,
  kind,
  group: null,
  maker: null,
  wholePast: false,
  state: 'ACTIVE',
  guests: [],
  messages: [],
  stays: [],
  ...of,
});

// Who takes part.

/** Who may write at all, as what they are: an employee once that is confirmed. */
const mayTalk = ({ role, status, grant }: Membership): boolean =>
  role !== 'EMPLOYEE' || status === 'VERIFIED' || grant !== 'NONE';

const isHead = ({ isHead: head, status }: Membership): boolean => head && status === 'VERIFIED';

/** Whose charge a family is: of leaders, and of the staff of the groups where its children are. */
const answersFor = (staff: Membership, family: Membership): boolean =>
  staff.role === 'EMPLOYEE' &&
  (staff.grant !== 'NONE' ||
    isHead(staff) ||
    (staff.status === 'VERIFIED' &&
      familiesChildren(family).some(({ group }) => group !== null && teaches(group, staff.person))));

const isStudent = ({ role }: Membership): boolean => role === 'STUDENT';

/** Whether two people may be in one chat because of each other. */
function goTogether({ kind, guests }: Chat, one: Membership, other: Membership): boolean {
  if (one.role === 'EMPLOYEE' && other.role === 'EMPLOYEE') return true;
  if (kind === 'DIRECT' && (isStudent(one) || isStudent(other))) return false;
  if (one.role === 'EMPLOYEE') return answersFor(one, other);
  if (!answersFor(other, one)) return false;
  const supervises = guests.some(({ person, supervises: does }) => person === other.person && does);
  return !isStudent(one) || (supervises && other.status === 'VERIFIED');
}

/** As what people take part in a chat. */
export function takingPart(where: Chat): Membership[] {
  const { school, kind, group, guests } = where;
  const open = school.memberships.filter(isOpen);
  if (kind === 'HEAD_STAFF') return open.filter(({ role, status }) => role === 'EMPLOYEE' && status === 'VERIFIED');
  if (group)
    return open.filter(({ role, person }) =>
      role === 'EMPLOYEE'
        ? teaches(group, person)
        : role === 'GUARDIAN' && childrenOf(school, person).some((child) => child.group === group),
    );
  const there = open.filter((m) => mayTalk(m) && guests.some(({ person }) => person === m.person));
  return there.filter(
    (m) =>
      (kind === 'CUSTOM' && m.role === 'EMPLOYEE') ||
      there.some((other) => other.person !== m.person && goTogether(where, m, other)),
  );
}

export const capacitiesIn = (where: Chat, person: Somebody): Role[] =>
  takingPart(where)
    .filter((m) => m.person === person)
    .map(({ role }) => role);

/** After anything has happened: who comes and who goes, and behind which message. */
export function settle({ chats }: School): void {
  for (const where of chats) {
    const there = takingPart(where);
    const isThere = (stay: Stay) => there.some(({ person, role }) => person === stay.person && role === stay.capacity);
    const open = where.stays.filter(({ gone }) => gone === null);
    for (const stay of open) if (!isThere(stay)) stay.gone = where.messages.length;
    for (const { person, role } of there)
      if (!open.some((stay) => stay.person === person && stay.capacity === role))
        where.stays.push({ person, capacity: role, came: where.messages.length, gone: null });
  }
}

// What somebody may read.

/**
 * What was said while one was there stays readable to whoever is still a member as what they were; of a group's chat to a guardian
 * of a child who has been in the group (§4.6).
 */
function keeps({ school, group }: Chat, { person, capacity, gone }: Stay): boolean {
  if (gone === null) return true;
  if (!standings(school, person).some((m) => m.role === capacity && mayTalk(m))) return false;
  if (capacity !== 'GUARDIAN' || !group) return true;
  const wasThere = ({ child }: School['links'][number]) =>
    school.movements.some((move) => move.child === child && move.to === group);
  return school.links.some((link) => link.person === person && link.active && wasThere(link));
}

const kept = (where: Chat, person: Somebody): Stay[] =>
  where.stays.filter((stay) => stay.person === person && keeps(where, stay));

export const readsChat = (where: Chat, person: Somebody): boolean => kept(where, person).length > 0;

export const takesPart = (where: Chat, person: Somebody): boolean => capacitiesIn(where, person).length > 0;

export function readsMessage({ chat: where, id }: Message, person: Somebody): boolean {
  const place = where.messages.findIndex((message) => message.id === id);
  return kept(where, person).some(
    ({ came, gone }) => (where.wholePast || came <= place) && (gone === null || place < gone),
  );
}

/** Whether somebody may know who it is: a LIMITED guardian is named to whoever keeps their child's record alone (§4.11). */
export function meets(school: School, whose: Somebody, person: Somebody): boolean {
  const limited = school.children.filter(
    (child) => school.links.findLast((link) => link.child === child && link.person === whose)?.limited,
  );
  return (
    limited.length === 0 ||
    whose === person ||
    leads(school, person) ||
    limited.some(({ group }) => group !== null && teaches(group, person))
  );
}

/** Whom somebody finds in a chat, and as what. */
export const members = (where: Chat, person: Somebody): Membership[] =>
  takesPart(where, person)
    ? takingPart(where).filter((m) => m.role !== 'GUARDIAN' || meets(where.school, m.person, person))
    : [];

export const knowsAuthor = ({ chat: where, author, capacity }: Message, person: Somebody): boolean =>
  capacity !== 'GUARDIAN' || meets(where.school, author, person);

// What may happen, and what follows from it.

/** As what somebody may be brought into a chat. */
const reachable = (school: School, by: Somebody, other: Somebody): Membership[] =>
  standings(school, other).filter((m) => {
    if (!mayTalk(m)) return false;
    if (leads(school, by)) return true;
    const isColleague = m.role === 'EMPLOYEE';
    if (isVerified(school, by) && (isColleague || familiesChildren(m).some(({ group }) => group && teaches(group, by))))
      return true;
    const ofOwn = childrenOf(school, by).some(({ group }) => group !== null && teaches(group, other));
    return school.guardiansBegin && isColleague && m.status === 'VERIFIED' && ofOwn;
  });

const mayBegin = (school: School, by: Somebody, kind: Chat['kind']): boolean =>
  leads(school, by) ||
  isVerified(school, by) ||
  (kind === 'DIRECT' && school.guardiansBegin && standings(school, by).some(({ role }) => role === 'GUARDIAN'));

const supervises = (school: School, who: Somebody, students: readonly Membership[]): boolean =>
  standings(school, who).some(
    (m) => m.role === 'EMPLOYEE' && m.status === 'VERIFIED' && students.every((student) => answersFor(m, student)),
  );

export function create(
  school: School,
  by: Somebody,
  kind: 'DIRECT' | 'CUSTOM',
  people: readonly Somebody[],
  wholePast: boolean,
  supervisor: Somebody | null,
): Chat {
  enter(school, by);
  if (!mayBegin(school, by, kind)) refuse('FORBIDDEN');
  const others = [...new Set(people)].filter((person) => person !== by);
  const all = [by, ...others];
  if (kind === 'DIRECT') {
    if (others.length !== 1) refuse('INVALID_INPUT');
    const first = school.chats.find((one) => one.kind === kind && all.every((who) => isGuest(one, who)));
    if (first) return first;
  }
  const as = others.map((other) => reachable(school, by, other));
  if (as.some((ways) => ways.length === 0)) refuse('INVALID_INPUT');
  const students = [...as.flat(), ...standings(school, by)].filter(isStudent);
  const answering = supervisor ?? by;
  if (
    students.length > 0 &&
    (kind === 'DIRECT' || !all.includes(answering) || !supervises(school, answering, students))
  )
    refuse('INVALID_INPUT');
  const made = chat(school, kind, { maker: by, wholePast });
  for (const person of all) made.guests.push({ person, supervises: students.length > 0 && person === answering });
  school.chats.push(made);
  return made;
}

const isGuest = ({ guests }: Chat, who: Somebody): boolean => guests.some(({ person }) => person === who);

/** Somebody who reads a chat. */
function visit(where: Chat, by: Somebody): void {
  enter(where.school, by);
  if (!readsChat(where, by)) refuse('NOT_FOUND');
}

const isStaffIn = (where: Chat, person: Somebody): boolean => capacitiesIn(where, person).includes('EMPLOYEE');

/** Whoever made it, or leads, among its staff; where who made it is no longer of them, any of them. */
export const manages = (where: Chat, by: Somebody): boolean =>
  where.kind === 'CUSTOM' &&
  isStaffIn(where, by) &&
  (where.maker === by || leads(where.school, by) || !(where.maker && isStaffIn(where, where.maker)));

function manage(where: Chat, by: Somebody): void {
  visit(where, by);
  if (!manages(where, by)) refuse(where.kind === 'CUSTOM' ? 'FORBIDDEN' : 'INVALID_INPUT');
}

export function add(where: Chat, by: Somebody, people: readonly Somebody[]): void {
  const { school, guests, state } = where;
  manage(where, by);
  if (state !== 'ACTIVE') refuse('INVALID_STATE');
  const added = [...new Set(people)].filter((person) => !isGuest(where, person));
  const as = added.map((person) => reachable(school, by, person));
  if (as.some((ways) => ways.length === 0)) refuse('INVALID_INPUT');
  const students = as.flat().filter(isStudent);
  if (students.length > 0) {
    const supervisor = guests.find((guest) => guest.supervises)?.person ?? refuse('SUPERVISOR_NEEDED');
    if (!supervises(school, supervisor, students)) refuse('SUPERVISOR_NEEDED');
  }
  guests.push(...added.map((person) => ({ person, supervises: false })));
}

export function remove(where: Chat, by: Somebody, person: Somebody): void {
  manage(where, by);
  depart(where, person);
}

export function leave(where: Chat, by: Somebody): void {
  visit(where, by);
  if (where.kind !== 'CUSTOM') refuse('INVALID_INPUT');
  depart(where, by);
}

/** As students who were put into a chat are there, or would be. */
const studentsAmong = ({ school, guests }: Chat): Membership[] =>
  guests.flatMap(({ person }) => standings(school, person)).filter(isStudent);

function depart(where: Chat, person: Somebody): void {
  const place = where.guests.findIndex((guest) => guest.person === person);
  if (place < 0) return;
  if (where.guests[place]?.supervises && studentsAmong(where).length > 0) refuse('SUPERVISOR_NEEDED');
  where.guests.splice(place, 1);
}

export function appoint(where: Chat, by: Somebody, person: Somebody): void {
  manage(where, by);
  if (where.state === 'ARCHIVED') refuse('INVALID_STATE');
  if (!isGuest(where, person) || !supervises(where.school, person, studentsAmong(where))) refuse('INVALID_INPUT');
  for (const guest of where.guests) guest.supervises = guest.person === person;
}

export function become(where: Chat, by: Somebody, state: Chat['state']): void {
  manage(where, by);
  if (where.state === state) return;
  if (where.state === 'ARCHIVED') refuse('INVALID_STATE');
  where.state = state;
}

/** As what one spoke there last, if one still is that; else as an employee. */
function capacityOf(where: Chat, by: Somebody): Role {
  const all = capacitiesIn(where, by);
  const last = where.messages.findLast(({ author }) => author === by)?.capacity;
  return all.find((capacity) => capacity === last) ?? all.toSorted()[0] ?? refuse('FORBIDDEN');
}

export function send(where: Chat, by: Somebody): Message {
  visit(where, by);
  const capacity = capacityOf(where, by);
  if (where.state !== 'ACTIVE') refuse('INVALID_STATE');
  const message: Message = { id: '', chat: where, author: by, capacity, deleted: false };
  where.messages.push(message);
  return message;
}

/** One's own; of what families said the staff of the institution's chats; where one manages a chat, everything. */
export function takeBack(message: Message, by: Somebody): void {
  const { chat: where, author, capacity } = message;
  visit(where, by);
  if (!readsMessage(message, by)) refuse('NOT_FOUND');
  const answers =
    where.kind === 'CUSTOM'
      ? manages(where, by)
      : where.kind !== 'DIRECT' && isStaffIn(where, by) && capacity !== 'EMPLOYEE';
  if (!takesPart(where, by) || (author !== by && !answers)) refuse('FORBIDDEN');
  message.deleted = true;
}
