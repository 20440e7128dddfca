import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../src/database/connect.ts';
import { makeDueMovements } from '../src/due-movements/commands.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, Stream } from './support/client.ts';
import { EventSource } from './support/event-source.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const day = (later = 0): string => {
  const now = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Moscow', dateStyle: 'short' }).format();
  return new Date(Date.parse(now) + later * 86_400_000).toISOString().slice(0, 10);
};
const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';

/** Follows from now on, however long the socket takes to open. */
async function follow(person: Person, name: string, variables: object = {}): Promise<Stream> {
  const { cursor } = (await person.run('Viewer')).viewer;
  return person.subscribe(name, { ...variables, after: cursor }).begun();
}

async function garden() {
  const { world } = app;
  const school = await world.school();
  const group = await world.group(school);
  const child = await world.child(school, group);
  const { administrator } = school;
  const assign = (membershipId: string, input: object = {}): Promise<Json> =>
    administrator.does('AssignStaff', { input: { groupId: group, membershipId, position: 'EDUCATOR', ...input } });
  const end = (staffAssignmentId: string, input: object = {}): Promise<Json> =>
    administrator.does('EndStaffAssignment', { input: { staffAssignmentId, ...input } });
  return { world, school, group, child, administrator, assign, end, organizationId: school.id };
}

/** Whether the group is somebody's: they see it, look into it, and may invite families there. */
async function isTheirs(person: Person, group: string, child: string): Promise<boolean> {
  const query = `query ($group: ID!, $child: ID!) {
    node(id: $group) { ... on Group { viewerCanLookInto children { totalCount } } }
    child: node(id: $child) { id }
  }`;
  const { data } = await person.send(query, { group, child });
  const answers = [data.node?.viewerCanLookInto === true, (data.node?.children ?? null) !== null, data.child !== null];
  expect(new Set(answers).size).toBe(1);
  return answers[0] ?? false;
}

const released = async ({ administrator, id: organizationId }: School): Promise<Json[]> =>
  (await administrator.run('Movements', { organizationId, kind: 'RELEASED' })).organization.movements.nodes;

async function letDaysPass({ id }: School, days: number): Promise<void> {
  await inDatabase(app, (sql) =>
    sql.begin(async (tx) => {
      const organizationId = rowIdOf(id);
      await tx`update staff_assignments set started_on = started_on - ${days}::int, ended_on = ended_on - ${days}::int
        where organization_id = ${organizationId}`;
      await tx`update planned_movements set effective_on = effective_on - ${days}::int
        where organization_id = ${organizationId} and state = 'PLANNED'`;
    }),
  );
  await using connection = await connect({ databaseUrl: app.databaseUrl, dataDirectory: 'memory://', poolSize: 2 });
  await makeDueMovements(connection.db);
}

test('to be assigned makes a group somebody’s only when their status is confirmed, and only as long as it is', async () => {
  const { world, school, group, child, administrator, assign } = await garden();
  const employee = await world.member(school, 'EMPLOYEE');
  expect(await assign(employee.membershipId)).toMatchObject({
    assignment: { position: 'EDUCATOR', startedOn: day(), endedOn: null, group: { id: group } },
    plannedMovements: [],
  });
  expect(await isTheirs(employee, group, child)).toBe(false);
  expect((await employee.run('Group', { id: group })).node).toBeNull();
  const { id } = await employee.does('SubmitVerification', {
    membershipId: employee.membershipId,
    evidence: 'Order 5',
  });
  expect(await isTheirs(employee, group, child)).toBe(false);
  await administrator.does('ConfirmVerification', { verificationId: id });
  expect(await isTheirs(employee, group, child)).toBe(true);
  await using stream = await follow(employee, 'GroupEvents', { groupId: group });
  await administrator.does('RevokeVerification', { verificationId: id, reason: 'Forged.' });
  expect(await stream.nextOf('AccessEnded')).toMatchObject({ reason: 'MEMBERSHIP_CHANGED' });
  expect(await isTheirs(employee, group, child)).toBe(false);
  // Suspension takes it too, and gives it back.
  const again = await employee.does('SubmitVerification', { membershipId: employee.membershipId, evidence: 'Order 6' });
  await administrator.does('ConfirmVerification', { verificationId: again.id });
  await administrator.does('SuspendMembership', { membershipId: employee.membershipId, reason: 'For now.' });
  expect(await isTheirs(employee, group, child)).toBe(false);
  await administrator.does('RestoreMembership', { membershipId: employee.membershipId });
  expect(await isTheirs(employee, group, child)).toBe(true);
});

test('who works in a group in two positions keeps it until both have ended', async () => {
  const { world, school, group, child, assign, end } = await garden();
  const employee = await world.staff(school);
  const first = await assign(employee.membershipId);
  const repeats = await Promise.all(Array.from({ length: 10 }, () => assign(employee.membershipId)));
  expect(new Set(repeats.map(({ assignment }) => assignment.id))).toEqual(new Set([first.assignment.id]));
  const second = await assign(employee.membershipId, { position: 'SPECIALIST' });
  expect(second.assignment.id).not.toBe(first.assignment.id);
  const { node } = await school.administrator.run('Group', { id: group });
  expect(node.staff.nodes.map(({ position }: Json) => position).toSorted()).toEqual(['EDUCATOR', 'SPECIALIST']);
  const counted = (await school.administrator.run('Groups', { organizationId: school.id })).organization.groups.nodes;
  expect(counted.find(({ id }: Json) => id === group)).toMatchObject({ staffCount: 1 });
  await end(first.assignment.id);
  expect(await isTheirs(employee, group, child)).toBe(true);
  expect(await end(second.assignment.id)).toMatchObject({ assignment: { endedOn: day() } });
  expect(await end(second.assignment.id)).toMatchObject({ assignment: { endedOn: day() }, plannedMovements: [] });
  expect(await isTheirs(employee, group, child)).toBe(false);
  expect(await released(school)).toHaveLength(2);
  // Who comes back comes anew.
  const third = await assign(employee.membershipId);
  expect(third.assignment.id).not.toBe(first.assignment.id);
});

test('everybody in a group hears who comes and goes there, and whoever goes hears nothing after', async () => {
  const { world, school, group, child, administrator, assign, end } = await garden();
  const [guardian, teacher] = [await world.guardian(school, child), await world.teacher(school, group)];
  const newcomer = await world.staff(school);
  await using families = await follow(guardian, 'GroupEvents', { groupId: group });
  await using own = await follow(newcomer, 'ViewerEvents');
  const { assignment } = await assign(newcomer.membershipId);
  expect(await families.next()).toMatchObject({
    kind: 'STAFF_ASSIGNED',
    staffAssignment: { id: assignment.id, position: 'EDUCATOR', user: { displayName: 'EMPLOYEE Test' } },
  });
  expect(await own.nextOf('StaffAssignmentChanged')).toMatchObject({ staffAssignment: { id: assignment.id } });

  const { cursor } = (await teacher.run('Viewer')).viewer;
  await using socket = await teacher.subscribe('GroupEvents', { groupId: group, after: cursor }).begun();
  await using source = new EventSource([app.url], teacher, 'GroupEvents', { groupId: group, after: cursor });
  await expect.poll(() => source.opened).toBe(1);
  await end(teacher.assignmentId);
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'Without them' } });
  await world.child(school, group, 'Unheard');
  expect(await families.next()).toMatchObject({ kind: 'STAFF_ASSIGNMENT_ENDED', staffAssignment: { endedOn: day() } });
  await socket.done;
  await expect.poll(() => source.completed).toBe(true);
  for (const delivered of [socket.delivered, source.delivered])
    expect(delivered.map(({ kind, __typename }: Json) => kind ?? __typename)).toEqual([
      'STAFF_ASSIGNMENT_ENDED',
      'AccessEnded',
    ]);
  await using again = teacher.subscribe('GroupEvents', { groupId: group, after: cursor });
  await again.done;
  expect([again.delivered, again.errors]).toMatchObject([[], [{ extensions: { code: 'NOT_FOUND' } }]]);
});

test('who leaves, or is let go, works nowhere any more, and the journal says so', async () => {
  const { world, school, group, child, administrator } = await garden();
  const [leaving, removed] = [await world.teacher(school, group), await world.teacher(school, group)];
  await world.assign(school, removed.membershipId, await world.group(school), 'SPECIALIST');
  await leaving.does('LeaveOrganization', { organizationId: school.id });
  await administrator.does('EndMembership', { membershipId: removed.membershipId, reason: 'Dismissed.' });
  const moves = await released(school);
  expect(moves.map(({ position }) => position).toSorted()).toEqual(['EDUCATOR', 'EDUCATOR', 'SPECIALIST']);
  for (const person of [leaving, removed]) expect(await isTheirs(person, group, child)).toBe(false);
  const { node } = await administrator.run('Group', { id: group });
  expect(node.staff.nodes).toEqual([]);
  // Whoever is employed anew begins anew.
  const back = await world.member(school, 'EMPLOYEE', removed);
  expect(await isTheirs(back, group, child)).toBe(false);
});

test('work that begins and ends on days to come does so by itself', async () => {
  const { world, school, group, child, administrator, assign, organizationId } = await garden();
  const employee = await world.staff(school);
  const order = { number: '31-К', date: day(-1) };
  const planned = await assign(employee.membershipId, { effectiveOn: day(5), endsOn: day(10), order });
  expect(planned).toMatchObject({
    assignment: null,
    plannedMovements: [
      { movementKind: 'ASSIGNED', effectiveOn: day(5), state: 'PLANNED' },
      { movementKind: 'RELEASED', effectiveOn: day(10), state: 'PLANNED' },
    ],
  });
  const repeat = await assign(employee.membershipId, { effectiveOn: day(5), endsOn: day(10) });
  expect(repeat.plannedMovements.map(({ id }: Json) => id)).toEqual(planned.plannedMovements.map(({ id }: Json) => id));
  expect(await isTheirs(employee, group, child)).toBe(false);
  await letDaysPass(school, 5);
  expect(await isTheirs(employee, group, child)).toBe(true);
  await using stream = await follow(employee, 'GroupEvents', { groupId: group });
  await letDaysPass(school, 5);
  expect(await stream.nextOf('AccessEnded')).toMatchObject({ reason: 'MEMBERSHIP_CHANGED' });
  expect(await isTheirs(employee, group, child)).toBe(false);
  const { movements } = (await administrator.run('Movements', { organizationId })).organization;
  expect(movements.nodes.slice(0, 2)).toMatchObject([
    { movementKind: 'RELEASED', orderNumber: '31-К', fromGroup: { id: group }, toGroup: null },
    { movementKind: 'ASSIGNED', orderNumber: '31-К', fromGroup: null, toGroup: { id: group } },
  ]);
});

test('two ends planned for one day, in two groups, are two plans, and a repeat finds its own', async () => {
  const { world, school, group, end } = await garden();
  const employee = await world.teacher(school, group);
  const other = await world.assign(school, employee.membershipId, await world.group(school));
  const plan = async (id: string) => (await end(id, { effectiveOn: day(3) })).plannedMovements[0].id;
  const [first, second] = [await plan(employee.assignmentId), await plan(other)];
  expect(first).not.toBe(second);
  expect([await plan(employee.assignmentId), await plan(other)]).toEqual([first, second]);
});

test('days that cannot be are refused with the field', async () => {
  const { world, school, group, assign, end } = await garden();
  const employee = await world.teacher(school, group);
  const wrong: [string, object][] = [
    ['effectiveOn', { effectiveOn: day(400) }],
    ['effectiveOn', { effectiveOn: day(-400) }],
    ['endsOn', { effectiveOn: day(5), endsOn: day(4) }],
    ['endsOn', { endsOn: day() }],
    ['position', { position: 'HEAD' }],
  ];
  for (const [field, input] of wrong)
    expect(await assign(employee.membershipId, { position: 'SPECIALIST', ...input })).toMatchObject({
      code: 'INVALID_INPUT',
      field,
    });
  expect(await end(employee.assignmentId, { effectiveOn: day(-1) })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'effectiveOn',
  });
});

test('only who is employed is assigned, today or on a day to come', async () => {
  const { world, school, child, assign } = await garden();
  const guardian = await world.guardian(school, child);
  const former = await world.staff(school);
  await former.does('LeaveOrganization', { organizationId: school.id });
  for (const effectiveOn of [day(), day(3)]) {
    expect(await assign(guardian.membershipId, { effectiveOn })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'membershipId',
    });
    expect(await assign(former.membershipId, { effectiveOn })).toMatchObject({
      code: 'INVALID_STATE',
      currentState: 'ENDED',
    });
  }
  // Who leaves before the day comes is not assigned on it.
  const leaving = await world.staff(school);
  await assign(leaving.membershipId, { effectiveOn: day(3) });
  await leaving.does('LeaveOrganization', { organizationId: school.id });
  await letDaysPass(school, 3);
  const plans = (await school.administrator.run('PlannedMovements', { organizationId: school.id })).organization;
  expect(plans.plannedMovements.nodes).toMatchObject([{ state: 'FAILED', failure: 'INVALID_STATE' }]);
});

test('people of one school are not assigned in another, and nobody but its administrators assigns', async () => {
  const { world, school, group, child, administrator } = await garden();
  const other = await garden();
  const [own, foreign] = [await world.staff(school), await world.staff(other.school)];
  const assign = (person: Person, membershipId: string, groupId: string) =>
    person.does('AssignStaff', { input: { groupId, membershipId, position: 'EDUCATOR' } });
  expect(await assign(administrator, own.membershipId, other.group)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await assign(administrator, foreign.membershipId, group)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await assign(administrator, foreign.membershipId, other.group)).toMatchObject({ code: 'NOT_FOUND' });
  const teacher = await world.teacher(school, group);
  for (const person of [own, teacher, await world.head(school)])
    expect(await assign(person, own.membershipId, group)).toMatchObject({ code: 'FORBIDDEN' });
  const guardian = await world.guardian(school, child);
  for (const person of [guardian, foreign, await world.member(school, 'EMPLOYEE'), await world.person()])
    expect(await assign(person, own.membershipId, group)).toMatchObject({ code: 'NOT_FOUND' });
  const end = (person: Person) =>
    person.does('EndStaffAssignment', { input: { staffAssignmentId: teacher.assignmentId } });
  for (const person of [teacher, guardian]) expect(await end(person)).toMatchObject({ code: 'FORBIDDEN' });
  for (const person of [own, foreign, await world.operator(), other.administrator])
    expect(await end(person)).toMatchObject({ code: 'NOT_FOUND' });
});

test('families know the names of who works with their child, and no way to reach them', async () => {
  const { world, school, group, child } = await garden();
  const [teacher, guardian] = [await world.teacher(school, group), await world.guardian(school, child)];
  const elsewhere = await world.teacher(school, await world.group(school));
  const query = `query ($ids: [ID!]!) {
    nodes(ids: $ids) { ... on StaffAssignment {
      position user { displayName } group { id } membership { id contact { phone } } viewerCanEnd
    } }
  }`;
  const { data } = await guardian.send(query, { ids: [teacher.assignmentId, elsewhere.assignmentId] });
  expect(data.nodes).toEqual([
    {
      position: 'EDUCATOR',
      user: { displayName: 'EMPLOYEE Test' },
      group: { id: group },
      membership: null,
      viewerCanEnd: false,
    },
    null,
  ]);
  // Colleagues of the group have one; who works elsewhere is not shown who works there.
  const colleague = await world.teacher(school, group);
  const found = (await colleague.send(query, { ids: [teacher.assignmentId] })).data.nodes;
  expect(found).toMatchObject([{ group: { id: group }, membership: { contact: { phone: teacher.phone } } }]);
  expect((await elsewhere.send(query, { ids: [teacher.assignmentId] })).data.nodes).toEqual([null]);
  expect(JSON.stringify(data)).not.toContain(teacher.phone);
});
