import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { globalId } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { conferencing } from './support/beside.ts';
import {
  allowGuardianChats,
  type ChatRoom,
  chatDeed,
  direct,
  idOfUser,
  openChatRoom,
  talk,
} from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { answer, atOnce, follow, kinds } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: ChatRoom;
/** Between the teacher and the guardian; of the group. */
let between: string;

beforeAll(async () => {
  app = await startTestApp({ config: { conferencing } });
  room = await openChatRoom(app);
  await allowGuardianChats(app);
  await inDatabase(app, (sql) => sql`update organizations set quiet_from = null, quiet_until = null`);
  between = (await direct(room.teacher, room.school, room.guardian)).id;
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(() =>
  inDatabase(
    app,
    (sql) => sql`
      update calls set state = 'ENDED', ended_at = now(), answered_at = coalesce(answered_at, now())
      where state in ('RINGING', 'ACTIVE')`,
  ),
);

const called = async (person: Person, chatId: string, input: object = {}): Promise<Json> => {
  const made = await person.does('StartCall', { input: { chatId, kind: 'VIDEO', ...input } });
  if (!made.call) throw new Error(JSON.stringify(made));
  return made.call;
};
const deed = (person: Person, name: string, callId: string): Promise<Json> => person.does(name, { callId });
const callFor = async (person: Person, id: string): Promise<Json> => (await person.run('Call', { id })).node;
const missed = async (person: Person): Promise<string[]> =>
  (await person.run('ViewerCalls', { missedOnly: true })).viewer.calls.nodes.map(({ id }: Json) => id);

test('a call rings on all devices of the other, who answers on one: the others fall silent, and both have tickets', async () => {
  const { teacher, guardian } = room;
  await using phone = await follow(guardian, 'ViewerCallEvents');
  await using tablet = await follow(guardian, 'ViewerCallEvents');
  const { call, ticket } = await teacher.does('StartCall', { input: { chatId: between, kind: 'AUDIO' } });
  expect(call).toMatchObject({
    state: 'RINGING',
    kind: 'AUDIO',
    viewerRings: false,
    viewerIsIn: true,
    viewerCanEnd: true,
  });
  expect(ticket).toMatchObject({ url: 'ws://127.0.0.1:9', token: expect.any(String), identity: expect.any(String) });
  for (const device of [phone, tablet])
    expect(await device.next()).toMatchObject({ kind: 'CALL_STARTED', call: { id: call.id, viewerRings: true } });
  const answered = await deed(guardian, 'AnswerCall', call.id);
  expect(answered).toMatchObject({ call: { state: 'ACTIVE', viewerRings: false, viewerIsIn: true } });
  expect(answered.ticket.identity).not.toBe(ticket.identity);
  await tablet.count(3);
  expect(kinds(tablet)).toEqual(['CALL_STARTED', 'CALL_JOINED', 'CALL_ANSWERED']);
  expect(tablet.delivered[1]).toMatchObject({ call: { viewerRings: false } });
  const { participations } = await callFor(teacher, call.id);
  expect(participations.nodes.map(({ identity }: Json) => identity).toSorted()).toEqual(
    [ticket.identity, answered.ticket.identity].toSorted(),
  );
  expect(await deed(guardian, 'LeaveCall', call.id)).toMatchObject({ state: 'ENDED', viewerMissed: false });
  expect(await callFor(teacher, call.id)).toMatchObject({ state: 'ENDED', viewerIsIn: false });
  expect((await deed(teacher, 'AnswerCall', call.id)).code).toBe('INVALID_STATE');
});

test('who hangs up before anybody answers leaves a missed call; a declined one is none', async () => {
  const { teacher, guardian } = room;
  const given = await called(teacher, between);
  await using heard = await follow(guardian, 'ViewerCallEvents');
  expect(await deed(teacher, 'LeaveCall', given.id)).toMatchObject({ state: 'MISSED', viewerMissed: false });
  expect(await heard.next()).toMatchObject({ kind: 'CALL_MISSED', call: { viewerMissed: true } });
  expect(await missed(guardian)).toContain(given.id);
  expect(await missed(teacher)).not.toContain(given.id);
  const declined = await called(guardian, between);
  expect(await deed(guardian, 'DeclineCall', declined.id)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await deed(teacher, 'DeclineCall', declined.id)).toMatchObject({ state: 'DECLINED', viewerMissed: false });
  expect(await deed(teacher, 'DeclineCall', declined.id)).toMatchObject({ state: 'DECLINED' });
  expect(await missed(teacher)).not.toContain(declined.id);
  expect(answer(await deed(teacher, 'AnswerCall', declined.id))).toBe('INVALID_STATE');
  expect(answer(await deed(guardian, 'EndCall', declined.id))).toBe('INVALID_STATE');
});

test('nobody answers: the call is missed by itself', async () => {
  const { teacher, guardian } = room;
  const { id, ringsUntil, startedAt } = await called(teacher, between);
  expect(Date.parse(ringsUntil) - Date.parse(startedAt)).toBeGreaterThan(40_000);
  await inDatabase(app, async (sql) => {
    await sql`update calls set rings_until = now() where id = ${Buffer.from(id, 'base64').toString().slice('Call:'.length)}`;
    await sql`update jobs.job set start_after = now() where name = 'call-ringing'`;
  });
  await eventually(async () => expect((await callFor(guardian, id)).state).toBe('MISSED'));
  expect(await callFor(guardian, id)).toMatchObject({ viewerRings: false, viewerMissed: true });
});

test('the staff call a group, families answer; they cannot call it, and who is not in the chat sees nothing', async () => {
  const { teacher, guardian, neighbour, otherGuardian, administrator, stranger, groupChat } = room;
  expect(await guardian.does('StartCall', { input: { chatId: groupChat, kind: 'VIDEO' } })).toMatchObject({
    code: 'FORBIDDEN',
  });
  expect((await guardian.run('ChatCalls', { chatId: groupChat })).chat).toMatchObject({
    viewerCanCall: { allowed: false, reason: 'NOT_STAFF' },
    activeCall: null,
  });
  const { id } = await called(teacher, groupChat);
  expect((await neighbour.run('ChatCalls', { chatId: groupChat })).chat.activeCall).toMatchObject({
    id,
    viewerRings: true,
  });
  expect(await deed(guardian, 'DeclineCall', id)).toMatchObject({ state: 'RINGING', viewerRings: false });
  expect((await deed(neighbour, 'AnswerCall', id)).call.state).toBe('ACTIVE');
  expect((await deed(guardian, 'AnswerCall', id)).call).toMatchObject({ state: 'ACTIVE', viewerIsIn: true });
  expect(await deed(neighbour, 'EndCall', id)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await deed(neighbour, 'LeaveCall', id)).toMatchObject({
    state: 'ACTIVE',
    viewerIsIn: false,
    viewerRings: false,
    viewerMissed: false,
  });
  for (const outsider of [otherGuardian, administrator, stranger]) {
    expect(await callFor(outsider, id)).toBeNull();
    for (const name of ['AnswerCall', 'DeclineCall', 'LeaveCall', 'EndCall'])
      expect(answer(await deed(outsider, name, id))).toBe('NOT_FOUND');
    expect(answer(await outsider.does('StartCall', { input: { chatId: groupChat, kind: 'AUDIO' } }))).toBe('NOT_FOUND');
  }
  expect(await deed(teacher, 'EndCall', id)).toMatchObject({ state: 'ENDED' });
  expect(await deed(teacher, 'EndCall', id)).toMatchObject({ state: 'ENDED' });
  expect(answer(await deed(teacher, 'EndCall', globalId('Call', randomUUID())))).toBe('NOT_FOUND');
});

test('when everybody who was called has declined, the call is over', async () => {
  const { teacher, guardian, neighbour, school } = room;
  const chatId = await talk(teacher, school, [guardian, neighbour]);
  const { id } = await called(teacher, chatId);
  expect(await deed(guardian, 'DeclineCall', id)).toMatchObject({ state: 'RINGING' });
  expect(await deed(neighbour, 'DeclineCall', id)).toMatchObject({ state: 'DECLINED' });
});

test('one call of a chat goes on at a time, also when 20 call at once; the same wish again is the same call', async () => {
  const { teacher, groupChat } = room;
  const raced = await atOnce(20, () => teacher.does('StartCall', { input: { chatId: groupChat, kind: 'VIDEO' } }));
  expect(raced.filter(({ call }) => call)).toHaveLength(1);
  expect(raced.filter(({ code, field }) => code === 'INVALID_INPUT' && field === 'chatId')).toHaveLength(19);
  await deed(teacher, 'EndCall', raced.find(({ call }) => call)?.call.id);
  const input = { chatId: groupChat, kind: 'AUDIO', idempotencyKey: `call-${randomUUID()}` };
  const same = await atOnce(10, () => teacher.does('StartCall', { input }));
  expect(new Set(same.map(({ call }) => call?.id))).toHaveLength(1);
  expect(await teacher.does('StartCall', { input: { ...input, kind: 'VIDEO' } })).toMatchObject({
    field: 'idempotencyKey',
  });
  await deed(teacher, 'EndCall', same[0]?.call.id);
  expect(await teacher.does('StartCall', { input })).toMatchObject({ call: { state: 'MISSED' }, ticket: null });
});

test('of many who answer, decline and hang up at once, the call comes to one end, told once', async () => {
  const { teacher, guardian } = room;
  for (let round = 0; round < 5; round++) {
    const { id } = await called(teacher, between);
    await using heard = await follow(guardian, 'ViewerCallEvents');
    await atOnce(15, (index) =>
      deed(index % 3 ? guardian : teacher, ['LeaveCall', 'AnswerCall', 'DeclineCall'][index % 3] as string, id),
    );
    await deed(teacher, 'EndCall', id);
    const { state } = await callFor(guardian, id);
    expect(['ENDED', 'MISSED', 'DECLINED']).toContain(state);
    await eventually(() => expect(kinds(heard)).toContain(`CALL_${state}`));
    expect(kinds(heard).filter((kind) => /ENDED|MISSED|DECLINED/.test(kind))).toEqual([`CALL_${state}`]);
  }
});

test('what rings respects muted chats and quiet hours, and neither keeps anybody from answering', async () => {
  const { teacher, guardian } = room;
  await guardian.does('MuteChat', { chatId: between });
  const { id } = await called(teacher, between);
  expect(await callFor(guardian, id)).toMatchObject({ viewerRings: false });
  await guardian.does('UnmuteChat', { chatId: between });
  expect(await callFor(guardian, id)).toMatchObject({ viewerRings: true });
  await inDatabase(app, (sql) => sql`update organizations set quiet_from = '00:00', quiet_until = '23:59'`);
  expect(await callFor(guardian, id)).toMatchObject({ viewerRings: false });
  expect((await deed(guardian, 'AnswerCall', id)).call.state).toBe('ACTIVE');
  await inDatabase(app, (sql) => sql`update organizations set quiet_from = null, quiet_until = null`);
  await deed(guardian, 'EndCall', id);
});

test('who left a chat keeps the calls while they were there, and sees none that came later', async () => {
  const { teacher, guardian, neighbour, school } = room;
  const chatId = await talk(teacher, school, [guardian, neighbour]);
  const before = await called(teacher, chatId);
  await deed(guardian, 'AnswerCall', before.id);
  await deed(teacher, 'EndCall', before.id);
  await chatDeed(guardian, 'LeaveChat', chatId, {});
  const after = await called(teacher, chatId);
  expect(await callFor(guardian, before.id)).toMatchObject({ state: 'ENDED' });
  expect(await callFor(guardian, after.id)).toBeNull();
  expect(answer(await deed(guardian, 'AnswerCall', after.id))).toBe('NOT_FOUND');
  const { totalCount, nodes } = (await guardian.run('ChatCalls', { chatId })).chat.calls;
  expect([totalCount, nodes.map(({ id }: Json) => id)]).toEqual([1, [before.id]]);
  await deed(teacher, 'EndCall', after.id);
  expect(await missed(guardian)).not.toContain(after.id);
  expect(await missed(neighbour)).toEqual(expect.arrayContaining([before.id, after.id]));
});

test('a guardian who is known to their own family alone is in no list of the others', async () => {
  const { administrator, teacher, guardian, school, child, groupChat } = room;
  const hidden = await app.world.guardian(school, child);
  await administrator.does('SetGuardianContactVisibility', {
    guardianLinkId: hidden.linkId,
    contactVisibility: 'LIMITED',
  });
  const { id } = await called(teacher, groupChat);
  for (const person of [hidden, guardian]) await deed(person, 'AnswerCall', id);
  const names = async (person: Person) =>
    (await callFor(person, id)).participations.nodes.map(({ user }: Json) => user.id).toSorted();
  const everybody = (await Promise.all([teacher, guardian, hidden].map(idOfUser))).toSorted();
  expect(await names(teacher)).toEqual(everybody);
  expect(await names(guardian)).toEqual((await Promise.all([teacher, guardian].map(idOfUser))).toSorted());
  await deed(teacher, 'EndCall', id);
});

test('without a LiveKit server calls say that they are not configured', async () => {
  await using bare = await startTestApp();
  const school = await bare.world.school('School 9', 'SCHOOL');
  const [head, colleague] = [await bare.world.head(school), await bare.world.staff(school)];
  const chatId = (await direct(head, school, colleague)).id;
  expect(await head.does('StartCall', { input: { chatId, kind: 'AUDIO' } })).toMatchObject({
    __typename: 'NotConfigured',
    code: 'NOT_CONFIGURED',
    message: 'Calls and video meetings are not configured on this installation.',
  });
  expect((await head.run('ChatCalls', { chatId })).chat.viewerCanCall).toEqual({
    allowed: false,
    reason: 'NOT_CONFIGURED',
  });
});
