import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('a guardian follows their child into another group: the old one ends for them, the new one begins', async () => {
  const { world } = app;
  const school = await world.school();
  const [before, after] = [await world.group(school), await world.group(school)];
  const [teacher, next] = [await world.teacher(school, before), await world.teacher(school, after)];
  const child = await world.child(school, before);
  const guardian = await world.guardian(school, child);
  const other = await world.guardian(school, await world.child(school, before));

  const { cursor } = (await guardian.run('Viewer')).viewer;
  await using old = await guardian.subscribe('GroupEvents', { groupId: before, after: cursor }).begun();
  await using everything = guardian.subscribe('ViewerEvents', { after: cursor });
  await school.administrator.does('UpdateGroup', { input: { groupId: before, name: 'Sun' } });
  expect(await old.next()).toMatchObject({ kind: 'GROUP_UPDATED', group: { name: 'Sun' } });

  const moved = await school.administrator.does('TransferChild', {
    input: { childId: child, groupId: after, order: { number: '7', date: '2026-11-20' } },
  });
  expect(moved).toMatchObject({
    child: { group: { id: after } },
    movement: { movementKind: 'TRANSFERRED', fromGroup: { id: before }, toGroup: { id: after }, orderNumber: '7' },
  });
  expect(await old.next()).toMatchObject({ __typename: 'AccessEnded', reason: 'MEMBERSHIP_CHANGED' });
  // Nothing more of the old group comes, also to who looks again from before.
  expect((await other.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ group: { name: 'Sun' } }]);

  await using now = await guardian.subscribe('GroupEvents', { groupId: after }).begun();
  await school.administrator.does('UpdateGroup', { input: { groupId: after, name: 'Star' } });
  expect(await now.next()).toMatchObject({ group: { name: 'Star' } });
  const told = [];
  for (const _ of [1, 2, 3]) told.push(await everything.next());
  expect(told.map(({ kind }: Json) => kind)).toEqual(['GROUP_UPDATED', 'CHILD_TRANSFERRED', 'GROUP_UPDATED']);
  // What staff may read of the child goes with it.
  expect((await teacher.run('Child', { id: child })).node).toBeNull();
  expect((await next.run('Child', { id: child })).node).toMatchObject({ guardians: { nodes: [{ contact: {} }] } });
});

test('a guardian with two children in one group keeps it when one leaves, and loses all when the other does', async () => {
  const { world } = app;
  const school = await world.school();
  const group = await world.group(school);
  const [one, two] = [await world.child(school, group), await world.child(school, group)];
  const guardian = await world.guardian(school, one);
  await world.guardian(school, two, guardian);
  await using stream = await guardian.subscribe('GroupEvents', { groupId: group }).begun();
  await school.administrator.does('WithdrawChild', { input: { childId: one } });
  await school.administrator.does('UpdateGroup', { input: { groupId: group, name: 'Rainbow' } });
  expect(await stream.next()).toMatchObject({ group: { name: 'Rainbow' } });
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ id: two }]);

  await school.administrator.does('GraduateChild', { input: { childId: two } });
  expect(await stream.next()).toMatchObject({ __typename: 'AccessEnded' });
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toEqual([]);
  expect((await guardian.run('Organization', { id: school.id })).organization).toBeNull();

  await school.administrator.does('EnrollChild', { input: { childId: two, groupId: group } });
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ id: two }]);
});
