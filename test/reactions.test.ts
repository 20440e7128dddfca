import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import {
  answer,
  atOnce,
  draft,
  follow,
  kindsUntil,
  type Newsroom,
  openNewsroom,
  postFor,
  student,
} from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  app = await startTestApp();
  room = await openNewsroom(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const react = (person: Person, postId: string, emoji = '👍') => person.does('AddReaction', { postId, emoji });
const takeBack = (person: Person, postId: string, emoji = '👍') => person.does('RemoveReaction', { postId, emoji });
const countsOf = async (person: Person, id: string): Promise<Json> =>
  Object.fromEntries((await postFor(person, id)).reactions.map(({ emoji, count }: Json) => [emoji, count]));
/** So many different emojis. */
const emojis = (size: number): string[] =>
  Array.from({ length: size }, (_, index) => String.fromCodePoint(0x1f400 + index));

test('one emoji is a reaction, whatever it is made of, and nothing else is', async () => {
  const { administrator, guardian, community } = room;
  const postId = await app.world.post(administrator, community);
  const whole = ['👍', '❤️', '👍🏽', '🇷🇺', '👨‍👩‍👧‍👦', '🏳️‍🌈', '3️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'];
  for (const emoji of whole) expect(answer(await react(guardian, postId, emoji)), emoji).toBe('Post');
  expect((await postFor(guardian, postId)).viewerReactions).toEqual(whole);
  for (const emoji of [
    '',
    ' ',
    'a',
    '+1',
    '👍👍',
    '👍 ',
    '🇷',
    '🇷🇺🇷🇺',
    '3',
    '👨‍👩‍👧‍👦!',
    '<b>',
    '👍\0',
    '\ud83d',
    '👍'.repeat(50),
  ])
    expect([emoji, await react(guardian, postId, emoji)]).toMatchObject([
      emoji,
      { code: 'INVALID_INPUT', field: 'emoji' },
    ]);
  // What nobody could have reacted with cannot be taken back either, and breaks nothing.
  for (const emoji of ['', 'a', '👍\0', '\ud83d'])
    expect([emoji, answer(await takeBack(guardian, postId, emoji))]).toEqual([emoji, 'INVALID_INPUT']);
  expect(Object.keys(await countsOf(guardian, postId))).toHaveLength(whole.length);
});

test('readers react, but not employees whose status is not confirmed, nor anybody who does not read', async () => {
  const { administrator, head, teacher, guardian, otherGuardian, unverified, community, groupChannel } = room;
  const all = await app.world.post(administrator, community);
  const stranger = (await app.world.school('Another')).administrator;
  for (const person of [administrator, head, teacher, guardian, await student(room)]) {
    expect(await postFor(person, all)).toMatchObject({ viewerCanReact: true });
    expect(answer(await react(person, all))).toBe('Post');
  }
  expect(await postFor(unverified, all)).toMatchObject({ viewerCanReact: false });
  expect(await react(unverified, all)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await react(stranger, all)).toMatchObject({ code: 'NOT_FOUND' });
  const ofGroup = await app.world.post(teacher, groupChannel);
  for (const person of [otherGuardian, unverified]) {
    expect(await react(person, ofGroup)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await takeBack(person, ofGroup)).toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(await react(administrator, await draft(administrator, community))).toMatchObject({ code: 'INVALID_STATE' });
  // An employee without that status who has a child here takes part as its guardian.
  await app.world.guardian(room.school, room.child, unverified);
  expect(answer(await react(unverified, all))).toBe('Post');
  expect(await countsOf(guardian, all)).toEqual({ '👍': 6 });
});

test('each counts once for each emoji, also when many react at once and take it back', async () => {
  const { administrator, head, teacher, otherTeacher, guardian, otherGuardian, community } = room;
  const postId = await app.world.post(administrator, community);
  const people = [administrator, head, teacher, otherTeacher, guardian, otherGuardian];
  const person = (index: number) => people[index % people.length] ?? guardian;
  await atOnce(24, (index) => react(person(index), postId));
  await atOnce(12, (index) => react(person(index), postId, '🎉'));
  expect(await countsOf(guardian, postId)).toEqual({ '👍': 6, '🎉': 6 });
  await atOnce(12, (index) => takeBack(person(index % 4), postId, '🎉'));
  expect(await countsOf(guardian, postId)).toEqual({ '👍': 6, '🎉': 2 });
  expect((await postFor(guardian, postId)).reactions.map(({ emoji }: Json) => emoji)).toEqual(['👍', '🎉']);
  expect(await takeBack(head, postId, '🐝')).toMatchObject({ viewerReactions: ['👍'] });
});

test('a post has at most twenty different ones, also when many come at once; those that are there are always open', async () => {
  const { administrator, head, teacher, otherTeacher, guardian, otherGuardian, community } = room;
  const people = [head, teacher, otherTeacher, guardian, otherGuardian];
  for (let round = 0; round < 3; round++) {
    const postId = await app.world.post(administrator, community);
    const [first = '', ...more] = emojis(30);
    for (const emoji of [first, ...more.slice(0, 16)]) await react(administrator, postId, emoji);
    const added = await atOnce(13, (index) => react(people[index % 5] ?? head, postId, more[16 + index]));
    expect(Object.keys(await countsOf(guardian, postId))).toHaveLength(20);
    expect(added.filter(({ code }) => code)).toHaveLength(10);
    for (const refused of added.filter(({ code }) => code))
      expect(refused).toMatchObject({ code: 'INVALID_INPUT', field: 'emoji' });
    expect(answer(await react(guardian, postId, first))).toBe('Post');
    await takeBack(guardian, postId, first);
    await takeBack(administrator, postId, first);
    expect(answer(await react(guardian, postId, '🦄'))).toBe('Post');
  }
});

test('a reaction is told to one’s own devices alone, and only when it changes something', async () => {
  const { administrator, guardian, otherGuardian, teacher, community, school } = room;
  const postId = await app.world.post(administrator, community);
  await using own = await follow(guardian, 'ViewerEvents');
  const others = await Promise.all(
    [otherGuardian, teacher, administrator].map((person) => follow(person, 'ViewerEvents')),
  );
  await using open = await follow(guardian, 'OrganizationEvents', { organizationId: school.id });
  for (let turn = 0; turn < 2; turn++) await react(guardian, postId);
  for (let turn = 0; turn < 2; turn++) await takeBack(guardian, postId);
  await administrator.does('PinPost', { postId });
  expect(await kindsUntil(own, 'POST_PINNED')).toEqual(['POST_REACTED', 'POST_REACTED']);
  expect(own.delivered[0]).toMatchObject({ postId, post: { id: postId } });
  for (const stream of [...others, open]) expect(await kindsUntil(stream, 'POST_PINNED')).toEqual([]);
});

test('in a channel that was put away nobody reacts any more, and is told why', async () => {
  const { administrator, guardian, school } = room;
  const { id: channelId } = await administrator.does('CreateChannel', {
    input: { organizationId: school.id, kind: 'COMMUNITY', name: 'Clubs' },
  });
  const postId = await app.world.post(administrator, channelId, 'Chess', { commenting: 'OPEN' });
  await administrator.does('ArchiveChannel', { channelId });
  expect(await postFor(guardian, postId)).toMatchObject({ viewerCanReact: false, viewerCanComment: false });
  expect(await react(guardian, postId)).toMatchObject({ code: 'INVALID_STATE', currentState: 'ARCHIVED' });
  expect(await guardian.does('AddComment', { postId, text: 'Check' })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'ARCHIVED',
  });
});
