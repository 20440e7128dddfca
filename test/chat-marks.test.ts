import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { answer, follow, inSeconds } from './support/newsroom.ts';
import { chatFor, openTalk, ownChat, say, type Talk } from './support/talk.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;

beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const fresh = () => ownChat(app.world, talk.school, [talk.teacher, talk.otherTeacher, talk.head]);
const device = (person: Person) => app.world.person(undefined, person.phone);

/** A chat in which somebody has said so much. */
async function chatOf(size: number): Promise<string> {
  const chatId = await fresh();
  for (let number = 0; number < size; number++) await app.world.message(talk.teacher, chatId);
  return chatId;
}

const read = (person: Person, chatId: string, upTo?: number | null) => person.does('MarkChatRead', { chatId, upTo });

test('a mark never goes back, however two devices race', async () => {
  const { head } = talk;
  const [one, two] = [await device(head), await device(head)];
  const chatId = await chatOf(12);
  await using heard = await follow(head, 'ViewerEvents');
  const marks = [3, 9, 1, 12, 5, 7, 2, 11, 4, 10, 6, 8];
  await Promise.all(marks.map((upTo, index) => read(index % 2 ? one : two, chatId, upTo)));
  expect(await chatFor(head, chatId)).toMatchObject({ viewerReadThrough: 12, viewerUnreadCount: 0 });
  expect(await read(one, chatId, 4)).toMatchObject({ viewerReadThrough: 12 });
  await one.does('SaveChatDraft', { chatId, text: 'The end' });
  while ((await heard.next()).kind !== 'CHAT_DRAFT_SAVED');
  const told = heard.delivered.map(({ chat }) => chat.viewerReadThrough);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
});

test('beyond the last message, or before the first, there is nothing to be marked', async () => {
  const { head } = talk;
  const chatId = await chatOf(3);
  for (const upTo of [4, -1, 2_147_483_647])
    expect(await read(head, chatId, upTo)).toMatchObject({ code: 'INVALID_INPUT', field: 'upTo' });
  expect(await chatFor(head, chatId)).toMatchObject({ viewerReadThrough: 0, viewerUnreadCount: 3 });
  expect(await read(head, chatId, 2)).toMatchObject({ viewerReadThrough: 2, viewerUnreadCount: 1 });
  expect(await read(head, chatId)).toMatchObject({ viewerReadThrough: 3, viewerUnreadCount: 0 });
  expect(await read(talk.guardian, chatId)).toMatchObject({ code: 'NOT_FOUND' });
});

test('what one says oneself counts as read, with all before it; deleted messages count like others', async () => {
  const { head, teacher } = talk;
  const chatId = await chatOf(2);
  await app.world.message(head, chatId);
  expect(await chatFor(head, chatId)).toMatchObject({ viewerReadThrough: 3, viewerUnreadCount: 0 });
  expect(await chatFor(teacher, chatId)).toMatchObject({ viewerReadThrough: 2, viewerUnreadCount: 1 });
  const gone = await app.world.message(teacher, chatId);
  await teacher.does('DeleteMessage', { messageId: gone.id });
  expect(await chatFor(head, chatId)).toMatchObject({ viewerUnreadCount: 1 });
});

test('who comes later has read nothing of what they do not see; who comes again counts from then on', async () => {
  const { teacher, school } = talk;
  const chatId = await chatOf(3);
  const late = await app.world.staff(school);
  const userIds = [await app.world.userId(late)];
  await teacher.does('AddChatMembers', { chatId, userIds });
  expect(await chatFor(late, chatId)).toMatchObject({ lastNumber: 0, viewerUnreadCount: 0 });
  await app.world.message(teacher, chatId);
  expect(await chatFor(late, chatId)).toMatchObject({ lastNumber: 4, viewerUnreadCount: 1 });
  await late.does('LeaveChat', { chatId });
  await app.world.message(teacher, chatId);
  expect(await chatFor(late, chatId)).toMatchObject({ lastNumber: 4, viewerUnreadCount: 0 });
  expect(await read(late, chatId, 5)).toMatchObject({ field: 'upTo' });
  expect(await read(late, chatId, 4)).toMatchObject({ viewerReadThrough: 4 });
  await teacher.does('AddChatMembers', { chatId, userIds });
  await app.world.message(teacher, chatId);
  expect(await chatFor(late, chatId)).toMatchObject({ lastNumber: 6, viewerUnreadCount: 1 });
});

test('a chat is muted for a time, at most a year, or until it is not; a draft is kept until something is said', async () => {
  const { head } = talk;
  const chatId = await fresh();
  const other = await device(head);
  for (const seconds of [-1, 366 * 86_400])
    expect(await head.does('MuteChat', { chatId, until: inSeconds(seconds) })).toMatchObject({ field: 'until' });
  const until = inSeconds(3600);
  expect(await head.does('MuteChat', { chatId, until })).toMatchObject({ viewerMuted: true, viewerMutedUntil: until });
  expect(await other.does('MuteChat', { chatId })).toMatchObject({ viewerMuted: true, viewerMutedUntil: null });
  expect(await head.does('UnmuteChat', { chatId })).toMatchObject({ viewerMuted: false });
  expect(await head.does('SaveChatDraft', { chatId, text: 'я'.repeat(4001) })).toMatchObject({ field: 'text' });
  await head.does('SaveChatDraft', { chatId, text: 'I think' });
  expect(await chatFor(other, chatId)).toMatchObject({ viewerDraft: 'I think' });
  expect((await chatFor(talk.teacher, chatId)).viewerDraft).toBeNull();
  expect(await other.does('SaveChatDraft', { chatId, text: ' ' })).toMatchObject({ viewerDraft: null });
  await head.does('SaveChatDraft', { chatId, text: 'Or rather' });
  expect(answer(await say(other, chatId, 'Or rather not'))).toBe('Message');
  expect((await chatFor(head, chatId)).viewerDraft).toBeNull();
});

test('one’s own devices alone hear of one’s marks; between two also the other hears of reading', async () => {
  const { head, teacher, school } = talk;
  const direct = await ownChat(app.world, school, [head, teacher], { kind: 'DIRECT', name: null });
  const chatId = await chatOf(1);
  await app.world.message(teacher, direct);
  const [own, others] = [await follow(head, 'ViewerEvents'), await follow(teacher, 'ViewerEvents')];
  for (const id of [chatId, direct]) {
    await head.does('MuteChat', { chatId: id });
    await head.does('SaveChatDraft', { chatId: id, text: 'Well' });
    await read(head, id);
  }
  await app.world.message(head, direct, 'The end');
  for (const stream of [own, others]) while ((await stream.next()).kind !== 'MESSAGE_SENT');
  const told = (stream: typeof own) => stream.delivered.map(({ kind, chatId: id }) => [kind, id]);
  const marks = ['CHAT_MUTED', 'CHAT_DRAFT_SAVED', 'CHAT_READ'];
  expect(told(own).slice(0, 6)).toEqual([chatId, direct].flatMap((id) => marks.map((kind) => [kind, id])));
  expect(told(others).slice(0, -1)).toEqual([['CHAT_READ', direct]]);
  expect(others.delivered[0].chat).toMatchObject({ viewerDraft: null, viewerMuted: false });
  for (const stream of [own, others]) await stream[Symbol.asyncDispose]();
});
