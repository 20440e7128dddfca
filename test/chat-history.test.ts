import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { EventSource } from './support/event-source.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** Two groups, each with a teacher, and a mother of a child in the first. */
async function twoGroups() {
  const { world } = app;
  const school = await world.school();
  const [bees, stars] = [await world.group(school), await world.group(school)];
  const [beesTeacher, starsTeacher] = [await world.teacher(school, bees), await world.teacher(school, stars)];
  const childId = await world.child(school, bees);
  const mother = await world.guardian(school, childId);
  const beesChat = await world.chat(beesTeacher, school, bees);
  const starsChat = await world.chat(starsTeacher, school, stars);
  return { school, bees, stars, beesTeacher, starsTeacher, childId, mother, beesChat, starsChat };
}

/** The words that somebody reads in a chat, the first said first; null: the chat is not for them. */
async function reads(person: Person, id: string): Promise<string[] | null> {
  const { chat } = await person.run('Chat', { id, first: 100 });
  return chat?.messages.nodes.map(({ text }: Json) => text).toReversed() ?? null;
}

const says = (person: Person, chatId: string, text: string, input: object = {}): Promise<Json> =>
  person.does('SendMessage', { input: { chatId, text, clientMessageId: `says-${Math.random()}`, ...input } });

const chatIds = async (person: Person, past = false): Promise<string[]> =>
  (await person.run('Chats', { past })).viewer.chats.nodes.map(({ id }: Json) => id);

const moves = (school: School, childId: string, groupId: string) =>
  school.administrator.does('TransferChild', { input: { childId, groupId } });

test('a child moves: the mother keeps the old chat up to the move, read-only, and joins the new one from then on (§4.6)', async () => {
  const { school, bees, stars, beesTeacher, starsTeacher, childId, mother, beesChat, starsChat } = await twoGroups();
  await says(beesTeacher, beesChat, 'Bees before');
  await says(starsTeacher, starsChat, 'Stars before');
  const heard = mother.subscribe('MessageSent', { chatId: beesChat });
  await heard.begun();
  await moves(school, childId, stars);
  await says(beesTeacher, beesChat, 'Bees after');
  await says(starsTeacher, starsChat, 'Stars after');

  expect(await heard.next()).toMatchObject({ __typename: 'AccessEnded', reason: 'MEMBERSHIP_CHANGED' });
  await heard.done;
  expect(heard.delivered).toHaveLength(1);
  expect(await reads(mother, beesChat)).toEqual(['Bees before']);
  expect(await reads(mother, starsChat)).toEqual(['Stars after']);
  const { chat } = await mother.run('Chat', { id: beesChat });
  expect(chat).toMatchObject({
    lastNumber: 1,
    viewerUnreadCount: 0,
    viewerCanWrite: { allowed: false, reason: 'LEFT' },
  });
  expect(await says(mother, beesChat, 'May I still?')).toMatchObject({ code: 'FORBIDDEN' });
  expect([await chatIds(mother), await chatIds(mother, true)]).toEqual([[starsChat], [beesChat]]);
  const again = mother.subscribe('MessageSent', { chatId: beesChat });
  await expect(again.next()).rejects.toThrow(/NOT_FOUND/);

  await moves(school, childId, bees);
  await says(mother, beesChat, 'We are back');
  expect(await reads(mother, beesChat)).toEqual(['Bees before', 'We are back']);
  expect(await reads(beesTeacher, beesChat)).toEqual(['Bees before', 'Bees after', 'We are back']);
});

test('a guardian whose link is revoked keeps nothing of the group’s chat, also while another child stays', async () => {
  const { school, stars, beesTeacher, childId, beesChat } = await twoGroups();
  const { world } = app;
  const father = await world.guardian(school, childId);
  const { linkId: guardianLinkId } = father;
  await world.guardian(school, await world.child(school, stars), father);
  await says(beesTeacher, beesChat, 'Bees');
  expect(await reads(father, beesChat)).toEqual(['Bees']);
  await school.administrator.does('RevokeGuardianLink', { guardianLinkId, reason: 'By the court' });
  expect(await reads(father, beesChat)).toBeNull();
  expect(await chatIds(father, true)).toEqual([]);
});

test('a guardian with two children in one group keeps the chat when one leaves (§4.7)', async () => {
  const { school, bees, stars, beesTeacher, childId, mother, beesChat } = await twoGroups();
  await app.world.guardian(school, await app.world.child(school, bees), mother);
  const heard = mother.subscribe('MessageSent', { chatId: beesChat });
  await heard.begun();
  await moves(school, childId, stars);
  await says(beesTeacher, beesChat, 'Bees');
  expect(await heard.next()).toMatchObject({ message: { text: 'Bees' } });
  expect(await says(mother, beesChat, 'Thank you')).toMatchObject({ state: 'SENT', number: 2 });
});

test('a teacher with a child in the group speaks as what they choose, and as that again until they choose anew (§4.8)', async () => {
  const { school, bees, stars, beesTeacher, beesChat } = await twoGroups();
  const childId = await app.world.child(school, bees);
  await app.world.guardian(school, childId, beesTeacher);
  const { chat } = await beesTeacher.run('Chat', { id: beesChat });
  expect(chat.viewerCapacities.toSorted()).toEqual(['EMPLOYEE', 'GUARDIAN']);
  const capacityOf = async (input: object = {}) => (await says(beesTeacher, beesChat, 'Hello', input)).capacity;
  expect(await capacityOf()).toBe('EMPLOYEE');
  expect(await capacityOf({ capacity: 'GUARDIAN' })).toBe('GUARDIAN');
  expect(await capacityOf()).toBe('GUARDIAN');
  expect(await capacityOf({ priority: 'IMPORTANT' })).toBe('EMPLOYEE');
  expect(await says(beesTeacher, beesChat, 'Hello', { capacity: 'STUDENT' })).toMatchObject({ field: 'capacity' });
  await capacityOf({ capacity: 'GUARDIAN' });
  await moves(school, childId, stars);
  expect(await capacityOf()).toBe('EMPLOYEE');
  expect(await says(beesTeacher, beesChat, 'Hello', { capacity: 'GUARDIAN' })).toMatchObject({ field: 'capacity' });
});

const endings: [
  how: string,
  reason: string,
  end: (school: School, person: Person, chatId: string) => Promise<unknown>,
][] = [
  [
    'is taken out of the chat',
    'MEMBERSHIP_CHANGED',
    async (school, person, chatId) =>
      school.administrator.does('RemoveChatMember', { chatId, userId: await app.world.userId(person) }),
  ],
  ['leaves it', 'MEMBERSHIP_CHANGED', (_school, person, chatId) => person.does('LeaveChat', { chatId })],
  ['signs out', 'SIGNED_OUT', (_school, person) => person.run('SignOut')],
  [
    'is suspended with the organization',
    'ORGANIZATION_SUSPENDED',
    async (school) =>
      (await app.world.operator()).does('SuspendOrganization', { organizationId: school.id, reason: 'Unpaid' }),
  ],
];

test.each(
  endings,
)('whoever %s hears that it is over, and not one event after that (§4.9)', async (_how, reason, end) => {
  const { world } = app;
  const school = await world.school();
  const [person, other] = [await world.staff(school), await world.staff(school)];
  const userIds = [await world.userId(person), await world.userId(other)];
  const input = { organizationId: school.id, kind: 'CUSTOM', name: 'Repairs', userIds };
  const { id: chatId } = await school.administrator.does('CreateChat', { input });
  const streams = ['MessageSent', 'ChatEvents'].map((name) => person.subscribe(name, { chatId }));
  await using source = new EventSource([app.url], person, 'MessageSent', { chatId });
  await Promise.all(streams.map((stream) => stream.begun()));
  await expect.poll(() => source.opened).toBe(1);
  await says(other, chatId, 'Before');
  await expect.poll(() => source.delivered).toHaveLength(1);
  await end(school, person, chatId);
  await says(other, chatId, 'After');
  await Promise.all(streams.map((stream) => stream.done));
  await expect.poll(() => source.completed).toBe(true);
  for (const { delivered } of [...streams, source]) {
    expect(delivered.at(-1)).toMatchObject({ __typename: 'AccessEnded', reason });
    expect(JSON.stringify(delivered)).not.toContain('After');
    expect(JSON.stringify(delivered)).toContain('Before');
  }
});

test('a LIMITED guardian is in nothing that the other family sees of a chat, and in all that the staff see (§4.11)', async () => {
  const { school, beesTeacher, childId, mother, beesChat } = await twoGroups();
  const { world } = app;
  const father = await world.guardian(school, childId);
  await father.does('SetGuardianContactVisibility', { guardianLinkId: father.linkId, contactVisibility: 'LIMITED' });
  const own = await world.userId(father);
  const { id: messageId } = await world.message(beesTeacher, beesChat, 'Read this', { mentionedIds: [own] });
  await father.does('MarkChatRead', { chatId: beesChat });
  await father.does('AddMessageReaction', { messageId, emoji: '👍' });
  await world.message(father, beesChat, 'I am here');

  const sees = async (person: Person) => {
    const { chat } = await person.run('Chat', { id: beesChat });
    const { members } = (await person.run('ChatMembers', { id: beesChat })).chat;
    const { node } = await person.run('Message', { id: messageId });
    const [said] = chat.messages.nodes;
    const people = (list: Json) => list.nodes.some(({ user }: Json) => user.id === own);
    return {
      author: said.author?.id === own,
      member: people(members),
      reader: people(node.readers),
      readCount: chat.messages.nodes[1].readCount,
      reactor: people(node.reactors),
      mentioned: node.mentions.some(({ id }: Json) => id === own),
    };
  };
  const all = { author: true, member: true, reader: true, readCount: 1, reactor: true, mentioned: true };
  const none = { author: false, member: false, reader: false, readCount: 0, reactor: false, mentioned: false };
  expect(await sees(beesTeacher)).toEqual(all);
  expect(await sees(father)).toEqual(all);
  expect(await sees(mother)).toEqual(none);
});

test('who comes later reads what is said from then on; of a chat with its whole past, all of it', async () => {
  const { world } = app;
  const school = await world.school();
  const [first, later] = [await world.staff(school), await world.staff(school)];
  const input = { organizationId: school.id, kind: 'CUSTOM', name: 'Repairs', userIds: [await world.userId(first)] };
  const { id: chatId } = await school.administrator.does('CreateChat', { input });
  const old = await world.message(first, chatId, 'Old');
  await school.administrator.does('AddChatMembers', { chatId, userIds: [await world.userId(later)] });
  const answer = await world.message(first, chatId, 'New', { replyToId: old.id });
  expect(await reads(later, chatId)).toEqual(['New']);
  expect((await later.run('Message', { id: old.id })).node).toBeNull();
  expect((await later.run('Message', { id: answer.id })).node).toMatchObject({ replyTo: null });
  expect(await says(later, chatId, 'What?', { replyToId: old.id })).toMatchObject({ field: 'replyToId' });

  // What is done with the old one is told, and shown to those alone who may read it.
  const [heard, unheard] = [first, later].map((person) => person.subscribe('ChatEvents', { chatId }));
  await Promise.all([heard?.begun(), unheard?.begun()]);
  await school.administrator.does('PinMessage', { messageId: old.id });
  expect(await heard?.next()).toMatchObject({ kind: 'MESSAGE_PINNED', message: { text: 'Old' } });
  expect(await unheard?.next()).toMatchObject({ kind: 'MESSAGE_PINNED', message: null });

  await school.administrator.does('UpdateChat', { input: { chatId, historyVisibility: 'ALL' } });
  expect(await reads(later, chatId)).toEqual(['Old', 'New']);
  expect((await later.run('Chat', { id: chatId })).chat.viewerUnreadCount).toBe(1);
});
