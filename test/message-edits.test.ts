import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { answer, atOnce, follow } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { age, chatFor, historyFor, messageFor, openTalk, ownChat, say, type Talk } from './support/talk.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;

beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const edit = (person: Person, messageId: string, text: string): Promise<Json> =>
  person.does('EditMessage', { input: { messageId, text } });
const remove = (person: Person, messageId: string): Promise<Json> => person.does('DeleteMessage', { messageId });
const saidBefore = async (person: Person, id: string): Promise<string[] | null> =>
  (await messageFor(person, id))?.revisions?.nodes.map(({ text }: Json) => text) ?? null;
const fresh = () => ownChat(app.world, talk.school, [talk.teacher, talk.otherTeacher, talk.head]);

describe('editing', () => {
  test('what was said before is kept, for its author and the staff; the others see that it was edited', async () => {
    const { guardian, teacher, school, groupId } = talk;
    const other = await app.world.guardian(school, await app.world.child(school, groupId));
    const { id } = await app.world.message(guardian, talk.chatId, 'At eight');
    await using heard = await follow(other, 'ChatEvents', { chatId: talk.chatId });
    expect(await edit(guardian, id, 'At eight')).toMatchObject({ editedAt: null });
    expect(await edit(guardian, id, ' At nine ')).toMatchObject({ text: 'At nine', editedAt: expect.any(String) });
    await edit(guardian, id, 'At ten');
    for (const text of ['At nine', 'At ten'])
      expect(await heard.next()).toMatchObject({
        kind: 'MESSAGE_EDITED',
        messageId: id,
        message: { text: expect.stringMatching(/At/) },
        ...(text === 'At ten' && { message: { text } }),
      });
    expect(await saidBefore(guardian, id)).toEqual(['At nine', 'At eight']);
    expect(await saidBefore(teacher, id)).toEqual(['At nine', 'At eight']);
    expect(await messageFor(other, id)).toMatchObject({ text: 'At ten', revisions: null, viewerCanEdit: false });
  });

  test('one’s own words, for a day, while one may write there', async () => {
    const { teacher, otherTeacher, guardian } = talk;
    const chatId = await fresh();
    const { id } = await app.world.message(otherTeacher, chatId, 'Before');
    expect(await edit(teacher, id, 'Not mine')).toMatchObject({ code: 'FORBIDDEN' });
    expect(await edit(guardian, id, 'Not seen')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await edit(otherTeacher, id, ' ')).toMatchObject({ code: 'INVALID_INPUT', field: 'text' });
    await age(app, id, 23.99);
    expect(await messageFor(otherTeacher, id)).toMatchObject({ viewerCanEdit: true });
    expect(await edit(otherTeacher, id, 'In time')).toMatchObject({ text: 'In time' });
    await teacher.does('MakeChatReadOnly', { chatId });
    expect(await edit(otherTeacher, id, 'Frozen')).toMatchObject({ code: 'INVALID_STATE' });
    await teacher.does('ReopenChat', { chatId });
    await age(app, id, 24.01);
    expect(await messageFor(otherTeacher, id)).toMatchObject({ viewerCanEdit: false, viewerCanDelete: true });
    expect(await edit(otherTeacher, id, 'Late')).toMatchObject({ code: 'FORBIDDEN' });
    await age(app, id, 1);
    await otherTeacher.does('LeaveChat', { chatId });
    expect(await edit(otherTeacher, id, 'Left')).toMatchObject({ code: 'FORBIDDEN' });
    expect(await remove(otherTeacher, id)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await saidBefore(otherTeacher, id)).toEqual(['Before']);
    expect(await saidBefore(teacher, id)).toEqual(['Before']);
  });

  test('of files the words may go; two edits at once are both kept', async () => {
    const { teacher } = talk;
    const file = await app.world.upload(teacher);
    const { id } = await say(teacher, talk.chatId, 'Look', { fileIds: [file.id] });
    expect(await edit(teacher, id, '')).toMatchObject({ text: '', attachments: [{ id: file.id }] });
    await atOnce(8, (index) => edit(teacher, id, `Words ${index}`));
    const before = await saidBefore(teacher, id);
    const all = [...(before ?? []), (await messageFor(teacher, id)).text];
    expect(all.toSorted()).toEqual(['', 'Look', ...Array.from({ length: 8 }, (_, index) => `Words ${index}`)]);
  });
});

describe('deleting', () => {
  test('a tombstone stays, without words, files, reactions and pin, wherever the message stood', async () => {
    const { teacher, guardian, head } = talk;
    const chatId = talk.chatId;
    const file = await app.world.upload(guardian);
    const sent = await say(guardian, chatId, 'Жираф', {
      fileIds: [file.id],
      mentionedIds: [await app.world.userId(teacher)],
    });
    const { id } = sent;
    const reply = await say(teacher, chatId, 'Which one?', { replyToId: id });
    await teacher.does('AddMessageReaction', { messageId: id, emoji: '👍' });
    await teacher.does('PinMessage', { messageId: id });
    const { node } = await teacher.run('File', { id: file.id });
    expect((await teacher.fetch(node.url)).status).toBe(200);
    const found = async () =>
      (await teacher.run('SearchChat', { id: chatId, search: 'жирафы' })).chat.messages.totalCount;
    expect(await found()).toBe(1);
    await remove(guardian, reply.id);
    expect((await remove(guardian, reply.id)).code).toBe('FORBIDDEN');
    expect(await remove(guardian, id)).toMatchObject({ state: 'DELETED', text: '' });
    expect(await remove(guardian, id)).toMatchObject({ state: 'DELETED' });
    const tombstone = {
      number: sent.number,
      state: 'DELETED',
      text: '',
      attachments: [],
      mentions: [],
      isPinned: false,
    };
    const seen = await messageFor(teacher, id);
    expect(seen).toMatchObject({ ...tombstone, reactions: [], viewerReactions: [], reactors: { nodes: [] } });
    expect(seen.viewerCanDelete).toBe(false);
    expect((await historyFor(teacher, chatId))?.find((one) => one.id === id)).toMatchObject(tombstone);
    expect(await messageFor(teacher, reply.id)).toMatchObject({ replyTo: { id, text: '' } });
    expect(await found()).toBe(0);
    expect((await teacher.run('PinnedMessages', { id: chatId })).chat.messages.nodes).toEqual([]);
    expect((await teacher.fetch(node.url)).status).toBe(404);
    expect((await teacher.run('File', { id: file.id })).node).toBeNull();
    for (const [name, input] of [
      ['AddMessageReaction', { emoji: '👍' }],
      ['PinMessage', {}],
    ] as const)
      expect(await teacher.does(name, { messageId: id, ...input })).toMatchObject({ code: 'INVALID_STATE' });
    expect(await edit(guardian, id, 'Back')).toMatchObject({ code: 'INVALID_STATE' });
    expect(await say(head, talk.staffChat, 'x', { replyToId: id })).toMatchObject({ code: 'INVALID_INPUT' });
    await remove(teacher, reply.id);
    const { viewer } = await guardian.run('Chats');
    expect(viewer.chats.nodes.find((chat: Json) => chat.id === chatId).lastMessage).toMatchObject({
      id: reply.id,
      text: '',
    });
    for (const person of [guardian, teacher]) expect(await saidBefore(person, id)).toEqual([]);
  });

  test('the staff delete what families said, not what colleagues did; families only their own', async () => {
    const { teacher, guardian, school, groupId } = talk;
    const colleague = await app.world.teacher(school, groupId);
    const other = await app.world.guardian(school, await app.world.child(school, groupId));
    const [ofGuardian, ofTeacher] = [
      await app.world.message(guardian, talk.chatId),
      await app.world.message(teacher, talk.chatId),
    ];
    for (const [person, message, can] of [
      [other, ofGuardian, false],
      [guardian, ofTeacher, false],
      [colleague, ofTeacher, false],
      [colleague, ofGuardian, true],
      [teacher, ofTeacher, true],
    ] as const) {
      expect((await messageFor(person, message.id)).viewerCanDelete).toBe(can);
      expect(answer(await remove(person, message.id))).toBe(can ? 'Message' : 'FORBIDDEN');
    }
    const audited = await inDatabase(
      app,
      (sql) => sql`select actor_id, target_id from audit_entries where action = 'message.delete' and target_id in (
        ${idOf('Message', ofGuardian.id)}, ${idOf('Message', ofTeacher.id)})`,
    );
    expect(audited).toMatchObject([{ target_id: idOf('Message', ofGuardian.id) }]);
  });

  test('between two each deletes their own; of a chat of their own who manages it deletes all', async () => {
    const { teacher, otherTeacher, head, school } = talk;
    const direct = await ownChat(app.world, school, [teacher, otherTeacher], { kind: 'DIRECT', name: null });
    const { id } = await app.world.message(otherTeacher, direct);
    expect(answer(await remove(teacher, id))).toBe('FORBIDDEN');
    expect(answer(await teacher.does('PinMessage', { messageId: id }))).toBe('Message');
    expect(answer(await remove(otherTeacher, id))).toBe('Message');
    const chatId = await fresh();
    const ofHead = await app.world.message(head, chatId);
    expect(answer(await remove(otherTeacher, ofHead.id))).toBe('FORBIDDEN');
    expect(answer(await remove(teacher, ofHead.id))).toBe('Message');
    const late = await app.world.message(otherTeacher, chatId);
    await teacher.does('ArchiveChat', { chatId });
    expect(answer(await remove(otherTeacher, late.id))).toBe('Message');
    expect(await chatFor(otherTeacher, chatId)).toMatchObject({ state: 'ARCHIVED', lastNumber: 2 });
  });
});

describe('pins', () => {
  test('the staff pin and unpin, live, whoever said it; families see it', async () => {
    const { teacher, guardian } = talk;
    const { id } = await app.world.message(guardian, talk.chatId, 'The timetable');
    await using heard = await follow(guardian, 'ChatEvents', { chatId: talk.chatId });
    expect(answer(await guardian.does('PinMessage', { messageId: id }))).toBe('FORBIDDEN');
    await atOnce(4, () => teacher.does('PinMessage', { messageId: id }));
    expect((await guardian.run('PinnedMessages', { id: talk.chatId })).chat.messages.nodes).toMatchObject([{ id }]);
    await teacher.does('UnpinMessage', { messageId: id });
    await teacher.does('UnpinMessage', { messageId: id });
    await edit(guardian, id, 'That is all');
    await heard.count(3);
    expect(heard.delivered.map(({ kind }) => kind)).toEqual(['MESSAGE_PINNED', 'MESSAGE_UNPINNED', 'MESSAGE_EDITED']);
  });
});
