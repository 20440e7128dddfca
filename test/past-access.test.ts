import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { type ChatRoom, chatFor, direct, idOfUser, messageFor, openChatRoom, say, talk } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { cursorOf } from './support/log.ts';

let app: TestApp;
let room: ChatRoom;

beforeAll(async () => {
  app = await startTestApp();
  room = await openChatRoom(app);
}, 120_000);
afterAll(() => app[Symbol.asyncDispose]());

test('who was taken out of a chat sees its messages as they stood then, by whichever way they ask', async () => {
  const { world, school, teacher } = room;
  const guest = await world.staff(school);
  const userId = await idOfUser(guest);
  const chatId = await talk(teacher, school, [guest]);
  const cursor = await cursorOf(guest);
  const { id } = await say(teacher, chatId, { text: 'Сначала' });
  const answered = await say(teacher, chatId, { text: 'Ответ', replyToId: id });
  const edit = (text: string) => teacher.does('EditMessage', { input: { messageId: id, text } });
  await edit('При нём');
  await teacher.does('AddMessageReaction', { messageId: id, emoji: '👍' });
  const seen = await messageFor(guest, id);
  expect(seen).toMatchObject({ text: 'При нём', editedAt: expect.any(String), isPinned: false });

  await teacher.does('RemoveChatMember', { chatId, userId });
  await edit('Без него, тайна');
  await edit('Без него, опять тайна');
  await teacher.does('AddMessageReaction', { messageId: id, emoji: '🎉' });
  await teacher.does('PinMessage', { messageId: id });
  expect(await messageFor(teacher, id)).toMatchObject({ text: 'Без него, опять тайна', isPinned: true });

  const { readCount: _count, revisions: _revisions, ...past } = seen;
  expect(await messageFor(guest, id)).toMatchObject({ ...past, readCount: 0 });
  const { messages } = await chatFor(guest, chatId);
  expect(messages.nodes.find((message: Json) => message.id === id)).toMatchObject({ text: 'При нём' });
  expect(await messageFor(guest, answered.id)).toMatchObject({ replyTo: { text: 'При нём' } });
  expect((await guest.run('PinnedMessages', { id: chatId })).chat.messages.nodes).toEqual([]);
  const { data } = await guest.send(
    `query ($id: ID!, $chat: ID!) {
       viewer { messages(search: "тайна") { totalCount nodes { id } } }
       chat(id: $chat) { messages(search: "тайна") { totalCount nodes { id } } }
       node(id: $id) { ... on Message { reactors { totalCount nodes { emojis } } readers { totalCount } reactions { emoji count } } }
     }`,
    { id, chat: chatId },
  );
  const nothing = { messages: { totalCount: 0, nodes: [] } };
  expect(data).toEqual({
    viewer: nothing,
    chat: nothing,
    node: {
      reactors: { totalCount: 1, nodes: [{ emojis: ['👍'] }] },
      readers: { totalCount: 0 },
      reactions: [{ emoji: '👍', count: 1 }],
    },
  });
  // What was told while they were there is told again as it was, and what they pass on says what they read.
  await using stream = guest.subscribe('ViewerEvents', { after: cursor });
  expect(await stream.nextOf('MessageSent')).toMatchObject({ message: { id, text: 'При нём' } });
  const elsewhere = await direct(guest, school, teacher);
  const forwarded = { chatId: elsewhere.id, messageId: id, clientMessageId: 'passed-on' };
  expect(await guest.does('ForwardMessage', { input: forwarded })).toMatchObject({ text: 'При нём' });

  // Who takes part again sees what is there now; what is deleted is gone for everybody.
  await teacher.does('AddChatMembers', { chatId, userIds: [userId] });
  expect(await messageFor(guest, id)).toMatchObject({ text: 'Без него, опять тайна', isPinned: true });
  await teacher.does('RemoveChatMember', { chatId, userId });
  await teacher.does('DeleteMessage', { messageId: id });
  expect(await messageFor(guest, id)).toMatchObject({ state: 'DELETED', text: '' });
});

test('an administrator who is one no longer sees that they did something, and neither why nor what changed', async () => {
  const { world, school } = room;
  const former = await world.secondAdministrator(school);
  const somebody = await world.staff(school);
  await former.does('SuspendMembership', { membershipId: somebody.membershipId, reason: 'Между нами.' });
  const suspended = async () => {
    const { nodes } = (await former.run('ViewerAuditLog', { filter: { action: 'membership.suspend' } })).viewer
      .auditLog;
    return nodes;
  };
  const details = { before: { state: 'ACTIVE' }, after: { state: 'SUSPENDED' }, reason: 'Между нами.' };
  const [entry] = await suspended();
  expect(entry).toMatchObject(details);
  const hidden = { id: entry.id, action: 'membership.suspend', before: null, after: null, reason: null };
  await school.administrator.does('RevokeAdministrator', { grantId: former.grantId });
  expect(await suspended()).toMatchObject([hidden]);
  await school.administrator.does('EndMembership', { membershipId: former.membershipId, reason: 'Ушёл.' });
  expect(await suspended()).toMatchObject([hidden]);
  expect((await former.run('Nodes', { ids: [entry.id] })).nodes).toMatchObject([{ id: entry.id }]);
});

test('staff read the phones of those who work in their own groups, and the names of the others', async () => {
  const { world, school } = room;
  const group = await world.group(school);
  const [one, other, elsewhere] = [
    await world.teacher(school, group),
    await world.teacher(school, group),
    await world.teacher(school, await world.group(school)),
  ];
  const phones = async (person: typeof one) => {
    const { nodes } = (await person.run('Members', { organizationId: school.id, first: 100 })).organization.members;
    return new Map(nodes.map(({ id, contact }: Json) => [id, contact?.phone ?? null]));
  };
  const seen = await phones(one);
  expect(seen.get(other.membershipId)).toBe(other.phone);
  expect(seen.get(elsewhere.membershipId)).toBeNull();
  const all = await phones(school.administrator as typeof one);
  expect(all.get(elsewhere.membershipId)).toBe(elsewhere.phone);
});
