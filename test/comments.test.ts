import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import {
  answer,
  atOnce,
  comment,
  commentsFor,
  draft,
  finds,
  follow,
  kinds,
  kindsUntil,
  type Newsroom,
  namesFor,
  openNewsroom,
  opinionAsked,
  postFor,
  student,
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

test('where comments are off nobody comments, where they are open everybody reads them at once', async () => {
  const { administrator, head, teacher, guardian, otherGuardian, unverified, community } = room;
  const off = await opinionAsked(app.world, administrator, community, 'OFF');
  for (const person of [administrator, guardian])
    expect(await comment(person, off)).toMatchObject({ code: 'INVALID_INPUT', field: 'postId' });
  const open = await opinionAsked(app.world, administrator, community, 'OPEN');
  const people = [administrator, head, teacher, guardian, await student(room)];
  for (const person of people) expect(await comment(person, open)).toMatchObject({ state: 'PUBLISHED' });
  expect(await comment(unverified, open)).toMatchObject({ code: 'FORBIDDEN' });
  const stranger = (await app.world.school('Another')).administrator;
  expect(await comment(stranger, open)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await textsFor(unverified, open)).toHaveLength(people.length);
  expect(await postFor(otherGuardian, open)).toMatchObject({ commentCount: people.length, viewerCanComment: true });
  expect(await postFor(unverified, open)).toMatchObject({ viewerCanComment: false });
  // A channel says what new posts allow.
  await administrator.does('UpdateChannel', { input: { channelId: community, commenting: 'MODERATED' } });
  expect(await postFor(administrator, await draft(administrator, community))).toMatchObject({
    commenting: 'MODERATED',
  });
  await administrator.does('UpdatePost', { input: { postId: open, commenting: 'OFF' } });
  const { nodes } = await commentsFor(guardian, open);
  const own = nodes.find(({ viewerCanDelete }: Json) => viewerCanDelete);
  expect(own.viewerCanEdit).toBe(false);
  expect(await guardian.does('UpdateComment', { commentId: own.id, text: 'Late' })).toMatchObject({
    field: 'commentId',
  });
  expect(answer(await guardian.does('DeleteComment', { commentId: own.id }))).toBe('Comment');
});

test('a comment that was shown leaves a tombstone, also of one whose post is gone nothing', async () => {
  const { administrator, guardian, otherGuardian, community } = room;
  const postId = await opinionAsked(app.world, administrator, community, 'OPEN');
  const [first, second] = [await comment(guardian, postId, 'First'), await comment(guardian, postId, 'Second')];
  for (let turn = 0; turn < 2; turn++)
    expect(await guardian.does('DeleteComment', { commentId: first.id })).toMatchObject({ state: 'DELETED', text: '' });
  expect(await textsFor(otherGuardian, postId)).toEqual(['', 'Second']);
  expect((await postFor(otherGuardian, postId)).commentCount).toBe(1);
  expect(await guardian.does('UpdateComment', { commentId: first.id, text: 'Again' })).toMatchObject({
    code: 'INVALID_STATE',
  });
  for (const name of ['ApproveComment', 'RejectComment'])
    expect(await administrator.does(name, { commentId: first.id, reason: 'No' })).toMatchObject({
      code: 'INVALID_STATE',
    });

  const moderated = await opinionAsked(app.world, administrator, community, 'MODERATED');
  const waiting = await comment(guardian, moderated);
  for (const id of [postId, moderated]) await administrator.does('DeletePost', { postId: id });
  for (const person of [guardian, otherGuardian, administrator]) {
    expect(await commentsFor(person, postId)).toMatchObject({ totalCount: 0, nodes: [] });
    for (const { id } of [first, second, waiting]) expect(await finds(person, id)).toBe(false);
  }
  expect(await administrator.does('ApproveComment', { commentId: waiting.id })).toMatchObject({ code: 'NOT_FOUND' });
  const { pendingComments } = (await administrator.run('PendingComments', { channelId: community })).node;
  expect(pendingComments).toMatchObject({ totalCount: 0, nodes: [] });
});

test('a comment is within its limits, and a repeated wish makes one', async () => {
  const { administrator, guardian, otherGuardian, community } = room;
  const postId = await opinionAsked(app.world, administrator, community, 'OPEN');
  for (const text of ['', ' \n', 'a'.repeat(2_001), 'a\0b'])
    expect(await comment(guardian, postId, text)).toMatchObject({ code: 'INVALID_INPUT', field: 'text' });
  for (const text of ['a'.repeat(2_000), '🎉', '<b>**not bold**</b>'])
    expect(await comment(guardian, postId, text)).toMatchObject({ state: 'PUBLISHED', text });
  const key = crypto.randomUUID();
  const made = await atOnce(20, () => comment(guardian, postId, 'Once', key));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(await comment(guardian, postId, 'Twice', key)).toMatchObject({ field: 'idempotencyKey' });
  const other = await opinionAsked(app.world, administrator, community, 'OPEN');
  expect(await comment(guardian, other, 'Once', key)).toMatchObject({ field: 'idempotencyKey' });
  expect((await comment(otherGuardian, postId, 'Once', key)).id).not.toBe(made[0].id);
  expect(await textsFor(guardian, postId)).toHaveLength(5);
  expect(await guardian.does('UpdateComment', { commentId: made[0].id, text: '\t' })).toMatchObject({ field: 'text' });
});

test('a LIMITED guardian’s comment is read without its author, live as well, but by who keeps the child’s record (§4.11)', async () => {
  const {
    administrator,
    head,
    teacher,
    otherTeacher,
    guardian: mother,
    child,
    otherGuardian,
    community,
    school,
  } = room;
  const father = await app.world.guardian(school, child);
  const rename = ({ membershipId }: { membershipId: string }, familyName: string, givenName: string) =>
    administrator.does('RenameMember', { membershipId, familyName, givenName });
  await rename(father, 'Hidden', 'Ivan');
  await rename(mother, 'Open', 'Anna');
  const hide = (contactVisibility = 'LIMITED') =>
    father.does('SetGuardianContactVisibility', { guardianLinkId: father.linkId, contactVisibility });
  expect(await hide()).toMatchObject({ contactVisibility: 'LIMITED' });
  const families = { mother, otherGuardian, otherTeacher };
  const keepers = { administrator, head, teacher, father };
  const postId = await opinionAsked(app.world, administrator, community, 'OPEN');
  const streams = await Promise.all(
    Object.entries({ ...families, ...keepers }).map(async ([name, person]) => ({
      name,
      stream: await follow(person, 'ChannelEvents', { channelId: community }),
    })),
  );
  const { id: commentId } = await comment(father, postId, 'Mine');
  await comment(mother, postId, 'Hers');
  for (const { name, stream } of streams) {
    await stream.count(2);
    const shown = stream.delivered.map(({ comment }) => [comment.text, comment.author?.displayName ?? null]);
    expect([name, shown]).toEqual([
      name,
      [
        ['Mine', name in families ? null : 'Hidden Ivan'],
        ['Hers', 'Open Anna'],
      ],
    ]);
  }
  const query = 'query ($id: ID!) { node(id: $id) { ... on Comment { text author { id displayName } } } }';
  const byNode = async (person: Person) => (await person.send(query, { id: commentId })).data.node;
  for (const person of Object.values(families)) {
    expect(await namesFor(person, postId)).toEqual([null, 'Open Anna']);
    expect(await byNode(person)).toEqual({ text: 'Mine', author: null });
  }
  for (const person of Object.values(keepers)) {
    expect(await namesFor(person, postId)).toEqual(['Hidden Ivan', 'Open Anna']);
    expect(await byNode(person)).toMatchObject({ author: { displayName: 'Hidden Ivan' } });
  }
  // What was hidden does not come out when they go, of their own will or not.
  await administrator.does('RevokeGuardianLink', { guardianLinkId: father.linkId, reason: 'Court order.' });
  for (const person of Object.values(families)) expect(await namesFor(person, postId)).toEqual([null, 'Open Anna']);
  for (const person of [administrator, head, teacher])
    expect(await namesFor(person, postId)).toEqual(['Hidden Ivan', 'Open Anna']);
  const again = await app.world.guardian(school, child, father);
  expect(again.linkId).toBeTruthy();
  for (const person of Object.values(families)) expect(await namesFor(person, postId)).toEqual([null, 'Open Anna']);
  const full = { guardianLinkId: again.linkId, contactVisibility: 'FULL' };
  await administrator.does('SetGuardianContactVisibility', full);
  for (const person of Object.values(families))
    expect(await namesFor(person, postId)).toEqual(['Hidden Ivan', 'Open Anna']);
});

test('what somebody said stays when they have left, and is theirs no longer', async () => {
  const { administrator, guardian, otherGuardian, community } = room;
  const postId = await opinionAsked(app.world, administrator, community, 'OPEN');
  const { id: commentId } = await comment(guardian, postId, 'Goodbye');
  await administrator.does('EndMembership', { membershipId: guardian.membershipId, reason: 'Moved.' });
  expect(await textsFor(otherGuardian, postId)).toEqual(['Goodbye']);
  expect(await namesFor(otherGuardian, postId)).toEqual(['Guardian Test']);
  for (const [name, more] of [
    ['UpdateComment', { text: 'No' }],
    ['DeleteComment', {}],
  ] as const)
    expect(await guardian.does(name, { commentId, ...more })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await administrator.does('RejectComment', { commentId, reason: 'Old' })).toMatchObject({ state: 'REJECTED' });
});

test('who follows a channel hears its end when their child moves away, and nothing after it', async () => {
  const { administrator, teacher, guardian, child, groupChannel, otherGroupId } = room;
  const postId = await opinionAsked(app.world, teacher, groupChannel, 'OPEN');
  await using one = await follow(guardian, 'ChannelEvents', { channelId: groupChannel });
  await using published = await follow(guardian, 'PostPublished', { channelId: groupChannel });
  await using everything = await follow(guardian, 'ViewerEvents');
  await comment(teacher, postId, 'Before');
  await administrator.does('TransferChild', { input: { childId: child, groupId: otherGroupId } });
  await comment(teacher, postId, 'After');
  await opinionAsked(app.world, teacher, groupChannel, 'OPEN');
  await Promise.all([one.done, published.done]);
  expect(kinds(one)).toEqual(['COMMENT_ADDED', 'AccessEnded']);
  expect(kinds(published)).toEqual(['AccessEnded']);
  await opinionAsked(app.world, administrator, room.community, 'OFF');
  const heard = await kindsUntil(everything, 'POST_PUBLISHED');
  expect(heard.filter((kind) => /^(POST|COMMENT)/.test(kind))).toEqual(['COMMENT_ADDED']);
  const refused = guardian.subscribe('ChannelEvents', { channelId: groupChannel });
  await refused.done;
  expect(refused.errors[0].extensions.code).toBe('NOT_FOUND');
});
