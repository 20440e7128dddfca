import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { answer, atOnce, follow } from './support/newsroom.ts';
import { messageFor, openTalk, ownChat, type Talk } from './support/talk.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;

beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const react = (person: Person, messageId: string, emoji: string): Promise<Json> =>
  person.does('AddMessageReaction', { messageId, emoji });
const names = (connection: Json): string[] => connection.nodes.map(({ user }: Json) => user.id).toSorted();

const emojis = [...'😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔😕'];

describe('reactions', () => {
  test('each person once with each emoji, whatever number of times they ask; all who take part hear of it', async () => {
    const { teacher, guardian, chatId } = talk;
    const { id } = await app.world.message(teacher, chatId);
    await using heard = await follow(guardian, 'ChatEvents', { chatId });
    const all = await atOnce(10, () => react(teacher, id, '👍'));
    expect(new Set(all.map((one) => JSON.stringify(one.reactions)))).toEqual(
      new Set([JSON.stringify([{ emoji: '👍', count: 1 }])]),
    );
    await react(guardian, id, '👍');
    expect(await react(guardian, id, '🎉')).toMatchObject({
      viewerReactions: ['👍', '🎉'],
      reactions: [
        { emoji: '👍', count: 2 },
        { emoji: '🎉', count: 1 },
      ],
    });
    await teacher.does('RemoveMessageReaction', { messageId: id, emoji: '👍' });
    expect(await teacher.does('RemoveMessageReaction', { messageId: id, emoji: '👍' })).toMatchObject({
      viewerReactions: [],
    });
    await app.world.message(teacher, chatId);
    await heard.nextOf('MessageSent');
    expect(heard.delivered.map(({ kind }) => kind)).toEqual([...Array(4).fill('MESSAGE_REACTED'), 'MESSAGE_SENT']);
  });

  test('one emoji, and at most twenty different ones of a message, also of those who come at once', async () => {
    const { teacher, guardian, head, chatId } = talk;
    const { id } = await app.world.message(teacher, chatId);
    for (const emoji of ['', 'a', '👍👍', ':)', '👍 ', '1'])
      expect(await react(teacher, id, emoji)).toMatchObject({ code: 'INVALID_INPUT', field: 'emoji' });
    const people = [teacher, guardian];
    const all = await Promise.all(emojis.map((emoji, index) => react(people[index % 2] ?? teacher, id, emoji)));
    expect(all.map(answer).filter((one) => one === 'Message')).toHaveLength(20);
    const { reactions } = await messageFor(teacher, id);
    expect(reactions).toHaveLength(20);
    expect(answer(await react(guardian, id, reactions[0].emoji))).toBe('Message');
    expect(await react(head, id, '👍')).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('who may not write there does not react', async () => {
    const { teacher, otherTeacher, head, school } = talk;
    const chatId = await ownChat(app.world, school, [teacher, otherTeacher, head]);
    const { id } = await app.world.message(teacher, chatId);
    await react(otherTeacher, id, '👍');
    await otherTeacher.does('LeaveChat', { chatId });
    expect(await react(otherTeacher, id, '🎉')).toMatchObject({ code: 'FORBIDDEN' });
    await teacher.does('MakeChatReadOnly', { chatId });
    expect(await react(head, id, '🎉')).toMatchObject({ code: 'INVALID_STATE' });
    expect(await head.does('RemoveMessageReaction', { messageId: id, emoji: '👍' })).toMatchObject({
      code: 'INVALID_STATE',
    });
    expect((await messageFor(teacher, id)).reactions).toEqual([{ emoji: '👍', count: 1 }]);
  });
});

describe('taking note', () => {
  test('who was asked, who has and who has not: for its author and the staff; its author hears of each', async () => {
    const { teacher, guardian, school, groupId, chatId } = talk;
    const colleague = await app.world.teacher(school, groupId);
    const other = await app.world.guardian(school, await app.world.child(school, groupId));
    const { id } = await app.world.message(teacher, chatId, 'Bring boots', { acknowledgementRequired: true });
    const [ordinary, late] = [
      await app.world.message(teacher, chatId),
      await app.world.guardian(school, await app.world.child(school, groupId)),
    ];
    await using heard = await follow(teacher, 'ViewerEvents');
    const acknowledge = (person: Person, messageId = id) => person.does('AcknowledgeMessage', { messageId });
    expect((await atOnce(5, () => acknowledge(guardian))).map(answer)).toEqual(Array(5).fill('Message'));
    expect(await acknowledge(teacher)).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await acknowledge(guardian, ordinary.id)).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await acknowledge(late)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await acknowledge(talk.otherGuardian)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await heard.nextOf('MessageChanged')).toMatchObject({ kind: 'MESSAGE_ACKNOWLEDGED', messageId: id });
    const asked = await Promise.all([guardian, other, colleague].map((person) => app.world.userId(person)));
    for (const person of [teacher, colleague]) {
      const { recipients } = await messageFor(person, id);
      expect(names(recipients)).toEqual(asked.toSorted());
      expect(recipients.nodes.filter(({ acknowledgedAt }: Json) => acknowledgedAt)).toMatchObject([
        { user: { id: asked[0] } },
      ]);
    }
    expect((await messageFor(guardian, id)).recipients).toBeNull();
    expect((await messageFor(guardian, id)).viewerAcknowledgedAt).toEqual(expect.any(String));
    expect((await messageFor(other, id)).viewerAcknowledgedAt).toBeNull();
    expect((await messageFor(teacher, ordinary.id)).recipients).toBeNull();
    await teacher.does('DeleteMessage', { messageId: id });
    expect(await acknowledge(other)).toMatchObject({ code: 'INVALID_STATE' });
    await app.world.message(teacher, chatId);
    await heard.nextOf('MessageSent');
    expect(heard.delivered.filter(({ kind }) => kind === 'MESSAGE_ACKNOWLEDGED')).toHaveLength(1);
  });

  test('a LIMITED guardian is no reactor, reader or recipient for other families, and is all of that for the staff', async () => {
    const { teacher, guardian, school, groupId, chatId } = talk;
    const hidden = await app.world.guardian(school, await app.world.child(school, groupId));
    const hiddenId = await app.world.userId(hidden);
    await school.administrator.does('SetGuardianContactVisibility', {
      guardianLinkId: hidden.linkId,
      contactVisibility: 'LIMITED',
    });
    const { id } = await app.world.message(guardian, chatId, 'Whose boots?');
    await react(hidden, id, '👍');
    await hidden.does('MarkChatRead', { chatId });
    const [seen, known] = [await messageFor(guardian, id), await messageFor(teacher, id)];
    expect(names(seen.reactors)).toEqual([]);
    expect(names(seen.readers)).not.toContain(hiddenId);
    expect(seen.readCount).toBe(seen.readers.totalCount);
    expect(names(known.reactors)).toEqual([hiddenId]);
    expect(names(known.readers)).toContain(hiddenId);
    expect(known.readCount).toBe(known.readers.totalCount);
    const said = await app.world.message(hidden, chatId, 'Mine');
    expect((await messageFor(guardian, said.id)).author).toBeNull();
    expect((await messageFor(teacher, said.id)).author).toMatchObject({ id: hiddenId });
    // Who is named is told of it: so to name them must not tell whether they are there.
    const naming = (author: Person) =>
      author.does('SendMessage', {
        input: { chatId, text: 'You', mentionedIds: [hiddenId], clientMessageId: `naming-${hiddenId}` },
      });
    expect(await naming(guardian)).toMatchObject({ code: 'INVALID_INPUT', field: 'mentionedIds' });
    expect(await naming(teacher)).toMatchObject({ mentions: [{ id: hiddenId }] });
    expect(await naming(hidden)).toMatchObject({ mentions: [{ id: hiddenId }] });
  });
});

describe('reading', () => {
  test('who has read a message: those who came before it or read the past, besides its author', async () => {
    const { teacher, otherTeacher, head, school } = talk;
    const chatId = await ownChat(app.world, school, [teacher, otherTeacher, head]);
    const { id } = await app.world.message(teacher, chatId);
    expect(await messageFor(teacher, id)).toMatchObject({ readCount: 0, readers: { totalCount: 0 } });
    await otherTeacher.does('MarkChatRead', { chatId });
    const late = await app.world.staff(school);
    await teacher.does('AddChatMembers', { chatId, userIds: [await app.world.userId(late)] });
    await app.world.message(late, chatId);
    expect(await messageFor(teacher, id)).toMatchObject({ readCount: 1, readers: { totalCount: 1 } });
    await teacher.does('UpdateChat', { input: { chatId, historyVisibility: 'ALL' } });
    expect(await messageFor(teacher, id)).toMatchObject({ readCount: 2, readers: { totalCount: 2 } });
    await otherTeacher.does('LeaveChat', { chatId });
    expect(await messageFor(teacher, id)).toMatchObject({ readCount: 1, readers: { totalCount: 1 } });
  });
});
