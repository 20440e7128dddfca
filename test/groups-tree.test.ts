import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { fewestStatements } from './support/statements.ts';
import type { Person } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** A school with so many groups, each part of the first and with two who work there: a teacher of all, and another. */
async function openTree(size: number) {
  const { world } = app;
  const school = await world.school();
  const [teacher, other] = await Promise.all([world.staff(school), world.staff(school)]);
  let parentId: string | null = null;
  for (let number = 0; number < size; number++) {
    const groupId: string = await world.group(school, { parentId });
    await world.assign(school, teacher.membershipId, groupId);
    await world.assign(school, other.membershipId, groupId, 'SPECIALIST');
    if (number < 3) await world.child(school, groupId);
    parentId ??= groupId;
  }
  return { school, teacher, head: await world.head(school) };
}

/** The tree as somebody reads it, with the statements that it took at the least. */
async function readTree(who: Person, organizationId: string): Promise<{ groups: Json[]; statements: string[] }> {
  const { data, statements } = await fewestStatements(() => who.run('Groups', { organizationId, first: 100 }), 4);
  return { groups: data.organization.groups.nodes, statements };
}

test.each([
  60, 5,
])('a tree of %i groups with counts, staff and one’s rights is read by at most four statements, also by a teacher of all', async (size) => {
  const { school, teacher, head } = await openTree(size);
  for (const who of [school.administrator, head, teacher]) {
    const { groups, statements } = await readTree(who, school.id);
    expect(groups).toHaveLength(size + 1);
    const ofYear = groups.filter(({ academicYear }) => academicYear === '2026/27');
    expect(ofYear.filter(({ parentId }) => parentId === ofYear.at(-1)?.id)).toHaveLength(size - 1);
    for (const group of ofYear) expect(group.staff.nodes).toHaveLength(2);
    expect(ofYear.map(({ staffCount }) => staffCount)).toEqual(ofYear.map(() => 2));
    expect(ofYear.filter(({ childCount }) => childCount === 1)).toHaveLength(3);
    expect(new Set(ofYear.map((group) => group.viewerCanArrange))).toEqual(new Set([who === school.administrator]));
    expect(new Set(ofYear.map((group) => group.viewerCanLookInto))).toEqual(new Set([true]));
    expect(new Set(ofYear.flatMap((group) => group.viewerCanInvite))).toContain('GUARDIAN');
    // Four: who asks, the organization, its groups with their counts, and who works in them.
    expect(statements, statements.join('\n')).toHaveLength(4);
  }
});

test('a group that is read by its id counts as it does in the list', async () => {
  const { school, teacher } = await openTree(2);
  const query = `query ($id: ID!) { organization(id: $id) { groups { nodes { id childCount staffCount } } } }`;
  const listed = (await school.administrator.send(query, { id: school.id })).data.organization.groups.nodes;
  expect(listed.filter(({ childCount }: Json) => childCount === 1)).toHaveLength(2);
  const one = `query ($id: ID!) { node(id: $id) { ... on Group { id childCount staffCount } } }`;
  for (const group of listed) expect((await school.administrator.send(one, { id: group.id })).data.node).toEqual(group);
  const [own] = listed;
  expect((await teacher.send(one, { id: own.id })).data.node).toEqual(own);
});
