import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { globalId } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { streaming } from './support/beside.ts';
import type { Json } from './support/client.ts';
import { comeDue } from './support/due.ts';
import { answer, atOnce, follow, inSeconds, kinds, type Newsroom, openNewsroom, student } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  app = await startTestApp({ config: { streaming } });
  room = await openNewsroom(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const planned = async (person: Person, channelId: string, input: object = {}): Promise<Json> => {
  const made = await person.does('ScheduleBroadcast', {
    input: { channelId, title: 'The new playground', startsAt: inSeconds(3600), ...input },
  });
  if (made.__typename !== 'Broadcast') throw new Error(JSON.stringify(made));
  return made;
};
const deed = (person: Person, name: string, broadcastId: string, more: object = {}): Promise<Json> =>
  person.does(name, { broadcastId, ...more });
const broadcastFor = async (person: Person, id: string): Promise<Json> => (await person.run('Broadcast', { id })).node;

test('a teacher plans a broadcast for their group, goes live, and its families hear of it and watch', async () => {
  const { teacher, guardian, otherGuardian, groupChannel, school } = room;
  await using heard = await follow(guardian, 'BroadcastStarted', { organizationId: school.id });
  await using told = await follow(guardian, 'BroadcastStarted', { channelId: groupChannel });
  const { id, ...rest } = await planned(teacher, groupChannel, { description: 'Live from the yard.' });
  expect(rest).toMatchObject({ state: 'SCHEDULED', viewerCanRun: true, remindBefore: 15, questioning: 'MODERATED' });
  await using events = await follow(guardian, 'BroadcastEvents', { broadcastId: id });
  expect(await deed(teacher, 'StartBroadcast', id)).toMatchObject({ state: 'LIVE', isReceiving: false });
  for (const stream of [heard, told])
    expect(await stream.next()).toMatchObject({
      kind: 'BROADCAST_STARTED',
      broadcast: { id, state: 'LIVE', title: 'The new playground' },
    });
  const { playback, broadcast } = await deed(guardian, 'JoinBroadcast', id);
  expect(broadcast).toMatchObject({ id, watchingCount: 1 });
  expect(playback.url).toMatch(/^https:\/\/media\.example\.org\/hls\/[^/]+\/index\.m3u8$/);
  const goodFor = Date.parse(playback.expiresAt) - Date.now();
  expect(goodFor).toBeGreaterThan(4 * 60_000);
  expect(goodFor).toBeLessThan(6 * 60_000);
  expect(await deed(teacher, 'EndBroadcast', id)).toMatchObject({ state: 'ENDED' });
  await events.count(2);
  expect(kinds(events)).toEqual(['BROADCAST_STARTED', 'BROADCAST_ENDED']);
  expect(answer(await deed(guardian, 'JoinBroadcast', id))).toBe('INVALID_STATE');
  expect(await broadcastFor(otherGuardian, id)).toBeNull();
  expect(answer(await deed(otherGuardian, 'JoinBroadcast', id))).toBe('NOT_FOUND');
});

test('who is told of a broadcast, and may plan and run it, follows from the channel', async () => {
  const { administrator, head, teacher, otherTeacher, unverified, guardian, groupChannel, community, staffRoom } = room;
  const pupil = await student(room, room.groupId);
  const may = async (channelId: string) => {
    const people = { administrator, head, teacher, otherTeacher, unverified, guardian, pupil };
    const made = await Promise.all(
      Object.entries(people).map(async ([name, person]) => [
        name,
        answer(
          await person.does('ScheduleBroadcast', {
            input: {
              channelId,
              title: `By ${name}`,
              ...(name === 'administrator' && { hostId: await app.world.userId(head) }),
            },
          }),
        ),
      ]),
    );
    return Object.fromEntries(made);
  };
  expect(await may(groupChannel)).toEqual({
    administrator: 'Broadcast',
    head: 'Broadcast',
    teacher: 'Broadcast',
    otherTeacher: 'NOT_FOUND',
    unverified: 'NOT_FOUND',
    guardian: 'FORBIDDEN',
    pupil: 'FORBIDDEN',
  });
  expect(await may(community)).toEqual({
    administrator: 'Broadcast',
    head: 'Broadcast',
    teacher: 'FORBIDDEN',
    otherTeacher: 'FORBIDDEN',
    unverified: 'FORBIDDEN',
    guardian: 'FORBIDDEN',
    pupil: 'FORBIDDEN',
  });
  expect(await may(staffRoom)).toMatchObject({ teacher: 'FORBIDDEN', unverified: 'NOT_FOUND', guardian: 'NOT_FOUND' });
});

test('an administrator whose own status is not confirmed hosts nothing, but appoints a host who then runs it', async () => {
  const { administrator, teacher, otherTeacher, head, guardian, groupChannel, community } = room;
  expect(
    await administrator.does('ScheduleBroadcast', { input: { channelId: community, title: 'Mine' } }),
  ).toMatchObject({ code: 'INVALID_INPUT', field: 'hostId' });
  const byId = async (person: Person) => ({ hostId: await app.world.userId(person) });
  for (const nobody of [guardian, room.unverified])
    expect(
      await administrator.does('ScheduleBroadcast', {
        input: { channelId: community, title: 'Theirs', ...(await byId(nobody)) },
      }),
    ).toMatchObject({ code: 'INVALID_INPUT', field: 'hostId' });
  const { id } = await planned(administrator, community, await byId(teacher));
  expect((await broadcastFor(teacher, id)).viewerIngest).toEqual({
    url: 'rtmp://media.example.org/live',
    streamKey: expect.stringMatching(/^[\w-]{54}$/),
  });
  for (const person of [administrator, head, otherTeacher, guardian])
    expect((await broadcastFor(person, id)).viewerIngest).toBeNull();
  expect(answer(await deed(otherTeacher, 'StartBroadcast', id))).toBe('FORBIDDEN');
  expect(answer(await deed(guardian, 'StartBroadcast', id))).toBe('FORBIDDEN');
  expect(answer(await deed(administrator, 'RotateStreamKey', id))).toBe('FORBIDDEN');
  const old = (await broadcastFor(teacher, id)).viewerIngest.streamKey;
  expect((await deed(teacher, 'RotateStreamKey', id)).viewerIngest.streamKey).not.toBe(old);
  const before = (await broadcastFor(teacher, id)).viewerIngest.streamKey;
  const handed = await administrator.does('UpdateBroadcast', { input: { broadcastId: id, ...(await byId(head)) } });
  expect(handed.host.id).toBe(await app.world.userId(head));
  expect((await broadcastFor(teacher, id)).viewerIngest).toBeNull();
  await administrator.does('UpdateBroadcast', { input: { broadcastId: id, ...(await byId(teacher)) } });
  expect((await broadcastFor(teacher, id)).viewerIngest.streamKey).not.toBe(before);
  expect(
    await teacher.does('UpdateBroadcast', { input: { broadcastId: id, ...(await byId(otherTeacher)) } }),
  ).toMatchObject({ code: 'FORBIDDEN' });
  expect(await planned(head, groupChannel)).toMatchObject({ host: { id: await app.world.userId(head) } });
});

const all = {
  UpdateBroadcast: (broadcastId: string) => ({ input: { broadcastId, title: 'Another' } }),
  StartBroadcast: (broadcastId: string) => ({ broadcastId }),
  EndBroadcast: (broadcastId: string) => ({ broadcastId }),
  CancelBroadcast: (broadcastId: string) => ({ broadcastId }),
  RotateStreamKey: (broadcastId: string) => ({ broadcastId }),
  SetBroadcastRecording: (broadcastId: string) => ({ broadcastId, url: 'https://video.example.org/1' }),
  JoinBroadcast: (broadcastId: string) => ({ broadcastId }),
  AskBroadcastQuestion: (broadcastId: string) => ({ broadcastId, text: 'When?' }),
};

test('from each state only what may follow does', async () => {
  const { teacher, groupChannel } = room;
  const paths: Readonly<Record<string, readonly string[]>> = {
    SCHEDULED: [],
    LIVE: ['StartBroadcast'],
    ENDED: ['StartBroadcast', 'EndBroadcast'],
    CANCELLED: ['CancelBroadcast'],
  };
  const allowed: Json = {};
  for (const [state, path] of Object.entries(paths)) {
    allowed[state] = [];
    for (const [name, variables] of Object.entries(all)) {
      const { id } = await planned(teacher, groupChannel);
      for (const step of path) await deed(teacher, step, id);
      expect((await broadcastFor(teacher, id)).state).toBe(state);
      const done = answer(await teacher.does(name, variables(id)));
      if (done === 'INVALID_STATE') expect((await broadcastFor(teacher, id)).state).toBe(state);
      else allowed[state].push(name);
      await deed(teacher, 'EndBroadcast', id);
    }
  }
  expect(allowed).toEqual({
    SCHEDULED: ['UpdateBroadcast', 'StartBroadcast', 'CancelBroadcast', 'RotateStreamKey'],
    LIVE: [
      'UpdateBroadcast',
      'StartBroadcast',
      'EndBroadcast',
      'RotateStreamKey',
      'JoinBroadcast',
      'AskBroadcastQuestion',
    ],
    ENDED: ['EndBroadcast', 'SetBroadcastRecording'],
    CANCELLED: ['CancelBroadcast'],
  });
});

test('twenty start one broadcast at once: it starts once; twenty start twenty in one channel: one does', async () => {
  const { head, teacher, administrator, guardian, groupChannel } = room;
  const { id } = await planned(teacher, groupChannel);
  await using events = await follow(guardian, 'BroadcastEvents', { broadcastId: id });
  const starters = [head, teacher, administrator];
  const started = await atOnce(20, (index) => deed(starters[index % 3] as Person, 'StartBroadcast', id));
  expect(new Set(started.map(({ state, startedAt }) => `${state} ${startedAt}`)).size).toBe(1);
  await deed(teacher, 'EndBroadcast', id);
  await events.count(2);
  expect(kinds(events)).toEqual(['BROADCAST_STARTED', 'BROADCAST_ENDED']);

  const many = await atOnce(20, () => planned(teacher, groupChannel));
  const raced = await atOnce(20, (index) => deed(teacher, 'StartBroadcast', many[index].id));
  const won = raced.filter(({ state }) => state === 'LIVE');
  expect(won).toHaveLength(1);
  expect(raced.filter(({ code, field }) => code === 'INVALID_INPUT' && field === 'broadcastId')).toHaveLength(19);
  await deed(teacher, 'EndBroadcast', won[0]?.id);
});

test('of starting and cancelling at once one happens, and the other is refused', async () => {
  const { head, teacher, groupChannel } = room;
  for (let round = 0; round < 5; round++) {
    const { id } = await planned(teacher, groupChannel);
    const raced = await atOnce(20, (index) =>
      deed(index % 2 ? head : teacher, index % 2 ? 'StartBroadcast' : 'CancelBroadcast', id),
    );
    const { state } = await broadcastFor(teacher, id);
    expect(['LIVE', 'CANCELLED']).toContain(state);
    expect(raced.filter((one) => one.state === state)).toHaveLength(10);
    expect(raced.filter(({ code }) => code === 'INVALID_STATE')).toHaveLength(10);
    await deed(teacher, 'EndBroadcast', id);
  }
});

test('what is planned is listed by when it starts, and a repeated wish makes one', async () => {
  const { head, guardian, staffRoom, community, school } = room;
  const late = await planned(head, community, { title: 'Late', startsAt: inSeconds(80_000) });
  const soon = await planned(head, community, { title: 'Soon', startsAt: inSeconds(60_000) });
  const hidden = await planned(head, staffRoom, { title: 'Hidden', startsAt: inSeconds(70_000) });
  const input = { channelId: community, title: 'Once', idempotencyKey: 'once-and-again', startsAt: inSeconds(90_000) };
  const [once, again] = await atOnce(2, () => head.does('ScheduleBroadcast', { input }));
  expect(once.id).toBe(again.id);
  expect(await head.does('ScheduleBroadcast', { input: { ...input, title: 'Other' } })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'idempotencyKey',
  });
  const first = async (person: Person, more: object = {}) =>
    (await person.run('Broadcasts', { organizationId: school.id, state: 'SCHEDULED', first: 3, ...more })).organization
      .broadcasts;
  const titles = ({ nodes }: Json) => nodes.map(({ title }: Json) => title);
  const page = await first(guardian);
  expect(titles(page)).toEqual(['Once', 'Late', 'Soon']);
  expect(titles(await first(head))).toEqual(['Once', 'Late', 'Hidden']);
  const rest = await first(guardian, { after: page.pageInfo.endCursor });
  expect(titles(rest)).not.toContain('Soon');
  expect(page.totalCount).toBe(3 + rest.totalCount - 3);
  const own = (await guardian.run('ViewerBroadcasts', { state: 'SCHEDULED', first: 3 })).viewer.broadcasts;
  expect(titles(own)).toEqual(titles(page));
  const there = (await guardian.run('ChannelBroadcasts', { channelId: community, state: 'SCHEDULED', first: 3 })).node;
  expect(titles(there.broadcasts)).toEqual(titles(page));
  await head.does('UpdateBroadcast', { input: { broadcastId: soon.id, startsAt: inSeconds(100_000) } });
  expect(titles(await first(guardian))).toEqual(['Soon', 'Once', 'Late']);
  for (const { id } of [late, soon, hidden, once]) await deed(head, 'CancelBroadcast', id, { reason: 'Rain' });
  expect(await broadcastFor(guardian, late.id)).toMatchObject({ state: 'CANCELLED', reason: 'Rain' });
});

test('wrong values are named', async () => {
  const { head, community } = room;
  const wrong: readonly [string, object][] = [
    ['title', { title: ' ' }],
    ['title', { title: 'x'.repeat(201) }],
    ['description', { description: 'x'.repeat(2001) }],
    ['startsAt', { startsAt: inSeconds(-60) }],
    ['startsAt', { startsAt: inSeconds(400 * 86_400) }],
    ['remindBefore', { remindBefore: -1 }],
    ['remindBefore', { remindBefore: 10_081 }],
    ['hostId', { hostId: globalId('User', randomUUID()) }],
    ['idempotencyKey', { idempotencyKey: 'short' }],
  ];
  for (const [field, input] of wrong)
    expect(
      await head.does('ScheduleBroadcast', { input: { channelId: community, title: 'Wrong', ...input } }),
      JSON.stringify(input),
    ).toMatchObject({ code: 'INVALID_INPUT', field });
});

test('readers are reminded once, as long before the start as was asked for', async () => {
  const { head, guardian, community } = room;
  const { id } = await planned(head, community, { startsAt: inSeconds(3600), remindBefore: 1 });
  await using events = await follow(guardian, 'BroadcastEvents', { broadcastId: id });
  await comeDue(app, id);
  await events.next();
  await deed(head, 'CancelBroadcast', id);
  await events.count(2);
  expect(kinds(events)).toEqual(['BROADCAST_REMINDED', 'BROADCAST_CANCELLED']);
});

test('who runs it sees how many watch, and by name whom they know', async () => {
  const { administrator, head, teacher, guardian, otherGuardian, unverified, community, groupChannel, school, child } =
    room;
  const second = await app.world.guardian(school, child);
  await administrator.does('SetGuardianContactVisibility', {
    guardianLinkId: second.linkId,
    contactVisibility: 'LIMITED',
  });
  const { id } = await planned(administrator, community, { hostId: await app.world.userId(head) });
  await deed(head, 'StartBroadcast', id);
  for (const person of [guardian, otherGuardian, second, guardian])
    expect(answer(await deed(person, 'JoinBroadcast', id))).toBe('JoinBroadcastPayload');
  expect(await deed(unverified, 'JoinBroadcast', id)).toMatchObject({ code: 'FORBIDDEN' });
  const list = async (person: Person, of = id): Promise<Json> =>
    (await person.run('BroadcastAttendance', { id: of })).node;
  expect(await list(head)).toMatchObject({ watchingCount: 3, attendance: { totalCount: 3 } });
  await deed(otherGuardian, 'LeaveBroadcast', id);
  const { watchingCount, attendance } = await list(administrator);
  expect(watchingCount).toBe(2);
  expect(attendance.nodes.filter(({ leftAt }: Json) => leftAt === null)).toHaveLength(2);
  expect((await list(guardian)).attendance).toBeNull();
  expect((await list(teacher)).attendance).toBeNull();
  // Of what is for all a host who does not lead learns how many watch, and not whose families.
  const other = await app.world.teacher(school, await app.world.group(school));
  await deed(head, 'EndBroadcast', id);
  const next = await planned(administrator, community, { hostId: await app.world.userId(other) });
  await deed(other, 'StartBroadcast', next.id);
  for (const person of [guardian, second]) await deed(person, 'JoinBroadcast', next.id);
  expect(await list(other, next.id)).toMatchObject({ watchingCount: 2, attendance: null });
  await deed(other, 'EndBroadcast', next.id);
  const own = await planned(teacher, groupChannel);
  await deed(teacher, 'StartBroadcast', own.id);
  for (const person of [guardian, second]) await deed(person, 'JoinBroadcast', own.id);
  expect(await list(teacher, own.id)).toMatchObject({ attendance: { totalCount: 2 } });
  await deed(teacher, 'EndBroadcast', own.id);
});

test('a host is not told of a guardian who is LIMITED on account of a child in a group that is not theirs', async () => {
  const { administrator, otherTeacher, otherGuardian, school, groupId, otherGroupId } = room;
  const limited = await app.world.guardian(school, await app.world.child(school, groupId));
  const { linkId: guardianLinkId } = limited;
  await administrator.does('SetGuardianContactVisibility', { guardianLinkId, contactVisibility: 'LIMITED' });
  const further = await app.world.guardian(school, await app.world.child(school, otherGroupId), limited);
  // Every further link of theirs is LIMITED too, until somebody says otherwise.
  const full = { guardianLinkId: further.linkId, contactVisibility: 'FULL' };
  await administrator.does('SetGuardianContactVisibility', full);
  const channelId = await app.world.channel(administrator, school, 'GROUP', otherGroupId);
  const { id } = await planned(otherTeacher, channelId);
  await deed(otherTeacher, 'StartBroadcast', id);
  for (const person of [otherGuardian, limited])
    expect(answer(await deed(person, 'JoinBroadcast', id))).toBe('JoinBroadcastPayload');
  const named = async (person: Person): Promise<string[]> =>
    (await person.run('BroadcastAttendance', { id })).node.attendance.nodes.map(({ user }: Json) => user.id);
  const family = await app.world.userId(otherGuardian);
  expect(await named(otherTeacher)).toEqual([family]);
  expect(await named(administrator)).toEqual([await app.world.userId(limited), family]);
  await deed(otherTeacher, 'EndBroadcast', id);
});

test('200 join at once, and wait neither for each other nor for a change of the organization or the broadcast', async () => {
  const { head, guardian, otherGuardian, community } = room;
  const { id } = await planned(head, community);
  await deed(head, 'StartBroadcast', id);
  await inDatabase(app, (sql) =>
    sql.begin(async (tx) => {
      await tx`select from organizations for update`;
      await tx`select from channels for no key update`;
      await tx`select from broadcasts for no key update`;
      const joined = await atOnce(200, (index) => deed(index % 2 ? guardian : otherGuardian, 'JoinBroadcast', id));
      expect(joined.map(answer)).toEqual(Array(200).fill('JoinBroadcastPayload'));
    }),
  );
  expect((await head.run('BroadcastAttendance', { id })).node).toMatchObject({ watchingCount: 2 });
  await deed(head, 'EndBroadcast', id);
});

test('where it can be seen again is an https address, said once it is over and taken back at will', async () => {
  const { head, guardian, community } = room;
  const { id } = await planned(head, community);
  await deed(head, 'StartBroadcast', id);
  await deed(head, 'EndBroadcast', id);
  for (const url of ['http://video.example.org/1', 'javascript:alert(1)', 'https://me:secret@video.example.org/'])
    expect(await deed(head, 'SetBroadcastRecording', id, { url })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'url',
    });
  expect(answer(await deed(guardian, 'SetBroadcastRecording', id, { url: 'https://video.example.org/1' }))).toBe(
    'FORBIDDEN',
  );
  await using events = await follow(guardian, 'BroadcastEvents', { broadcastId: id });
  await deed(head, 'SetBroadcastRecording', id, { url: 'https://video.example.org/1' });
  expect(await events.next()).toMatchObject({
    kind: 'BROADCAST_RECORDED',
    broadcast: { recordingUrl: 'https://video.example.org/1' },
  });
  expect(await deed(head, 'SetBroadcastRecording', id, { url: null })).toMatchObject({ recordingUrl: null });
});
