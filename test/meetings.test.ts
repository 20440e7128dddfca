import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { globalId, parseGlobalId } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { custom, idOfUser, move, talk } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { comeDue } from './support/due.ts';
import { LiveKit } from './support/livekit.ts';
import { begun, inHours, joined, meetingFor, peopleOf, planned, schedule } from './support/meetings.ts';
import { answer, atOnce, follow, inSeconds, type Newsroom, openNewsroom, student } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let livekit: LiveKit;
let app: TestApp;
/** An installation without LiveKit. */
let bare: TestApp;
let room: Newsroom;
let bareRoom: Newsroom;
let stranger: Person;
let pupil: Person;
let groupChat: string;

beforeAll(async () => {
  livekit = await LiveKit.start();
  app = await startTestApp({ config: { conferencing: livekit.config } });
  bare = await startTestApp();
  room = await openNewsroom(app.world);
  bareRoom = await openNewsroom(bare.world);
  stranger = (await app.world.school('School 9', 'SCHOOL')).administrator;
  pupil = await student(room, room.groupId);
  groupChat = await app.world.chat(room.teacher, room.school, room.groupId);
});
afterAll(async () => {
  await bare[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  await livekit[Symbol.asyncDispose]();
});

const ofGroup = () => ({ groupId: room.groupId });
const becomes = (person: Person, id: string, state: string) =>
  eventually(async () => expect(await meetingFor(person, id)).toMatchObject({ state }));
const titles = ({ nodes }: Json): string[] => nodes.map(({ title }: Json) => title);

/** What each of some people is answered, by their names in the room. */
const answers = async (people: Readonly<Record<string, Person>>, ask: (person: Person) => Promise<Json>) =>
  Object.fromEntries(
    await Promise.all(Object.entries(people).map(async ([who, one]) => [who, answer(await ask(one))])),
  );

const everybody = (): Record<string, Person> => {
  const { administrator, head, teacher, otherTeacher, unverified, guardian, otherGuardian } = room;
  return { administrator, head, teacher, otherTeacher, unverified, guardian, otherGuardian, pupil, stranger };
};

test('a planned meeting is told to everybody in the group, wherever they listen, and to nobody else', async () => {
  const { teacher, guardian, otherGuardian, school, groupId } = room;
  await using theirs = await follow(guardian, 'ViewerEvents');
  await using groups = await follow(guardian, 'GroupEvents', { groupId });
  await using organizations = await follow(teacher, 'OrganizationEvents', { organizationId: school.id });
  await using elsewhere = await follow(otherGuardian, 'ViewerEvents');
  const made = await schedule(teacher, ofGroup(), { agenda: '1. Лыжи\n2. Разное' });
  expect(made).toMatchObject({
    state: 'SCHEDULED',
    format: 'ONLINE',
    location: null,
    agenda: '1. Лыжи\n2. Разное',
    remindBefore: 15,
    host: { id: await idOfUser(teacher) },
    group: { id: groupId },
    chat: null,
    viewerCanRun: true,
    viewerCanJoin: { allowed: false, reason: 'NOT_STARTED' },
  });
  expect(Date.parse(made.endsAt) - Date.parse(made.startsAt)).toBe(3_600_000);
  const event = { kind: 'MEETING_SCHEDULED', meetingId: made.id, meeting: { id: made.id, state: 'SCHEDULED' } };
  for (const stream of [theirs, groups, organizations])
    expect(await stream.nextOf('MeetingChanged')).toMatchObject(event);
  await teacher.does('CancelMeeting', { meetingId: made.id });
  const ours = await idOfUser(otherGuardian);
  await otherGuardian.does('UpdateProfile', { input: { locale: 'ru' } });
  expect(await elsewhere.nextOf('ProfileUpdated')).toMatchObject({ user: { id: ours } });
  expect(elsewhere.delivered.filter(({ __typename }) => __typename === 'MeetingChanged')).toEqual([]);
});

test('a meeting of a chat is told in the chat, from its beginning to its end', async () => {
  const { teacher, guardian } = room;
  await using heard = await follow(guardian, 'ChatEvents', { chatId: groupChat });
  const meetingId = await planned(teacher, { chatId: groupChat });
  await teacher.does('UpdateMeeting', { input: { meetingId, title: 'Otherwise' } });
  await teacher.does('StartMeeting', { meetingId });
  await teacher.does('EndMeeting', { meetingId });
  for (const kind of ['MEETING_SCHEDULED', 'MEETING_UPDATED', 'MEETING_STARTED', 'MEETING_ENDED'])
    expect(await heard.nextOf('MeetingChanged')).toMatchObject({ kind, meetingId });
  expect(await meetingFor(guardian, meetingId)).toMatchObject({ chat: { id: groupChat }, group: null });
});

describe('who plans meetings', () => {
  test('of a group: who leads, and its own staff', async () => {
    const may = { administrator: 'Meeting', head: 'Meeting', teacher: 'Meeting' };
    const seen = { guardian: 'FORBIDDEN', pupil: 'FORBIDDEN' };
    const unseen = {
      otherTeacher: 'NOT_FOUND',
      unverified: 'NOT_FOUND',
      otherGuardian: 'NOT_FOUND',
      stranger: 'NOT_FOUND',
    };
    expect(await answers(everybody(), (who) => schedule(who, ofGroup()))).toEqual({ ...may, ...seen, ...unseen });
  });

  test('of a chat: who takes part in it as staff', async () => {
    const unseen = Object.fromEntries(Object.keys(everybody()).map((who) => [who, 'NOT_FOUND']));
    expect(await answers(everybody(), (who) => schedule(who, { chatId: groupChat }))).toEqual({
      ...unseen,
      teacher: 'Meeting',
      guardian: 'FORBIDDEN',
    });
    const colleagues = await app.world.chat(room.head, room.school);
    expect(answer(await schedule(room.otherTeacher, { chatId: colleagues }))).toBe('Meeting');
  });

  test('of all staff: who leads, and all confirmed staff see it', async () => {
    const staff = { groupId: room.school.staffGroupId };
    expect(answer(await schedule(room.teacher, staff))).toBe('FORBIDDEN');
    const meetingId = await planned(room.head, staff);
    const sees = await Promise.all(
      Object.entries(everybody()).map(async ([who, one]) => ((await meetingFor(one, meetingId)) ? [who] : [])),
    );
    expect(sees.flat().toSorted()).toEqual(['administrator', 'head', 'otherTeacher', 'teacher']);
  });

  test('and what the API says of that is so', async () => {
    for (const who of Object.values(everybody())) {
      const group = (await who.run('GroupMeetings', { id: room.groupId })).node;
      const made = await schedule(who, ofGroup());
      expect(group?.viewerCanScheduleMeeting ?? false).toBe(made.__typename === 'Meeting');
      const { chat } = await who.run('ChatMeetings', { id: groupChat });
      const inChat = await schedule(who, { chatId: groupChat });
      expect(chat?.viewerCanScheduleMeeting ?? false).toBe(inChat.__typename === 'Meeting');
    }
  });

  test('but nobody in a chat that is frozen, where what goes on is ended all the same', async () => {
    const chatId = await talk(room.teacher, room.school, [room.guardian]);
    const [live, waiting] = [await begun(room.teacher, { chatId }), await planned(room.teacher, { chatId })];
    await room.teacher.does('MakeChatReadOnly', { chatId });
    const frozen = { code: 'INVALID_STATE', currentState: 'READ_ONLY' };
    expect(await schedule(room.teacher, { chatId })).toMatchObject(frozen);
    expect(await room.teacher.does('StartMeeting', { meetingId: waiting })).toMatchObject(frozen);
    expect(await room.teacher.does('EndMeeting', { meetingId: live })).toMatchObject({ state: 'ENDED' });
    expect(await room.teacher.does('CancelMeeting', { meetingId: waiting })).toMatchObject({ state: 'CANCELLED' });
  });
});

test('a meeting must be of one place, in the coming year, a day long at most, and have a room if it is HYBRID', async () => {
  const { teacher } = room;
  const wrong = async (place: object, input: object) => {
    const { code, field } = await schedule(teacher, place as { chatId: string }, input);
    return code === 'INVALID_INPUT' ? field : code;
  };
  expect(await wrong({}, {})).toBe('chatId');
  expect(await wrong({ ...ofGroup(), chatId: groupChat }, {})).toBe('chatId');
  expect(await wrong(ofGroup(), { startsAt: inHours(-1) })).toBe('startsAt');
  expect(await wrong(ofGroup(), { startsAt: inHours(366 * 24) })).toBe('startsAt');
  expect(await wrong(ofGroup(), { endsAt: inHours(1) })).toBe('endsAt');
  expect(await wrong(ofGroup(), { endsAt: inHours(26.1) })).toBe('endsAt');
  expect(await wrong(ofGroup(), { location: 'Room 5' })).toBe('location');
  expect(await wrong(ofGroup(), { format: 'HYBRID' })).toBe('location');
  expect(await wrong(ofGroup(), { format: 'HYBRID', location: ' ' })).toBe('location');
  expect(await wrong(ofGroup(), { title: ' ' })).toBe('title');
  expect(await wrong(ofGroup(), { remindBefore: -1 })).toBe('remindBefore');
  expect(await wrong({ groupId: globalId('Group', randomUUID()) }, {})).toBe('NOT_FOUND');
});

test('a repeated wish plans one meeting, also at the same instant', async () => {
  const idempotencyKey = randomUUID();
  const wish = { title: 'The same', idempotencyKey };
  const made = await atOnce(10, () => schedule(room.teacher, ofGroup(), wish));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  const other = await schedule(room.teacher, ofGroup(), { ...wish, title: 'Another' });
  expect(other).toMatchObject({ code: 'INVALID_INPUT', field: 'idempotencyKey' });
  expect((await schedule(room.head, ofGroup(), wish)).id).not.toBe(made[0].id);
});

const steps = ['UpdateMeeting', 'StartMeeting', 'EndMeeting', 'CancelMeeting', 'JoinMeeting'] as const;

/** Brings a meeting into a state. */
async function meetingIn(state: string): Promise<string> {
  const meetingId = await planned(room.teacher, ofGroup());
  if (state === 'LIVE' || state === 'ENDED') await room.teacher.does('StartMeeting', { meetingId });
  if (state === 'ENDED') await room.teacher.does('EndMeeting', { meetingId });
  if (state === 'CANCELLED') await room.teacher.does('CancelMeeting', { meetingId, reason: 'Illness' });
  return meetingId;
}

test.each([
  [
    'SCHEDULED',
    { UpdateMeeting: true, StartMeeting: true, EndMeeting: false, CancelMeeting: true, JoinMeeting: false },
  ],
  ['LIVE', { UpdateMeeting: true, StartMeeting: true, EndMeeting: true, CancelMeeting: false, JoinMeeting: true }],
  ['ENDED', { UpdateMeeting: false, StartMeeting: false, EndMeeting: true, CancelMeeting: false, JoinMeeting: false }],
  [
    'CANCELLED',
    { UpdateMeeting: false, StartMeeting: false, EndMeeting: false, CancelMeeting: true, JoinMeeting: false },
  ],
])('from %s a meeting goes only where it may', async (state, allowed) => {
  for (const step of steps) {
    const meetingId = await meetingIn(state);
    const before = await meetingFor(room.teacher, meetingId);
    const variables = step === 'UpdateMeeting' ? { input: { meetingId, title: 'New' } } : { meetingId };
    const result = await room.teacher.does(step, variables);
    const right = allowed[step] ? {} : { code: 'INVALID_STATE', currentState: state };
    expect({ step, ...result }).toMatchObject({ step, ...right });
    if (allowed[step]) expect(result.code).toBeUndefined();
    else expect(await meetingFor(room.teacher, meetingId)).toEqual(before);
  }
});

test('to start, end and cancel again changes nothing and is told once', async () => {
  const { teacher, guardian } = room;
  await using heard = await follow(guardian, 'ViewerEvents');
  const meetingId = await planned(teacher, ofGroup());
  const first = await teacher.does('StartMeeting', { meetingId });
  expect(await teacher.does('StartMeeting', { meetingId })).toEqual(first);
  const ended = await teacher.does('EndMeeting', { meetingId });
  expect(await teacher.does('EndMeeting', { meetingId })).toEqual(ended);
  const other = await planned(teacher, ofGroup());
  const cancelled = await teacher.does('CancelMeeting', { meetingId: other, reason: 'Illness' });
  expect(await teacher.does('CancelMeeting', { meetingId: other, reason: 'Another' })).toEqual(cancelled);
  expect(cancelled).toMatchObject({ state: 'CANCELLED', reason: 'Illness', cancelledAt: expect.any(String) });
  const told: string[] = [];
  while (told.at(-1) !== 'MEETING_CANCELLED') told.push((await heard.nextOf('MeetingChanged')).kind);
  expect(told).toEqual([
    'MEETING_SCHEDULED',
    'MEETING_STARTED',
    'MEETING_ENDED',
    'MEETING_SCHEDULED',
    'MEETING_CANCELLED',
  ]);
});

test('when twenty start it at once it begins once; of who starts and who cancels one is too late', async () => {
  const { teacher, head, administrator, guardian } = room;
  await using heard = await follow(guardian, 'ViewerEvents');
  const meetingId = await planned(teacher, ofGroup());
  const hosts = [teacher, head, administrator];
  const started = await atOnce(20, (index) => (hosts[index % 3] ?? teacher).does('StartMeeting', { meetingId }));
  expect(new Set(started.map(({ state, startedAt }) => `${state} ${startedAt}`)).size).toBe(1);
  for (let turn = 0; turn < 5; turn++) {
    const id = await planned(teacher, ofGroup());
    const both = await Promise.all([
      teacher.does('StartMeeting', { meetingId: id }),
      head.does('CancelMeeting', { meetingId: id }),
    ]);
    const { state } = await meetingFor(teacher, id);
    expect(['LIVE', 'CANCELLED']).toContain(state);
    expect(both.map((one) => one.code ?? one.state).toSorted()).toEqual(['INVALID_STATE', state].toSorted());
    if (state === 'LIVE') await teacher.does('EndMeeting', { meetingId: id });
  }
  await teacher.does('EndMeeting', { meetingId });
  const told: Json[] = [];
  while (told.at(-1)?.kind !== 'MEETING_ENDED' || told.at(-1)?.meetingId !== meetingId)
    told.push(await heard.nextOf('MeetingChanged'));
  expect(told.filter((one) => one.meetingId === meetingId).map(({ kind }) => kind)).toEqual([
    'MEETING_SCHEDULED',
    'MEETING_STARTED',
    'MEETING_ENDED',
  ]);
});

test('its host and who leads run a meeting, nobody else, and a host who works there no longer does not', async () => {
  const { world, school, administrator, groupId } = room;
  const teacher = await world.teacher(school, groupId);
  const meetingId = await planned(teacher, ofGroup());
  const { teacher: colleague, ...rest } = everybody();
  const cannot = { colleague, ...rest } as Record<string, Person>;
  for (const step of ['StartMeeting', 'EndMeeting', 'CancelMeeting']) {
    const { administrator: _one, head: _other, ...others } = cannot;
    expect(await answers(others, (who) => who.does(step, { meetingId }))).toEqual({
      colleague: 'FORBIDDEN',
      guardian: 'FORBIDDEN',
      pupil: 'FORBIDDEN',
      otherTeacher: 'NOT_FOUND',
      unverified: 'NOT_FOUND',
      otherGuardian: 'NOT_FOUND',
      stranger: 'NOT_FOUND',
    });
  }
  expect(await meetingFor(administrator, meetingId)).toMatchObject({ viewerCanRun: true });
  await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: teacher.assignmentId } });
  expect(await teacher.does('StartMeeting', { meetingId })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await room.head.does('StartMeeting', { meetingId })).toMatchObject({ state: 'LIVE' });
});

test('what is changed is what was given; its time may move only until it begins', async () => {
  const { teacher } = room;
  const made = await schedule(teacher, ofGroup(), { agenda: 'Skis' });
  const meetingId = made.id;
  const change = (input: object) => teacher.does('UpdateMeeting', { input: { meetingId, ...input } });
  const moved = await change({ startsAt: inHours(5) });
  expect(Date.parse(moved.endsAt) - Date.parse(moved.startsAt)).toBe(3_600_000);
  expect(moved).toMatchObject({ title: made.title, agenda: 'Skis', remindBefore: 15 });
  expect(await change({ format: 'HYBRID' })).toMatchObject({ code: 'INVALID_INPUT', field: 'location' });
  expect(await change({ format: 'HYBRID', location: 'Hall' })).toMatchObject({ format: 'HYBRID', location: 'Hall' });
  expect(await change({ format: 'ONLINE' })).toMatchObject({ format: 'ONLINE', location: null });
  expect(await change({ agenda: null, remindBefore: null })).toMatchObject({ agenda: null, remindBefore: null });
  expect(await change({ endsAt: inHours(4) })).toMatchObject({ code: 'INVALID_INPUT', field: 'endsAt' });
  await teacher.does('StartMeeting', { meetingId });
  const settled = { code: 'INVALID_STATE', currentState: 'LIVE' };
  for (const input of [{ startsAt: inHours(6) }, { format: 'ONLINE' }, { remindBefore: 5 }])
    expect(await change(input)).toMatchObject(settled);
  expect(await change({ title: 'Longer', endsAt: inHours(8) })).toMatchObject({ title: 'Longer', state: 'LIVE' });
});

test('a meeting is joined by whom it is for, and by nobody else', async () => {
  const meetingId = await begun(room.teacher, ofGroup());
  const unseen = {
    otherTeacher: 'NOT_FOUND',
    unverified: 'NOT_FOUND',
    otherGuardian: 'NOT_FOUND',
    stranger: 'NOT_FOUND',
  };
  const people = ['administrator', 'head', 'teacher', 'guardian', 'pupil'];
  expect(await answers(everybody(), (who) => who.does('JoinMeeting', { meetingId }))).toEqual({
    ...Object.fromEntries(people.map((who) => [who, 'JoinMeetingPayload'])),
    ...unseen,
  });
  expect(await meetingFor(room.guardian, meetingId)).toMatchObject({ viewerCanJoin: { allowed: true, reason: null } });
  const anonymous = app.world.anonymous();
  await expect(anonymous.does('JoinMeeting', { meetingId })).rejects.toThrow('UNAUTHENTICATED');
  expect(await meetingFor(room.otherGuardian, meetingId)).toBeNull();
});

test('nobody waits for others who join at the same time', async () => {
  const meetingId = await begun(room.teacher, ofGroup());
  await inDatabase(app, (sql) =>
    sql.begin(async (tx) => {
      // As somebody holds them who is about to be let in.
      await tx`select from organizations for share`;
      await tx`select from meetings where id = ${parseGlobalId(meetingId)?.id ?? ''} for share`;
      await joined(room.guardian, meetingId);
      await joined(pupil, meetingId);
    }),
  );
});

test('who is taken out of a chat, and whose child moves, joins no more and sees nothing of it', async () => {
  const { teacher, guardian, school, world, otherGroupId, groupId } = room;
  const { id: chatId } = await custom(teacher, school, [guardian]);
  const inChat = await begun(teacher, { chatId });
  await joined(guardian, inChat);
  await teacher.does('RemoveChatMember', { chatId, userId: await idOfUser(guardian) });
  expect(await guardian.does('JoinMeeting', { meetingId: inChat })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await guardian.does('LeaveMeeting', { meetingId: inChat })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await meetingFor(guardian, inChat)).toBeNull();

  const child = await world.child(school, groupId);
  const mover = await world.guardian(school, child);
  const ofTheirs = await begun(teacher, ofGroup());
  await joined(mover, ofTheirs);
  await move(school, child, otherGroupId);
  expect(await mover.does('JoinMeeting', { meetingId: ofTheirs })).toMatchObject({ code: 'NOT_FOUND' });
  expect((await mover.run('Meetings')).viewer.meetings.nodes.map(({ id }: Json) => id)).not.toContain(ofTheirs);
});

test('that somebody joined is told to their own devices, once', async () => {
  const { teacher, guardian } = room;
  const meetingId = await begun(teacher, ofGroup());
  await using theirs = await follow(guardian, 'ViewerEvents');
  await using others = await follow(teacher, 'ViewerEvents');
  await joined(guardian, meetingId);
  await joined(guardian, meetingId);
  await teacher.does('EndMeeting', { meetingId });
  const told = async (stream: typeof theirs) => [
    (await stream.nextOf('MeetingChanged')).kind,
    ...stream.delivered.filter(({ meetingId: id }) => id === meetingId).map(({ kind }) => kind),
  ];
  expect(await told(theirs)).toContain('MEETING_JOINED');
  await eventually(() => expect(theirs.delivered.at(-1)).toMatchObject({ kind: 'MEETING_ENDED' }));
  expect(theirs.delivered.filter(({ kind }) => kind === 'MEETING_JOINED')).toHaveLength(1);
  expect(await told(others)).not.toContain('MEETING_JOINED');
});

test('whoever runs it sees who was there and when, others who is there', async () => {
  const { teacher, guardian, head } = room;
  const meetingId = await begun(teacher, ofGroup());
  for (const who of [guardian, head]) await joined(who, meetingId);
  const users = await Promise.all([guardian, head].map(idOfUser));
  const seen = async (who: Person) =>
    (await peopleOf(who, meetingId)).nodes.map(({ user }: Json) => user.id).toSorted();
  expect(await seen(pupil)).toEqual(users.toSorted());
  await teacher.does('EndMeeting', { meetingId });
  expect(await seen(pupil)).toEqual([]);
  expect(await seen(guardian)).toEqual([]);
  expect(await seen(teacher)).toEqual(users.toSorted());
  expect(await seen(head)).toEqual(users.toSorted());
});

test('without LiveKit meetings are planned, begin and end, are attended in person, and say that there is no video', async () => {
  const {
    teacher,
    guardian,
    pupil: other,
    head,
    groupId,
  } = { ...bareRoom, pupil: await student(bareRoom, bareRoom.groupId) };
  const online = await begun(teacher, { groupId });
  expect(await meetingFor(guardian, online)).toMatchObject({
    viewerCanJoin: { allowed: false, reason: 'NOT_CONFIGURED' },
  });
  expect(await guardian.does('JoinMeeting', { meetingId: online })).toMatchObject({
    __typename: 'NotConfigured',
    code: 'NOT_CONFIGURED',
    message: expect.stringMatching(/not configured/),
  });
  expect(await bareRoom.otherGuardian.does('JoinMeeting', { meetingId: online })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await teacher.does('EndMeeting', { meetingId: online })).toMatchObject({ state: 'ENDED' });

  const hybrid = await begun(teacher, { groupId }, { format: 'HYBRID', location: 'Hall' });
  expect(await guardian.does('JoinMeeting', { meetingId: hybrid })).toMatchObject({
    ticket: null,
    participation: { isPresent: false, inPerson: false },
  });
  const [guardianId, headId, otherId] = await Promise.all([guardian, head, other].map(idOfUser));
  const note = (who: Person, userIds: unknown[], present = true) =>
    who.does('RecordMeetingAttendance', { meetingId: hybrid, userIds, present });
  expect(await note(teacher, [guardianId, headId, guardianId])).toMatchObject({ presentCount: 2 });
  expect(await note(teacher, [guardianId, headId])).toMatchObject({ presentCount: 2 });
  expect(await note(teacher, [headId, otherId], false)).toMatchObject({ presentCount: 1 });
  expect((await peopleOf(teacher, hybrid)).nodes).toMatchObject([
    { user: { id: headId }, inPerson: false },
    { inPerson: true },
  ]);
  expect(await note(guardian, [guardianId])).toMatchObject({ code: 'FORBIDDEN' });
  expect(await note(teacher, [await idOfUser(bareRoom.otherGuardian)])).toMatchObject({ field: 'userIds' });
  expect(await note(teacher, [globalId('User', randomUUID())])).toMatchObject({ field: 'userIds' });
  await teacher.does('EndMeeting', { meetingId: hybrid });
  expect(await note(head, [headId])).toMatchObject({ presentCount: 2 });
  expect(await guardian.does('LeaveMeeting', { meetingId: hybrid })).toMatchObject({ state: 'ENDED' });

  const later = await planned(teacher, { groupId }, { format: 'HYBRID', location: 'Hall' });
  const early = { meetingId: later, userIds: [guardianId], present: true };
  expect(await teacher.does('RecordMeetingAttendance', early)).toMatchObject({ currentState: 'SCHEDULED' });
  expect(await teacher.does('RecordMeetingAttendance', { ...early, meetingId: online })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'meetingId',
  });
});

test('people are reminded before it begins, by the last plan alone', async () => {
  const { teacher, guardian } = room;
  await using heard = await follow(guardian, 'ViewerEvents');
  const [soon, cancelled, without, putOff] = [
    await planned(teacher, ofGroup(), { startsAt: inSeconds(3600), remindBefore: 1 }),
    await planned(teacher, ofGroup(), { startsAt: inSeconds(3600), remindBefore: 1 }),
    await planned(teacher, ofGroup(), { startsAt: inSeconds(3600), remindBefore: null }),
    await planned(teacher, ofGroup(), { startsAt: inSeconds(3600), remindBefore: 1 }),
  ];
  await teacher.does('CancelMeeting', { meetingId: cancelled });
  await teacher.does('UpdateMeeting', { input: { meetingId: putOff, startsAt: inSeconds(7200) } });
  // The planned moments, as one a minute before each start.
  const waiting = await inDatabase(
    app,
    (sql) => sql<{ at: Date; id: string }[]>`
      select start_after as at, data->>'meetingId' as id from jobs.job where name = 'meeting-reminder' and state = 'created'`,
  );
  const ahead = async (id: string) => +new Date((await meetingFor(guardian, id)).startsAt) - 60_000;
  for (const id of [soon, putOff])
    expect(waiting.filter((one) => one.id === parseGlobalId(id)?.id).map(({ at }) => +at)).toEqual([await ahead(id)]);
  await comeDue(app, soon, cancelled, without, putOff);
  const reminded: string[] = [];
  while (reminded.length < 2) {
    const { kind, meetingId } = await heard.nextOf('MeetingChanged');
    if (kind === 'MEETING_REMINDED') reminded.push(meetingId);
  }
  expect(reminded.toSorted()).toEqual([soon, putOff].toSorted());
});

/** Lets what was planned for a meeting be due, and time have passed since it was to end. */
const forgotten = (id: string, ended: string, started: string) =>
  inDatabase(app, async (sql) => {
    const meetingId = parseGlobalId(id)?.id ?? '';
    await sql`update meetings set ends_at = now() - ${ended}::interval, starts_at = now() - ${started}::interval,
      started_at = now() - ${started}::interval where id = ${meetingId}`;
    await sql`update jobs.job set start_after = now() where name = 'meeting-limit' and singleton_key = ${meetingId}`;
  });

test('a meeting that nobody has ended ends by itself, but not while somebody is in it, unless that lasts all day', async () => {
  const { teacher, guardian } = room;
  const [empty, used, endless] = [
    await begun(teacher, ofGroup()),
    await begun(teacher, ofGroup()),
    await begun(teacher, ofGroup()),
  ];
  for (const id of [used, endless]) {
    await joined(guardian, id);
    await inDatabase(
      app,
      (sql) => sql`update participations set joined_at = now() where room_id = ${parseGlobalId(id)?.id ?? ''}`,
    );
  }
  await forgotten(used, '2 hours', '3 hours');
  await forgotten(empty, '61 minutes', '3 hours');
  await forgotten(endless, '2 hours', '12 hours');
  await becomes(teacher, empty, 'ENDED');
  await becomes(teacher, endless, 'ENDED');
  expect(await meetingFor(teacher, used)).toMatchObject({ state: 'LIVE' });
});

test('lists hold what is for the viewer, the latest start first', async () => {
  const { teacher, head, guardian, otherGuardian, school } = room;
  const { id: chatId } = await custom(teacher, school, [guardian]);
  const [noon, morning, evening] = [
    await planned(teacher, { chatId }, { title: 'Noon', startsAt: inHours(12) }),
    await planned(teacher, { chatId }, { title: 'Morning', startsAt: inHours(8) }),
    await planned(teacher, { chatId }, { title: 'Evening', startsAt: inHours(18) }),
  ];
  const inChat = async (who: Person, state?: string) => (await who.run('ChatMeetings', { id: chatId, state })).chat;
  expect(titles((await inChat(guardian)).meetings)).toEqual(['Evening', 'Noon', 'Morning']);
  await teacher.does('UpdateMeeting', { input: { meetingId: morning, startsAt: inHours(15), title: 'Tea' } });
  await teacher.does('CancelMeeting', { meetingId: evening });
  expect(titles((await inChat(guardian)).meetings)).toEqual(['Evening', 'Tea', 'Noon']);
  expect(titles((await inChat(guardian, 'CANCELLED')).meetings)).toEqual(['Evening']);
  const next = (await guardian.run('Meetings', { state: 'SCHEDULED', last: 100 })).viewer.meetings;
  const ids = next.nodes.map(({ id }: Json) => id);
  expect(ids.indexOf(noon) - ids.indexOf(morning)).toBe(1);
  const ofSchool = async (who: Person) =>
    (await who.run('OrganizationMeetings', { organizationId: school.id, first: 100 })).organization.meetings;
  expect(titles(await ofSchool(guardian))).toContain('Noon');
  for (const who of [head, otherGuardian]) expect(titles(await ofSchool(who))).not.toContain('Noon');
  await teacher.does('RemoveChatMember', { chatId, userId: await idOfUser(guardian) });
  expect((await inChat(guardian)).meetings).toEqual({ totalCount: 0, nodes: [] });
});

/** The lines of an iCalendar document, unfolded: each has a name and a value. */
function linesOf(text: string): [string, string][] {
  expect(text.endsWith('\r\n')).toBe(true);
  const physical = text.slice(0, -2).split('\r\n');
  expect(physical.filter((line) => /[\r\n]/.test(line) || Buffer.byteLength(line) > 75)).toEqual([]);
  return text
    .slice(0, -2)
    .replaceAll('\r\n ', '')
    .split('\r\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]);
}

test('a meeting goes into people’s calendars, and what is changed replaces what they have', async () => {
  const { teacher, guardian, school } = room;
  const agenda = '1. Лыжи; палки, и прочее\n2. Разное\r\nBEGIN:VEVENT';
  const made = await schedule(teacher, ofGroup(), {
    title: 'Собрание, родительское',
    agenda,
    format: 'HYBRID',
    location: 'Каб. 5',
  });
  const read = async () => linesOf((await meetingFor(guardian, made.id)).iCalendar);
  const first = await read();
  const utc = (at: string) => `${at.slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const event = Object.fromEntries(first);
  expect(first[0]).toEqual(['BEGIN', 'VCALENDAR']);
  expect(first.at(-1)).toEqual(['END', 'VCALENDAR']);
  expect(first.filter(([name, value]) => name === 'BEGIN' && value === 'VEVENT')).toHaveLength(1);
  expect(event).toMatchObject({
    VERSION: '2.0',
    UID: `${parseGlobalId(made.id)?.id}@homeroom`,
    SEQUENCE: '0',
    SUMMARY: 'Собрание\\, родительское',
    DESCRIPTION: '1. Лыжи\\; палки\\, и прочее\\n2. Разное\\nBEGIN:VEVENT',
    LOCATION: 'Каб. 5',
    DTSTART: utc(made.startsAt),
    DTEND: utc(made.endsAt),
    STATUS: 'CONFIRMED',
  });
  expect(event.DTSTAMP).toMatch(/^\d{8}T\d{6}Z$/);
  expect(first.map(([name]) => name).filter((name) => /ORGANIZER|ATTENDEE/.test(name))).toEqual([]);
  await teacher.does('UpdateMeeting', { input: { meetingId: made.id, remindBefore: 30 } });
  expect(Object.fromEntries(await read()).SEQUENCE).toBe('0');
  await teacher.does('UpdateMeeting', { input: { meetingId: made.id, startsAt: inHours(4) } });
  expect(Object.fromEntries(await read())).toMatchObject({ SEQUENCE: '1', UID: event.UID });
  await teacher.does('CancelMeeting', { meetingId: made.id });
  expect(Object.fromEntries(await read())).toMatchObject({ SEQUENCE: '2', STATUS: 'CANCELLED', UID: event.UID });

  const calendar = async (who: Person) =>
    (await who.run('MeetingCalendar', { organizationId: school.id })).viewer.iCalendar;
  const uids = (text: string) =>
    linesOf(text)
      .filter(([name]) => name === 'UID')
      .map(([, value]) => value);
  expect(uids(await calendar(guardian))).toContain(event.UID);
  expect(uids(await calendar(room.otherGuardian))).not.toContain(event.UID);
  expect(await calendar(stranger)).toBeNull();
});
