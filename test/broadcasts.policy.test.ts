import { describe, expect, test } from 'vitest';
import { canSeeAttendance } from '../src/broadcast-attendance/policy.ts';
import {
  canAsk,
  canMindQuestion,
  canSeeAsker,
  canSeeQuestion,
  canWithdrawQuestion,
  type QuestionPlace,
} from '../src/broadcast-questions/policy.ts';
import {
  type BroadcastPlace,
  canAppointHost,
  canHost,
  canRunBroadcast,
  canSchedule,
  canSeeBroadcast,
  canWatch,
  isHostOf,
  isOver,
} from '../src/broadcasts/policy.ts';
import type { Viewer } from '../src/viewer.ts';
import { families, here, leaders, members, ofGroup, people, verified, type Who, whoOf } from './support/cast.ts';

const nobody: Who[] = [];
const confirmed: Who[] = [...verified, 'reservedAdministrator'];
const watchers: Who[] = [...confirmed, ...families];
const sunReaders: Who[] = [...leaders, 'teacher', ...ofGroup];
/** Who can be made a host: employees whose status is confirmed. */
const verifiedLeaders: Who[] = ['administrator', 'head'];

const channel = { organizationId: here, groupId: null, state: 'ACTIVE', kind: 'COMMUNITY' } as const;
const staffRoom = { ...channel, kind: 'STAFF' } as const;
const sun = { ...channel, kind: 'GROUP', groupId: 'sun' } as const;
const archived = { ...sun, state: 'ARCHIVED' } as const;

const community = { state: 'LIVE', hostId: 'another', channel, questioning: 'MODERATED' } as const;
const ofStaff = { ...community, channel: staffRoom } as const;
const ofSun = { ...community, channel: sun } as const;
const own = <Broadcast extends BroadcastPlace>(broadcast: Broadcast): Broadcast => ({ ...broadcast, hostId: 'me' });

const question = {
  organizationId: here,
  authorId: 'another',
  state: 'PENDING',
  broadcast: community,
  limitedIn: [],
} as const satisfies QuestionPlace;
const asked = (changes: Partial<QuestionPlace>): QuestionPlace => ({ ...question, ...changes });
const inState = (state: QuestionPlace['state'], changes: Partial<QuestionPlace> = {}) => asked({ state, ...changes });
const mine = { authorId: 'me' };
const toMe = { broadcast: own(community) };

describe('who', () => {
  test.each<[string, (viewer: Viewer) => boolean, readonly Who[]]>([
    ['sees a broadcast to everybody', (who) => canSeeBroadcast(who, community), members],
    ['sees a broadcast to the staff', (who) => canSeeBroadcast(who, ofStaff), confirmed],
    ['sees a broadcast to a group', (who) => canSeeBroadcast(who, ofSun), sunReaders],
    ['sees a broadcast in an archived channel', (who) => canSeeBroadcast(who, { channel: archived }), sunReaders],
    ['watches a broadcast to everybody', (who) => canWatch(who, community), watchers],
    ['watches a broadcast to the staff', (who) => canWatch(who, ofStaff), confirmed],
    ['watches a broadcast to a group', (who) => canWatch(who, ofSun), sunReaders],
    ['can host for everybody', (who) => canHost(who, channel), verified],
    ['can host for the staff', (who) => canHost(who, staffRoom), verified],
    ['can host for a group', (who) => canHost(who, sun), [...verifiedLeaders, 'teacher']],
    ['says who is to host', (who) => canAppointHost(who, channel), leaders],
    ['plans broadcasts to everybody', (who) => canSchedule(who, channel), leaders],
    ['plans broadcasts to the staff', (who) => canSchedule(who, staffRoom), leaders],
    ['plans broadcasts to a group', (who) => canSchedule(who, sun), [...leaders, 'teacher']],
    ['plans broadcasts in an archived channel', (who) => canSchedule(who, archived), nobody],
    ['has the stream key of another’s broadcast', (who) => isHostOf(who, community), nobody],
    ['has the stream key of their own', (who) => isHostOf(who, own(community)), verified],
    ['has the stream key of their own to a group', (who) => isHostOf(who, own(ofSun)), [...verifiedLeaders, 'teacher']],
    ['runs another’s broadcast', (who) => canRunBroadcast(who, community), leaders],
    ['runs their own', (who) => canRunBroadcast(who, own(community)), confirmed],
    ['runs their own to a group', (who) => canRunBroadcast(who, own(ofSun)), [...leaders, 'teacher']],
    ['sees who watched another’s broadcast', (who) => canSeeAttendance(who, ofSun), leaders],
    ['sees who watched their own to a group', (who) => canSeeAttendance(who, own(ofSun)), [...leaders, 'teacher']],
    ['sees who watched their own to the staff', (who) => canSeeAttendance(who, own(ofStaff)), confirmed],
    ['sees who watched their own to everybody', (who) => canSeeAttendance(who, own(community)), leaders],
    ['asks a host', (who) => canAsk(who, community), watchers],
    ['asks a host of the group', (who) => canAsk(who, ofSun), sunReaders],
    ['asks where no questions are taken', (who) => canAsk(who, { ...community, questioning: 'OFF' }), nobody],
    ['asks before it begins', (who) => canAsk(who, { ...community, state: 'SCHEDULED' }), nobody],
    ['asks when it is over', (who) => canAsk(who, { ...community, state: 'ENDED' }), nobody],
    ['sees a question that waits', (who) => canSeeQuestion(who, question), leaders],
    ['sees their own that waits', (who) => canSeeQuestion(who, asked(mine)), members],
    ['sees one that waits for them', (who) => canSeeQuestion(who, asked(toMe)), confirmed],
    ['sees a question that was rejected', (who) => canSeeQuestion(who, inState('REJECTED')), leaders],
    ['sees a question that was taken back', (who) => canSeeQuestion(who, inState('WITHDRAWN')), leaders],
    ['sees a question that is shown', (who) => canSeeQuestion(who, inState('SHOWN')), members],
    ['sees an answer', (who) => canSeeQuestion(who, inState('ANSWERED')), members],
    ['sees an answer to a group', (who) => canSeeQuestion(who, inState('ANSWERED', { broadcast: ofSun })), sunReaders],
    ['sees their own to a group', (who) => canSeeQuestion(who, asked({ ...mine, broadcast: ofSun })), sunReaders],
    ['learns who asked', (who) => canSeeAsker(who, question), Object.keys(people) as Who[]], // of a question they see
    [
      'learns that a LIMITED guardian asked',
      (who) => canSeeAsker(who, asked({ limitedIn: ['sun'] })),
      [...leaders, 'teacher'],
    ],
    [
      'learns so as the host',
      (who) => canSeeAsker(who, asked({ limitedIn: ['sun'], broadcast: own(community) })),
      [...leaders, 'teacher'],
    ],
    ['decides on a question', (who) => canMindQuestion(who, question), leaders],
    ['decides on one that is put to them', (who) => canMindQuestion(who, asked(toMe)), confirmed],
    ['decides anew on a rejected one', (who) => canMindQuestion(who, inState('REJECTED')), leaders],
    ['decides on one that was taken back', (who) => canMindQuestion(who, inState('WITHDRAWN', toMe)), nobody],
    ['decides on their own', (who) => canMindQuestion(who, asked(mine)), leaders],
    ['takes another’s question back', (who) => canWithdrawQuestion(who, asked(toMe)), nobody],
    ['takes their own back', (who) => canWithdrawQuestion(who, asked(mine)), Object.keys(people) as Who[]],
    [
      'takes their own back once it is shown',
      (who) => canWithdrawQuestion(who, inState('SHOWN', mine)),
      Object.keys(people) as Who[],
    ],
    ['takes an answered one back', (who) => canWithdrawQuestion(who, inState('ANSWERED', mine)), nobody],
    ['takes a rejected one back', (who) => canWithdrawQuestion(who, inState('REJECTED', mine)), nobody],
  ])('%s', (_sentence, may, allowed) => {
    expect(whoOf(may)).toEqual([...allowed].sort());
  });
});

test('a broadcast is over when it has ended or was called off', () => {
  const states = ['SCHEDULED', 'LIVE', 'ENDED', 'CANCELLED'] as const;
  expect(states.filter((state) => isOver({ state }))).toEqual(['ENDED', 'CANCELLED']);
});
