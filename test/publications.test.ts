import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { comeDue } from './support/due.ts';
import {
  answer,
  draft,
  follow,
  inSeconds,
  kinds,
  kindsUntil,
  type Newsroom,
  openNewsroom,
  postFor,
  stepsOf,
  suggestion,
} from './support/newsroom.ts';
import { createDatabase } from './support/postgres.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  app = await startTestApp();
  room = await openNewsroom(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const schedule = (person: Person, postId: string, seconds: number) =>
  person.does('SchedulePost', { postId, publishAt: inSeconds(seconds) });

const stepKinds = async (person: Person, id: string) => (await stepsOf(person, id))?.map(({ kind }) => kind);
const becomes = (person: Person, id: string, state: string) =>
  eventually(async () => expect((await postFor(person, id))?.state).toBe(state));

test('a scheduled post appears at its time and once, for all who read then', async () => {
  const { administrator, guardian, community } = room;
  const postId = await draft(administrator, community, { acknowledgementRequired: true });
  const scheduled = await schedule(administrator, postId, 3600);
  expect(scheduled).toMatchObject({ state: 'SCHEDULED', publishedAt: null });
  await using heard = await follow(guardian, 'ViewerEvents');
  // Who comes in between is among those it is for.
  const late = await app.world.guardian(room.school, await app.world.child(room.school, room.groupId));
  expect(await postFor(guardian, postId)).toBeNull();
  await comeDue(app, postId);
  expect(await heard.nextOf('PostPublished')).toMatchObject({ post: { id: postId } });
  const post = await postFor(guardian, postId);
  expect(post).toMatchObject({ state: 'PUBLISHED', publishAt: null });
  expect(await postFor(late, postId)).toMatchObject({ viewerMustAcknowledge: true });
  await administrator.does('PinPost', { postId });
  expect(await kindsUntil(heard, 'POST_PINNED')).toEqual(['POST_PUBLISHED']);
  expect(await stepKinds(administrator, postId)).toEqual(['DRAFTED', 'SCHEDULED', 'PUBLISHED']);
  expect((await stepsOf(administrator, postId))?.[1]).toMatchObject({ note: scheduled.publishAt });
});

test('a time must be ahead, within a year', async () => {
  const { administrator, community } = room;
  const postId = await draft(administrator, community);
  for (const seconds of [-1, -86_400, 366 * 86_400])
    expect(await schedule(administrator, postId, seconds)).toMatchObject({ code: 'INVALID_INPUT', field: 'publishAt' });
  const publishAt = inSeconds(3600);
  for (let turn = 0; turn < 3; turn++) await administrator.does('SchedulePost', { postId, publishAt });
  expect(await stepKinds(administrator, postId)).toEqual(['DRAFTED', 'SCHEDULED']);
});

test('what is put off, brought forward, cancelled or deleted does not appear at its old time', async () => {
  const { administrator, head, community } = room;
  const [putOff, broughtForward, cancelled, approved, again, deleted, published] = (await Promise.all([
    ...[1, 2, 3].map(() => draft(administrator, community)),
    suggestion(head, community),
    ...[1, 2, 3].map(() => draft(administrator, community)),
  ])) as [string, string, string, string, string, string, string];
  await administrator.does('ApproveSuggestion', { postId: approved });
  await schedule(administrator, broughtForward, 7200);
  for (const postId of [putOff, cancelled, approved, again, deleted, published])
    await schedule(administrator, postId, 3600);
  await schedule(administrator, putOff, 7200);
  await schedule(administrator, broughtForward, 3600);
  expect(await administrator.does('CancelScheduledPost', { postId: cancelled })).toMatchObject({
    state: 'DRAFT',
    publishAt: null,
  });
  expect(await administrator.does('CancelScheduledPost', { postId: approved })).toMatchObject({ state: 'APPROVED' });
  await administrator.does('CancelScheduledPost', { postId: again });
  await schedule(administrator, again, 3600);
  await administrator.does('DeletePost', { postId: deleted });
  await administrator.does('PublishPost', { postId: published });
  // The last of them to come due; the others had their time before.
  const sentinel = await draft(administrator, community);
  await schedule(administrator, sentinel, 3600);
  await comeDue(app, broughtForward, cancelled, approved, again, deleted, published, sentinel);
  await becomes(administrator, sentinel, 'PUBLISHED');
  await becomes(administrator, broughtForward, 'PUBLISHED');
  await becomes(administrator, again, 'PUBLISHED');
  const states = { [putOff]: 'SCHEDULED', [cancelled]: 'DRAFT', [deleted]: 'DELETED', [published]: 'PUBLISHED' };
  for (const [id, state] of Object.entries(states)) expect((await postFor(administrator, id)).state).toBe(state);
  expect((await postFor(head, approved)).state).toBe('APPROVED');
  expect((await stepKinds(administrator, published))?.filter((kind) => kind === 'PUBLISHED')).toHaveLength(1);
});

test('two who schedule, and who cancels at the same time, leave one time or none, and it holds', async () => {
  const { administrator, community } = room;
  const other = await app.world.secondAdministrator(room.school);
  for (let round = 0; round < 4; round++) {
    const postId = await draft(administrator, community);
    await schedule(administrator, postId, 3600);
    await Promise.all([
      schedule(administrator, postId, 3600.1),
      schedule(other, postId, 3600.2),
      ...(round % 2 ? [administrator.does('CancelScheduledPost', { postId })] : []),
    ]);
    const { state, publishAt } = await postFor(administrator, postId);
    const waiting = await inDatabase(
      app,
      (sql) => sql<{ start_after: Date }[]>`
      select start_after from jobs.job where name = 'scheduled-publication' and state = 'created'
        and data->>'postId' = ${Buffer.from(postId, 'base64').toString().split(':')[1] ?? ''}`,
    );
    expect(waiting.map(({ start_after }) => start_after.toISOString())).toEqual(
      state === 'SCHEDULED' ? [publishAt] : [],
    );
    await comeDue(app, postId);
    if (state === 'SCHEDULED') await becomes(administrator, postId, 'PUBLISHED');
    expect((await stepKinds(administrator, postId))?.filter((kind) => kind === 'PUBLISHED')).toHaveLength(
      state === 'SCHEDULED' ? 1 : 0,
    );
  }
});

test('what a teacher scheduled who is released from the group meanwhile is refused, and who publishes there hears it', async () => {
  const { administrator, guardian, groupChannel, groupId, school } = room;
  const leaving = await app.world.teacher(school, groupId);
  const postId = await draft(leaving, groupChannel);
  await using readers = await follow(guardian, 'ChannelEvents', { channelId: groupChannel });
  await using colleagues = await follow(room.teacher, 'ChannelEvents', { channelId: groupChannel });
  await using authors = await follow(leaving, 'ViewerEvents');
  await using leaders = await follow(room.head, 'ViewerEvents');
  await schedule(leaving, postId, 3600);
  await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: leaving.assignmentId } });
  await comeDue(app, postId);
  await eventually(() => expect(kinds(authors)).toContain('POST_REFUSED'));
  await app.world.post(room.teacher, groupChannel);
  expect(await kindsUntil(readers, 'POST_PUBLISHED')).toEqual([]);
  expect(await kindsUntil(colleagues, 'POST_PUBLISHED')).toEqual(['POST_SCHEDULED', 'POST_REFUSED', 'POST_DRAFTED']);
  // They read the channel no longer, and are shown nothing of it.
  expect(authors.delivered.find(({ kind }) => kind === 'POST_REFUSED')).toMatchObject({ postId, post: null });
  expect(await postFor(leaving, postId)).toBeNull();
  await app.world.assign(school, leaving.membershipId, groupId);
  expect(await postFor(leaving, postId)).toMatchObject({ state: 'SUGGESTED', publishAt: null, publishedAt: null });
  expect(await stepKinds(leaving, postId)).toEqual(['DRAFTED', 'SCHEDULED', 'REFUSED']);
  // Nothing is lost: whoever may, takes it up.
  await leaders.nextOf('PostPublished');
  expect(kinds(leaders).filter((kind) => kind.startsWith('POST_'))).toEqual([
    'POST_SCHEDULED',
    'POST_REFUSED',
    'POST_PUBLISHED',
  ]);
  await administrator.does('ApproveSuggestion', { postId });
  expect(await administrator.does('PublishPost', { postId })).toMatchObject({ state: 'PUBLISHED' });
});

test('the right is that of whoever scheduled it last, and of nobody before', async () => {
  const { administrator, head, community, school } = room;
  const leaving = await app.world.secondAdministrator(school);
  const [theirs, taken, handed] = await Promise.all([1, 2, 3].map(() => suggestion(head, community)));
  for (const postId of [theirs, taken, handed]) await administrator.does('ApproveSuggestion', { postId });
  for (const postId of [theirs ?? '', taken ?? '']) await schedule(leaving, postId, 3600);
  await schedule(administrator, handed ?? '', 3600);
  await schedule(administrator, taken ?? '', 3600.1);
  await schedule(leaving, handed ?? '', 3600.1);
  expect(answer(await administrator.does('RevokeAdministrator', { grantId: leaving.grantId }))).not.toMatch(
    /^[A-Z_]+$/,
  );
  await comeDue(app, theirs ?? '', taken ?? '', handed ?? '');
  await becomes(head, taken ?? '', 'PUBLISHED');
  for (const id of [theirs ?? '', handed ?? '']) {
    await becomes(head, id, 'APPROVED');
    expect((await stepsOf(head, id))?.at(-1)).toMatchObject({ kind: 'REFUSED', actor: null });
  }
});

test('nothing appears in an organization that is suspended at that time, nor in a channel that was put away', async () => {
  const [operator, school] = [await app.world.operator(), await app.world.school('Closed')];
  const { administrator } = school;
  const community = await app.world.channel(administrator, school, 'COMMUNITY');
  const suspended = await draft(administrator, community);
  const own = await room.administrator.does('CreateChannel', {
    input: { organizationId: room.school.id, kind: 'COMMUNITY', name: 'Clubs' },
  });
  const closing = await app.world.group(room.school);
  const ofGroup = await app.world.channel(room.administrator, room.school, 'GROUP', closing);
  const [putAway, withGroup] = [await draft(room.administrator, own.id), await draft(room.administrator, ofGroup)];
  await schedule(administrator, suspended, 3600);
  for (const postId of [putAway, withGroup]) await schedule(room.administrator, postId, 3600);
  await operator.does('SuspendOrganization', { organizationId: school.id, reason: 'Unpaid.' });
  await room.administrator.does('ArchiveChannel', { channelId: own.id });
  expect(await room.administrator.does('ArchiveGroup', { groupId: closing })).toMatchObject({ state: 'ARCHIVED' });
  await comeDue(app, suspended, putAway, withGroup);
  for (const id of [putAway, withGroup]) await becomes(room.administrator, id, 'SUGGESTED');
  await eventually(() =>
    inDatabase(app, async (sql) =>
      expect(
        await sql`select from jobs.job where name = 'scheduled-publication' and state in ('created', 'retry', 'active') and start_after < now()`,
      ).toHaveLength(0),
    ),
  );
  await operator.does('RestoreOrganization', { organizationId: school.id });
  for (const [person, id] of [
    [administrator, suspended],
    [room.administrator, putAway],
    [room.administrator, withGroup],
  ] as const) {
    expect(await postFor(person, id)).toMatchObject({ state: 'SUGGESTED', publishedAt: null });
    expect(await stepKinds(person, id)).toEqual(['DRAFTED', 'SCHEDULED', 'REFUSED']);
  }
  expect(await room.administrator.does('PublishPost', { postId: putAway })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'ARCHIVED',
  });
});

test('with two servers on one database each appears once; while none runs it waits, and appears at the next start', async () => {
  await using database = await createDatabase();
  const databaseUrl = database.url;
  const first = await startTestApp({ databaseUrl });
  const second = await startTestApp({ databaseUrl });
  const school = await first.world.school();
  const { administrator } = school;
  const channelId = await first.world.channel(administrator, school, 'COMMUNITY');
  const ids = await Promise.all(Array.from({ length: 12 }, () => draft(administrator, channelId)));
  const publishAt = inSeconds(3600);
  await using heard = await follow(administrator, 'PostPublished', { channelId });
  await Promise.all(ids.map((postId) => administrator.does('SchedulePost', { postId, publishAt })));
  await comeDue({ databaseUrl }, ...ids);
  await heard.count(ids.length);
  const missed = await draft(administrator, channelId);
  const { token } = administrator;
  await schedule(administrator, missed, 3600);
  expect(heard.delivered.map(({ post }) => post.id).toSorted()).toEqual(ids.toSorted());
  await heard[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await comeDue({ databaseUrl }, missed);
  await using third = await startTestApp({ databaseUrl });
  const again = Object.assign(third.world.anonymous(), { token, phone: '' });
  await becomes(again, missed, 'PUBLISHED');
  for (const id of [...ids, missed]) expect(await stepKinds(again, id)).toEqual(['DRAFTED', 'SCHEDULED', 'PUBLISHED']);
});

test('pinned posts stand apart until they are unpinned, archived or deleted; a restored one is back at its old place', async () => {
  const { administrator, guardian, community } = room;
  const pinned = async () =>
    (await guardian.run('ChannelPosts', { channelId: community, pinnedOnly: true })).node.posts.nodes.map(
      ({ id }: { id: string }) => id,
    );
  const order = async () =>
    (await guardian.run('ChannelPosts', { channelId: community, first: 3 })).node.posts.nodes.map(
      ({ id }: { id: string }) => id,
    );
  const oldest = await app.world.post(administrator, community);
  const middle = await app.world.post(administrator, community);
  const latest = await app.world.post(administrator, community);
  for (const postId of [oldest, middle, latest, middle]) await administrator.does('PinPost', { postId });
  expect((await pinned()).slice(0, 3)).toEqual([latest, middle, oldest]);
  await administrator.does('UnpinPost', { postId: oldest });
  expect(await administrator.does('ArchivePost', { postId: middle })).toMatchObject({
    state: 'ARCHIVED',
    isPinned: false,
  });
  expect(await pinned()).not.toContain(middle);
  expect(await pinned()).not.toContain(oldest);
  expect((await order()).slice(0, 2)).toEqual([latest, oldest]);
  expect(await administrator.does('RestorePost', { postId: middle })).toMatchObject({
    state: 'PUBLISHED',
    isPinned: false,
  });
  expect(await order()).toEqual([latest, middle, oldest]);
  await administrator.does('DeletePost', { postId: latest });
  expect(await pinned()).not.toContain(latest);
  expect((await order()).slice(0, 2)).toEqual([middle, oldest]);
});
