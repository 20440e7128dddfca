import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('teachers and parents of a group talk in its chat, live', async () => {
  const { world } = app;
  const school = await world.school();
  const groupId = await world.group(school);
  const teacher = await world.teacher(school, groupId);
  const childId = await world.child(school, groupId);
  const mother = await world.guardian(school, childId);
  const chatId = await world.chat(mother, school, groupId);
  const heard = mother.subscribe('MessageSent', { chatId });
  await heard.begun();
  const sent = await world.message(teacher, chatId, 'Tomorrow at nine');
  expect(sent).toMatchObject({ number: 1, capacity: 'EMPLOYEE', text: 'Tomorrow at nine' });
  expect(await heard.next()).toMatchObject({ message: { number: 1, text: 'Tomorrow at nine' } });
  const { viewer } = await mother.run('Chats');
  expect(viewer.chats.nodes).toMatchObject([{ id: chatId, viewerUnreadCount: 1, lastMessage: { number: 1 } }]);
  expect(await mother.does('MarkChatRead', { chatId })).toMatchObject({ viewerUnreadCount: 0, viewerReadThrough: 1 });
  const { chat } = await teacher.run('Chat', { id: chatId });
  expect(chat.messages.nodes).toMatchObject([{ text: 'Tomorrow at nine', readCount: 1, viewerIsAuthor: true }]);
});

test('two people have one direct chat, whoever begins it', async () => {
  const { world } = app;
  const school = await world.school();
  const [one, other] = [await world.staff(school), await world.staff(school)];
  const begin = async (person: typeof one, with_: typeof one) =>
    person.does('CreateChat', {
      input: { organizationId: school.id, kind: 'DIRECT', userIds: [await world.userId(with_)] },
    });
  const made = await begin(one, other);
  expect(made).toMatchObject({ kind: 'DIRECT', name: null, viewerCanWrite: { allowed: true } });
  expect((await begin(other, one)).id).toBe(made.id);
  await world.message(one, made.id, 'Hello');
  expect((await other.run('Chats')).viewer.chats.nodes[0]).toMatchObject({ id: made.id, viewerUnreadCount: 1 });
});

test('mere words and what carries more are numbered as one, and what does not hold is refused', async () => {
  const { world } = app;
  const school = await world.school();
  const groupId = await world.group(school);
  const teacher = await world.teacher(school, groupId);
  const childId = await world.child(school, groupId);
  const mother = await world.guardian(school, childId);
  const chatId = await world.chat(mother, school, groupId);
  const words = await world.message(mother, chatId, 'Is there swimming?');
  const say = (person: Pick<typeof mother, 'does'>, more: object) =>
    person.does('SendMessage', { input: { chatId, text: 'Yes', clientMessageId: crypto.randomUUID(), ...more } });
  const named = [await world.userId(mother)];
  expect(await say(teacher, { replyToId: words.id, mentionedIds: named, priority: 'IMPORTANT' })).toMatchObject({
    number: 2,
    priority: 'IMPORTANT',
    replyTo: { number: 1 },
    mentions: [{}],
  });
  expect(await world.message(mother, chatId, 'Thank you')).toMatchObject({
    number: 3,
    priority: 'NORMAL',
    mentions: [],
  });
  expect(await say(mother, { priority: 'IMPORTANT' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await say(mother, { acknowledgementRequired: true })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await say(mother, { replyToId: chatId })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await say(mother, { mentionedIds: [await world.userId(await world.staff(school))] })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'mentionedIds',
  });
  expect(await world.message(mother, chatId, 'Good night')).toMatchObject({ number: 4 });
});
