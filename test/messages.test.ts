import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { answer, atOnce } from './support/newsroom.ts';
import {
  chatFor,
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
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;

beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

/** A chat of the teacher, a colleague and the head, where nothing was said. */
const fresh = (input: object = {}) =>
  ownChat(app.world, talk.school, [talk.teacher, talk.otherTeacher, talk.head], input);

describe('numbers', () => {
  test('64 people who write into three chats at once are heard in order, each chat without a gap', async () => {
    const { teacher, otherTeacher, head } = talk;
    const chats = [await fresh(), await fresh(), await fresh()];
    const listeners = await Promise.all(
      chats.flatMap((chatId) =>
        [teacher, otherTeacher].map(async (person) => ({
          chatId,
          stream: await person.subscribe('MessageSent', { chatId }).begun(),
        })),
      ),
    );
    const speakers = [teacher, otherTeacher, head];
    const each = 4;
    const answers = await atOnce(64, async (index) => {
      const [person = teacher, chatId = ''] = [speakers[index % 3], chats[index % chats.length]];
      const said = [];
      for (let turn = 0; turn < each; turn++) said.push(await say(person, chatId, `${index} ${turn}`));
      return said;
    });
    const sent: Json[] = answers.flat();
    expect(new Set(sent.map(answer))).toEqual(new Set(['Message']));
    for (const [index, chatId] of chats.entries()) {
      const size = each * Array.from({ length: 64 }, (_, one) => one).filter((one) => one % 3 === index).length;
      expect(await numbersIn(app, chatId)).toEqual(gapless(size));
      for (const { stream } of listeners.filter((listener) => listener.chatId === chatId)) {
        const heard = (await stream.count(size)).map(({ message }) => message.number);
        expect(heard).toEqual(gapless(size).slice(0, -1));
      }
    }
    for (const { stream } of listeners) await stream[Symbol.asyncDispose]();
  });

  test('what is refused takes no number and leaves nothing: its files, the draft and the marks stay', async () => {
    const { teacher, otherTeacher, administrator, guardian } = talk;
    const chatId = await fresh();
    const first = await app.world.message(otherTeacher, chatId);
    await teacher.does('SaveChatDraft', { chatId, text: 'I think' });
    const file = await app.world.upload(teacher);
    const outsider = await app.world.userId(guardian);
    for (const input of [
      { mentionedIds: [outsider] },
      { replyToId: (await app.world.message(teacher, talk.staffChat)).id },
      { priority: 'URGENT' },
      { capacity: 'GUARDIAN' },
      { fileIds: [file.id, (await app.world.upload(administrator)).id] },
    ])
      expect(await say(teacher, chatId, 'Refused', { fileIds: [file.id], ...input })).toMatchObject({
        code: expect.stringMatching(/INVALID_INPUT|FORBIDDEN/),
      });
    expect(await numbersIn(app, chatId)).toEqual([1, 1]);
    expect(await chatFor(teacher, chatId)).toMatchObject({
      viewerDraft: 'I think',
      viewerReadThrough: 0,
      viewerUnreadCount: 1,
    });
    expect(await say(teacher, chatId, null, { fileIds: [file.id], replyToId: first.id })).toMatchObject({
      number: 2,
      text: '',
      attachments: [{ id: file.id }],
      replyTo: { number: 1 },
    });
    expect(await chatFor(teacher, chatId)).toMatchObject({
      viewerDraft: null,
      viewerReadThrough: 2,
      viewerUnreadCount: 0,
    });
  });
});

describe('the client’s key', () => {
  test('the same sent twenty times at once is said once, and every answer is that message', async () => {
    const chatId = await fresh();
    const { teacher } = talk;
    const file = await app.world.upload(teacher);
    const clientMessageId = newKey();
    const all = await atOnce(20, () => say(teacher, chatId, 'Once', { clientMessageId, fileIds: [file.id] }));
    expect(new Set(all.map((message) => JSON.stringify(message))).size).toBe(1);
    expect(all[0]).toMatchObject({ number: 1, attachments: [{ id: file.id }] });
    expect(await numbersIn(app, chatId)).toEqual([1, 1]);
  });

  test('a repeat answers with the first: with other words, in a frozen chat, and after leaving', async () => {
    const chatId = await fresh();
    const { teacher, otherTeacher, head } = talk;
    const clientMessageId = newKey();
    const first = await say(otherTeacher, chatId, 'Yes', { clientMessageId });
    const again = (text = 'No') => say(otherTeacher, chatId, text, { clientMessageId });
    expect(await again()).toEqual(first);
    await teacher.does('MakeChatReadOnly', { chatId });
    expect(await again()).toEqual(first);
    expect(await say(otherTeacher, chatId, 'Another')).toMatchObject({ code: 'INVALID_STATE' });
    await teacher.does('ReopenChat', { chatId });
    await otherTeacher.does('LeaveChat', { chatId });
    expect(await again()).toEqual(first);
    expect(await say(otherTeacher, chatId, 'Another')).toMatchObject({ code: 'FORBIDDEN' });
    // The key is its author's, in this chat.
    expect(await say(head, chatId, 'Mine', { clientMessageId })).toMatchObject({ number: 2, text: 'Mine' });
    const elsewhere = await say(otherTeacher, talk.staffChat, 'There', { clientMessageId });
    expect(elsewhere).toMatchObject({ text: 'There' });
    expect(elsewhere.id).not.toBe(first.id);
    expect(await numbersIn(app, chatId)).toEqual(gapless(2));
  });

  test('a message that waits and one that is said at the same instant by one key are one message', async () => {
    const { teacher } = talk;
    for (let round = 0; round < 5; round++) {
      const chatId = await fresh();
      const input = { chatId, text: 'Once', clientMessageId: newKey() };
      const sendAt = new Date(Date.now() + 3_600_000).toISOString();
      const all = await atOnce(12, (index) =>
        index % 2
          ? teacher.does('SendMessage', { input })
          : teacher.does('ScheduleMessage', { input: { ...input, sendAt } }),
      );
      expect(all.map(answer)).toEqual(all.map(() => 'Message'));
      expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    }
  });
});

describe('what may be said', () => {
  test.each([
    ['4,000 characters', { text: 'я'.repeat(4000) }, 'Message'],
    ['one more', { text: 'я'.repeat(4001) }, 'text'],
    ['nothing', { text: null }, 'text'],
    ['spaces', { text: ' \n\t ' }, 'text'],
    ['what nobody can see', { text: '\u200B\u2060' }, 'text'],
    ['a character that no text may hold', { text: 'a\u0000b' }, 'text'],
    ['half of a character', { text: 'a\uD800' }, 'text'],
    ['lines', { text: 'one\n\ttwo' }, 'Message'],
    ['a short key', { text: 'x', clientMessageId: 'short' }, 'clientMessageId'],
    ['51 people named', { text: 'x', mentionedIds: Array.from({ length: 51 }, () => 'VXNlcjpub2JvZHk=') }, null],
  ])('%s', async (_what, input, expected) => {
    const said = await talk.teacher.send(
      'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { __typename ... on InvalidInput { field } } }',
      { input: { chatId: talk.chatId, clientMessageId: newKey(), ...input } },
    );
    expect(said.errors?.map(({ extensions }) => extensions.code) ?? []).not.toContain('INTERNAL_SERVER_ERROR');
    const { __typename, field } = said.data?.sendMessage ?? {};
    if (expected) expect(field ?? __typename).toBe(expected);
    else expect(__typename).not.toBe('Message');
  });

  test('up to ten files of one’s own, each once, that are attached to nothing', async () => {
    const { teacher, otherTeacher } = talk;
    const ids: string[] = [];
    while (ids.length < 11) ids.push((await app.world.upload(teacher)).id);
    const foreign = (await app.world.upload(otherTeacher)).id;
    const refusal = { code: 'INVALID_INPUT', field: 'fileIds' };
    for (const fileIds of [ids, [ids[0], ids[0]], [ids[0], foreign]])
      expect(await say(teacher, talk.chatId, null, { fileIds })).toMatchObject(refusal);
    const order = ids.slice(0, 10).toReversed();
    const sent = await say(teacher, talk.chatId, null, { fileIds: order });
    expect(sent.attachments.map(({ id }: Json) => id)).toEqual(order);
    expect(await say(teacher, talk.chatId, 'Again', { fileIds: [ids[3], ids[10]] })).toMatchObject(refusal);
    expect((await historyFor(talk.guardian, talk.chatId))?.at(-1).attachments.map(({ id }: Json) => id)).toEqual(order);
  });

  test('one file that is sent with two messages at once goes with one of them', async () => {
    const { teacher } = talk;
    const chatId = await fresh();
    const file = await app.world.upload(teacher);
    const both = await atOnce(2, (index) => say(teacher, chatId, String(index), { fileIds: [file.id] }));
    expect(both.map(answer).toSorted()).toEqual(['INVALID_INPUT', 'Message']);
    expect(await numbersIn(app, chatId)).toEqual([1, 1]);
  });

  test('an answer is to what stands in this chat and its author may read', async () => {
    const { teacher, otherTeacher, head } = talk;
    const chatId = await fresh();
    const first = await app.world.message(teacher, chatId);
    const gone = await app.world.message(teacher, chatId);
    await teacher.does('DeleteMessage', { messageId: gone.id });
    const late = await app.world.staff(talk.school);
    await teacher.does('AddChatMembers', { chatId, userIds: [await app.world.userId(late)] });
    const refusal = { code: 'INVALID_INPUT', field: 'replyToId' };
    expect(await say(late, chatId, 'To what I cannot read', { replyToId: first.id })).toMatchObject(refusal);
    expect(await say(teacher, chatId, 'To what is gone', { replyToId: gone.id })).toMatchObject(refusal);
    expect(await say(teacher, talk.staffChat, 'Elsewhere', { replyToId: first.id })).toMatchObject(refusal);
    const reply = await say(otherTeacher, chatId, 'Right', { replyToId: first.id });
    expect(reply).toMatchObject({ number: 3, replyTo: { id: first.id } });
    expect(await messageFor(late, reply.id)).toMatchObject({ text: 'Right', replyTo: null });
    expect(await messageFor(head, reply.id)).toMatchObject({ replyTo: { id: first.id } });
  });

  test('who takes part can be named, each once', async () => {
    const { teacher, head, guardian } = talk;
    const chatId = await fresh();
    const [headId, outsider] = [await app.world.userId(head), await app.world.userId(guardian)];
    expect(await say(teacher, chatId, 'You', { mentionedIds: [headId, headId] })).toMatchObject({
      mentions: [{ id: headId }],
    });
    expect(await say(teacher, chatId, 'You', { mentionedIds: [headId, outsider] })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'mentionedIds',
    });
    const left = await messageFor(guardian, (await historyFor(teacher, chatId))?.[0].id);
    expect(left).toBeNull();
  });

  test('weight, urgency and acknowledgement are for those who may give them', async () => {
    const { teacher, head, guardian, otherGuardian, school, groupId } = talk;
    const administrator = await app.world.secondAdministrator(school);
    await app.world.assign(school, administrator.membershipId, groupId);
    const cast: Record<string, Person> = { teacher, administrator, guardian };
    const wishes = [{ priority: 'IMPORTANT' }, { acknowledgementRequired: true }, { priority: 'URGENT' }];
    const answers = await Promise.all(
      Object.entries(cast).map(async ([name, person]) => [
        name,
        ...(await Promise.all(wishes.map((wish) => say(person, talk.chatId, 'Listen', wish)))).map(answer),
      ]),
    );
    expect(answers).toEqual([
      ['teacher', 'Message', 'Message', 'FORBIDDEN'],
      ['administrator', 'Message', 'Message', 'Message'],
      ['guardian', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
    ]);
    expect(await say(head, talk.staffChat, 'Now', { priority: 'URGENT' })).toMatchObject({ priority: 'URGENT' });
    expect(await say(otherGuardian, talk.chatId, 'Hello')).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('who works here and has a child here speaks as they choose, next time as before', async () => {
    const { school, groupId, guardian } = talk;
    const both = await app.world.teacher(school, groupId);
    await app.world.guardian(school, await app.world.child(school, groupId), both);
    const speak = async (input: object = {}) => {
      const { capacity, code } = await say(both, talk.chatId, 'Hello', input);
      return capacity ?? code;
    };
    expect(await speak()).toBe('EMPLOYEE');
    expect(await speak({ capacity: 'GUARDIAN' })).toBe('GUARDIAN');
    expect(await speak()).toBe('GUARDIAN');
    expect(await speak({ priority: 'IMPORTANT' })).toBe('EMPLOYEE');
    expect(await speak({ priority: 'IMPORTANT', capacity: 'GUARDIAN' })).toBe('FORBIDDEN');
    expect(await speak({ capacity: 'STUDENT' })).toBe('INVALID_INPUT');
    const said = (await historyFor(guardian, talk.chatId))?.at(-1);
    expect(said).toMatchObject({ capacity: 'EMPLOYEE', viewerIsAuthor: false });
  });
});
