import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseGlobalId } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { allowGuardianChats, type ChatRoom, direct, idOfUser, openChatRoom, talk } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { LiveKit, roomOf as roomOfMeeting, told, webhook } from './support/livekit.ts';
import { begun, joined, meetingFor } from './support/meetings.ts';
import { answer, atOnce, follow, kinds } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let livekit: LiveKit;
let app: TestApp;
let room: ChatRoom;
/** What the server could not do. */
const faults: Json[] = [];

beforeAll(async () => {
  livekit = await LiveKit.start();
  const onLog = (line: Json) => void (line.level >= 50 && faults.push(line));
  app = await startTestApp({ config: { conferencing: livekit.config, callsPerMinute: 6 }, onLog });
  room = await openChatRoom(app);
  await allowGuardianChats(app);
  await inDatabase(app, (sql) => sql`update organizations set quiet_from = null, quiet_until = null`);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await livekit[Symbol.asyncDispose]();
});
beforeEach(() => {
  livekit.status = 200;
  faults.length = 0;
});

const start = (person: Person, chatId: string, input: object = {}): Promise<Json> =>
  person.does('StartCall', { input: { chatId, kind: 'VIDEO', ...input } });
const deed = (person: Person, name: string, callId: string): Promise<Json> => person.does(name, { callId });
const callFor = async (person: Person, id: string): Promise<Json> => (await person.run('Call', { id })).node;
const roomOf = (callId: string): string => `call-${parseGlobalId(callId)?.id}`;
const ahead = (seconds: number): Date => new Date(Date.now() + seconds * 1000);

test('who was taken out of a chat does not come back into its call by the wish that began it', async () => {
  const { head, teacher, guardian, school } = room;
  const chatId = await talk(head, school, [teacher, guardian]);
  const wish = { idempotencyKey: `wish-${randomUUID()}` };
  const { call } = await start(teacher, chatId, wish);
  expect((await start(teacher, chatId, wish)).ticket).toMatchObject({ token: expect.any(String) });
  await deed(guardian, 'AnswerCall', call.id);
  await head.does('RemoveChatMember', { chatId, userId: await idOfUser(teacher) });
  expect(answer(await start(teacher, chatId, wish))).toBe('FORBIDDEN');
  expect(answer(await deed(teacher, 'AnswerCall', call.id))).toBe('FORBIDDEN');
  await deed(head, 'EndCall', call.id);
  expect(answer(await start(teacher, chatId, wish))).toBe('FORBIDDEN');
});

test('when it is over nobody is there, though LiveKit’s clock is ahead of ours', async () => {
  const { teacher, guardian, school, groupId } = room;
  const chatId = await talk(teacher, school, [guardian]);
  const { call } = await start(teacher, chatId);
  const { ticket } = await deed(guardian, 'AnswerCall', call.id);
  const meetingId = await begun(teacher, { groupId });
  const { identity } = await joined(guardian, meetingId);
  const at = ahead(5);
  const inCall = { identity: ticket.identity, sid: 'PA_call', at };
  const inMeeting = { identity, sid: 'PA_meeting', at };
  await webhook(app, told('participant_joined', roomOf(call.id), inCall));
  await webhook(app, told('participant_joined', roomOfMeeting(meetingId), inMeeting));
  expect((await meetingFor(teacher, meetingId)).presentCount).toBe(1);
  await deed(teacher, 'EndCall', call.id);
  await teacher.does('EndMeeting', { meetingId });
  await webhook(app, told('participant_left', roomOf(call.id), inCall));
  await webhook(app, told('participant_left', roomOfMeeting(meetingId), inMeeting));
  expect((await meetingFor(teacher, meetingId)).presentCount).toBe(0);
  const { nodes } = (await callFor(teacher, call.id)).participations;
  expect(nodes.map(({ isPresent }: Json) => isPresent)).toEqual([false, false]);
});

test('it rings for who was called and is still in the chat, and who went learns no more of who answers', async () => {
  const { teacher, guardian, neighbour, colleague, school } = room;
  const chatId = await talk(teacher, school, [guardian, neighbour]);
  const { call } = await start(teacher, chatId);
  await teacher.does('AddChatMembers', { chatId, userIds: [await idOfUser(colleague)] });
  expect(await callFor(colleague, call.id)).toMatchObject({ viewerRings: false, state: 'RINGING' });
  const before = await callFor(neighbour, call.id);
  expect(before).toMatchObject({ viewerRings: true, participations: { totalCount: 1 } });
  await teacher.does('RemoveChatMember', { chatId, userId: await idOfUser(neighbour) });
  await deed(guardian, 'AnswerCall', call.id);
  const gone = { viewerRings: false, participations: { totalCount: 0, nodes: [] } };
  expect(await callFor(neighbour, call.id)).toMatchObject(gone);
  expect(await callFor(guardian, call.id)).toMatchObject({ participations: { totalCount: 2 } });
  await deed(teacher, 'EndCall', call.id);
  expect(await callFor(neighbour, call.id)).toMatchObject(gone);
  // Who goes when it is over keeps what they knew of it.
  await teacher.does('RemoveChatMember', { chatId, userId: await idOfUser(guardian) });
  expect(await callFor(guardian, call.id)).toMatchObject({ participations: { totalCount: 2 } });
});

test('who hangs up and comes back while LiveKit is away is not sent out when it is there again', async () => {
  const { teacher, guardian, neighbour, school, groupId } = room;
  const chatId = await talk(teacher, school, [guardian, neighbour]);
  const { call } = await start(teacher, chatId);
  await deed(neighbour, 'AnswerCall', call.id);
  const { ticket } = await deed(guardian, 'AnswerCall', call.id);
  const meetingId = await begun(teacher, { groupId });
  const { identity } = await joined(guardian, meetingId);
  livekit.status = 500;
  await deed(guardian, 'LeaveCall', call.id);
  await guardian.does('LeaveMeeting', { meetingId });
  const asked = (name: string) => livekit.about(name, 'RemoveParticipant').length;
  const rooms = [roomOf(call.id), roomOfMeeting(meetingId)];
  await eventually(() => expect(rooms.map(asked)).not.toContain(0));
  expect((await deed(guardian, 'AnswerCall', call.id)).ticket.identity).toBe(ticket.identity);
  expect((await joined(guardian, meetingId)).identity).toBe(identity);
  livekit.status = 200;
  const before = rooms.map(asked);
  const states = () =>
    inDatabase(
      app,
      (sql) => sql`select state::text from jobs.job where data->>'identity' in (${ticket.identity}, ${identity})`,
    );
  await eventually(async () =>
    expect(await states()).not.toContainEqual({ state: expect.stringMatching(/created|retry|active/) }),
  );
  expect(rooms.map(asked)).toEqual(before);
  expect(await callFor(guardian, call.id)).toMatchObject({ viewerIsIn: true });
});

test('when whoever calls loses the chat it stops ringing; when one of two does, they are cut off from each other', async () => {
  const { head, teacher, guardian, administrator, school, groupId } = room;
  const chatId = await talk(head, school, [teacher, guardian]);
  const ringing = await start(teacher, chatId);
  await head.does('RemoveChatMember', { chatId, userId: await idOfUser(teacher) });
  await eventually(async () => expect((await callFor(guardian, ringing.call.id)).state).toBe('MISSED'));
  expect(await callFor(guardian, ringing.call.id)).toMatchObject({ viewerRings: false, viewerMissed: true });
  await eventually(() => expect(livekit.about(roomOf(ringing.call.id), 'DeleteRoom')).not.toEqual([]));

  const child = await app.world.child(school, groupId);
  const parent = await app.world.guardian(school, child);
  const { call } = await start(teacher, (await direct(teacher, school, parent)).id);
  await deed(parent, 'AnswerCall', call.id);
  await administrator.does('TransferChild', { input: { childId: child, groupId: room.otherGroupId } });
  await eventually(() => expect(livekit.about(roomOf(call.id), 'DeleteRoom')).not.toEqual([]));
  expect(await callFor(teacher, call.id)).toMatchObject({ state: 'ENDED', viewerIsIn: false });
});

test('who of several is taken out of a chat leaves its call to the others', async () => {
  const { head, teacher, guardian, neighbour, school } = room;
  const chatId = await talk(head, school, [teacher, guardian, neighbour]);
  const { call } = await start(head, chatId);
  for (const person of [teacher, guardian, neighbour]) await deed(person, 'AnswerCall', call.id);
  await head.does('RemoveChatMember', { chatId, userId: await idOfUser(guardian) });
  const here = async () =>
    (await callFor(head, call.id)).participations.nodes.filter(({ admittedAt }: Json) => admittedAt).length;
  await eventually(async () => expect(await here()).toBe(3));
  expect(await callFor(head, call.id)).toMatchObject({ state: 'ACTIVE' });
  expect(livekit.about(roomOf(call.id), 'RemoveParticipant')).toHaveLength(1);
  await deed(head, 'EndCall', call.id);
});

test('a room whose name only looks like one of ours means nothing', async () => {
  for (const id of ['-'.repeat(36), 'a'.repeat(36)]) {
    const event = told('participant_joined', `call-${id}`, { identity: randomUUID(), sid: 'PA_x' });
    expect(await webhook(app, event)).toBe(204);
  }
  expect(faults).toEqual([]);
});

test('one person makes those in a chat hear it ring a few times a minute, and no more; others still may', async () => {
  const { teacher, guardian, school } = room;
  const chatId = (await direct(guardian, school, teacher)).id;
  await using heard = await follow(teacher, 'ViewerCallEvents');
  const rung: Json[] = [];
  const wish = { idempotencyKey: `wish-${randomUUID()}` };
  for (let round = 0; round < 6; round++) {
    const made = await start(guardian, chatId, round ? {} : wish);
    rung.push(made);
    await deed(teacher, 'DeclineCall', made.call.id);
  }
  const refused = await atOnce(5, () => start(guardian, chatId));
  expect(refused.map(answer)).toEqual(Array(5).fill('RATE_LIMITED'));
  expect(Date.parse(refused[0]?.retryAt)).toBeGreaterThan(Date.now());
  // A repeat rings nowhere.
  expect(await start(guardian, chatId, wish)).toMatchObject({ call: { id: rung[0]?.call.id }, ticket: null });
  expect((await guardian.run('ChatCalls', { chatId })).chat).toMatchObject({ activeCall: null });
  const { call } = await start(teacher, chatId);
  await eventually(() => expect(heard.delivered.map(({ callId }) => callId)).toContain(call.id));
  expect(kinds(heard).filter((kind) => kind === 'CALL_STARTED')).toHaveLength(7);
  await deed(teacher, 'EndCall', call.id);
});

test('whatever people do and LiveKit tells at once, a call comes to one end, told once, and nobody stays in it', async () => {
  const { teacher, guardian, neighbour, colleague, head, school } = room;
  for (let round = 0; round < 6; round++) {
    const them = round % 2 ? [teacher, guardian, neighbour, colleague, head] : [teacher, guardian];
    const chatId =
      round % 2 ? await talk(teacher, school, them.slice(1)) : (await direct(teacher, school, guardian)).id;
    await using heard = await follow(guardian, 'ViewerCallEvents');
    const { call, ticket } = await start(teacher, chatId);
    const tickets = await Promise.all(them.slice(1).map((one) => deed(one, 'AnswerCall', call.id)));
    const identities = [ticket.identity, ...tickets.map((made) => made.ticket.identity)];
    const tell = async (event: string, index: number): Promise<Json> => {
      const identity = identities[index % identities.length];
      const sid = `PA_${call.id}_${index % 3}_${identity}`;
      return { status: await webhook(app, told(event, roomOf(call.id), { identity, sid })) };
    };
    const done = await atOnce(60, (index) => {
      const which = (index * 7 + round) % 10;
      if (which < 3) return tell('participant_joined', index);
      if (which < 5) return tell('participant_left', index);
      if (which === 5 && index > 40) return tell('room_finished', index);
      const name = ['LeaveCall', 'AnswerCall', 'DeclineCall', 'AnswerCall', 'LeaveCall'][which - 5] as string; // of ten
      return deed(them[index % them.length] as Person, name, call.id);
    });
    const answers = new Set(done.map((one) => one.status ?? answer(one)));
    expect(answers.difference(new Set([204, 'Call', 'JoinCallPayload', 'INVALID_STATE', 'FORBIDDEN']))).toEqual(
      new Set(),
    );
    await deed(teacher, 'EndCall', call.id);
    const { state, participations } = await callFor(guardian, call.id);
    await eventually(() => expect(kinds(heard)).toContain(`CALL_${state}`));
    expect(kinds(heard).filter((kind) => /ENDED|MISSED|DECLINED/.test(kind))).toEqual([`CALL_${state}`]);
    expect(participations.nodes.filter(({ isPresent }: Json) => isPresent)).toEqual([]);
  }
  expect(faults).toEqual([]);
});
