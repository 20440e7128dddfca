import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import {
  type ChatRoom,
  chatFor,
  direct,
  idOfUser,
  membersFor,
  messageFor,
  move,
  numbersFor,
  openChatRoom,
  say,
  talk,
} from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { EventSource } from './support/event-source.ts';
import { cursorOf } from './support/log.ts';
import { answer, follow } from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: ChatRoom;

beforeAll(async () => {
  app = await startTestApp();
  room = await openChatRoom(app);
});
afterAll(() => app[Symbol.asyncDispose]());

/** Says so many things; the messages. */
async function sayAll(person: Person, chatId: string, size: number): Promise<Json[]> {
  const said: Json[] = [];
  for (let index = 0; index < size; index++) said.push(await say(person, chatId, { text: `Слово ${index}` }));
  return said;
}

/** A chat in which a colleague took part while 3–4 and 7–8 of eight things were said. */
async function twoStretches() {
  const { world, school, teacher } = room;
  const guest = await world.staff(school);
  const userId = await idOfUser(guest);
  const chatId = await talk(teacher, school, []);
  const said: Json[] = [];
  for (const deed of ['', 'AddChatMembers', 'RemoveChatMember', 'AddChatMembers']) {
    if (deed) await teacher.does(deed, { chatId, userId, userIds: [userId] });
    said.push(...(await sayAll(teacher, chatId, 2)));
  }
  return { chatId, guest, guestId: userId, said, id: (number: number): string => said[number - 1].id };
}

describe('what somebody reads who came later, left and came again', () => {
  test('is what was said while they were there; with the whole past shown all of it, and back', async () => {
    const { teacher } = room;
    const { chatId, guest, guestId } = await twoStretches();
    expect(await numbersFor(guest, chatId)).toEqual([3, 4, 7, 8]);
    expect(await chatFor(guest, chatId)).toMatchObject({ lastNumber: 8, viewerUnreadCount: 2 });
    await teacher.does('UpdateChat', { input: { chatId, historyVisibility: 'ALL' } });
    expect(await numbersFor(guest, chatId)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await chatFor(guest, chatId)).toMatchObject({ lastNumber: 8, viewerUnreadCount: 2 });
    await teacher.does('UpdateChat', { input: { chatId, historyVisibility: 'FROM_JOIN' } });
    expect(await numbersFor(guest, chatId)).toEqual([3, 4, 7, 8]);
    await teacher.does('RemoveChatMember', { chatId, userId: guestId });
    await sayAll(teacher, chatId, 1);
    expect(await numbersFor(guest, chatId)).toEqual([3, 4, 7, 8]);
    expect(await chatFor(guest, chatId)).toMatchObject({ lastNumber: 8, viewerUnreadCount: 0 });
    await teacher.does('UpdateChat', { input: { chatId, historyVisibility: 'ALL' } });
    expect(await numbersFor(guest, chatId)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await chatFor(teacher, chatId)).toMatchObject({ lastNumber: 9 });
  });

  test('is paged in both directions, across what they do not read, whatever the cursor', async () => {
    const { chatId, guest } = await twoStretches();
    const page = async (args: object): Promise<[number[], boolean]> => {
      const result = await guest.send(
        `query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { chat(id: $id) {
          messages(first: $first, after: $after, last: $last, before: $before) {
            totalCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { number } } } } }`,
        { id: chatId, ...args },
      );
      const { edges, pageInfo, totalCount } = result.data.chat.messages;
      expect(totalCount).toBe(4);
      const numbers = edges.map(({ node }: Json) => node.number);
      return [numbers, 'last' in args ? pageInfo.hasPreviousPage : pageInfo.hasNextPage];
    };
    const cursors = await guest.send('query ($id: ID!) { chat(id: $id) { messages { edges { cursor } } } }', {
      id: chatId,
    });
    const [eight, seven, four, three] = cursors.data.chat.messages.edges.map(({ cursor }: Json) => cursor);
    expect(await page({ first: 3 })).toEqual([[8, 7, 4], true]);
    expect(await page({ first: 3, after: seven })).toEqual([[4, 3], false]);
    expect(await page({ first: 1, after: seven })).toEqual([[4], true]);
    expect(await page({ first: 3, after: three })).toEqual([[], false]);
    expect(await page({ last: 3 })).toEqual([[7, 4, 3], true]);
    expect(await page({ last: 1, before: four })).toEqual([[7], true]);
    expect(await page({ last: 3, before: four })).toEqual([[8, 7], false]);
    expect(await page({ last: 3, before: eight })).toEqual([[], false]);
    expect(await page({ first: 9, after: eight, before: three })).toEqual([[7, 4], false]);
    for (const number of [5, 6, 2, 99]) {
      const numbers = (
        await guest.send(
          'query ($id: ID!, $after: String) { chat(id: $id) { messages(after: $after) { nodes { number } } } }',
          { id: chatId, after: String(number) },
        )
      ).data?.chat.messages.nodes.map((node: Json) => node.number);
      expect([undefined, [3, 4, 7, 8].filter((read) => read < number).toReversed()]).toContainEqual(numbers);
    }
  });

  test('goes for searches, pinned ones, single ones, answers, what was forwarded and counts alike', async () => {
    const { teacher, school } = room;
    const { chatId, guest, id } = await twoStretches();
    for (const number of [1, 3, 5, 7]) await teacher.does('PinMessage', { messageId: id(number) });
    const numbers = (list: Json) => list.nodes.map(({ number }: Json) => number);
    expect(numbers((await guest.run('PinnedMessages', { id: chatId })).chat.messages)).toEqual([7, 3]);
    const found = (await guest.run('SearchChat', { id: chatId, search: 'слово' })).chat.messages;
    expect([found.totalCount, numbers(found)]).toEqual([4, [8, 7, 4, 3]]);
    expect(numbers((await guest.run('SearchMessages', { search: 'слово' })).viewer.messages)).toEqual([8, 7, 4, 3]);
    for (const number of [1, 2, 5, 6]) expect(await messageFor(guest, id(number))).toBeNull();
    for (const number of [3, 4, 7, 8]) expect(await messageFor(guest, id(number))).toMatchObject({ number });
    const replies = [
      await say(teacher, chatId, { replyToId: id(5) }),
      await say(teacher, chatId, { replyToId: id(3) }),
    ];
    expect(await messageFor(guest, replies[0].id)).toMatchObject({ replyTo: null });
    expect(await messageFor(guest, replies[1].id)).toMatchObject({ replyTo: { number: 3 } });
    const forward = (messageId: string, to: string, clientMessageId: string, who: Person = teacher) =>
      who.does('ForwardMessage', { input: { messageId, chatId: to, clientMessageId } });
    const forwarded = [await forward(id(6), chatId, 'forward-6'), await forward(id(4), chatId, 'forward-4')];
    expect(await messageFor(guest, forwarded[0].id)).toMatchObject({ isForwarded: true, forwardedFrom: null });
    expect(await messageFor(guest, forwarded[1].id)).toMatchObject({ forwardedFrom: { number: 4 } });
    const between = await direct(guest, school, teacher);
    expect(answer(await forward(id(5), between.id, 'forward-5', guest))).toBe('NOT_FOUND');
    expect(await say(guest, chatId, { replyToId: id(5) })).toMatchObject({ code: 'INVALID_INPUT', field: 'replyToId' });
    expect(await guest.does('MarkChatRead', { chatId, upTo: 99 })).toMatchObject({ field: 'upTo' });
  });

  test('is all that they can do something with', async () => {
    const { teacher } = room;
    const { chatId, guest, guestId, id } = await twoStretches();
    const deeds: [string, object][] = [
      ['EditMessage', { text: 'Otherwise' }],
      ['DeleteMessage', {}],
      ['PinMessage', {}],
      ['UnpinMessage', {}],
      ['AcknowledgeMessage', {}],
      ['AddMessageReaction', { emoji: '👍' }],
      ['RemoveMessageReaction', { emoji: '👍' }],
    ];
    const attempt = async (number: number) =>
      new Set(
        await Promise.all(
          deeds.map(async ([name, values]) =>
            answer(
              await guest.does(
                name,
                name === 'EditMessage'
                  ? { input: { messageId: id(number), ...values } }
                  : { messageId: id(number), ...values },
              ),
            ),
          ),
        ),
      );
    expect(await attempt(5)).toEqual(new Set(['NOT_FOUND']));
    await teacher.does('RemoveChatMember', { chatId, userId: guestId });
    expect(await attempt(7)).toEqual(new Set(['FORBIDDEN']));
  });

  test('an earlier message that changes tells who came later nothing of what it says', async () => {
    const { world, school, teacher, colleague } = room;
    const chatId = await talk(teacher, school, [colleague]);
    const { id: messageId } = await say(teacher, chatId, { text: 'Before their time' });
    const guest = await world.staff(school);
    await teacher.does('AddChatMembers', { chatId, userIds: [await idOfUser(guest)] });
    // What nothing personal is asked of is shown to all as one.
    const shared = `subscription ($chatId: ID!) { chatEvents(chatId: $chatId) {
      __typename ... on LogEvent { kind } ... on MessageSent { message { id text } } ... on MessageChanged { message { id text } } } }`;
    const streams = [
      await follow(guest, 'ChatEvents', { chatId }),
      await guest.listen(shared, { chatId }).begun(),
      await colleague.listen(shared, { chatId }).begun(),
    ];
    await teacher.does('EditMessage', { input: { messageId, text: 'Still before their time' } });
    await teacher.does('PinMessage', { messageId });
    await teacher.does('AddMessageReaction', { messageId, emoji: '👍' });
    await teacher.does('DeleteMessage', { messageId });
    const { id: after } = await say(teacher, chatId, { text: 'In their time' });
    await teacher.does('EditMessage', { input: { messageId: after, text: 'Well in their time' } });
    for (const stream of streams) {
      await stream.count(6);
      const shown = stream.delivered.map(({ kind, message }: Json) => [kind, message?.id ?? null]);
      const then = stream === streams[2] ? messageId : null;
      expect(shown).toEqual([
        ['MESSAGE_EDITED', then],
        ['MESSAGE_PINNED', then],
        ['MESSAGE_REACTED', then],
        ['MESSAGE_DELETED', then],
        ['MESSAGE_SENT', after],
        ['MESSAGE_EDITED', after],
      ]);
    }
  });

  test('an answer to what one may not read is heard without it', async () => {
    const { teacher } = room;
    const { chatId, guest, id } = await twoStretches();
    const streams = [await follow(guest, 'ChatEvents', { chatId }), await follow(teacher, 'ChatEvents', { chatId })];
    for (const number of [5, 4]) await say(teacher, chatId, { replyToId: id(number) });
    const answered = await Promise.all(
      streams.map(async (stream) => (await stream.count(2)).map(({ message }) => message.replyTo)),
    );
    expect(answered).toMatchObject([
      [null, { number: 4 }],
      [{ number: 5 }, { number: 4 }],
    ]);
  });
});

describe('a child that moves group', () => {
  test('leaves its guardian what was said until then, to be read; and what is said again when it is back', async () => {
    const { world, school, groupId, otherGroupId, teacher, otherTeacher, groupChat } = room;
    const childId = await world.child(school, groupId);
    const earlier = await say(teacher, groupChat);
    const guardian = await world.guardian(school, childId);
    await move(school, childId, otherGroupId);
    await move(school, childId, groupId);
    const [start, said] = [earlier.number, (number: number) => start + number];
    await sayAll(teacher, groupChat, 2);
    const otherChat = await world.chat(otherTeacher, school, otherGroupId);
    const { number: unheard } = await say(otherTeacher, otherChat);
    await move(school, childId, otherGroupId);
    await sayAll(teacher, groupChat, 2);
    expect(await numbersFor(guardian, groupChat)).toEqual([said(1), said(2)]);
    expect(await chatFor(guardian, groupChat)).toMatchObject({
      lastNumber: said(2),
      viewerUnreadCount: 0,
      viewerCanWrite: { allowed: false, reason: 'LEFT' },
    });
    expect(answer(await say(guardian, groupChat))).toBe('FORBIDDEN');
    expect(await membersFor(guardian, groupChat)).toMatchObject({ totalCount: 0, nodes: [] });
    expect(await numbersFor(guardian, otherChat)).toEqual([]);
    await say(otherTeacher, otherChat);
    expect(await numbersFor(guardian, otherChat)).toEqual([unheard + 1]);
    const { viewer } = await guardian.run('Chats');
    expect(viewer.chats.nodes.map(({ id }: Json) => id)).toEqual([otherChat]);
    const past = (await guardian.run('Chats', { past: true })).viewer.chats;
    expect(past).toMatchObject({ totalCount: 1, nodes: [{ id: groupChat, lastMessage: { number: said(2) } }] });
    await move(school, childId, groupId);
    await sayAll(teacher, groupChat, 1);
    expect(await numbersFor(guardian, groupChat)).toEqual([said(1), said(2), said(5)]);
    expect(await chatFor(guardian, groupChat)).toMatchObject({
      viewerUnreadCount: 1,
      viewerCanWrite: { allowed: true },
    });
    expect((await guardian.run('Chats', { past: true })).viewer.chats.nodes).toMatchObject([{ id: otherChat }]);
  });

  test('but nothing of it to one who does not stand for it any more, though they have another child here', async () => {
    const { world, school, groupId, otherGroupId, administrator, teacher, groupChat } = room;
    const guardian = await world.guardian(school, await world.child(school, groupId));
    const { linkId: guardianLinkId } = guardian;
    await world.guardian(school, await world.child(school, otherGroupId), guardian);
    const { id: messageId } = await say(teacher, groupChat);
    expect(await messageFor(guardian, messageId)).not.toBeNull();
    await administrator.does('RevokeGuardianLink', { guardianLinkId, reason: 'Court order.' });
    expect((await guardian.run('Chats')).viewer.chats).toMatchObject({ totalCount: 1 });
    expect(await chatFor(guardian, groupChat)).toBeNull();
    expect(await messageFor(guardian, messageId)).toBeNull();
    expect((await guardian.run('Chats', { past: true })).viewer.chats).toMatchObject({ totalCount: 0, nodes: [] });
    expect((await guardian.run('SearchMessages', { search: 'word' })).viewer.messages.nodes).toEqual([]);
  });
});

describe('what is counted and kept over an interruption', () => {
  test('when nothing was said meanwhile: unread ones, who has read, and whom a message waits for', async () => {
    await using own = await startTestApp();
    const { world, school, administrator, teacher, guardian, neighbour, groupChat, groupId } = await openChatRoom(own);
    const operator = await world.operator();
    const { id } = await say(teacher, groupChat, { acknowledgementRequired: true });
    await say(teacher, groupChat);
    await neighbour.does('MarkChatRead', { chatId: groupChat, upTo: 1 });
    const stands = async () => {
      const { readCount, readers, recipients } = await messageFor(teacher, id);
      const unread = async (person: Person) => (await chatFor(person, groupChat))?.viewerUnreadCount ?? null;
      return [await unread(guardian), await unread(neighbour), readCount, readers.totalCount, recipients.totalCount];
    };
    const before = [2, 1, 1, 1, 2];
    expect(await stands()).toEqual(before);
    await operator.does('SuspendOrganization', { organizationId: school.id, reason: 'Inquiry.' });
    for (const person of [teacher, guardian]) {
      expect(await chatFor(person, groupChat)).toBeNull();
      expect((await person.run('Chats')).viewer.chats).toMatchObject({ totalCount: 0, nodes: [] });
      expect((await person.run('Chats', { past: true })).viewer.chats).toMatchObject({ totalCount: 0, nodes: [] });
      expect(await messageFor(person, id)).toBeNull();
      expect(answer(await say(person, groupChat))).toBe('NOT_FOUND');
    }
    await operator.does('RestoreOrganization', { organizationId: school.id });
    expect(await stands()).toEqual(before);
    await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: teacher.assignmentId } });
    await world.assign(school, teacher.membershipId, groupId);
    for (const person of [guardian, neighbour]) {
      await administrator.does('SuspendMembership', { membershipId: person.membershipId, reason: 'Inquiry.' });
      expect(await chatFor(person, groupChat)).toBeNull();
      await administrator.does('RestoreMembership', { membershipId: person.membershipId });
    }
    expect(await stands()).toEqual(before);
  });

  test('when one of the two capacities ends in which somebody takes part', async () => {
    const { world, school, groupId, otherGroupId, administrator, teacher, groupChat } = room;
    const childId = await world.child(school, groupId);
    const both = await world.guardian(school, childId);
    await sayAll(teacher, groupChat, 2);
    const unread = async () => (await chatFor(both, groupChat)).viewerUnreadCount;
    expect(await unread()).toBe(2);
    const { membershipId } = await world.member(school, 'EMPLOYEE', both);
    const asked = await both.does('SubmitVerification', { membershipId, evidence: 'Order 12' });
    await administrator.does('ConfirmVerification', { verificationId: asked.id });
    await world.assign(school, membershipId, groupId);
    await sayAll(teacher, groupChat, 2);
    expect(await chatFor(both, groupChat)).toMatchObject({
      viewerUnreadCount: 4,
      viewerCapacities: expect.arrayContaining(['EMPLOYEE', 'GUARDIAN']),
    });
    await move(school, childId, otherGroupId);
    expect(await chatFor(both, groupChat)).toMatchObject({ viewerCapacities: ['EMPLOYEE'] });
    expect(await unread()).toBe(4);
    const { linkId: guardianLinkId } = both;
    await administrator.does('RevokeGuardianLink', { guardianLinkId, reason: 'Court order.' });
    expect(await unread()).toBe(2);
  });
});

describe('files of messages', () => {
  test('are for those who read them, and their links die with that', async () => {
    const { world, school, teacher, colleague } = room;
    const file = await world.upload(teacher);
    const chatId = await talk(teacher, school, [colleague]);
    const { id } = await say(teacher, chatId, { fileIds: [file.id] });
    const guest = await world.staff(school);
    const userId = await idOfUser(guest);
    await teacher.does('AddChatMembers', { chatId, userIds: [userId] });
    const seen = async (person: Person) => (await person.run('File', { id: file.id })).node;
    expect(await seen(guest)).toBeNull();
    await teacher.does('UpdateChat', { input: { chatId, historyVisibility: 'ALL' } });
    const { url } = await seen(guest);
    expect((await guest.fetch(url)).status).toBe(200);
    await teacher.does('UpdateChat', { input: { chatId, historyVisibility: 'FROM_JOIN' } });
    expect((await guest.fetch(url)).status).toBe(404);
    const { url: theirs } = await seen(colleague);
    await colleague.does('LeaveChat', { chatId });
    expect((await colleague.fetch(theirs)).status).toBe(200);
    await school.administrator.does('SuspendMembership', { membershipId: colleague.membershipId, reason: 'Inquiry.' });
    expect((await colleague.fetch(theirs)).status).toBe(404);
    await school.administrator.does('RestoreMembership', { membershipId: colleague.membershipId });
    await teacher.does('DeleteMessage', { messageId: id });
    expect((await colleague.fetch(theirs)).status).toBe(404);
  });
});

describe('a LIMITED guardian (edge case 11)', () => {
  test('is in nothing that other families see of a chat, and in all that the staff of the group see', async () => {
    const { world, school, groupId, teacher, neighbour, groupChat, administrator } = room;
    const hidden = await world.guardian(school, await world.child(school, groupId));
    await administrator.does('SetGuardianContactVisibility', {
      guardianLinkId: hidden.linkId,
      contactVisibility: 'LIMITED',
    });
    const userId = await idOfUser(hidden);
    const asked = await say(teacher, groupChat, { acknowledgementRequired: true, mentionedIds: [userId] });
    await hidden.does('AddMessageReaction', { messageId: asked.id, emoji: '👍' });
    await hidden.does('AcknowledgeMessage', { messageId: asked.id });
    const said = await say(hidden, groupChat);
    await neighbour.does('MarkChatRead', { chatId: groupChat });
    await say(neighbour, groupChat);
    const shows = async (person: Person) => {
      const about = await messageFor(person, asked.id);
      const { nodes, totalCount } = await membersFor(person, groupChat);
      const has = (list: Json) => list?.nodes.some(({ user }: Json) => user.id === userId) ?? null;
      expect(totalCount).toBe(nodes.length);
      return {
        member: nodes.some(({ user }: Json) => user.id === userId),
        reactor: has(about.reactors),
        reader: has(about.readers),
        counted: about.readCount === about.readers.totalCount,
        recipient: has(about.recipients),
        mentioned: about.mentions.length > 0,
        author: (await messageFor(person, said.id)).author !== null,
        everywhere: JSON.stringify([await chatFor(person, groupChat), await person.run('Chats'), about]).includes(
          userId,
        ),
      };
    };
    const all = {
      member: true,
      reactor: true,
      reader: true,
      counted: true,
      mentioned: true,
      author: true,
      everywhere: true,
    };
    expect(await shows(teacher)).toEqual({ ...all, recipient: true });
    expect(await shows(hidden)).toEqual({ ...all, recipient: null });
    expect(await shows(neighbour)).toEqual({
      member: false,
      reactor: false,
      reader: false,
      counted: true,
      recipient: null,
      mentioned: false,
      author: false,
      everywhere: false,
    });
    const streams = [
      await follow(neighbour, 'ChatEvents', { chatId: groupChat }),
      await follow(teacher, 'MessageSent', { chatId: groupChat }),
    ];
    await say(hidden, groupChat);
    const [heard, told] = await Promise.all(streams.map((stream) => stream.next()));
    expect(heard).toMatchObject({ message: { author: null, capacity: 'GUARDIAN' } });
    expect(told).toMatchObject({ message: { author: { id: userId } } });
    expect(JSON.stringify(heard)).not.toContain(userId);
  });
});

describe('a subscription to a chat (edge case 9)', () => {
  const endings: Record<string, [(who: Json, chatId: string) => Promise<unknown>, string]> = {
    'is taken out of it': [
      async (who, chatId) => room.teacher.does('RemoveChatMember', { chatId, userId: await idOfUser(who) }),
      'MEMBERSHIP_CHANGED',
    ],
    'leaves it': [(who, chatId) => who.does('LeaveChat', { chatId }), 'MEMBERSHIP_CHANGED'],
    'loses their confirmed status': [
      ({ verificationId }) => room.administrator.does('RevokeVerification', { verificationId, reason: 'Mistake.' }),
      'MEMBERSHIP_CHANGED',
    ],
    'signs out': [(who) => who.run('SignOut'), 'SIGNED_OUT'],
  };
  for (const [what, [end, reason]] of Object.entries(endings)) {
    test(`ends with a typed event when its owner ${what}, on both transports, and tells of nothing that comes after`, async () => {
      const { world, school, teacher } = room;
      const guest = await world.staff(school);
      const chatId = await talk(teacher, school, [guest]);
      const after = await cursorOf(guest);
      const sockets = [await follow(guest, 'MessageSent', { chatId }), await follow(guest, 'ChatEvents', { chatId })];
      await using source = new EventSource([app.url], guest, 'ChatEvents', { chatId, after });
      await say(teacher, chatId, { text: 'While they were there' });
      await expect.poll(() => source.delivered.length).toBe(1);
      await end(guest, chatId);
      await say(teacher, chatId, { text: 'Afterwards' });
      await Promise.all(sockets.map((socket) => socket.done));
      await expect.poll(() => source.completed).toBe(true);
      for (const { delivered } of [...sockets, source]) {
        expect(delivered.map(({ __typename }) => __typename)).toEqual(['MessageSent', 'AccessEnded']);
        expect(delivered.at(-1)).toMatchObject({ reason });
      }
    });
  }

  test('ends so when the organization is suspended', async () => {
    await using own = await startTestApp();
    const { world, school, teacher, guardian, groupChat } = await openChatRoom(own);
    const sockets = [
      await follow(guardian, 'MessageSent', { chatId: groupChat }),
      await follow(teacher, 'ChatEvents', { chatId: groupChat }),
    ];
    await using source = new EventSource([own.url], guardian, 'MessageSent', {
      chatId: groupChat,
      after: await cursorOf(guardian),
    });
    await say(teacher, groupChat);
    await expect.poll(() => source.delivered.length).toBe(1);
    await (await world.operator()).does('SuspendOrganization', { organizationId: school.id, reason: 'Inquiry.' });
    await Promise.all(sockets.map((socket) => socket.done));
    await expect.poll(() => source.completed).toBe(true);
    for (const { delivered } of [...sockets, source])
      expect(delivered).toMatchObject([
        { __typename: 'MessageSent' },
        { __typename: 'AccessEnded', reason: 'ORGANIZATION_SUSPENDED' },
      ]);
  });
});
