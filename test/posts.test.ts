import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import {
  absentPost,
  answer,
  atOnce,
  deed,
  deeds,
  draft,
  later,
  type Newsroom,
  openNewsroom,
  postFor,
  seers,
  stepsOf,
  student,
  suggestion,
} from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;
let stranger: Person;
let administrator: Person;

beforeAll(async () => {
  app = await startTestApp();
  room = await openNewsroom(app.world);
  stranger = (await app.world.school('Another')).administrator;
  administrator = await app.world.secondAdministrator(room.school);
});
afterAll(() => app[Symbol.asyncDispose]());

describe('who sees a post', () => {
  test('for all: a draft its author, then its author and administrators, once published every member, never a stranger', async () => {
    const { head: author, head, community, ...others } = room;
    const { administrator: first, teacher, otherTeacher, unverified, guardian } = others;
    const pupil = await student(room);
    const people = { author, first, administrator, teacher, otherTeacher, unverified, guardian, pupil, stranger };
    const members = Object.keys(people)
      .filter((name) => name !== 'stranger')
      .toSorted();
    const makers = ['administrator', 'author', 'first'];
    const postId = await draft(head, community);
    expect(await seers(people, postId)).toEqual(['author']);
    await head.does('SuggestPost', { postId });
    expect(await seers(people, postId)).toEqual(makers);
    await administrator.does('ApproveSuggestion', { postId });
    expect(await seers(people, postId)).toEqual(makers);
    await administrator.does('SchedulePost', { postId, publishAt: later });
    expect(await seers(people, postId)).toEqual(makers);
    for (const deed of ['PublishPost', 'ArchivePost', 'RestorePost', 'DeletePost']) {
      expect(answer(await administrator.does(deed, { postId }))).toBe('Post');
      expect(await seers(people, postId), deed).toEqual(members);
      for (const [name, person] of Object.entries(people))
        expect([name, (await stepsOf(person, postId)) !== null]).toEqual([name, makers.includes(name)]);
    }
  });

  test('of a group: its staff and leaders before, and everybody in it after its publication', async () => {
    const { teacher, otherTeacher, head, guardian, otherGuardian, groupChannel, groupId, school } = room;
    const colleague = await app.world.teacher(school, groupId);
    const assigned = await app.world.member(school, 'EMPLOYEE');
    await app.world.assign(school, assigned.membershipId, groupId);
    const [pupil, elsewhere] = [await student(room, groupId), await student(room, room.otherGroupId)];
    const outside = { otherTeacher, otherGuardian, assigned, elsewhere, stranger };
    const people = { teacher, colleague, head, administrator, guardian, pupil, ...outside };
    const postId = await draft(teacher, groupChannel);
    expect(await seers(people, postId)).toEqual(['teacher']);
    await teacher.does('SchedulePost', { postId, publishAt: later });
    expect(await seers(people, postId)).toEqual(['administrator', 'colleague', 'head', 'teacher']);
    await colleague.does('PublishPost', { postId });
    const readers = ['administrator', 'colleague', 'guardian', 'head', 'pupil', 'teacher'];
    expect(await seers(people, postId)).toEqual(readers);
    await colleague.does('DeletePost', { postId });
    expect(await seers(people, postId)).toEqual(readers);
    // What was never published leaves nothing to anybody but its author.
    const private_ = await draft(teacher, groupChannel);
    await teacher.does('DeletePost', { postId: private_ });
    expect(await seers(people, private_)).toEqual(['teacher']);
  });

  test('for staff: no guardian, no student and nobody whose status is not confirmed', async () => {
    const { teacher, otherTeacher, head, guardian, unverified, staffRoom } = room;
    const people = {
      teacher,
      otherTeacher,
      head,
      administrator,
      guardian,
      unverified,
      stranger,
      pupil: await student(room),
    };
    const postId = await app.world.post(administrator, staffRoom);
    expect(await seers(people, postId)).toEqual(['administrator', 'head', 'otherTeacher', 'teacher']);
  });
});

test('who may not see a post cannot tell it from one that is not there, whatever they try', async () => {
  const { head, teacher, community, groupChannel, guardian, otherGuardian, otherTeacher, unverified } = room;
  const hidden = await draft(administrator, community);
  const suggested = await suggestion(head, community);
  const ofGroup = await app.world.post(teacher, groupChannel, 'For us', { acknowledgementRequired: true });
  const unseen: [Person, string][] = [
    ...[room.administrator, head, teacher, guardian, stranger].map((person): [Person, string] => [person, hidden]),
    ...[teacher, guardian, unverified, stranger].map((person): [Person, string] => [person, suggested]),
    ...[otherTeacher, otherGuardian, unverified, stranger].map((person): [Person, string] => [person, ofGroup]),
  ];
  for (const name of Object.keys(deeds)) {
    for (const [person, id] of unseen) {
      const absent = await deed(person, name, absentPost());
      expect(absent).toMatchObject({ code: 'NOT_FOUND' });
      expect([name, await deed(person, name, id)]).toEqual([name, absent]);
    }
  }
  for (const [person, channelId] of [
    [otherGuardian, groupChannel],
    [unverified, room.staffRoom],
    [stranger, community],
  ] as const)
    expect(await person.does('DraftPost', { input: { channelId, text: 'Hello' } })).toMatchObject({
      code: 'NOT_FOUND',
    });
});

test('who reads a post but does not answer for it may do nothing to it', async () => {
  const { head, teacher, guardian, unverified, community, groupChannel } = room;
  const pupil = await student(room, room.groupId);
  const forbidden = Object.keys(deeds).filter(
    (name) => !/^(Acknowledge|AddReaction|RemoveReaction|AddComment)/.test(name),
  );
  const published = await app.world.post(administrator, community);
  const ofGroup = await app.world.post(teacher, groupChannel);
  for (const name of forbidden) {
    for (const person of [head, teacher, guardian, unverified, pupil])
      expect([name, answer(await deed(person, name, published))]).toEqual([name, 'FORBIDDEN']);
    for (const person of [guardian, pupil])
      expect([name, answer(await deed(person, name, ofGroup))]).toEqual([name, 'FORBIDDEN']);
  }
  for (const person of [guardian, pupil, unverified])
    expect(answer(await person.does('DraftPost', { input: { channelId: community, text: 'Hello' } }))).toBe(
      'FORBIDDEN',
    );
  // Who suggests does not decide: not on the state, nor on the words once they are handed in.
  const own = await suggestion(head, community);
  for (const name of ['UpdatePost', 'ApproveSuggestion', 'RejectSuggestion', 'PublishPost', 'SchedulePost'])
    expect([name, answer(await deed(head, name, own))]).toEqual([name, 'FORBIDDEN']);
  await administrator.does('ApproveSuggestion', { postId: own });
  await administrator.does('SchedulePost', { postId: own, publishAt: later });
  for (const name of ['UpdatePost', 'CancelScheduledPost', 'PublishPost', 'SchedulePost'])
    expect([name, answer(await deed(head, name, own))]).toEqual([name, 'FORBIDDEN']);
  expect(await postFor(head, own)).toMatchObject({ state: 'SCHEDULED', viewerCanPublish: false, viewerCanEdit: false });
});

test('what is told stays within its limits, and an error names the field', async () => {
  const { community } = room;
  const write = (input: object) =>
    administrator.does('DraftPost', { input: { channelId: community, text: 'Hello', ...input } });
  for (const text of ['a'.repeat(10_000), '🎉', ` ${'b'.repeat(10_000)}\n`, 'one\n\n* two'])
    expect(await write({ text })).toMatchObject({ state: 'DRAFT', text: text.trim() });
  for (const text of ['', ' \n\t ', 'a'.repeat(10_001), 'a\0b', '\ud800', 'bell\u0007'])
    expect(await write({ text })).toMatchObject({ code: 'INVALID_INPUT', field: 'text' });
  expect(await write({ idempotencyKey: 'short' })).toMatchObject({ code: 'INVALID_INPUT', field: 'idempotencyKey' });
  const postId = await draft(administrator, community);
  const update = (input: object) => administrator.does('UpdatePost', { input: { postId, ...input } });
  for (const text of [' ', 'a\0b', null])
    expect(await update({ text })).toMatchObject({ code: 'INVALID_INPUT', field: 'text' });
  await deed(administrator, 'SuggestPost', postId);
  for (const comment of [' ', 'a\0b', 'a'.repeat(1_001)])
    expect(await administrator.does('RejectSuggestion', { postId, comment })).toMatchObject({ field: 'comment' });
  await administrator.does('ApproveSuggestion', { postId });
  await administrator.does('PublishPost', { postId });
  // For whom it is was decided when it was published.
  expect(await update({ acknowledgementRequired: true })).toMatchObject({ field: 'acknowledgementRequired' });
});

test('a repeated wish makes one post, also twenty times at once, and its key serves nothing else', async () => {
  const { community, staffRoom } = room;
  const idempotencyKey = crypto.randomUUID();
  const write = (input: object) =>
    administrator.does('DraftPost', { input: { idempotencyKey, channelId: community, ...input } });
  const made = await atOnce(20, () => write({ text: 'Once' }));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  const postId = made[0].id;
  expect((await stepsOf(administrator, postId))?.map(({ kind }) => kind)).toEqual(['DRAFTED']);
  for (const input of [{ text: 'Twice' }, { text: 'Once', channelId: staffRoom }])
    expect(await write(input)).toMatchObject({ code: 'INVALID_INPUT', field: 'idempotencyKey' });
  // It is the same wish also when the post has gone on meanwhile; and another person's key is another key.
  await administrator.does('UpdatePost', { input: { postId, text: 'Edited' } });
  await administrator.does('PublishPost', { postId });
  expect(await write({ text: 'Once' })).toMatchObject({ id: postId, state: 'PUBLISHED', text: 'Edited' });
  const others = await room.head.does('DraftPost', { input: { idempotencyKey, channelId: community, text: 'Once' } });
  expect(others).toMatchObject({ state: 'DRAFT' });
  expect(others.id).not.toBe(postId);
});

test('of a deleted post a tombstone is left, and its steps without words to those who answer for it', async () => {
  const { community, guardian, head } = room;
  const postId = await app.world.post(administrator, community, 'A **secret**', { commenting: 'OPEN' });
  await guardian.does('AddReaction', { postId, emoji: '👍' });
  await guardian.does('AddComment', { postId, text: 'Oh' });
  await administrator.does('PinPost', { postId });
  await administrator.does('DeletePost', { postId });
  for (const person of [guardian, head, administrator]) {
    const post = await postFor(person, postId);
    const empty = {
      text: '',
      html: '',
      plainText: '',
      author: null,
      attachments: [],
      reactions: [],
      viewerReactions: [],
    };
    expect(post).toMatchObject({ state: 'DELETED', isPinned: false, commentCount: 0, ...empty });
    expect((await person.run('Comments', { postId })).node.comments).toMatchObject({ totalCount: 0, nodes: [] });
    for (const name of ['ChannelPosts', 'Feed'])
      expect(
        JSON.stringify(await person.run(name, { channelId: community, state: 'DELETED', first: 50 })),
      ).not.toContain(postId);
  }
  expect((await stepsOf(administrator, postId))?.map(({ kind, text }) => [kind, text])).toEqual([
    ['DRAFTED', null],
    ['PUBLISHED', null],
    ['DELETED', null],
  ]);
  for (const person of [guardian, head]) expect(await stepsOf(person, postId)).toBeNull();
});

test('a deleted suggestion is its author’s alone, who may delete it again', async () => {
  const postId = await suggestion(room.head, room.community);
  expect(await administrator.does('DeletePost', { postId })).toMatchObject({ state: 'DELETED', text: '' });
  expect(await administrator.does('DeletePost', { postId })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await room.head.does('DeletePost', { postId })).toMatchObject({ state: 'DELETED', text: '' });
  expect((await stepsOf(room.head, postId))?.map(({ kind }) => kind)).toEqual(['DRAFTED', 'SUGGESTED', 'DELETED']);
});
