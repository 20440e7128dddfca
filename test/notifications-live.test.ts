import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { direct } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { follow, inSeconds, kinds, type Newsroom, openNewsroom } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { fewestStatements } from './support/statements.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;
/** Of the group’s staff and guardians; between its teacher and the guardian. */
let groupChat: string;
let between: string;

const { conferencing } = readConfig({
  HOMEROOM_LIVEKIT_URL: 'ws://127.0.0.1:9',
  HOMEROOM_LIVEKIT_API_KEY: 'key',
  HOMEROOM_LIVEKIT_API_SECRET: 'a secret of thirty-two characters',
});

beforeAll(async () => {
  app = await startTestApp({ config: { conferencing } });
  room = await openNewsroom(app.world);
  await setQuiet(null, null);
  groupChat = await app.world.chat(room.guardian, room.school, room.groupId);
  between = (await direct(room.teacher, room.school, room.guardian)).id;
});
afterAll(() => app[Symbol.asyncDispose]());

const setQuiet = (quietFrom: string | null, quietUntil: string | null): Promise<Json> =>
  room.administrator.does('UpdateOrganization', {
    input: { organizationId: room.school.id, quietFrom, quietUntil, timeZone: 'Africa/Abidjan' },
  });

const notificationsOf = async (person: Person, variables: object = {}): Promise<Json> =>
  (await person.run('Notifications', { first: 100, ...variables })).viewer.notifications;

/** What goes on, begins, or was missed, as somebody is told of it, latest first. */
async function toldTo(person: Person, variables: object = {}): Promise<Json[]> {
  const { nodes } = await notificationsOf(person, variables);
  return nodes
    .filter(({ kind }: Json) => ['BROADCAST', 'MEETING', 'MISSED_CALL'].includes(kind))
    .map(({ kind, count, broadcast, meeting, call }: Json) => [
      kind,
      broadcast?.title ?? meeting?.title ?? call.caller.displayName,
      count,
    ]);
}

const done = async (made: Promise<Json>): Promise<Json> => {
  const answer = await made;
  if (answer.code) throw new Error(JSON.stringify(answer));
  return answer;
};

/** A broadcast that begins in ten minutes, of which people were to be reminded five minutes ago. */
const broadcast = (host: Person, channelId: string, title: string): Promise<Json> =>
  done(host.does('ScheduleBroadcast', { input: { channelId, title, startsAt: inSeconds(600) } }));
const meeting = (host: Person, place: object, title: string): Promise<Json> =>
  done(
    host.does('ScheduleMeeting', {
      input: { ...place, title, format: 'HYBRID', location: 'Hall', startsAt: inSeconds(600) },
    }),
  );

/** Lets something have been planned for so many minutes ago, and planned before. */
const late = (table: 'broadcasts' | 'meetings', id: string, minutes: number): Promise<unknown> =>
  inDatabase(
    app,
    (
      sql,
    ) => sql`update ${sql(table)} set starts_at = now() - ${minutes} * interval '1 minute', created_at = now() - interval '1 day'
      ${table === 'meetings' ? sql`, ends_at = now() + interval '1 day'` : sql``}
      where id = ${idOf(table === 'meetings' ? 'Meeting' : 'Broadcast', id)}`,
  );

describe('a broadcast', () => {
  test('is told from its reminder on until one comes or it is over, to all who may watch but its host', async () => {
    const { administrator, teacher, guardian, otherGuardian, unverified, community } = room;
    const title = 'The new playground';
    const { id } = await done(
      administrator.does('ScheduleBroadcast', {
        input: { channelId: community, title, hostId: await app.world.userId(teacher), startsAt: inSeconds(3600) },
      }),
    );
    expect(await toldTo(guardian)).toEqual([]);
    await done(administrator.does('UpdateBroadcast', { input: { broadcastId: id, startsAt: inSeconds(600) } }));
    const told = [['BROADCAST', title, 1]];
    for (const person of [administrator, guardian, otherGuardian]) expect(await toldTo(person)).toEqual(told);
    for (const person of [teacher, unverified]) expect(await toldTo(person)).toEqual([]);
    const [before] = (await notificationsOf(guardian)).nodes;
    expect(before).toMatchObject({ isQuiet: false, chat: null, channel: null, meeting: null, call: null });
    expect(before.broadcast).toMatchObject({ id, state: 'SCHEDULED', viewerNotifyAt: before.occurredAt });

    await done(teacher.does('StartBroadcast', { broadcastId: id }));
    const [now] = (await notificationsOf(guardian)).nodes;
    expect(now).toMatchObject({ id: before.id, broadcast: { state: 'LIVE' } });
    expect(Date.parse(now.occurredAt)).toBeGreaterThan(Date.parse(before.occurredAt));
    expect(await toldTo(unverified)).toEqual([]);
    await done(guardian.does('JoinBroadcast', { broadcastId: id }));
    expect(await toldTo(guardian)).toEqual([]);
    expect((await guardian.send(notifyAtOf, { id })).data.node.viewerNotifyAt).toBeNull();
    await done(guardian.does('LeaveBroadcast', { broadcastId: id }));
    expect(await toldTo(guardian)).toEqual([]);
    expect(await toldTo(otherGuardian)).toEqual(told);
    await done(teacher.does('EndBroadcast', { broadcastId: id }));
    expect(await toldTo(otherGuardian)).toEqual([]);
  });

  test('is told to readers of its channel alone, and not to who has muted that', async () => {
    const { teacher, head, guardian, otherGuardian, groupChannel } = room;
    const { id } = await broadcast(teacher, groupChannel, 'Walk');
    expect(await toldTo(otherGuardian)).toEqual([]);
    expect(await toldTo(guardian)).toEqual([['BROADCAST', 'Walk', 1]]);
    await guardian.does('MuteChannel', { channelId: groupChannel });
    expect(await toldTo(guardian)).toEqual([]);
    expect((await guardian.send(notifyAtOf, { id })).data.node.viewerNotifyAt).toBeNull();
    expect(await toldTo(head)).toEqual([['BROADCAST', 'Walk', 1]]);
    await guardian.does('UnmuteChannel', { channelId: groupChannel });
    await done(teacher.does('CancelBroadcast', { broadcastId: id }));
    expect(await toldTo(guardian)).toEqual([]);
  });

  test('that nobody starts is told until an hour after its time, and one without a reminder only when it goes on', async () => {
    const { teacher, guardian, groupChannel } = room;
    const { id } = await broadcast(teacher, groupChannel, 'Late');
    await late('broadcasts', id, 59);
    const [{ occurredAt, broadcast: found }] = (await notificationsOf(guardian)).nodes;
    expect(Date.parse(found.startsAt) - Date.parse(occurredAt)).toBe(15 * 60_000);
    await late('broadcasts', id, 61);
    expect(await toldTo(guardian)).toEqual([]);
    await done(
      teacher.does('UpdateBroadcast', { input: { broadcastId: id, startsAt: inSeconds(60), remindBefore: null } }),
    );
    expect(await toldTo(guardian)).toEqual([]);
    await done(teacher.does('StartBroadcast', { broadcastId: id }));
    expect(await toldTo(guardian)).toEqual([['BROADCAST', 'Late', 1]]);
    await done(teacher.does('EndBroadcast', { broadcastId: id }));
  });
});

const notifyAtOf = `query ($id: ID!) { node(id: $id) { ... on Broadcast { viewerNotifyAt } ... on Meeting { viewerNotifyAt } } }`;

describe('a meeting', () => {
  test('is told to those for whom it is but its host, also in a muted chat, until they come or it is over', async () => {
    const { teacher, head, guardian, otherGuardian } = room;
    const second = await app.world.guardian(room.school, room.child);
    const { id } = await meeting(teacher, { chatId: groupChat }, 'Parents');
    const told = [['MEETING', 'Parents', 1]];
    await guardian.does('MuteChat', { chatId: groupChat });
    for (const person of [guardian, second]) expect(await toldTo(person)).toEqual(told);
    for (const person of [teacher, head, otherGuardian]) expect(await toldTo(person)).toEqual([]);
    await guardian.does('UnmuteChat', { chatId: groupChat });
    const [before] = (await notificationsOf(guardian)).nodes;
    expect(before).toMatchObject({
      chat: null,
      broadcast: null,
      meeting: { id, state: 'SCHEDULED', location: 'Hall' },
    });
    expect(before.meeting.viewerNotifyAt).toBe(before.occurredAt);

    await done(teacher.does('StartMeeting', { meetingId: id }));
    const [now] = (await notificationsOf(guardian)).nodes;
    expect(now).toMatchObject({ id: before.id, meeting: { state: 'LIVE' } });
    expect(Date.parse(now.occurredAt)).toBeGreaterThan(Date.parse(before.occurredAt));
    await done(guardian.does('JoinMeeting', { meetingId: id }));
    expect(await toldTo(guardian)).toEqual([]);
    expect((await guardian.send(notifyAtOf, { id })).data.node.viewerNotifyAt).toBeNull();
    const seen = (present: boolean) => async () =>
      teacher.does('RecordMeetingAttendance', { meetingId: id, userIds: [await app.world.userId(second)], present });
    await done(seen(true)());
    expect(await toldTo(second)).toEqual([]);
    await done(seen(false)());
    expect(await toldTo(second)).toEqual(told);
    await done(teacher.does('EndMeeting', { meetingId: id }));
    expect(await toldTo(second)).toEqual([]);
  });

  test('of a group is told to its people from its reminder on, and until an hour after its time', async () => {
    const { teacher, guardian, otherGuardian, groupId } = room;
    const { id } = await meeting(teacher, { groupId }, 'Open lesson');
    expect(await toldTo(guardian)).toEqual([['MEETING', 'Open lesson', 1]]);
    expect(await toldTo(otherGuardian)).toEqual([]);
    await late('meetings', id, 61);
    expect(await toldTo(guardian)).toEqual([]);
    await late('meetings', id, 59);
    expect(await toldTo(guardian)).toEqual([['MEETING', 'Open lesson', 1]]);
    await done(
      teacher.does('UpdateMeeting', { input: { meetingId: id, startsAt: inSeconds(1200), endsAt: inSeconds(3600) } }),
    );
    expect(await toldTo(guardian)).toEqual([]);
    await done(teacher.does('CancelMeeting', { meetingId: id }));
  });
});

/** Somebody calls and hangs up before anybody answers. */
async function ring(caller: Person, chatId: string): Promise<string> {
  const { call } = await done(caller.does('StartCall', { input: { chatId, kind: 'AUDIO' } }));
  await done(caller.does('LeaveCall', { callId: call.id }));
  return call.id;
}
const nameOf = async (person: Person): Promise<string> => (await person.run('Viewer')).viewer.user.displayName;

describe('calls that one has missed', () => {
  test('are one notification of a chat, until it is opened', async () => {
    const { teacher, guardian } = room;
    await ring(teacher, between);
    const latest = await ring(teacher, between);
    const told = ['MISSED_CALL', await nameOf(teacher)];
    expect(await toldTo(guardian)).toEqual([[...told, 2]]);
    expect(await toldTo(teacher)).toEqual([]);
    const { totalCount, nodes } = await notificationsOf(guardian);
    expect([totalCount, nodes]).toMatchObject([1, [{ chat: { id: between }, message: null, call: { id: latest } }]]);

    await using own = await follow(guardian, 'ViewerEvents');
    await using other = await follow(teacher, 'ViewerEvents');
    await guardian.does('MarkChatRead', { chatId: between });
    expect(await toldTo(guardian)).toEqual([]);
    // Nothing is to be seen any more, so nobody hears of it.
    await guardian.does('MarkChatRead', { chatId: between });
    const again = await ring(teacher, between);
    const ended = (stream: { delivered: Json[] }) => kinds(stream).includes('CALL_MISSED');
    for (const stream of [own, other]) while (!ended(stream)) await stream.next();
    expect(kinds(own).filter((kind) => kind === 'CHAT_READ')).toHaveLength(1);
    expect(kinds(other)).not.toContain('CHAT_READ');
    expect((await notificationsOf(guardian)).nodes).toMatchObject([{ id: nodes[0].id, count: 1, call: { id: again } }]);
    await guardian.does('MarkChatRead', { chatId: between });
  });

  test('are told beside what is unread there, and both are done with at once', async () => {
    const { teacher, guardian } = room;
    await app.world.message(teacher, between, 'Call me, please');
    await ring(teacher, between);
    const { nodes } = await notificationsOf(guardian);
    expect(nodes).toMatchObject([
      { kind: 'MISSED_CALL', count: 1, chat: { id: between } },
      { kind: 'MESSAGE', count: 1, chat: { id: between } },
    ]);
    expect(nodes[0].id).not.toBe(nodes[1].id);
    await using other = await follow(teacher, 'ViewerEvents');
    await guardian.does('MarkChatRead', { chatId: between });
    expect(await other.next()).toMatchObject({ kind: 'CHAT_READ' });
    expect((await notificationsOf(guardian)).totalCount).toBe(0);
  });

  test('are not those that somebody answered or declined, nor those in a muted chat or of a month ago', async () => {
    const { teacher, guardian } = room;
    const answered = await done(teacher.does('StartCall', { input: { chatId: between, kind: 'VIDEO' } }));
    await done(guardian.does('AnswerCall', { callId: answered.call.id }));
    await done(teacher.does('EndCall', { callId: answered.call.id }));
    const declined = await done(teacher.does('StartCall', { input: { chatId: between, kind: 'VIDEO' } }));
    await done(guardian.does('DeclineCall', { callId: declined.call.id }));
    expect(await toldTo(guardian)).toEqual([]);
    const id = await ring(teacher, between);
    await guardian.does('MuteChat', { chatId: between });
    expect(await toldTo(guardian)).toEqual([]);
    await guardian.does('UnmuteChat', { chatId: between });
    expect(await toldTo(guardian)).toHaveLength(1);
    await inDatabase(
      app,
      (sql) => sql`update calls set id = uuidv7(interval '-31 days') where id = ${idOf('Call', id)}`,
    );
    expect(await toldTo(guardian)).toEqual([]);
  });

  test('in a group are told to each who took part then and has not answered', async () => {
    const { teacher, guardian } = room;
    const { world } = app;
    const second = await world.guardian(room.school, room.child);
    const { call } = await done(teacher.does('StartCall', { input: { chatId: groupChat, kind: 'VIDEO' } }));
    const late = await world.guardian(room.school, room.child);
    await done(guardian.does('AnswerCall', { callId: call.id }));
    expect(await toldTo(second)).toEqual([]);
    await done(teacher.does('EndCall', { callId: call.id }));
    expect(await toldTo(second)).toEqual([['MISSED_CALL', await nameOf(teacher), 1]]);
    for (const person of [teacher, guardian, late]) expect(await toldTo(person)).toEqual([]);
  });
});

describe('in quiet hours', () => {
  const timeIn = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
  let live: Json;
  let soon: Json;

  beforeAll(async () => {
    const { teacher, groupChannel, groupId } = room;
    live = await broadcast(teacher, groupChannel, 'At night');
    await done(teacher.does('StartBroadcast', { broadcastId: live.id }));
    soon = await meeting(teacher, { groupId }, 'Tomorrow');
    await ring(teacher, between);
  });
  afterAll(async () => {
    await setQuiet(null, null);
    await room.teacher.does('EndBroadcast', { broadcastId: live.id });
    await room.teacher.does('CancelMeeting', { meetingId: soon.id });
  });

  test('everything of this waits for their end', async () => {
    const { guardian, teacher } = room;
    const all = [
      ['MISSED_CALL', await nameOf(teacher), 1],
      ['MEETING', 'Tomorrow', 1],
      ['BROADCAST', 'At night', 1],
    ];
    expect(await toldTo(guardian, { dueOnly: true })).toEqual(all);
    await setQuiet(timeIn(-60), timeIn(60));
    expect(await toldTo(guardian, { dueOnly: true })).toEqual([]);
    expect((await notificationsOf(guardian, { dueOnly: true })).totalCount).toBe(0);
    expect(await toldTo(guardian)).toEqual(all);
    const { nodes } = await notificationsOf(guardian);
    const at = nodes[0].notifyAt;
    expect(Date.parse(at)).toBeGreaterThan(Date.now());
    expect(nodes).toMatchObject([
      { isQuiet: true, notifyAt: at },
      { isQuiet: true, notifyAt: at, meeting: { viewerNotifyAt: at } },
      { isQuiet: true, notifyAt: at, broadcast: { viewerNotifyAt: at } },
    ]);
  });

  test('all of it is read in pages, each once, by seven statements', async () => {
    const { guardian } = room;
    const all = (await notificationsOf(guardian)).nodes.map(({ id }: Json) => id);
    expect(all).toHaveLength(3);
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const { nodes, pageInfo } = await notificationsOf(guardian, { first: 1, after });
      seen.push(...nodes.map(({ id }: Json) => id));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
    }
    expect(seen).toEqual(all);
    const query = `{ viewer { notifications(first: 20) { nodes { id kind count notifyAt chat { id name }
      broadcast { id title state } meeting { id title state } call { id startedAt caller { displayName } } } } } }`;
    const { statements } = await fewestStatements(async () => (await guardian.send(query)).data, 7);
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(7);
  });
});
