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
  isStaffIn,
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
  editHours,
  isTooOld,
  type MessagePlace,
} from '../src/messages/policy.ts';
import type { Role, Viewer } from '../src/viewer.ts';
import { here, leaders, people, staff, type Who, whoOf } from './support/cast.ts';

type Sentence = [string, (viewer: Viewer) => boolean, readonly Who[]];

const everybody = Object.keys(people) as Who[]; // keys of a constant
const nobody: Who[] = [];
const chatLeaders: Who[] = [...leaders];
const beginners: Who[] = [...leaders, ...staff];
const guardiansHere: Who[] = ['guardian', 'guardianOfAnotherChild', 'guardianElsewhere', 'guardianWithoutChild'];

const as = (...capacities: Role[]): Presence => ({ capacities, stretches: [{ after: 0, through: null }] });
const left: Presence = { capacities: [], stretches: [{ after: 2, through: 9 }] };
const never: Presence = { capacities: [], stretches: [] };

const custom: ManagedChat = { organizationId: here, kind: 'CUSTOM', creatorId: 'another', isOrphaned: false };
const of = (kind: ManagedChat['kind']): ManagedChat => ({
  ...custom,
  kind,
  creatorId: kind === 'DIRECT' ? 'another' : null,
});
const mine: ManagedChat = { ...custom, creatorId: 'me' };
const orphaned: ManagedChat = { ...custom, isOrphaned: true };
const derived = [of('HEAD_STAFF'), of('GROUP_GUARDIANS')];

const managing: Sentence[] = [
  ['manages their own chat', (who) => canManageChat(who, mine, as('EMPLOYEE')), everybody],
  [
    'manages their own chat as staff who is also a guardian',
    (who) => canManageChat(who, mine, as('GUARDIAN', 'EMPLOYEE')),
    everybody,
  ],
  ['manages their own chat, no longer staff', (who) => canManageChat(who, mine, as('GUARDIAN')), nobody],
  ['manages their own chat that they left', (who) => canManageChat(who, mine, left), nobody],
  ['manages another’s chat where they take part', (who) => canManageChat(who, custom, as('EMPLOYEE')), chatLeaders],
  ['manages another’s chat where they do not', (who) => canManageChat(who, custom, never), nobody],
  ['manages another’s chat where they have been', (who) => canManageChat(who, custom, left), nobody],
  ['manages a chat whose maker is gone', (who) => canManageChat(who, orphaned, as('EMPLOYEE')), everybody],
  ['manages it as a guardian', (who) => canManageChat(who, orphaned, as('GUARDIAN')), nobody],
  ['manages it as a student', (who) => canManageChat(who, orphaned, as('STUDENT')), nobody],
  ['manages a chat between two', (who) => canManageChat(who, { ...mine, kind: 'DIRECT' }, as('EMPLOYEE')), nobody],
  ['manages the institution’s own', (who) => derived.some((chat) => canManageChat(who, chat, as('EMPLOYEE'))), nobody],
  ['pins as the staff of a group’s chat', (who) => canKeepChat(who, of('GROUP_GUARDIANS'), as('EMPLOYEE')), everybody],
  ['pins as a guardian there', (who) => canKeepChat(who, of('GROUP_GUARDIANS'), as('GUARDIAN')), nobody],
  ['pins among the staff', (who) => canKeepChat(who, of('HEAD_STAFF'), as('EMPLOYEE')), everybody],
  ['pins between two', (who) => canKeepChat(who, of('DIRECT'), as('GUARDIAN')), everybody],
  ['pins between two that are no longer', (who) => canKeepChat(who, of('DIRECT'), left), nobody],
  ['pins in another’s chat', (who) => canKeepChat(who, custom, as('EMPLOYEE')), chatLeaders],
  ['pins in another’s chat as a guardian', (who) => canKeepChat(who, custom, as('GUARDIAN')), nobody],
  ['pins in their own', (who) => canKeepChat(who, mine, as('EMPLOYEE')), everybody],
  ['pins where they have been', (who) => canKeepChat(who, of('GROUP_GUARDIANS'), left), nobody],
  ['disturbs at night', (who) => canDisturb(who, custom, as('EMPLOYEE')), chatLeaders],
  ['disturbs at night where they are a guardian', (who) => canDisturb(who, custom, as('GUARDIAN')), nobody],
  ['disturbs at night where they have been', (who) => canDisturb(who, custom, left), nobody],
];

const now = new Date('2026-11-24T12:00:00Z');
const ago = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);
const said: MessagePlace = {
  organizationId: here,
  number: 5,
  authorId: 'another',
  state: 'SENT',
  capacity: 'GUARDIAN',
  sentAt: ago(1),
  limitedIn: [],
};
const own = (changes: Partial<MessagePlace> = {}): MessagePlace => ({ ...said, authorId: 'me', ...changes });
const unsent = (state: MessagePlace['state']): MessagePlace => ({ ...said, state, number: null, sentAt: null });
const byStaff: MessagePlace = { ...said, capacity: 'EMPLOYEE' };
const active = { state: 'ACTIVE' } as const;
const frozen = { state: 'READ_ONLY' } as const;

const edits =
  (message: MessagePlace, presence: Presence, chat: { state: 'ACTIVE' | 'READ_ONLY' | 'ARCHIVED' } = active) =>
  (who: Viewer) =>
    canEditMessage(who, message, presence, chat, now);
const deletes = (message: MessagePlace, presence: Presence, chat: ManagedChat) => (who: Viewer) =>
  canDeleteMessage(who, message, presence, chat, canKeepChat(who, chat, presence));

const seeing: Sentence[] = [
  ['sees what is said where they take part', (who) => canSeeMessage(who, said, as('GUARDIAN')), everybody],
  ['sees what was said while they did', (who) => canSeeMessage(who, said, left), everybody],
  ['sees what was said before they came', (who) => canSeeMessage(who, { ...said, number: 2 }, left), nobody],
  ['sees what was said after they left', (who) => canSeeMessage(who, { ...said, number: 10 }, left), nobody],
  ['sees their own that they do not read any more', (who) => canSeeMessage(who, own({ number: 10 }), left), nobody],
  ['sees what is said elsewhere', (who) => canSeeMessage(who, said, never), nobody],
  ['sees what was deleted', (who) => canSeeMessage(who, { ...said, state: 'DELETED' }, as('GUARDIAN')), everybody],
  ...(['SCHEDULED', 'FAILED', 'CANCELLED'] as const).flatMap((state): Sentence[] => [
    [`sees what another has ${state}`, (who) => canSeeMessage(who, unsent(state), as('EMPLOYEE')), nobody],
    [
      `sees what they have ${state}`,
      (who) => canSeeMessage(who, { ...unsent(state), authorId: 'me' }, as('EMPLOYEE')),
      everybody,
    ],
  ]),
  ['knows who said something', (who) => canSeeAuthor(who, said), everybody],
  [
    'knows that a LIMITED guardian did',
    (who) => canSeeAuthor(who, { ...said, limitedIn: ['sun'] }),
    [...leaders, 'teacher'],
  ],
  ['knows it of a child without a place', (who) => canSeeAuthor(who, { ...said, limitedIn: [null] }), leaders],
  [
    'knows that they said it themself, LIMITED or not',
    (who) => canSeeAuthor(who, own({ limitedIn: ['sun'] })),
    everybody,
  ],
  ['reads what a message said before, as staff', (who) => canOversee(who, said, as('EMPLOYEE')), everybody],
  ['reads what it said before, as a guardian', (who) => canOversee(who, said, as('GUARDIAN')), nobody],
  ['reads what their own said before', (who) => canOversee(who, own(), as('GUARDIAN')), everybody],
  ['reads what it said before, where they have been', (who) => canOversee(who, said, left), nobody],
];

const changing: Sentence[] = [
  ['edits their own', edits(own(), as('GUARDIAN')), everybody],
  ['edits another’s, as the staff', edits(said, as('EMPLOYEE')), nobody],
  ['edits their own after a day', edits(own({ sentAt: ago(editHours + 0.01) }), as('EMPLOYEE')), nobody],
  ['edits their own at the end of the day', edits(own({ sentAt: ago(editHours) }), as('EMPLOYEE')), everybody],
  ['edits their own where they have been', edits(own(), left), nobody],
  ['edits their own where it is frozen', edits(own(), as('EMPLOYEE'), frozen), nobody],
  ['edits their own where it was put away', edits(own(), as('EMPLOYEE'), { state: 'ARCHIVED' }), nobody],
  ['edits their own that was deleted', edits(own({ state: 'DELETED' }), as('EMPLOYEE')), nobody],
  ['edits their own that is not sent', edits({ ...unsent('SCHEDULED'), authorId: 'me' }, as('EMPLOYEE')), nobody],
  ['deletes their own', deletes(own(), as('GUARDIAN'), of('GROUP_GUARDIANS')), everybody],
  ['deletes their own where they have been', deletes(own(), left, of('GROUP_GUARDIANS')), nobody],
  ['deletes what families said, as the staff', deletes(said, as('EMPLOYEE'), of('GROUP_GUARDIANS')), everybody],
  ['deletes what another family said', deletes(said, as('GUARDIAN'), of('GROUP_GUARDIANS')), nobody],
  ['deletes what a colleague said', deletes(byStaff, as('EMPLOYEE'), of('GROUP_GUARDIANS')), nobody],
  ['deletes what a colleague said among the staff', deletes(byStaff, as('EMPLOYEE'), of('HEAD_STAFF')), nobody],
  ['deletes what the other of two said', deletes(said, as('EMPLOYEE'), of('DIRECT')), nobody],
  ['deletes what was said in a chat of theirs', deletes(byStaff, as('EMPLOYEE'), mine), everybody],
  ['deletes what was said in another’s chat', deletes(said, as('EMPLOYEE'), custom), chatLeaders],
  ['deletes what was said where they have been', deletes(said, left, mine), nobody],
];

const allowing = { id: here, guardianChatsAllowed: true };
const strict = { id: here, guardianChatsAllowed: false };
const candidate = (role: Role, changes: Partial<Candidate> = {}): Candidate => ({
  role,
  verified: role === 'EMPLOYEE',
  administrator: false,
  position: null,
  groupIds: [],
  ...changes,
});
const colleague = candidate('EMPLOYEE');
const teacherOfSun = candidate('EMPLOYEE', { groupIds: ['sun'] });
const newcomer = candidate('EMPLOYEE', { verified: false, groupIds: ['sun'] });
const family = candidate('GUARDIAN', { groupIds: ['sun'] });
const student = candidate('STUDENT', { groupIds: ['sun'] });
const ofSun: Who[] = ['guardian', 'guardianOfAnotherChild'];

const beginning: Sentence[] = [
  ['makes a chat', (who) => canBeginChat(who, allowing, 'CUSTOM'), beginners],
  ['begins to talk to somebody', (who) => canBeginChat(who, allowing, 'DIRECT'), [...beginners, ...guardiansHere]],
  ['begins to talk to somebody where guardians do not', (who) => canBeginChat(who, strict, 'DIRECT'), beginners],
  ['talks to a colleague', (who) => canTalkTo(who, allowing, colleague), beginners],
  ['talks to a teacher of a group', (who) => canTalkTo(who, allowing, teacherOfSun), [...beginners, ...ofSun]],
  ['talks to that teacher where guardians begin nothing', (who) => canTalkTo(who, strict, teacherOfSun), beginners],
  ['talks to somebody whose status is not confirmed', (who) => canTalkTo(who, allowing, newcomer), nobody],
  [
    'talks to the administrator whose status is not confirmed',
    (who) => canTalkTo(who, allowing, { ...newcomer, administrator: true }),
    beginners,
  ],
  ['talks to a guardian of a group', (who) => canTalkTo(who, allowing, family), [...leaders, 'teacher']],
  ['talks to a student of a group', (who) => canTalkTo(who, allowing, student), [...leaders, 'teacher']],
  ['talks to a guardian without a child there', (who) => canTalkTo(who, allowing, candidate('GUARDIAN')), leaders],
];

/** The law of domain.md §2.2.6, 2.3.3, 2.4.2 and §3 on chats, a sentence a line: who may, and nobody else. */
describe('who', () => {
  test.each([...managing, ...seeing, ...changing, ...beginning])('%s', (_sentence, may, allowed) => {
    expect(whoOf(may)).toEqual([...allowed].sort());
  });
});

describe('somebody', () => {
  test.each<[string, Presence, number, boolean]>([
    ['the first message since they came', { capacities: [], stretches: [{ after: 2, through: 9 }] }, 3, true],
    ['the last before they came', { capacities: [], stretches: [{ after: 2, through: 9 }] }, 2, false],
    ['the last while they were there', { capacities: [], stretches: [{ after: 2, through: 9 }] }, 9, true],
    ['the first after they left', { capacities: [], stretches: [{ after: 2, through: 9 }] }, 10, false],
    [
      'what was said between two stays',
      {
        capacities: ['GUARDIAN'],
        stretches: [
          { after: 0, through: 3 },
          { after: 7, through: null },
        ],
      },
      5,
      false,
    ],
    [
      'what was said in the second stay',
      {
        capacities: ['GUARDIAN'],
        stretches: [
          { after: 0, through: 3 },
          { after: 7, through: null },
        ],
      },
      8,
      true,
    ],
    [
      'what was said in the first stay',
      {
        capacities: ['GUARDIAN'],
        stretches: [
          { after: 0, through: 3 },
          { after: 7, through: null },
        ],
      },
      1,
      true,
    ],
  ])('reads %s', (_what, presence, number, reads) => {
    expect(canReadAt(presence, number)).toBe(reads);
  });

  test('reads a chat while they take part, and what was said when they did', () => {
    expect([as('GUARDIAN'), left, never].map(canReadChat)).toEqual([true, true, false]);
    expect([as('GUARDIAN'), left, never].map(takesPart)).toEqual([true, false, false]);
  });

  test.each<[string, Presence, 'ACTIVE' | 'READ_ONLY' | 'ARCHIVED', ReturnType<typeof obstacleTo>]>([
    ['nothing', as('STUDENT'), 'ACTIVE', null],
    ['that it is frozen', as('EMPLOYEE'), 'READ_ONLY', 'READ_ONLY'],
    ['that it was put away', as('EMPLOYEE'), 'ARCHIVED', 'ARCHIVED'],
    ['that they have left', left, 'ACTIVE', 'LEFT'],
    ['first that they have left', left, 'READ_ONLY', 'LEFT'],
  ])('is kept from writing by %s', (_what, presence, state, obstacle) => {
    expect(obstacleTo(presence, { state })).toBe(obstacle);
    expect(canWriteIn(presence, { state })).toBe(obstacle === null);
  });

  test('gives weight to what they say as the staff alone', () => {
    const presences = [as('EMPLOYEE'), as('GUARDIAN', 'EMPLOYEE'), as('GUARDIAN'), as('STUDENT'), left];
    expect(presences.map(canStress)).toEqual([true, true, false, false, false]);
    expect(presences.map(isStaffIn)).toEqual([true, true, false, false, false]);
  });

  test('has a day to change their words, to the minute', () => {
    expect([ago(0), ago(23.99), ago(24), ago(24.01)].map((sentAt) => isTooOld({ sentAt }, now))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(isTooOld({ sentAt: null }, now)).toBe(false);
  });
});

test.each<[string, Candidate, boolean]>([
  ['a teacher of their group', teacherOfSun, true],
  ['a teacher of another group', { ...teacherOfSun, groupIds: ['moon'] }, false],
  ['a teacher whose status is not confirmed', newcomer, false],
  ['an administrator', { ...colleague, administrator: true }, true],
  ['an administrator whose status is not confirmed', { ...newcomer, groupIds: [], administrator: true }, true],
  ['the head', { ...colleague, position: 'HEAD' }, true],
  ['a head whose status is not confirmed', { ...newcomer, groupIds: [], position: 'HEAD' }, false],
  ['another guardian of the group', family, false],
])('%s may answer for families', (_who, one, answers) => {
  expect(answersFor(one, family)).toBe(answers);
  expect(answersFor(one, student)).toBe(answers);
});
