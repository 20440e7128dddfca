import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { answer, atOnce, draft, follow, kindsUntil, type Newsroom, openNewsroom, postFor } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const asked = { acknowledgementRequired: true };
const asking = (author: Person, channelId: string): Promise<string> =>
  app.world.post(author, channelId, 'Read this', asked);
const idOf = async (person: Person): Promise<string> => (await person.run('Viewer')).viewer.user.id;
const idsOf = (people: readonly Person[]): Promise<string[]> => Promise.all(people.map(idOf));
const reachFor = async (person: Person, id: string, acknowledged?: boolean): Promise<Json> =>
  (await person.run('PostReach', { id, acknowledged, first: 100 })).node.reach;

/** Who is counted, who has not acknowledged and is waited for, and the same of children. */
async function countOf(person: Person, id: string) {
  const [all, waited] = [await reachFor(person, id), await reachFor(person, id, false)];
  const people = ({ recipients }: Json): string[] => recipients.nodes.map(({ user }: Json) => user.id).toSorted();
  const children = ({ children }: Json): string[] => children.nodes.map(({ child }: Json) => child?.id).toSorted();
  expect(all.recipientCount).toBe(all.recipients.totalCount);
  expect(all.childCount).toBe(all.children.totalCount);
  return {
    people: people(all),
    children: children(all),
    waitedFor: people(waited),
    childrenWaitedFor: children(waited),
    acknowledged: [all.acknowledgedCount, all.acknowledgedChildCount],
  };
}

test('a post of a group is for whoever reads it when it is published; the author is not asked, later people do not count', async () => {
  room = await openNewsroom(app.world);
  const { administrator, head, teacher, guardian, child, groupChannel, groupId, school } = room;
  const colleague = await app.world.teacher(school, groupId);
  const postId = await asking(teacher, groupChannel);
  const people = (await idsOf([administrator, head, colleague, guardian])).toSorted();
  expect(await countOf(teacher, postId)).toEqual({
    people,
    children: [child],
    waitedFor: people,
    childrenWaitedFor: [child],
    acknowledged: [0, 0],
  });
  expect(await postFor(teacher, postId)).toMatchObject({ recipientCount: 4, viewerMustAcknowledge: false });
  expect(await postFor(guardian, postId)).toMatchObject({ recipientCount: null, viewerMustAcknowledge: true });
  const late = await app.world.guardian(school, await app.world.child(school, groupId));
  expect(await postFor(late, postId)).toMatchObject({ text: 'Read this', viewerMustAcknowledge: false });
  // Who is not asked may say so, and does not count.
  for (const person of [late, teacher]) {
    const { viewerAcknowledgedAt } = await person.does('AcknowledgePost', { postId });
    expect(viewerAcknowledgedAt).not.toBeNull();
  }
  expect(await countOf(teacher, postId)).toMatchObject({ people, children: [child], acknowledged: [0, 0] });
  // Who has left stays counted, and nobody waits for them.
  await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: colleague.assignmentId } });
  await administrator.does('TransferChild', { input: { childId: child, groupId: room.otherGroupId } });
  expect(await countOf(administrator, postId)).toMatchObject({
    people,
    waitedFor: (await idsOf([administrator, head])).toSorted(),
    children: [child],
    childrenWaitedFor: [],
  });
  expect(await guardian.does('AcknowledgePost', { postId })).toMatchObject({ code: 'NOT_FOUND' });
});

test('a child counts once, by any of its guardians, however many it has and wherever it is', async () => {
  room = await openNewsroom(app.world);
  const {
    administrator,
    guardian: mother,
    child,
    otherGuardian,
    groupChannel,
    groupId,
    otherGroupId,
    community,
    school,
  } = room;
  const father = await app.world.guardian(school, child);
  const sibling = await app.world.child(school, groupId);
  const elsewhere = await app.world.child(school, otherGroupId);
  await app.world.guardian(school, sibling, mother);
  await app.world.guardian(school, elsewhere, mother);
  const all = await asking(administrator, community);
  const ofGroup = await asking(room.teacher, groupChannel);
  const both = [child, sibling].toSorted();
  expect((await countOf(administrator, ofGroup)).children).toEqual(both);
  const { children } = await countOf(administrator, all);
  expect(children).toHaveLength(4);
  expect(children).toEqual(expect.arrayContaining([child, sibling, elsewhere]));
  const motherId = await idOf(mother);
  const recipient = (await reachFor(administrator, all)).recipients.nodes;
  const ofMother = recipient.find(({ user }: Json) => user.id === motherId);
  expect(ofMother.children.map(({ id }: Json) => id).toSorted()).toEqual([child, sibling, elsewhere].toSorted());

  await father.does('AcknowledgePost', { postId: ofGroup });
  expect(await countOf(administrator, ofGroup)).toMatchObject({ acknowledged: [1, 1], childrenWaitedFor: [sibling] });
  expect((await countOf(administrator, ofGroup)).waitedFor).toContain(motherId);
  await mother.does('AcknowledgePost', { postId: ofGroup });
  expect(await countOf(administrator, ofGroup)).toMatchObject({ acknowledged: [2, 2], childrenWaitedFor: [] });
  const shown = (await reachFor(administrator, ofGroup, true)).children.nodes;
  expect(
    shown
      .find((one: Json) => one.child.id === child)
      .acknowledgedBy.map(({ id }: Json) => id)
      .toSorted(),
  ).toEqual((await idsOf([mother, father])).toSorted());
  await mother.does('AcknowledgePost', { postId: all });
  expect(await countOf(administrator, all)).toMatchObject({ acknowledged: [1, 3] });
  await otherGuardian.does('AcknowledgePost', { postId: all });
  expect(await countOf(administrator, all)).toMatchObject({ acknowledged: [2, 4] });
});

test('an employee with a child here is one person, whose child counts; what is told to staff concerns no children', async () => {
  room = await openNewsroom(app.world);
  const { administrator, teacher, child, community, staffRoom, groupChannel, school } = room;
  await app.world.guardian(school, child, teacher);
  const own = await idOf(teacher);
  for (const channelId of [community, groupChannel]) {
    const postId = await asking(administrator, channelId);
    const before = await countOf(administrator, postId);
    expect(before.people.filter((id) => id === own)).toEqual([own]);
    expect(before.children).toContain(child);
    const { children } = (await reachFor(administrator, postId)).recipients.nodes.find(
      ({ user }: Json) => user.id === own,
    );
    expect(children).toMatchObject([{ id: child }]);
    await teacher.does('AcknowledgePost', { postId });
    expect((await countOf(administrator, postId)).acknowledged).toEqual([1, 1]);
  }
  const postId = await asking(administrator, staffRoom);
  expect(await countOf(administrator, postId)).toMatchObject({
    people: (await idsOf([teacher, room.otherTeacher, room.head])).toSorted(),
    children: [],
  });
  await teacher.does('AcknowledgePost', { postId });
  expect((await countOf(administrator, postId)).acknowledged).toEqual([1, 0]);
});

test('acknowledging is done once, by readers, of what asks for it and is published', async () => {
  room = await openNewsroom(app.world);
  const { administrator, teacher, guardian, otherGuardian, groupChannel } = room;
  const postId = await asking(teacher, groupChannel);
  const times = await atOnce(20, () => guardian.does('AcknowledgePost', { postId }));
  expect(new Set(times.map(({ viewerAcknowledgedAt }) => viewerAcknowledgedAt)).size).toBe(1);
  expect(times[0]).toMatchObject({ viewerMustAcknowledge: false, viewerAcknowledgedAt: expect.any(String) });
  expect(await countOf(administrator, postId)).toMatchObject({ acknowledged: [1, 1] });
  expect(await otherGuardian.does('AcknowledgePost', { postId })).toMatchObject({ code: 'NOT_FOUND' });
  const plain = await app.world.post(teacher, groupChannel);
  expect(await guardian.does('AcknowledgePost', { postId: plain })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'postId',
  });
  const own = await draft(teacher, groupChannel, asked);
  expect(await teacher.does('AcknowledgePost', { postId: own })).toMatchObject({ code: 'INVALID_STATE' });
  expect(await guardian.does('AcknowledgePost', { postId: own })).toMatchObject({ code: 'NOT_FOUND' });
  await teacher.does('DeletePost', { postId });
  expect(await guardian.does('AcknowledgePost', { postId })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'DELETED',
  });
});

test('how far a post has reached is for those who publish there, and nobody else', async () => {
  room = await openNewsroom(app.world);
  const { administrator, head, teacher, otherTeacher, guardian, unverified, groupChannel, community } = room;
  const [ofGroup, all] = [await asking(teacher, groupChannel), await asking(administrator, community)];
  for (const person of [administrator, head, teacher]) expect(await reachFor(person, ofGroup)).not.toBeNull();
  expect(await reachFor(guardian, ofGroup)).toBeNull();
  for (const person of [head, teacher, otherTeacher, guardian, unverified])
    expect(await reachFor(person, all)).toBeNull();
  expect(await reachFor(teacher, await app.world.post(teacher, groupChannel))).toBeNull();
  expect(await reachFor(teacher, await draft(teacher, groupChannel, asked))).toBeNull();
});

test('each who acknowledges is told to those who publish there and to themself, once, and to nobody else', async () => {
  room = await openNewsroom(app.world);
  const { teacher, guardian, head, groupChannel, groupId, school, child } = room;
  const colleague = await app.world.teacher(school, groupId);
  const father = await app.world.guardian(school, child);
  const postId = await asking(teacher, groupChannel);
  const streams = await Promise.all(
    [colleague, guardian, father, head].map((person) => follow(person, 'ViewerEvents')),
  );
  await using open = await follow(father, 'ChannelEvents', { channelId: groupChannel });
  await atOnce(5, () => guardian.does('AcknowledgePost', { postId }));
  await colleague.does('AcknowledgePost', { postId });
  await teacher.does('PinPost', { postId });
  const [ofColleague, own, fathers] = await Promise.all(streams.map((stream) => kindsUntil(stream, 'POST_PINNED')));
  expect(ofColleague).toEqual(['POST_ACKNOWLEDGED', 'POST_ACKNOWLEDGED']);
  expect(own).toEqual(['POST_ACKNOWLEDGED']);
  expect(fathers).toEqual([]);
  expect(await kindsUntil(open, 'POST_PINNED')).toEqual([]);
});

test('a reminder goes to each who has not acknowledged and still reads, alone, once an hour', async () => {
  room = await openNewsroom(app.world);
  const { administrator, head, teacher, guardian, child, groupChannel, groupId, school } = room;
  const [done, gone] = [await app.world.guardian(school, child), await app.world.teacher(school, groupId)];
  const postId = await asking(teacher, groupChannel);
  await done.does('AcknowledgePost', { postId });
  await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: gone.assignmentId } });
  const late = await app.world.guardian(school, await app.world.child(school, groupId));
  const people = { administrator, head, guardian, done, gone, late, teacher };
  const streams = await Promise.all(
    Object.entries(people).map(async ([name, person]) => ({ name, stream: await follow(person, 'ViewerEvents') })),
  );
  await using colleagues = await follow(teacher, 'ChannelEvents', { channelId: groupChannel });
  for (const person of [guardian, late])
    expect(await person.does('RemindUnacknowledged', { postId })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await gone.does('RemindUnacknowledged', { postId })).toMatchObject({ code: 'NOT_FOUND' });
  const reminded = await atOnce(10, (index) => (index % 2 ? teacher : head).does('RemindUnacknowledged', { postId }));
  const [only, ...more] = reminded.filter(({ __typename }) => __typename === 'RemindUnacknowledgedPayload');
  expect(more).toEqual([]);
  expect(only).toMatchObject({ remindedCount: 3 });
  const { remindedAt } = only.post.reach;
  for (const refused of reminded.filter(({ code }) => code)) {
    expect(refused).toMatchObject({ code: 'RATE_LIMITED' });
    expect(Date.parse(refused.retryAt) - Date.parse(remindedAt)).toBe(3_600_000);
  }
  await administrator.does('UpdateOrganization', { input: { organizationId: school.id, name: 'School 9' } });
  for (const { name, stream } of streams) {
    const heard = await kindsUntil(stream, 'ORGANIZATION_UPDATED');
    expect([name, heard.filter((kind) => kind.startsWith('POST'))]).toEqual([
      name,
      ['administrator', 'head', 'guardian'].includes(name) ? ['POST_REMINDED'] : [],
    ]);
  }
  expect(streams.find(({ name }) => name === 'guardian')?.stream.delivered[0]).toMatchObject({
    kind: 'POST_REMINDED',
    postId,
    post: { id: postId },
  });
  await teacher.does('PinPost', { postId });
  expect(await kindsUntil(colleagues, 'POST_PINNED')).toEqual([]);

  // An hour later those who are left hear it again; when nobody is, nobody does.
  const hourLater = () => inDatabase(app, (sql) => sql`update posts set reminded_at = reminded_at - interval '1 hour'`);
  for (const person of [guardian, head]) await person.does('AcknowledgePost', { postId });
  await hourLater();
  expect(await teacher.does('RemindUnacknowledged', { postId })).toMatchObject({ remindedCount: 1 });
  await administrator.does('AcknowledgePost', { postId });
  await hourLater();
  expect(await teacher.does('RemindUnacknowledged', { postId })).toMatchObject({ remindedCount: 0 });
  const plain = await app.world.post(teacher, groupChannel);
  expect(await teacher.does('RemindUnacknowledged', { postId: plain })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'postId',
  });
  expect(answer(await teacher.does('ArchivePost', { postId }))).toBe('Post');
  expect(await teacher.does('RemindUnacknowledged', { postId })).toMatchObject({ code: 'INVALID_STATE' });
});

test('what a viewer still has to acknowledge stands in a feed of its own', async () => {
  room = await openNewsroom(app.world);
  const { administrator, teacher, guardian, groupChannel, community } = room;
  const [first, second] = [await asking(administrator, community), await asking(teacher, groupChannel)];
  await app.world.post(administrator, community);
  const feed = async (): Promise<string[]> =>
    (await guardian.run('Feed', { unacknowledgedOnly: true })).viewer.feed.nodes.map(({ id }: Json) => id);
  expect(await feed()).toEqual([second, first]);
  await guardian.does('AcknowledgePost', { postId: second });
  expect(await feed()).toEqual([first]);
  await administrator.does('ArchivePost', { postId: first });
  expect(await feed()).toEqual([]);
});
