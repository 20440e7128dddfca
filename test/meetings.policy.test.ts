import { describe, expect, test } from 'vitest';
import {
  type Capacities,
  canRunMeeting,
  canScheduleMeeting,
  canSeeMeeting,
  isOver,
  type MeetingPlace,
  obstacleToJoin,
  type Venue,
} from '../src/meetings/policy.ts';
import type { Viewer } from '../src/viewer.ts';
import { families, here, leaders, members, people, staff, type Who, whoOf } from './support/cast.ts';

const everybody = Object.keys(people) as Who[]; // keys of a constant
const nobody: Who[] = [];

const chat: Venue = { organizationId: here, groupId: null, venueState: 'ACTIVE' };
const group: Venue = { ...chat, groupId: 'sun' };
const meeting = (venue: Venue, hostId = 'another'): MeetingPlace => ({
  ...venue,
  hostId,
  state: 'SCHEDULED',
  isOrphaned: false,
});
const orphaned = (venue: Venue): MeetingPlace => ({ ...meeting(venue), isOrphaned: true });

const asStaff: Capacities = ['EMPLOYEE'];
const asParent: Capacities = ['GUARDIAN'];
const asBoth: Capacities = ['GUARDIAN', 'EMPLOYEE'];
const absent: Capacities = [];

const schedules = (venue: Venue, capacities: Capacities) => (who: Viewer) => canScheduleMeeting(who, venue, capacities);
const runs = (place: MeetingPlace, capacities: Capacities) => (who: Viewer) => canRunMeeting(who, place, capacities);

describe('who', () => {
  test.each<[string, (viewer: Viewer) => boolean, readonly Who[]]>([
    ['plans in a chat where they take part as staff', schedules(chat, asStaff), everybody],
    ['plans in a chat where they take part as staff and as a parent', schedules(chat, asBoth), everybody],
    ['plans in a chat where they take part as a parent', schedules(chat, asParent), leaders],
    ['plans in a chat where they take no part', schedules(chat, absent), nobody],
    ['plans in a group', schedules(group, asStaff), [...leaders, 'teacher']],
    ['plans in a group where they are a parent', schedules(group, asParent), [...leaders, 'teacher']],
    ['plans in a group where they do not belong', schedules(group, absent), nobody],
    ['plans in a frozen chat', schedules({ ...chat, venueState: 'READ_ONLY' }, asStaff), nobody],
    ['plans in an archived group', schedules({ ...group, venueState: 'ARCHIVED' }, asStaff), nobody],
    ['runs another’s meeting in a chat', runs(meeting(chat), asStaff), leaders],
    ['runs another’s meeting in a group', runs(meeting(group), asStaff), leaders],
    ['runs another’s meeting where they take no part', runs(meeting(chat), absent), nobody],
    ['runs one whose host is gone, in a chat', runs(orphaned(chat), asStaff), everybody],
    ['runs one whose host is gone, in a chat where they are a parent', runs(orphaned(chat), asParent), leaders],
    ['runs one whose host is gone, in a group', runs(orphaned(group), asStaff), [...leaders, 'teacher']],
    ['runs their own in a chat', runs(meeting(chat, 'me'), asStaff), everybody],
    ['runs their own in a chat where they are a parent now', runs(meeting(chat, 'me'), asParent), leaders],
    ['runs their own in a group', runs(meeting(group, 'me'), asStaff), [...leaders, 'teacher']],
    ['runs their own where they belong no longer', runs(meeting(group, 'me'), absent), nobody],
    [
      'runs their own in a chat that was frozen meanwhile',
      runs(meeting({ ...chat, venueState: 'READ_ONLY' }, 'me'), asStaff),
      everybody,
    ],
  ])('%s', (_what, may, who) => {
    expect(whoOf(may)).toEqual([...who].sort());
  });
});

test('a meeting is seen by those for whom it is', () => {
  expect([asStaff, asParent, asBoth, ['STUDENT'] as const, absent].map(canSeeMeeting)).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
});

test('only what has ended or was cancelled is over', () => {
  const states = ['SCHEDULED', 'LIVE', 'ENDED', 'CANCELLED'] as const;
  expect(states.filter((state) => isOver({ state }))).toEqual(['ENDED', 'CANCELLED']);
});

describe('joining', () => {
  const of = (state: 'SCHEDULED' | 'LIVE' | 'ENDED' | 'CANCELLED', format: 'ONLINE' | 'HYBRID' = 'ONLINE') => ({
    organizationId: here,
    state,
    format,
  });

  test('is for whoever takes part in the institution, while it goes on', () => {
    const joins = (who: Viewer) => obstacleToJoin(who, of('LIVE'), true) === null;
    expect(whoOf(joins)).toEqual([...leaders, ...staff, ...families].sort());
    const unverified = members.filter((who) => obstacleToJoin(people[who], of('LIVE'), true) === 'UNVERIFIED');
    expect(unverified.sort()).toEqual(['unconfirmedHead', 'unverifiedStaff']);
  });

  test.each([
    ['SCHEDULED', 'ONLINE', true, 'NOT_STARTED'],
    ['ENDED', 'ONLINE', true, 'OVER'],
    ['CANCELLED', 'HYBRID', true, 'OVER'],
    ['LIVE', 'ONLINE', false, 'NOT_CONFIGURED'],
    ['LIVE', 'HYBRID', false, null],
    ['SCHEDULED', 'ONLINE', false, 'NOT_STARTED'],
    ['LIVE', 'ONLINE', true, null],
  ] as const)('of what is %s and %s, with video: %s, meets with %s', (state, format, isConfigured, obstacle) => {
    expect(obstacleToJoin(people.guardian, of(state, format), isConfigured)).toBe(obstacle);
  });
});
