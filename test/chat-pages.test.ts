import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { fewestStatements } from './support/statements.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** A teacher and a mother who talk in their group's chat, in chats of all kinds, with files, answers and reactions. */
async function talk(messages: number) {
  const { world } = app;
  const school = await world.school();
  const groupId = await world.group(school);
  const teacher = await world.teacher(school, groupId);
  const mother = await world.guardian(school, await world.child(school, groupId));
  const chatId = await world.chat(teacher, school, groupId);
  let replyToId: string | null = null;
  for (let number = 0; number < messages; number++) {
    const fileIds = number % 5 ? [] : [(await world.upload(teacher)).id];
    const author = number % 2 ? mother : teacher;
    const { id } = await world.message(
      author,
      chatId,
      `Message ${number}`,
      author === teacher ? { fileIds } : { replyToId },
    );
    if (number % 3 === 0) await mother.does('AddMessageReaction', { messageId: id, emoji: '👍' });
    replyToId = id;
  }
  return { school, teacher, mother, chatId };
}

test('a page of somebody’s chats with last messages and unread counts is read by at most three statements', async () => {
  const { school, teacher } = await talk(3);
  const { world } = app;
  for (let number = 0; number < 12; number++) {
    const other = await world.staff(school);
    const kind = number % 2 ? 'DIRECT' : 'CUSTOM';
    const userIds = [await world.userId(teacher)];
    const input = { organizationId: school.id, kind, userIds, ...(kind === 'CUSTOM' && { name: 'Repairs' }) };
    const { id } = await other.does('CreateChat', { input });
    await world.message(other, id);
  }
  const query = `{ viewer { chats(first: 20) { nodes {
    id kind name viewerUnreadCount viewerReadThrough viewerCanWrite { allowed } lastMessage { number text sentAt author { displayName } }
  } } } }`;
  const { data, statements } = await fewestStatements(async () => (await teacher.send(query)).data, 3);
  expect(data.viewer.chats.nodes).toHaveLength(14);
  expect(data.viewer.chats.nodes[0]).toMatchObject({ viewerUnreadCount: 1, lastMessage: { number: 1 } });
  // Who asks, the chats with what each is to the viewer, and their last messages.
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(3);
});

test('fifty messages with authors, reactions, files and who has read are read by at most five statements', async () => {
  const { teacher, mother, chatId } = await talk(60);
  await mother.does('MarkChatRead', { chatId });
  const query = `query ($id: ID!, $after: String) { chat(id: $id) { id viewerReadThrough messages(first: 50, after: $after) {
    pageInfo { endCursor } nodes {
      id number text sentAt capacity readCount viewerReactions author { displayName } reactions { emoji count }
      attachments { name size } replyTo { number text }
  } } } }`;
  const { data, statements } = await fewestStatements(async () => (await teacher.send(query, { id: chatId })).data, 5);
  const { nodes, pageInfo } = data.chat.messages;
  expect(nodes.map(({ number }: { number: number }) => number)).toEqual(Array.from({ length: 50 }, (_, at) => 60 - at));
  expect(nodes[59 - 50]).toMatchObject({ number: 51, readCount: 1 });
  // Who asks, the chat, the page, what the viewer did with it, and what is answered.
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(5);
  const rest = (await teacher.send(query, { id: chatId, after: pageInfo.endCursor })).data.chat.messages.nodes;
  expect(rest.at(-1)).toMatchObject({ number: 1 });
});
