import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { comeDue } from './support/due.ts';
import { answer, atOnce, follow, inSeconds } from './support/newsroom.ts';
import { createDatabase } from './support/postgres.ts';
import {
  gapless,
  historyFor,
  messageFor,
  newKey,
  numbersIn,
  openTalk,
  ownChat,
  say,
  type Talk,
} from './support/talk.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;

beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const schedule = (person: TestClient, chatId: string, seconds: number, input: object = {}): Promise<Json> =>
  person.does('ScheduleMessage', {
    input: { chatId, text: 'Good morning', clientMessageId: newKey(), sendAt: inSeconds(seconds), ...input },
  });

/** What somebody finds of theirs in a state. */
const waiting = async (person: TestClient, state?: string): Promise<Json[]> =>
  (await person.run('ScheduledMessages', { state, first: 100 })).viewer.scheduledMessages.nodes;
const becomes = (person: TestClient, id: string, state: string) =>
  eventually(async () => expect(await messageFor(person, id)).toMatchObject({ state }));

test('what is scheduled is its author’s alone until its time, and then everybody’s, with its files, once', async () => {
  const { teacher, otherTeacher, head, school } = talk;
  const chatId = await ownChat(app.world, school, [teacher, otherTeacher, head]);
  const file = await app.world.upload(teacher);
  const asked = await app.world.message(head, chatId, 'When?');
  const sendAt = inSeconds(3600);
  const [own, others] = [await follow(teacher, 'ViewerEvents'), await follow(head, 'ViewerEvents')];
  const input = { text: 'Кукушка', fileIds: [file.id], replyToId: asked.id, clientMessageId: newKey(), sendAt };
  const scheduled = await schedule(teacher, chatId, 0, { ...input, priority: 'IMPORTANT' });
  expect(scheduled).toMatchObject({ state: 'SCHEDULED', number: null, sentAt: null, attachments: [{ id: file.id }] });
  expect(await schedule(teacher, chatId, 0, { ...input, text: 'Again' })).toEqual(scheduled);
  expect(await own.nextOf('MessageChanged')).toMatchObject({
    kind: 'MESSAGE_SCHEDULED',
    message: { id: scheduled.id, sendAt },
  });
  expect((await waiting(teacher)).map(({ id }) => id)).toEqual([scheduled.id]);
  for (const person of [head, otherTeacher, talk.guardian, school.administrator]) {
    expect(await messageFor(person, scheduled.id)).toBeNull();
    expect((await person.run('File', { id: file.id })).node).toBeNull();
    expect(await person.does('CancelScheduledMessage', { messageId: scheduled.id })).toMatchObject({
      code: 'NOT_FOUND',
    });
  }
  for (const person of [teacher, head]) {
    expect((await historyFor(person, chatId))?.map(({ id }) => id)).toEqual([asked.id]);
    const found = await person.run('SearchChat', { id: chatId, search: 'кукушка' });
    expect(found.chat.messages.totalCount).toBe(0);
  }
  for (const [name, more] of [
    ['AddMessageReaction', { emoji: '👍' }],
    ['PinMessage', {}],
    ['DeleteMessage', {}],
  ] as const)
    expect(await teacher.does(name, { messageId: scheduled.id, ...more })).toMatchObject({ code: 'INVALID_STATE' });
  expect(await teacher.does('EditMessage', { input: { messageId: scheduled.id, text: 'x' } })).toMatchObject({
    code: 'INVALID_STATE',
  });
  await comeDue(app, scheduled.id);
  const heard = await others.nextOf('MessageSent');
  expect(heard).toMatchObject({ message: { id: scheduled.id, number: 2, text: 'Кукушка' } });
  expect(await own.nextOf('MessageSent')).toMatchObject({
    message: { id: scheduled.id, state: 'SENT', chat: { viewerReadThrough: 2, viewerUnreadCount: 0 } },
  });
  expect(await messageFor(head, scheduled.id)).toMatchObject({
    attachments: [{ id: file.id }],
    replyTo: { id: asked.id },
    priority: 'IMPORTANT',
  });
  expect(await waiting(teacher)).toEqual([]);
  expect(await teacher.does('CancelScheduledMessage', { messageId: scheduled.id })).toMatchObject({
    code: 'INVALID_STATE',
  });
  expect(await schedule(teacher, chatId, 0, input)).toMatchObject({ id: scheduled.id, state: 'SENT' });
  expect(others.delivered.filter(({ kind }) => kind === 'MESSAGE_SENT')).toHaveLength(1);
  for (const stream of [own, others]) await stream[Symbol.asyncDispose]();
});

test('a time must be ahead, within a year; what may not be said cannot be scheduled', async () => {
  const { teacher, guardian, head } = talk;
  for (const seconds of [-1, 366 * 86_400])
    expect(await schedule(teacher, talk.chatId, seconds)).toMatchObject({ code: 'INVALID_INPUT', field: 'sendAt' });
  expect(await schedule(guardian, talk.chatId, 60, { priority: 'IMPORTANT' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await schedule(teacher, talk.chatId, 60, { priority: 'URGENT' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await schedule(teacher, talk.chatId, 60, { text: ' ' })).toMatchObject({ field: 'text' });
  expect(await schedule(head, talk.chatId, 60)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await waiting(teacher)).toEqual([]);
});

test('what is taken back is not sent and its files are gone; a hundred wait at most, however many come at once', async () => {
  const { teacher, school } = talk;
  const planner = await app.world.staff(school);
  const chatId = await ownChat(app.world, school, [teacher, planner]);
  const file = await app.world.upload(planner);
  const { id } = await schedule(planner, chatId, 3600, { fileIds: [file.id] });
  await atOnce(3, () => planner.does('CancelScheduledMessage', { messageId: id }));
  expect(await messageFor(planner, id)).toMatchObject({ state: 'CANCELLED', attachments: [] });
  const all = await atOnce(130, () => schedule(planner, chatId, 3600));
  expect(all.map(answer).filter((one) => one === 'INVALID_INPUT')).toHaveLength(30);
  const planned = await waiting(planner);
  expect(planned).toHaveLength(100);
  await planner.does('CancelScheduledMessage', { messageId: planned[0].id });
  expect(await schedule(planner, chatId, 3600)).toMatchObject({ state: 'SCHEDULED' });
  const sentinel = await schedule(teacher, chatId, 3600);
  await comeDue(app, id, planned[0].id, sentinel.id);
  await becomes(teacher, sentinel.id, 'SENT');
  expect((await historyFor(teacher, chatId))?.map(({ id }) => id)).toEqual([sentinel.id]);
  expect(await messageFor(teacher, id)).toBeNull();
});

test('whose author may not write there any more fails: gone, lesser than before, or the chat frozen', async () => {
  const { teacher, otherTeacher, head, school } = talk;
  const leader = await app.world.secondAdministrator(school);
  const [left, frozen, open] = await Promise.all(
    [1, 2, 3].map(() => ownChat(app.world, school, [teacher, otherTeacher, head, leader])),
  );
  const [gone, late, urgent, again] = await Promise.all([
    schedule(otherTeacher, left ?? '', 3600),
    schedule(otherTeacher, frozen ?? '', 3600),
    schedule(leader, open ?? '', 3600, { priority: 'URGENT' }),
    schedule(leader, left ?? '', 3600),
  ]);
  await using heard = await follow(otherTeacher, 'ViewerEvents');
  await otherTeacher.does('LeaveChat', { chatId: left });
  await teacher.does('MakeChatReadOnly', { chatId: frozen });
  await school.administrator.does('RevokeAdministrator', { grantId: leader.grantId });
  await comeDue(app, ...[gone, late, urgent, again].map(({ id }) => id));
  await becomes(otherTeacher, gone.id, 'FAILED');
  await becomes(otherTeacher, late.id, 'FAILED');
  await becomes(leader, urgent.id, 'FAILED');
  await becomes(leader, again.id, 'SENT');
  const failures = Object.fromEntries((await waiting(otherTeacher, 'FAILED')).map(({ id, failure }) => [id, failure]));
  expect(failures).toEqual({ [gone.id]: 'ACCESS_LOST', [late.id]: 'CHAT_CLOSED' });
  await eventually(() => expect(heard.delivered.filter(({ kind }) => kind === 'MESSAGE_FAILED')).toHaveLength(2));
  expect(await numbersIn(app, left ?? '')).toEqual([1, 1]);
  expect(await numbersIn(app, frozen ?? '')).toEqual([0]);
  expect(await otherTeacher.does('CancelScheduledMessage', { messageId: gone.id })).toMatchObject({
    state: 'CANCELLED',
  });
});

test('who lost a chat with what they had scheduled finds it FAILED, and learns nothing more of the chat', async () => {
  const { school, groupId, administrator, teacher } = { ...talk, groupId: await app.world.group(talk.school) };
  const keeper = await app.world.teacher(school, groupId);
  const mother = await app.world.guardian(school, await app.world.child(school, groupId));
  const { linkId: guardianLinkId } = mother;
  const elsewhere = await app.world.child(school, talk.groupId);
  await app.world.guardian(school, elsewhere, mother);
  const chatId = await app.world.chat(keeper, school, groupId);
  const { id } = await schedule(mother, chatId, 3600);
  await administrator.does('RevokeGuardianLink', { guardianLinkId, reason: 'An error' });
  await comeDue(app, id);
  await becomes(mother, id, 'FAILED');
  await administrator.does('UpdateGroup', { input: { groupId, name: 'Secret' } });
  const { data, errors } = await mother.send(
    `{ viewer { scheduledMessages(state: FAILED) { nodes { id failure chat { name state lastNumber
      messages { nodes { text } } members { nodes { user { displayName } } } } } } } }`,
  );
  expect(errors).toBeUndefined();
  expect(data.viewer.scheduledMessages.nodes).toEqual([{ id, failure: 'ACCESS_LOST', chat: null }]);
  expect(await mother.run('Chat', { id: chatId })).toEqual({ chat: null });
  expect(await say(teacher, chatId, 'x')).toMatchObject({ code: 'NOT_FOUND' });
});

test('what comes due among messages of others takes one number with them', async () => {
  const { teacher, otherTeacher, head, school } = talk;
  const chatId = await ownChat(app.world, school, [teacher, otherTeacher, head]);
  const sendAt = inSeconds(3600);
  const people: Person[] = [teacher, otherTeacher, head];
  const scheduled = await Promise.all(
    people.flatMap((person) => atOnce(5, () => schedule(person, chatId, 0, { sendAt }))),
  );
  const due = scheduled.flat();
  await using heard = await follow(head, 'MessageSent', { chatId });
  const coming = comeDue(app, ...due.map(({ id }) => id));
  let said = 0;
  while (due.some(({ id }) => !heard.delivered.some(({ messageId }) => messageId === id)))
    said += (await Promise.all(people.map((person) => say(person, chatId, 'x')))).length;
  await coming;
  expect(await numbersIn(app, chatId)).toEqual(gapless(said + due.length));
  await heard.count(said + due.length);
  expect(heard.delivered.map(({ message }) => message.number)).toEqual(gapless(said + due.length).slice(0, -1));
});

test('with two servers each is sent once; while none runs it waits, and is sent at the next start', async () => {
  await using database = await createDatabase();
  const databaseUrl = database.url;
  const first = await startTestApp({ databaseUrl });
  const second = await startTestApp({ databaseUrl });
  const school = await first.world.school();
  const head = await first.world.head(school);
  const chatId = await first.world.chat(head, school);
  const sendAt = inSeconds(3600);
  await using heard = await follow(head, 'MessageSent', { chatId });
  const due = await atOnce(12, () => schedule(head, chatId, 0, { sendAt }));
  await comeDue({ databaseUrl }, ...due.map(({ id }) => id));
  await heard.count(due.length);
  const missed = await schedule(head, chatId, 3600);
  await heard[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await comeDue({ databaseUrl }, missed.id);
  await using third = await startTestApp({ databaseUrl });
  const again = Object.assign(third.world.anonymous(), { token: head.token });
  await becomes(again, missed.id, 'SENT');
  const history = (await historyFor(again, chatId)) ?? [];
  expect(history.map(({ number }) => number)).toEqual(due.map((_, index) => index + 1).concat(due.length + 1));
  expect(new Set(history.map(({ id }) => id))).toEqual(new Set([...due, missed].map(({ id }) => id)));
});
