import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { EventSource } from './support/event-source.ts';

const kinds = (list: readonly Json[]): string[] => list.map(({ kind, __typename }) => kind ?? __typename);

test('the head suggests, an administrator gives it back, the head edits, and once published everybody hears it (§2.2.5)', async () => {
  await using app = await startTestApp();
  const { world } = app;
  const school = await world.school();
  const head = await world.head(school);
  const groupId = await world.group(school);
  const teacher = await world.teacher(school, groupId);
  const guardian = await world.guardian(school, await world.child(school, groupId));
  const another = await world.school('Another');
  const stranger = await world.guardian(another, await world.child(another, await world.group(another)));
  const channelId = await world.channel(head, school, 'COMMUNITY');
  const variables = { organizationId: school.id };

  const teachers = await teacher.subscribe('PostPublished', variables).begun();
  const guardians = await guardian.subscribe('PostPublished', { channelId }).begun();
  await using source = new EventSource([app.url], guardian, 'PostPublished', variables);
  await expect.poll(() => source.opened).toBe(1);
  const refused = stranger.subscribe('PostPublished', { channelId });
  await refused.done;
  expect(refused.errors[0].extensions.code).toBe('NOT_FOUND');
  const administrators = await school.administrator.subscribe('ChannelEvents', { channelId }).begun();
  const authors = await head.subscribe('ViewerEvents').begun();

  const draft = await head.does('DraftPost', { input: { channelId, text: 'Utrennik on Friday' } });
  expect(draft).toMatchObject({ state: 'DRAFT', author: { displayName: expect.any(String) } });
  expect((await head.does('PublishPost', { postId: draft.id })).code).toBe('FORBIDDEN');
  expect((await school.administrator.run('Post', { id: draft.id })).node).toBeNull();

  expect((await head.does('SuggestPost', { postId: draft.id })).state).toBe('SUGGESTED');
  expect((await administrators.nextOf('PostChanged')).kind).toBe('POST_SUGGESTED');
  expect((await guardian.run('Post', { id: draft.id })).node).toBeNull();
  expect((await head.does('UpdatePost', { input: { postId: draft.id, text: 'no' } })).code).toBe('FORBIDDEN');
  const comment = 'Say at what hour.';
  expect((await head.does('RejectSuggestion', { postId: draft.id, comment })).code).toBe('FORBIDDEN');
  expect((await school.administrator.does('RejectSuggestion', { postId: draft.id, comment })).state).toBe('DRAFT');
  expect((await school.administrator.run('Post', { id: draft.id })).node).toBeNull();

  const text = 'Утренник в пятницу, **в десять**';
  expect((await head.does('UpdatePost', { input: { postId: draft.id, text } })).text).toBe(text);
  expect((await head.does('SuggestPost', { postId: draft.id })).state).toBe('SUGGESTED');
  expect((await school.administrator.does('PublishPost', { postId: draft.id })).currentState).toBe('SUGGESTED');
  expect((await school.administrator.does('ApproveSuggestion', { postId: draft.id })).state).toBe('APPROVED');
  const published = await school.administrator.does('PublishPost', { postId: draft.id });
  expect(published).toMatchObject({ id: draft.id, state: 'PUBLISHED', text });

  const heard = { post: { id: draft.id, text } };
  expect(await teachers.nextOf('PostPublished')).toMatchObject(heard);
  expect(await guardians.nextOf('PostPublished')).toMatchObject(heard);
  await expect.poll(() => source.delivered).toMatchObject([heard]);
  await authors.count(7);
  expect(kinds(authors.delivered)).toEqual([
    'POST_DRAFTED',
    'POST_SUGGESTED',
    'POST_REJECTED',
    'POST_CHANGED',
    'POST_SUGGESTED',
    'POST_APPROVED',
    'POST_PUBLISHED',
  ]);

  // One post, with its history (§4.14).
  const { history } = (await head.run('PostHistory', { id: draft.id })).node;
  expect(history.nodes.toReversed().map(({ kind }: Json) => kind)).toEqual([
    'DRAFTED',
    'SUGGESTED',
    'REJECTED',
    'EDITED',
    'SUGGESTED',
    'APPROVED',
    'PUBLISHED',
  ]);
  expect(history.nodes.find(({ kind }: Json) => kind === 'REJECTED').note).toBe(comment);
  expect((await guardian.run('PostHistory', { id: draft.id })).node.history).toBeNull();
  expect((await stranger.run('Post', { id: draft.id })).node).toBeNull();
});
