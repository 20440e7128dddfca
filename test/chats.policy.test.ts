import { describe, expect, test } from 'vitest';
import { answersFor, type Candidate, canBeginChat, canTalkTo } from '../src/chat-members/policy.ts';
import {
  canDisturb,
  canKeepChat,
  canManageChat,
  canReadAt,
  canReadChat,
  canStress,
  canWriteIn,
  type ManagedChat,
  obstacleTo,
  type Presence,
  takesPart,
} from '../src/chats/policy.ts';
import {
  canDeleteMessage,
  canEditMessage,
  canOversee,
  canSeeAuthor,
  canSeeMessage,
  isTooOld,
  type MessagePlace,
} from '../src/messages/policy.ts';
import type { Role, Viewer } from '../src/viewer.ts';
import { here, leaders, people, staff, type Who, whoOf } from './support/cast.ts';

type Sentence = [string, (viewer: Viewer) => boolean, readonly Who[]];

const school = { id: here, guardianChatsAllowed: false };
const openSchool = { id: here, guardianChatsAllowed: true };
const allGuardians: Who[] = ['guardian', 'guardianOfAnotherChild', 'guardianElsewhere', 'guardianWithoutChild'];
const ofSun: Who[] = ['guardian', 'guardianOfAnotherChild'];

const someone: Candidate = { role: 'EMPLOYEE', verified: true, administrator: false, position: null, groupIds: [] };
const candidates = {
  colleague: someone,
  teacherOfSun: { ...someone, groupIds: ['sun'] },
  unverified: { ...someone, verified: false, groupIds: [] },
  reservedAdministrator: { ...someone, verified: false, administrator: true },
  guardianOfSun: { ...someone, role: 'GUARDIAN', verified: false, groupIds: ['sun'] },
  guardianOfMoon: { ...someone, role: 'GUARDIAN', verified: false, groupIds: ['moon'] },
  guardianOfNobody: { ...someone, role: 'GUARDIAN', verified: false },
  studentOfSun: { ...someone, role: 'STUDENT', verified: false, groupIds: ['sun'] },
} satisfies Record<string, Candidate>;

const talksTo = (of: typeof school, name: keyof typeof candidates) => (viewer: Viewer) =>
  canTalkTo(viewer, of, candidates[name]);

const beginning: Sentence[] = [
  ['begins a chat of several', (viewer) => canBeginChat(viewer, school, 'CUSTOM'), [...leaders, ...staff]],
  ['begins a chat of two', (viewer) => canBeginChat(viewer, school, 'DIRECT'), [...leaders, ...staff]],
  [
    'begins one of two where guardians may',
    (viewer) => canBeginChat(viewer, openSchool, 'DIRECT'),
    [...leaders, ...staff, ...allGuardians],
  ],
  [
    'begins one of several where guardians may',
    (viewer) => canBeginChat(viewer, openSchool, 'CUSTOM'),
    [...leaders, ...staff],
  ],
  ['talks to a colleague', talksTo(school, 'colleague'), [...leaders, ...staff]],
  [
    'talks to an administrator before they are confirmed',
    talksTo(school, 'reservedAdministrator'),
    [...leaders, ...staff],
  ],
  ['talks to unconfirmed staff', talksTo(openSchool, 'unverified'), []],
  ['talks to a family of «Sun»', talksTo(openSchool, 'guardianOfSun'), [...leaders, 'teacher']],
  ['talks to a family of «Moon»', talksTo(openSchool, 'guardianOfMoon'), [...leaders, 'teacherOfAnotherGroup']],
  ['talks to a guardian without a child here', talksTo(openSchool, 'guardianOfNobody'), leaders],
  ['talks to a student of «Sun»', talksTo(openSchool, 'studentOfSun'), [...leaders, 'teacher']],
  [
    'talks to a teacher of «Sun» where guardians may',
    talksTo(openSchool, 'teacherOfSun'),
    [...leaders, ...staff, ...ofSun],
  ],
  ['talks to one where they may not', talksTo(school, 'teacherOfSun'), [...leaders, ...staff]],
];

const as = (...capacities: Role[]): Presence => ({ capacities, stretches: [{ after: 0, through: null }] });
const left: Presence = { capacities: [], stretches: [{ after: 2, through: 4 }] };
const absent: Presence = { capacities: [], stretches: [] };

const custom: ManagedChat = { organizationId: here, kind: 'CUSTOM', creatorId: 'somebody', isOrphaned: false };
const own = { ...custom, creatorId: 'me' };
const orphaned = { ...custom, isOrphaned: true };
const groupChat: ManagedChat = { ...custom, kind: 'GROUP_GUARDIANS', creatorId: null };
const direct: ManagedChat = { ...custom, kind: 'DIRECT' };
const everybody = Object.keys(people) as Who[];

const managing: Sentence[] = [
  ['manages a chat where they are of the staff', (viewer) => canManageChat(viewer, custom, as('EMPLOYEE')), leaders],
  ['manages one that they made', (viewer) => canManageChat(viewer, own, as('EMPLOYEE')), everybody],
  ['manages one whose maker is gone', (viewer) => canManageChat(viewer, orphaned, as('EMPLOYEE')), everybody],
  [
    'manages one where they are a guardian alone',
    (viewer) => canManageChat(viewer, { ...own, isOrphaned: true }, as('GUARDIAN')),
    [],
  ],
  ['manages one that they left', (viewer) => canManageChat(viewer, { ...own, isOrphaned: true }, left), []],
  ['manages a group’s chat', (viewer) => canManageChat(viewer, groupChat, as('EMPLOYEE')), []],
  ['manages one of two', (viewer) => canManageChat(viewer, { ...direct, creatorId: 'me' }, as('EMPLOYEE')), []],
  ['pins in a group’s chat as staff', (viewer) => canKeepChat(viewer, groupChat, as('EMPLOYEE')), everybody],
  ['pins there as a guardian', (viewer) => canKeepChat(viewer, groupChat, as('GUARDIAN')), []],
  ['pins in one of two', (viewer) => canKeepChat(viewer, direct, as('GUARDIAN')), everybody],
  ['pins in one of two that is over', (viewer) => canKeepChat(viewer, direct, left), []],
  ['pins in a chat of several', (viewer) => canKeepChat(viewer, custom, as('EMPLOYEE')), leaders],
  ['disturbs as staff', (viewer) => canDisturb(viewer, custom, as('EMPLOYEE')), leaders],
  ['disturbs as a guardian', (viewer) => canDisturb(viewer, custom, as('GUARDIAN')), []],
];

const sentAt = new Date('2026-09-01T10:00:00Z');
const after = (hours: number) => new Date(sentAt.getTime() + hours * 3_600_000);
const message: MessagePlace = {
  number: 3,
  authorId: 'somebody',
  state: 'SENT',
  capacity: 'GUARDIAN',
  sentAt,
  organizationId: here,
  limitedIn: [],
};
const mine = { ...message, authorId: 'me' };
const hidden = { ...message, limitedIn: ['sun'] };
const active = { state: 'ACTIVE' } as const;
const unsent = { ...message, number: null, state: 'SCHEDULED', sentAt: null } as const;

const deletes = (chat: ManagedChat, of: MessagePlace, presence: Presence) => (viewer: Viewer) =>
  canDeleteMessage(viewer, of, presence, chat, canKeepChat(viewer, chat, presence));

const saying: Sentence[] = [
  ['names a LIMITED guardian’s message', (viewer) => canSeeAuthor(viewer, hidden), [...leaders, 'teacher']],
  ['names their own', (viewer) => canSeeAuthor(viewer, { ...hidden, authorId: 'me' }), everybody],
  ['names anybody else’s', (viewer) => canSeeAuthor(viewer, message), everybody],
  ['sees what was said', (viewer) => canSeeMessage(viewer, message, left), everybody],
  ['sees what was said before their time', (viewer) => canSeeMessage(viewer, { ...mine, number: 2 }, left), []],
  ['sees what was said after it', (viewer) => canSeeMessage(viewer, { ...mine, number: 5 }, left), []],
  ['sees what another has yet to say', (viewer) => canSeeMessage(viewer, unsent, as('EMPLOYEE')), []],
  [
    'sees what they have yet to say',
    (viewer) => canSeeMessage(viewer, { ...unsent, authorId: 'me' }, absent),
    everybody,
  ],
  ['changes what they said', (viewer) => canEditMessage(viewer, mine, as('GUARDIAN'), active, after(23)), everybody],
  ['changes it after a day', (viewer) => canEditMessage(viewer, mine, as('GUARDIAN'), active, after(25)), []],
  [
    'changes it in a frozen chat',
    (viewer) => canEditMessage(viewer, mine, as('EMPLOYEE'), { state: 'READ_ONLY' }, after(1)),
    [],
  ],
  ['changes it when they have left', (viewer) => canEditMessage(viewer, mine, left, active, after(1)), []],
  ['changes what another said', (viewer) => canEditMessage(viewer, message, as('EMPLOYEE'), active, after(1)), []],
  ['deletes their own', deletes(groupChat, mine, as('GUARDIAN')), everybody],
  ['deletes their own when they have left', deletes(groupChat, mine, left), []],
  ['deletes a family’s as staff of a group’s chat', deletes(groupChat, message, as('EMPLOYEE')), everybody],
  ['deletes a colleague’s there', deletes(groupChat, { ...message, capacity: 'EMPLOYEE' }, as('EMPLOYEE')), []],
  ['deletes a family’s as a guardian', deletes(groupChat, message, as('GUARDIAN')), []],
  [
    'deletes anybody’s in a chat of several',
    deletes(custom, { ...message, capacity: 'EMPLOYEE' }, as('EMPLOYEE')),
    leaders,
  ],
  ['deletes the other’s between two', deletes(direct, message, as('EMPLOYEE')), []],
  ['oversees what others said as staff', (viewer) => canOversee(viewer, message, as('EMPLOYEE')), everybody],
  ['oversees it as a guardian', (viewer) => canOversee(viewer, message, as('GUARDIAN')), []],
  ['oversees their own', (viewer) => canOversee(viewer, mine, as('GUARDIAN')), everybody],
];

describe.each([
  ['begins', beginning],
  ['manages', managing],
  ['says', saying],
])('who %s', (_what, sentences) => {
  test.each(sentences)('%s', (_title, may, expected) => {
    expect(whoOf(may)).toEqual([...expected].sort());
  });
});

test('those who lead or work in a group of theirs answer for families, once they are confirmed', () => {
  const { studentOfSun, guardianOfMoon } = candidates;
  const answers = (one: Partial<Candidate>, other: Candidate = studentOfSun) =>
    answersFor({ ...someone, ...one }, other);
  expect(answers({ groupIds: ['sun'] })).toBe(true);
  expect(answers({ groupIds: ['sun'] }, guardianOfMoon)).toBe(false);
  expect(answers({ groupIds: ['sun'], verified: false })).toBe(false);
  expect(answers({ position: 'HEAD' })).toBe(true);
  expect(answers({ position: 'HEAD', verified: false })).toBe(false);
  expect(answers({ administrator: true, verified: false })).toBe(true);
  expect(answers({})).toBe(false);
  expect(answers({ role: 'GUARDIAN', groupIds: ['sun'] })).toBe(false);
});

test('what keeps somebody from writing is said: that they left before that the chat is closed', () => {
  expect(obstacleTo(as('GUARDIAN'), active)).toBeNull();
  for (const state of ['READ_ONLY', 'ARCHIVED'] as const) expect(obstacleTo(as('EMPLOYEE'), { state })).toBe(state);
  for (const state of ['ACTIVE', 'READ_ONLY', 'ARCHIVED'] as const) expect(obstacleTo(left, { state })).toBe('LEFT');
  expect([canWriteIn(as('STUDENT'), active), canWriteIn(left, active), canWriteIn(absent, active)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('one reads what lies within one’s stretches, both ends as they are', () => {
  const twice: Presence = {
    capacities: ['GUARDIAN'],
    stretches: [
      { after: 2, through: 4 },
      { after: 6, through: null },
    ],
  };
  expect([1, 2, 3, 4, 5, 6, 7, 99].filter((number) => canReadAt(twice, number))).toEqual([3, 4, 7, 99]);
  const empty: Presence = { capacities: [], stretches: [{ after: 3, through: 3 }] };
  expect([2, 3, 4].filter((number) => canReadAt(empty, number))).toEqual([]);
  expect([canReadChat(empty), canReadChat(absent), takesPart(left), takesPart(twice)]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

test('only the staff of a chat give messages a weight', () => {
  expect([as('EMPLOYEE'), as('GUARDIAN', 'EMPLOYEE'), as('GUARDIAN'), as('STUDENT'), left].map(canStress)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('what has no time yet is not too old', () => {
  expect([isTooOld(unsent, after(99)), isTooOld(message, after(24)), isTooOld(message, after(24.01))]).toEqual([
    false,
    false,
    true,
  ]);
});
