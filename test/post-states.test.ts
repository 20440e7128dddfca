import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import {
  answer,
  atOnce,
  deed,
  deeds,
  draft,
  follow,
  kindsUntil,
  type Newsroom,
  openNewsroom,
  postFor,
  stepsOf,
  suggestion,
} from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;
let administrator: Person;

beforeAll(async () => {
  app = await startTestApp();
  room = await openNewsroom(app.world);
  administrator = await app.world.secondAdministrator(room.school);
});
afterAll(() => app[Symbol.asyncDispose]());

/** How an author who publishes brings a post of theirs into a state. */
const into: Readonly<Record<string, readonly string[]>> = {
  DRAFT: [],
  SUGGESTED: ['SuggestPost'],
  APPROVED: ['SuggestPost', 'ApproveSuggestion'],
  SCHEDULED: ['SchedulePost'],
  PUBLISHED: ['PublishPost'],
  ARCHIVED: ['PublishPost', 'ArchivePost'],
  DELETED: ['PublishPost', 'DeletePost'],
};
/** What it is after each deed; what is not listed is refused with the state in which it is. */
const law: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  UpdatePost: {
    DRAFT: 'DRAFT',
    SUGGESTED: 'SUGGESTED',
    APPROVED: 'APPROVED',
    SCHEDULED: 'SCHEDULED',
    PUBLISHED: 'PUBLISHED',
  },
  SuggestPost: { DRAFT: 'SUGGESTED', SUGGESTED: 'SUGGESTED' },
  WithdrawSuggestion: { DRAFT: 'DRAFT', SUGGESTED: 'DRAFT' },
  ApproveSuggestion: { SUGGESTED: 'APPROVED', APPROVED: 'APPROVED' },
  RejectSuggestion: { SUGGESTED: 'DRAFT', APPROVED: 'DRAFT' },
  PublishPost: { DRAFT: 'PUBLISHED', APPROVED: 'PUBLISHED', SCHEDULED: 'PUBLISHED', PUBLISHED: 'PUBLISHED' },
  SchedulePost: { DRAFT: 'SCHEDULED', APPROVED: 'SCHEDULED', SCHEDULED: 'SCHEDULED' },
  CancelScheduledPost: { DRAFT: 'DRAFT', APPROVED: 'APPROVED', SCHEDULED: 'DRAFT' },
  PinPost: { PUBLISHED: 'PUBLISHED' },
  UnpinPost: Object.fromEntries(Object.keys(into).map((state) => [state, state])),
  ArchivePost: { PUBLISHED: 'ARCHIVED', ARCHIVED: 'ARCHIVED' },
  RestorePost: { PUBLISHED: 'PUBLISHED', ARCHIVED: 'PUBLISHED' },
  DeletePost: Object.fromEntries(Object.keys(into).map((state) => [state, 'DELETED'])),
  AcknowledgePost: { PUBLISHED: 'PUBLISHED' },
  RemindUnacknowledged: { PUBLISHED: 'PUBLISHED' },
  AddReaction: { PUBLISHED: 'PUBLISHED' },
  RemoveReaction: { PUBLISHED: 'PUBLISHED' },
  AddComment: { PUBLISHED: 'PUBLISHED' },
};

test.each(Object.keys(deeds))('%s is done from the states that allow it, and from no other', async (name) => {
  const input = { acknowledgementRequired: true, commenting: 'OPEN' };
  const outcomes = Object.entries(into).map(async ([state, steps]) => {
    const postId = await draft(administrator, room.community, input);
    for (const step of steps) expect(answer(await deed(administrator, step, postId))).toBe('Post');
    const before = await stepsOf(administrator, postId);
    const done = await deed(administrator, name, postId);
    const after = law[name]?.[state];
    if (!after) {
      expect([state, done]).toMatchObject([state, { code: 'INVALID_STATE', currentState: state }]);
      expect(await stepsOf(administrator, postId)).toEqual(before);
    } else expect([state, done]).not.toMatchObject([state, { code: expect.anything() }]);
    expect([state, (await postFor(administrator, postId)).state]).toEqual([state, after ?? state]);
  });
  await Promise.all(outcomes);
});

test('of twenty who publish at once one does, and readers hear it once', async () => {
  const postId = await draft(administrator, room.community, { acknowledgementRequired: true });
  await using heard = await follow(room.guardian, 'ViewerEvents');
  const published = await atOnce(20, () => administrator.does('PublishPost', { postId }));
  expect(new Set(published.map(({ publishedAt }) => publishedAt)).size).toBe(1);
  await administrator.does('PinPost', { postId });
  expect(await kindsUntil(heard, 'POST_PINNED')).toEqual(['POST_PUBLISHED']);
  expect((await stepsOf(administrator, postId))?.map(({ kind }) => kind)).toEqual(['DRAFTED', 'PUBLISHED']);
  const { reach } = (await administrator.run('PostReach', { id: postId, first: 100 })).node;
  const ids = reach.recipients.nodes.map(({ user }: Json) => user.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(reach.recipientCount).toBe(ids.length);
});

test('two who decide at once do so one after the other', async () => {
  const { head, community } = room;
  const run = async (rounds: number, first: string, second: string, prepare: () => Promise<string>) => {
    const found = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      const postId = await prepare();
      const order = round % 2 ? [first, second] : [second, first];
      const done = await Promise.all(order.map((name) => deed(administrator, name, postId)));
      const { state } = await postFor(head, postId);
      found.add(
        JSON.stringify([Object.fromEntries(order.map((name, index) => [name, answer(done[index])]).toSorted()), state]),
      );
    }
    return [...found].map((text) => JSON.parse(text));
  };
  // Approved and then rejected is a draft again; rejected first, it is not there to be approved.
  for (const outcome of await run(8, 'ApproveSuggestion', 'RejectSuggestion', () => suggestion(head, community)))
    expect(outcome).toEqual([
      { ApproveSuggestion: expect.stringMatching(/^(Post|NOT_FOUND)$/), RejectSuggestion: 'Post' },
      'DRAFT',
    ]);
  const approved = async () => {
    const postId = await suggestion(head, community);
    await administrator.does('ApproveSuggestion', { postId });
    return postId;
  };
  for (const outcome of await run(8, 'PublishPost', 'DeletePost', approved))
    expect(outcome).toEqual([
      { DeletePost: 'Post', PublishPost: expect.stringMatching(/^(Post|NOT_FOUND)$/) },
      'DELETED',
    ]);
});

test('a plain reader hears of what is published, and of nothing that led to it', async () => {
  const { head, guardian, teacher, community, groupChannel, school } = room;
  const second = await administrator.does('CreateChannel', {
    input: { organizationId: school.id, kind: 'COMMUNITY', name: 'Canteen' },
  });
  await using mine = await follow(guardian, 'ViewerEvents');
  await using everybody = await follow(guardian, 'OrganizationEvents', { organizationId: school.id });
  await using one = await follow(guardian, 'ChannelEvents', { channelId: community });
  await using other = await follow(guardian, 'ChannelEvents', { channelId: second.id });
  const postId = await draft(head, community, { acknowledgementRequired: true });
  const path = ['SuggestPost', 'WithdrawSuggestion', 'UpdatePost', 'SuggestPost'];
  for (const name of path) expect(answer(await deed(head, name, postId))).toBe('Post');
  for (const name of ['RejectSuggestion', 'ApproveSuggestion'])
    await deed(administrator, name, name === 'RejectSuggestion' ? postId : await suggestion(head, community));
  await deed(head, 'SuggestPost', postId);
  for (const name of ['ApproveSuggestion', 'UpdatePost', 'SchedulePost', 'CancelScheduledPost', 'PublishPost'])
    expect(answer(await deed(administrator, name, postId))).toBe('Post');
  for (const person of [head, teacher]) await deed(person, 'AcknowledgePost', postId);
  await deed(teacher, 'AddReaction', postId);
  await administrator.does('UpdatePost', { input: { postId, text: 'And again' } });
  await draft(teacher, groupChannel);
  for (const name of ['PinPost', 'UnpinPost', 'ArchivePost', 'RestorePost', 'DeletePost'])
    await deed(administrator, name, postId);
  await app.world.post(administrator, second.id, 'Soup');
  await app.world.post(administrator, community, 'The end');
  await administrator.does('UpdateOrganization', { input: { organizationId: school.id, name: 'School 8' } });

  const told = [
    'POST_PUBLISHED',
    'POST_EDITED',
    'POST_PINNED',
    'POST_UNPINNED',
    'POST_ARCHIVED',
    'POST_RESTORED',
    'POST_DELETED',
  ];
  for (const stream of [mine, everybody])
    expect(await kindsUntil(stream, 'ORGANIZATION_UPDATED')).toEqual([...told, 'POST_PUBLISHED', 'POST_PUBLISHED']);
  await one.count(told.length + 1);
  expect(one.delivered.map(({ kind, post }) => [kind, post.text]).at(-1)).toEqual(['POST_PUBLISHED', 'The end']);
  expect(one.delivered).toHaveLength(told.length + 1);
  await other.count(1);
  expect(other.delivered.map(({ kind, post }) => [kind, post.text])).toEqual([['POST_PUBLISHED', 'Soup']]);
});

test('who answers for a channel hears each step once, and so does the author', async () => {
  const { head, community, guardian } = room;
  await using authors = await follow(head, 'ViewerEvents');
  await using publishers = await follow(administrator, 'ChannelEvents', { channelId: community });
  const postId = await draft(head, community);
  await deed(head, 'SuggestPost', postId);
  for (const name of ['ApproveSuggestion', 'SchedulePost', 'CancelScheduledPost', 'RejectSuggestion'])
    await deed(administrator, name, postId);
  await deed(head, 'UpdatePost', postId);
  const own = await app.world.post(administrator, community);
  await deed(guardian, 'AddReaction', own);
  await deed(administrator, 'PinPost', own);
  const steps = ['POST_SUGGESTED', 'POST_APPROVED', 'POST_SCHEDULED', 'POST_CHANGED', 'POST_REJECTED'];
  expect(await kindsUntil(authors, 'POST_PINNED')).toEqual([
    'POST_DRAFTED',
    ...steps,
    'POST_CHANGED',
    'POST_PUBLISHED',
  ]);
  expect(await kindsUntil(publishers, 'POST_PINNED')).toEqual([
    ...steps,
    'POST_DRAFTED', // their own
    'POST_PUBLISHED',
  ]);
  // What is its author's alone again, is so also in what was told before.
  expect(publishers.delivered.find(({ kind }) => kind === 'POST_REJECTED')).toMatchObject({ postId, post: null });
});
