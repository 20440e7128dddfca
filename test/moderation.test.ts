import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import {
  comment,
  commentsFor,
  finds,
  follow,
  kindsUntil,
  type Newsroom,
  openNewsroom,
  opinionAsked,
  postFor,
  textsFor,
} from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(async () => {
  room = await openNewsroom(app.world);
});

test('where comments are moderated, those who publish and the author alone see one that waits or was rejected', async () => {
  const { administrator, head, teacher, otherTeacher, guardian, otherGuardian, groupChannel, groupId, school } = room;
  const neighbour = await app.world.guardian(school, await app.world.child(school, groupId));
  const postId = await opinionAsked(app.world, teacher, groupChannel, 'MODERATED');
  const made = await comment(guardian, postId, 'Why so late?');
  expect(made).toMatchObject({ state: 'PENDING', text: 'Why so late?' });
  const waiting = async (person: Person) =>
    (await person.run('PendingComments', { channelId: groupChannel })).node?.pendingComments;
  for (const person of [administrator, head, teacher]) {
    expect(await textsFor(person, postId)).toEqual(['Why so late?']);
    expect((await waiting(person)).nodes).toMatchObject([
      { id: made.id, viewerCanModerate: true, viewerCanEdit: false },
    ]);
  }
  expect(await textsFor(guardian, postId)).toEqual(['Why so late?']);
  expect(await waiting(guardian)).toBeNull();
  const unseen = async (commentId: string) => {
    expect(await commentsFor(neighbour, postId)).toMatchObject({ totalCount: 0, nodes: [] });
    expect(await commentsFor(neighbour, postId, 'PENDING')).toMatchObject({ totalCount: 0 });
    expect((await postFor(neighbour, postId)).commentCount).toBe(0);
    for (const person of [neighbour, otherGuardian, otherTeacher]) {
      expect(await finds(person, commentId)).toBe(false);
      for (const [name, more] of [
        ['ApproveComment', {}],
        ['RejectComment', { reason: 'No' }],
        ['DeleteComment', {}],
        ['UpdateComment', { text: 'No' }],
      ] as const)
        expect(await person.does(name, { commentId, ...more })).toMatchObject({ code: 'NOT_FOUND' });
    }
  };
  await unseen(made.id);
  for (const name of ['ApproveComment', 'RejectComment'])
    expect(await guardian.does(name, { commentId: made.id, reason: 'Mine' })).toMatchObject({ code: 'FORBIDDEN' });
  for (const reason of [' ', 'a\0b', 'a'.repeat(501)])
    expect(await teacher.does('RejectComment', { commentId: made.id, reason })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'reason',
    });

  expect(await teacher.does('RejectComment', { commentId: made.id, reason: 'Be polite.' })).toMatchObject({
    state: 'REJECTED',
  });
  await unseen(made.id);
  expect((await commentsFor(guardian, postId)).nodes).toMatchObject([{ state: 'REJECTED', reason: 'Be polite.' }]);
  expect(await guardian.does('UpdateComment', { commentId: made.id, text: 'Please' })).toMatchObject({
    code: 'INVALID_STATE',
  });
  expect(await head.does('ApproveComment', { commentId: made.id })).toMatchObject({ state: 'PUBLISHED' });
  expect((await commentsFor(neighbour, postId)).nodes).toMatchObject([{ text: 'Why so late?', reason: null }]);
  expect((await postFor(neighbour, postId)).commentCount).toBe(1);
  for (const person of [neighbour])
    expect(await person.does('RejectComment', { commentId: made.id, reason: 'No' })).toMatchObject({
      code: 'FORBIDDEN',
    });
  // Who publishes there does not wait for themself.
  expect(await comment(head, postId, 'At ten then')).toMatchObject({ state: 'PUBLISHED' });
});

test('an approved comment that is edited waits again, and readers stop seeing it at once', async () => {
  const { teacher, guardian, groupChannel, groupId, school } = room;
  const neighbour = await app.world.guardian(school, await app.world.child(school, groupId));
  const postId = await opinionAsked(app.world, teacher, groupChannel, 'MODERATED');
  const { id: commentId } = await comment(guardian, postId, 'Fine');
  await teacher.does('ApproveComment', { commentId });
  await using heard = await follow(neighbour, 'ChannelEvents', { channelId: groupChannel });
  await using publishers = await follow(teacher, 'ChannelEvents', { channelId: groupChannel });
  await using authors = await follow(guardian, 'ViewerEvents');
  expect(await neighbour.does('UpdateComment', { commentId, text: 'Hacked' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await teacher.does('UpdateComment', { commentId, text: 'Hacked' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await neighbour.does('DeleteComment', { commentId })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await teacher.does('DeleteComment', { commentId })).toMatchObject({ code: 'FORBIDDEN' });
  await guardian.does('UpdateComment', { commentId, text: 'Fine' });
  expect(await guardian.does('UpdateComment', { commentId, text: 'Awful' })).toMatchObject({
    state: 'PENDING',
    editedAt: expect.any(String),
  });
  expect(await textsFor(neighbour, postId)).toEqual([]);
  expect(await finds(neighbour, commentId)).toBe(false);
  expect((await postFor(neighbour, postId)).commentCount).toBe(0);
  await teacher.does('ApproveComment', { commentId });
  await teacher.does('PinPost', { postId });
  expect(await kindsUntil(heard, 'POST_PINNED')).toEqual(['COMMENT_EDITED', 'COMMENT_ADDED']);
  expect(heard.delivered[0]).toMatchObject({ commentId, comment: null });
  expect(heard.delivered[1]).toMatchObject({ comment: { text: 'Awful' } });
  expect(await kindsUntil(publishers, 'POST_PINNED')).toEqual(['COMMENT_EDITED', 'COMMENT_SUBMITTED', 'COMMENT_ADDED']);
  expect(await kindsUntil(authors, 'POST_PINNED')).toEqual(['COMMENT_EDITED', 'COMMENT_SUBMITTED', 'COMMENT_ADDED']);
  expect(authors.delivered[1]).toMatchObject({ comment: { id: commentId } });
});

test('of a comment that waits, is rejected or is taken back before it was shown, no other reader hears or sees anything', async () => {
  const { teacher, guardian, groupChannel, groupId, school } = room;
  const neighbour = await app.world.guardian(school, await app.world.child(school, groupId));
  const postId = await opinionAsked(app.world, teacher, groupChannel, 'MODERATED');
  const organizationId = school.id;
  const streams = await Promise.all([
    follow(neighbour, 'ViewerEvents'),
    follow(neighbour, 'OrganizationEvents', { organizationId }),
    follow(neighbour, 'ChannelEvents', { channelId: groupChannel }),
  ]);
  await using authors = await follow(guardian, 'ViewerEvents');
  await using publishers = await follow(teacher, 'ViewerEvents');
  const [rejected, withdrawn, both] = await Promise.all(
    ['One', 'Two', 'Three'].map((text) => comment(guardian, postId, text)),
  );
  for (const { id } of [rejected, both]) await teacher.does('RejectComment', { commentId: id, reason: 'No' });
  for (const { id } of [withdrawn, both])
    expect(await guardian.does('DeleteComment', { commentId: id })).toMatchObject({ state: 'DELETED', text: '' });
  await teacher.does('PinPost', { postId });
  for (const stream of streams) expect(await kindsUntil(stream, 'POST_PINNED')).toEqual([]);
  const told = [
    ...Array(3).fill('COMMENT_SUBMITTED'),
    'COMMENT_REJECTED',
    'COMMENT_REJECTED',
    'COMMENT_WITHDRAWN',
    'COMMENT_WITHDRAWN',
  ];
  for (const stream of [authors, publishers]) expect(await kindsUntil(stream, 'POST_PINNED')).toEqual(told);
  expect(await commentsFor(neighbour, postId)).toMatchObject({ totalCount: 0, nodes: [] });
  for (const { id } of [rejected, withdrawn, both]) expect(await finds(neighbour, id)).toBe(false);
});

test('approved and rejected at once, a comment is one of the two, and is told so in the end', async () => {
  const { administrator, guardian, otherGuardian, community, school } = room;
  const other = await app.world.secondAdministrator(school);
  const postId = await opinionAsked(app.world, administrator, community, 'MODERATED');
  for (let round = 0; round < 4; round++) {
    const { id: commentId } = await comment(guardian, postId);
    await using heard = await follow(otherGuardian, 'ChannelEvents', { channelId: community });
    await Promise.all([
      administrator.does('ApproveComment', { commentId }),
      other.does('RejectComment', { commentId, reason: 'No' }),
      administrator.does('ApproveComment', { commentId }),
    ]);
    const isShown = await finds(otherGuardian, commentId);
    await administrator.does(round % 2 ? 'PinPost' : 'UnpinPost', { postId });
    await administrator.does('PinPost', { postId: await opinionAsked(app.world, administrator, community, 'OFF') });
    const told = (await kindsUntil(heard, 'POST_PUBLISHED')).filter((kind) => kind.startsWith('COMMENT'));
    expect(told.at(-1) === 'COMMENT_ADDED').toBe(isShown);
  }
});

test('who decides hears of a waiting comment that is changed, also where new ones need not wait any more', async () => {
  const { administrator, guardian, otherGuardian, community } = room;
  const postId = await opinionAsked(app.world, administrator, community, 'MODERATED');
  const { id: commentId } = await comment(guardian, postId, 'One');
  await using heard = await follow(administrator, 'ChannelEvents', { channelId: community });
  await guardian.does('UpdateComment', { commentId, text: 'Two' });
  await administrator.does('UpdatePost', { input: { postId, commenting: 'OPEN' } });
  expect(await guardian.does('UpdateComment', { commentId, text: 'Three' })).toMatchObject({ state: 'PENDING' });
  await administrator.does('PinPost', { postId });
  expect(await kindsUntil(heard, 'POST_PINNED')).toEqual(['COMMENT_SUBMITTED', 'POST_EDITED', 'COMMENT_SUBMITTED']);
  expect(await textsFor(otherGuardian, postId)).toEqual([]);
});

test('nobody who publishes there decides about a comment of their own', async () => {
  const { administrator, teacher, groupChannel } = room;
  const postId = await app.world.post(administrator, groupChannel, 'Look', { commenting: 'OPEN' });
  const { id: commentId } = await teacher.does('AddComment', { postId, text: 'Rude' });
  await administrator.does('RejectComment', { commentId, reason: 'Not so.' });
  expect(await teacher.does('ApproveComment', { commentId })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await teacher.does('RejectComment', { commentId, reason: 'Mine.' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await administrator.does('ApproveComment', { commentId })).toMatchObject({ state: 'PUBLISHED' });
});

test('what was changed while it was read is not shown as if it had been read', async () => {
  const { administrator, guardian, community } = room;
  const { id: commentId } = await guardian.does('AddComment', {
    postId: await opinionAsked(app.world, administrator, community, 'MODERATED'),
    text: 'Thank you',
  });
  await guardian.does('UpdateComment', { commentId, text: 'Something else' });
  const approve = (text: string) => administrator.does('ApproveComment', { commentId, text });
  expect(await approve('Thank you')).toMatchObject({ code: 'INVALID_INPUT', field: 'text' });
  expect(await approve('Something else')).toMatchObject({ state: 'PUBLISHED', text: 'Something else' });
});
