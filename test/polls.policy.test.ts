import { describe, expect, test } from 'vitest';
import type { Presence } from '../src/chats/policy.ts';
import {
  canAskForChildren,
  canAskInChat,
  canAttachPoll,
  canClosePoll,
  canSeeResults,
  canSeeVoters,
  isOfFamilies,
  obstacleAt,
  obstacleToVote,
  type PollPlace,
  shownVoterCount,
  tellsVoterCount,
} from '../src/polls/policy.ts';
import type { PostPlace } from '../src/posts/policy.ts';
import type { Role, Viewer } from '../src/viewer.ts';
import {
  administrators,
  families,
  here,
  leaders,
  members,
  ofGroup,
  people,
  verified,
  type Who,
  whoOf,
} from './support/cast.ts';

const everybody = Object.keys(people) as Who[]; // keys of a constant
const nobody: Who[] = [];
const confirmed: Who[] = [...verified, 'reservedAdministrator'];
const sunPublishers: Who[] = [...leaders, 'teacher'];

const channel = { organizationId: here, groupId: null, state: 'ACTIVE', kind: 'COMMUNITY' } as const;
const community: PostPlace = { authorId: 'another', state: 'PUBLISHED', publishedAt: new Date(), channel };
const staffs: PostPlace = { ...community, channel: { ...channel, kind: 'STAFF' } };
const sun: PostPlace = { ...community, channel: { ...channel, kind: 'GROUP', groupId: 'sun' } };
const unpublished = (state: PostPlace['state'], post = community): PostPlace => ({ ...post, state, publishedAt: null });
const own = (post: PostPlace): PostPlace => ({ ...post, authorId: 'me' });

const as = (...capacities: Role[]): Presence => ({ capacities, stretches: [{ after: 0, through: null }] });
const left: Presence = { capacities: [], stretches: [{ after: 0, through: 9 }] };
const chat = {
  organizationId: here,
  kind: 'GROUP_GUARDIANS',
  creatorId: null,
  state: 'ACTIVE',
  isOrphaned: false,
} as const;
const inChat = (presence: Presence, changes: object = {}): PollPlace => ({
  chat: { ...chat, ...changes },
  own: presence,
});

const poll = {
  state: 'OPEN',
  results: 'ALWAYS',
  anonymous: false,
  closesAt: null,
  creatorId: 'another',
} as const;
const anonymous = { ...poll, anonymous: true } as const;
const counted = { ...poll, electorate: 'PERSON', voterCount: 7 } as const;
const now = new Date();
const elector = { elector: 'me', childId: null, hasVoted: false };
const voted = { ...elector, hasVoted: true };
const { guardian } = people;

const votes = (post: PostPlace) => (who: Viewer) => obstacleToVote(who, poll, { post }, [elector], now) === null;
const closes =
  (place: PollPlace, creatorId = 'another') =>
  (who: Viewer) =>
    canClosePoll(who, { creatorId }, place);

describe('who', () => {
  test.each<[string, (viewer: Viewer) => boolean, readonly Who[]]>([
    ['gives another’s suggestion a poll', (who) => canAttachPoll(who, unpublished('SUGGESTED')), administrators],
    [
      'gives another’s suggestion in a group a poll',
      (who) => canAttachPoll(who, unpublished('APPROVED', sun)),
      sunPublishers,
    ],
    ['gives another’s draft a poll', (who) => canAttachPoll(who, unpublished('DRAFT')), nobody],
    ['gives their own draft a poll', (who) => canAttachPoll(who, own(unpublished('DRAFT'))), everybody],
    ['gives what is published a poll', (who) => canAttachPoll(who, own(community)), nobody],
    ['votes in COMMUNITY', votes(community), [...confirmed, ...families]],
    ['votes in STAFF', votes(staffs), confirmed],
    ['votes in a group', votes(sun), [...sunPublishers, ...ofGroup]],
    ['votes before it is published', votes(own(unpublished('SCHEDULED'))), nobody],
    ['votes in what was archived', votes({ ...community, state: 'ARCHIVED' }), nobody],
    ['votes where it was put away', votes({ ...community, channel: { ...channel, state: 'ARCHIVED' } }), nobody],
    ['closes another’s in COMMUNITY', closes({ post: community }), administrators],
    ['closes another’s in a group', closes({ post: sun }), sunPublishers],
    ['closes their own', closes({ post: community }, 'me'), everybody],
    ['closes another’s as the staff of a chat', closes(inChat(as('EMPLOYEE'))), everybody],
    ['closes another’s as a guardian in a chat', closes(inChat(as('GUARDIAN'))), nobody],
    ['closes another’s in a chat that they do not manage', closes(inChat(as('EMPLOYEE'), { kind: 'CUSTOM' })), leaders],
    ['closes the other’s between two', closes(inChat(as('EMPLOYEE'), { kind: 'DIRECT' })), nobody],
    ['closes their own in a chat', closes(inChat(as('GUARDIAN')), 'me'), everybody],
    ['closes their own in a chat that they left', closes(inChat(left), 'me'), nobody],
  ])('%s', (_sentence, may, allowed) => {
    expect(whoOf(may)).toEqual([...allowed].sort());
  });
});

test('whoever writes in a chat asks there, but not as a student, nor as what they are not', () => {
  const asks = (presence: Presence, capacity?: Role, state: 'ACTIVE' | 'READ_ONLY' | 'ARCHIVED' = 'ACTIVE') =>
    canAskInChat(presence, { state }, capacity);
  expect([asks(as('EMPLOYEE')), asks(as('GUARDIAN')), asks(as('STUDENT', 'GUARDIAN'))]).toEqual([true, true, true]);
  expect([asks(as('STUDENT')), asks(as('STUDENT', 'GUARDIAN'), 'STUDENT'), asks(left)]).toEqual([false, false, false]);
  expect([asks(as('GUARDIAN'), 'EMPLOYEE'), asks(left, 'EMPLOYEE')]).toEqual([false, false]);
  expect([asks(as('EMPLOYEE'), 'EMPLOYEE', 'READ_ONLY'), asks(as('EMPLOYEE'), 'EMPLOYEE', 'ARCHIVED')]).toEqual([
    false,
    false,
  ]);
});

test('votes for children are asked by the staff as such, where families are', () => {
  const both = as('EMPLOYEE', 'GUARDIAN');
  expect([canAskForChildren(both, 'EMPLOYEE'), canAskForChildren(both, 'GUARDIAN')]).toEqual([true, false]);
  expect(canAskForChildren(as('GUARDIAN'), 'EMPLOYEE')).toBe(false);
  const kinds = ['GROUP_GUARDIANS', 'HEAD_STAFF', 'CUSTOM', 'DIRECT'].map((kind) =>
    isOfFamilies(inChat(both, { kind })),
  );
  expect(kinds).toEqual([true, false, false, false]);
  expect([community, sun, staffs].map((post) => isOfFamilies({ post }))).toEqual([true, true, false]);
});

test.each([
  ['nothing', poll, inChat(as('GUARDIAN')), [elector], null],
  ['nothing, who votes anew', poll, inChat(as('GUARDIAN')), [voted], null],
  ['that it is closed', { ...poll, state: 'CLOSED' } as const, inChat(as('GUARDIAN')), [elector], 'CLOSED'],
  ['that its deadline is now', { ...poll, closesAt: now }, inChat(as('GUARDIAN')), [elector], 'CLOSED'],
  ['that the chat is frozen', poll, inChat(as('GUARDIAN'), { state: 'READ_ONLY' }), [elector], 'PLACE_CLOSED'],
  ['that the chat was put away', poll, inChat(as('GUARDIAN'), { state: 'ARCHIVED' }), [elector], 'PLACE_CLOSED'],
  ['that they have left', poll, inChat(left), [elector], 'LEFT'],
  ['that it is about others’ children', poll, inChat(as('GUARDIAN')), [], 'NOT_CONCERNED'],
  ['that an anonymous vote stays', anonymous, inChat(as('GUARDIAN')), [voted], 'FINAL'],
  ['nothing, while one of their children has no vote', anonymous, inChat(as('GUARDIAN')), [voted, elector], null],
] as const)('what keeps a guardian from voting is %s', (_what, rules, place, electors, obstacle) => {
  expect(obstacleToVote(guardian, rules, place, electors, now)).toBe(obstacle);
});

test('what keeps an employee from voting whose status is not confirmed is that', () => {
  expect(obstacleAt(people.unverifiedStaff, { post: community })).toBe('UNVERIFIED');
  expect(members.filter((who) => obstacleAt(people[who], { post: community }) === 'UNVERIFIED').toSorted()).toEqual([
    'unconfirmedHead',
    'unverifiedStaff',
  ]);
});

test('results are seen always, after one’s own vote, or after the end', () => {
  const sees = (results: 'ALWAYS' | 'AFTER_VOTE' | 'AFTER_CLOSE', changes: object = {}) => [
    canSeeResults({ ...counted, results, ...changes }, []),
    canSeeResults({ ...counted, results, ...changes }, [elector]),
    canSeeResults({ ...counted, results, ...changes }, [elector, voted]),
    canSeeResults({ ...counted, results, ...changes, state: 'CLOSED' }, []),
  ];
  expect(sees('ALWAYS')).toEqual([true, true, true, true]);
  expect(sees('AFTER_VOTE')).toEqual([false, false, true, true]);
  expect(sees('AFTER_CLOSE')).toEqual([false, false, false, true]);
  // Until a child counts once, and while so few have voted that it is known who chose what.
  expect(sees('ALWAYS', { electorate: 'CHILD' })).toEqual([false, false, false, true]);
  expect(sees('ALWAYS', { anonymous: true, voterCount: 4 })).toEqual([false, false, false, false]);
  expect(sees('ALWAYS', { anonymous: true, voterCount: 5 })).toEqual([true, true, true, true]);
});

test('who chose what is seen with the results by the staff who take part, and between two, unless the poll is anonymous', () => {
  const place = inChat(as('EMPLOYEE'));
  expect(canSeeVoters(people.teacher, counted, place, [voted])).toBe(true);
  expect(canSeeVoters(guardian, counted, inChat(as('GUARDIAN')), [voted])).toBe(false);
  expect(canSeeVoters(guardian, counted, inChat(as('GUARDIAN'), { kind: 'DIRECT' }), [voted])).toBe(true);
  expect(canSeeVoters(people.teacher, { ...counted, results: 'AFTER_VOTE' }, place, [elector])).toBe(false);
  expect(canSeeVoters(people.teacher, { ...counted, anonymous: true, state: 'CLOSED' }, place, [voted])).toBe(false);
  expect(canSeeVoters(people.teacher, counted, inChat(left), [voted])).toBe(false);
});

test('how many have voted is seen, of an anonymous poll in steps, and of one for children that is open not by all', () => {
  expect([0, 4, 5, 9, 10].map((voterCount) => shownVoterCount({ ...counted, anonymous: true, voterCount }))).toEqual([
    0, 0, 5, 5, 10,
  ]);
  expect(shownVoterCount({ ...counted, anonymous: true, state: 'CLOSED' })).toBe(7);
  const forChildren = { ...counted, electorate: 'CHILD' } as const;
  expect([counted, forChildren, { ...forChildren, state: 'CLOSED' } as const].map(tellsVoterCount)).toEqual([
    true,
    false,
    true,
  ]);
});
