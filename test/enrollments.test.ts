import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../src/database/connect.ts';
import { makeDueMovements } from '../src/due-movements/commands.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, Stream } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** The day it is in Moscow, where the schools are, or so many days later. */
const day = (later = 0): string => {
  const now = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Moscow', dateStyle: 'short' }).format();
  return new Date(Date.parse(now) + later * 86_400_000).toISOString().slice(0, 10);
};
const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';
const codesOf = (results: Json[]): string[] => results.map(({ code, __typename }) => code ?? __typename).toSorted();

/** Follows from now on, however long the socket takes to open. */
async function follow(person: Person, name: string, variables: object = {}): Promise<Stream> {
  const { cursor } = (await person.run('Viewer')).viewer;
  return person.subscribe(name, { ...variables, after: cursor }).begun();
}

async function garden() {
  const { world } = app;
  const school = await world.school();
  const [from, to] = [await world.group(school), await world.group(school)];
  const { administrator } = school;
  const move = (verb: string, childId: string, input: object = {}): Promise<Json> =>
    administrator.does(`${verb}Child`, { input: { childId, ...input } });
  return { world, school, from, to, administrator, move, organizationId: school.id };
}

async function journal({ administrator, id }: School): Promise<Json[]> {
  return (await administrator.run('Movements', { organizationId: id, first: 100 })).organization.movements.nodes;
}

const recordOf = async ({ administrator }: School, id: string): Promise<Json> =>
  (await administrator.run('Child', { id })).node;

const membershipsOf = async (person: Person, state = 'ACTIVE'): Promise<Json[]> => {
  const query = `query ($state: MembershipState) { viewer { memberships(state: $state) { nodes { role state endedBy } } } }`;
  return (await person.send(query, { state })).data.viewer.memberships.nodes;
};

/** So many days pass: everything that was written down for a day is that much longer ago. */
async function letDaysPass({ id }: School, days: number): Promise<void> {
  const organizationId = rowIdOf(id);
  await inDatabase(app, (sql) =>
    sql.begin(async (tx) => {
      await tx`update enrollments set started_on = started_on - ${days}::int, ended_on = ended_on - ${days}::int
        where organization_id = ${organizationId}`;
      await tx`update planned_movements set effective_on = effective_on - ${days}::int
        where organization_id = ${organizationId} and state = 'PLANNED'`;
    }),
  );
  await makeDue();
}

async function makeDue(): Promise<void> {
  await using connection = await connect({ databaseUrl: app.databaseUrl, dataDirectory: 'memory://', poolSize: 2 });
  await makeDueMovements(connection.db);
}

test('a child comes, moves on, finishes, comes back and leaves; the journal and its record tell the whole way', async () => {
  const { school, from, to, move } = await garden();
  const child = await app.world.child(school);
  const order = { number: '7-К', date: '2026-09-01' };
  const steps = [
    await move('Enroll', child, { groupId: from, order, note: 'By his mother’s wish.', effectiveOn: day(-30) }),
    await move('Transfer', child, { groupId: to, effectiveOn: day(-20) }),
    await move('Graduate', child, { effectiveOn: day(-10) }),
    await move('Enroll', child, { groupId: from, effectiveOn: day(-5) }),
    await move('Withdraw', child),
  ];
  expect(steps.map(({ child: { group } }) => group?.id ?? null)).toEqual([from, to, null, from, null]);
  const told = (await journal(school)).toReversed();
  expect(told).toMatchObject([
    {
      movementKind: 'ENROLLED',
      fromGroup: null,
      toGroup: { id: from },
      orderNumber: '7-К',
      orderDate: '2026-09-01',
      note: 'By his mother’s wish.',
      effectiveOn: day(-30),
      decidedBy: { displayName: 'Sidorova Anna Ivanovna' },
    },
    { movementKind: 'TRANSFERRED', fromGroup: { id: from }, toGroup: { id: to }, effectiveOn: day(-20) },
    { movementKind: 'GRADUATED', fromGroup: { id: to }, toGroup: null },
    { movementKind: 'ENROLLED', fromGroup: null, toGroup: { id: from } },
    { movementKind: 'WITHDRAWN', fromGroup: { id: from }, toGroup: null, effectiveOn: day(), orderNumber: null },
  ]);
  expect(told.map(({ id }) => id)).toEqual(steps.map(({ movement }) => movement.id));
  const { enrollments, movements } = await recordOf(school, child);
  expect(enrollments.nodes).toMatchObject([
    { group: { id: from }, startedOn: day(-5), endedOn: day(), end: 'WITHDRAWN' },
    { group: { id: to }, startedOn: day(-20), endedOn: day(-10), end: 'GRADUATED' },
    { group: { id: from }, startedOn: day(-30), endedOn: day(-20), end: 'TRANSFERRED' },
  ]);
  expect(movements.nodes).toHaveLength(5);
});

test('each step is in the audit log, without what the child’s record says', async () => {
  const { school, from, to, move, administrator, organizationId } = await garden();
  const child = await app.world.child(school, from, 'Secretov');
  await move('Transfer', child, { groupId: to });
  await move('Withdraw', child);
  const { auditLog } = (await administrator.run('AuditLog', { organizationId, first: 50 })).organization;
  const entries = auditLog.nodes.filter(({ targetId }: Json) => targetId === child);
  expect(entries.toReversed()).toMatchObject([
    { action: 'child.add' },
    { action: 'child.enroll', before: { groupId: null }, after: { groupId: from, effectiveOn: day() } },
    { action: 'child.transfer', before: { groupId: from }, after: { groupId: to } },
    { action: 'child.withdraw', before: { groupId: to }, after: { groupId: null } },
  ]);
  expect(JSON.stringify(auditLog)).not.toContain('Secretov');
});

test('to decide the same again changes nothing, and what cannot be is refused', async () => {
  const { school, from, to, move, world } = await garden();
  const child = await world.child(school, from);
  const before = (await journal(school)).length;
  expect(await move('Enroll', child, { groupId: from })).toMatchObject({ movement: null, plannedMovement: null });
  expect(await move('Transfer', child, { groupId: from })).toMatchObject({ movement: null });
  expect(await move('Enroll', child, { groupId: to })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'ENROLLED',
  });
  await move('Withdraw', child);
  expect(await move('Withdraw', child)).toMatchObject({ movement: null, child: { group: null } });
  expect(await move('Graduate', child)).toMatchObject({ movement: null });
  expect(await move('Transfer', child, { groupId: to })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'NOT_ENROLLED',
  });
  expect(await journal(school)).toHaveLength(before + 1);
  const archived = await world.group(school);
  await school.administrator.does('ArchiveGroup', { groupId: archived });
  expect(await move('Enroll', child, { groupId: archived })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'groupId',
  });
});

test('a decision counts from a day within a year, and not from before the child came', async () => {
  const { school, from, to, move, world } = await garden();
  const child = await world.child(school);
  const enrol = (effectiveOn: string) => move('Enroll', child, { groupId: from, effectiveOn });
  for (const wrong of [day(-400), day(400)])
    expect(await enrol(wrong)).toMatchObject({ code: 'INVALID_INPUT', field: 'effectiveOn' });
  await enrol(day(-10));
  for (const verb of ['Transfer', 'Graduate', 'Withdraw']) {
    const input = { effectiveOn: day(-11), ...(verb === 'Transfer' ? { groupId: to } : {}) };
    expect(await move(verb, child, input)).toMatchObject({ code: 'INVALID_INPUT', field: 'effectiveOn' });
  }
  expect(await move('Transfer', child, { groupId: to, effectiveOn: day(-10) })).toMatchObject({
    movement: { effectiveOn: day(-10) },
  });
});

test('a child that has left comes back on a later day, not on one when it was still there', async () => {
  const { school, from, move, world } = await garden();
  const child = await world.child(school);
  await move('Enroll', child, { groupId: from, effectiveOn: day(-30) });
  await move('Withdraw', child, { effectiveOn: day(-10) });
  expect(await move('Enroll', child, { groupId: from, effectiveOn: day(-20) })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'effectiveOn',
  });
});

test('of twenty who move one child at the same instant each is obeyed in turn, and it is in one group', async () => {
  const { school, from, move, world, administrator } = await garden();
  const groups = await Promise.all(Array.from({ length: 4 }, () => world.group(school)));
  const child = await world.child(school, from);
  const second = await world.secondAdministrator(school);
  const guardian = await world.guardian(school, child);
  const teachers = await Promise.all(groups.map((group) => world.teacher(school, group)));
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const input = { childId: child, groupId: groups[index % 4] };
      return (index % 2 ? second : administrator).does('TransferChild', { input });
    }),
  );
  expect(codesOf(results)).toEqual(Array(20).fill('MoveChildPayload'));
  const { enrollments, group } = await recordOf(school, child);
  expect(enrollments.nodes.filter(({ endedOn }: Json) => endedOn === null)).toMatchObject([
    { group: { id: group.id } },
  ]);
  const moves = (await journal(school)).filter(({ movementKind }) => movementKind === 'TRANSFERRED').toReversed();
  let at = from;
  for (const { fromGroup, toGroup } of moves) {
    expect(fromGroup.id).toBe(at);
    at = toGroup.id;
  }
  expect(at).toBe(group.id);
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ group: { id: group.id } }]);
  const seen = await Promise.all(
    teachers.map(async (person) => (await person.run('Child', { id: child })).node !== null),
  );
  expect(seen).toEqual(groups.map((id) => id === group.id));
  // Nor do twenty who let it go leave it half gone.
  const verbs = ['Graduate', 'Withdraw'];
  const gone = await Promise.all(Array.from({ length: 20 }, (_, index) => move(verbs[index % 2] ?? '', child)));
  expect(gone.filter(({ movement }) => movement !== null)).toHaveLength(1);
});

test('twenty who enrol a new child at the same instant give it one place', async () => {
  const { school, from, to, move, world } = await garden();
  const child = await world.child(school);
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => move('Enroll', child, { groupId: index % 2 ? from : to })),
  );
  expect(results.filter(({ movement }) => movement)).toHaveLength(1);
  expect((await recordOf(school, child)).enrollments.nodes).toHaveLength(1);
});

test('what is planned takes effect by itself on its day, with everything that follows from it', async () => {
  const { school, from, to, move, world, organizationId, administrator } = await garden();
  const child = await world.child(school, from);
  const guardian = await world.guardian(school, child);
  const [old, next] = [await world.teacher(school, from), await world.teacher(school, to)];
  const order = { number: '9', date: day() };
  const planned = await move('Transfer', child, { groupId: to, effectiveOn: day(3), order });
  expect(planned).toMatchObject({
    movement: null,
    child: { group: { id: from } },
    plannedMovement: { state: 'PLANNED', movementKind: 'TRANSFERRED', effectiveOn: day(3), orderNumber: '9' },
  });
  // To decide the same again plans nothing more; something else for that day is refused.
  const again = await move('Transfer', child, { groupId: to, effectiveOn: day(3) });
  expect(again.plannedMovement.id).toBe(planned.plannedMovement.id);
  expect(await move('Withdraw', child, { effectiveOn: day(3) })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'effectiveOn',
  });
  await makeDue();
  expect((await recordOf(school, child)).group).toMatchObject({ id: from });

  await using stream = await follow(guardian, 'GroupEvents', { groupId: from });
  await using everything = await follow(administrator, 'OrganizationEvents', { organizationId });
  await letDaysPass(school, 3);
  expect((await recordOf(school, child)).group).toMatchObject({ id: to });
  expect(await stream.nextOf('AccessEnded')).toMatchObject({ reason: 'MEMBERSHIP_CHANGED' });
  expect(await everything.nextOf('ChildChanged')).toMatchObject({ kind: 'CHILD_TRANSFERRED', child: { id: child } });
  expect(await everything.nextOf('PlannedMovementChanged')).toMatchObject({
    kind: 'MOVEMENT_TOOK_EFFECT',
    plannedMovement: { state: 'DONE' },
  });
  expect((await old.run('Child', { id: child })).node).toBeNull();
  expect((await next.run('Child', { id: child })).node).toMatchObject({ id: child });
  expect((await journal(school))[0]).toMatchObject({
    movementKind: 'TRANSFERRED',
    effectiveOn: day(),
    orderNumber: '9',
    decidedBy: { displayName: 'Sidorova Anna Ivanovna' },
  });
  await makeDue();
  expect((await journal(school)).filter(({ movementKind }) => movementKind === 'TRANSFERRED')).toHaveLength(1);
  const { plannedMovementId } = { plannedMovementId: planned.plannedMovement.id };
  expect(await administrator.does('CancelPlannedMovement', { plannedMovementId })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'DONE',
  });
});

test('the journal tells of a planned movement what was so on its day, and when it was written down', async () => {
  const { school, from, to, move, world } = await garden();
  const between = await world.group(school);
  const child = await world.child(school, from);
  const { plannedMovement } = await move('Graduate', child, { effectiveOn: day(5) });
  await move('Transfer', child, { groupId: between, effectiveOn: day(1) });
  await move('Transfer', child, { groupId: to, effectiveOn: day(2) });
  const before = new Date().toISOString();
  await letDaysPass(school, 10);
  const told = (await journal(school)).slice(0, 3);
  expect(told).toMatchObject([
    { movementKind: 'GRADUATED', fromGroup: { id: to }, toGroup: null },
    { movementKind: 'TRANSFERRED', fromGroup: { id: between }, toGroup: { id: to } },
    { movementKind: 'TRANSFERRED', fromGroup: { id: from }, toGroup: { id: between } },
  ]);
  for (const { id, recordedAt } of told) {
    expect(rowIdOf(id)).not.toBe(rowIdOf(plannedMovement.id));
    expect(recordedAt > before).toBe(true);
  }
});

test('a plan’s day comes when it comes where the institution is', async () => {
  const { school, from, move, world, administrator, organizationId } = await garden();
  // Where the day is another than in Moscow, at any hour: 14 hours ahead of UTC, and 11 behind.
  const zones = ['Pacific/Kiritimati', 'Pacific/Pago_Pago'];
  const days = zones.map((timeZone) => new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short' }).format());
  const [early = '', late = ''] = days;
  expect(late < early).toBe(true);
  const [child, other] = [await world.child(school), await world.child(school)];
  await administrator.does('UpdateOrganization', { input: { organizationId, timeZone: zones[1] } });
  expect(await move('Enroll', child, { groupId: from, effectiveOn: early })).toMatchObject({
    movement: null,
    plannedMovement: { state: 'PLANNED' },
  });
  await makeDue();
  expect((await recordOf(school, child)).group).toBeNull();
  await administrator.does('UpdateOrganization', { input: { organizationId, timeZone: zones[0] } });
  await makeDue();
  expect((await recordOf(school, child)).group).toMatchObject({ id: from });
  expect(await move('Enroll', other, { groupId: from, effectiveOn: early })).toMatchObject({ plannedMovement: null });
});

test('what is not possible any more on its day fails, says why, and keeps nothing else from happening', async () => {
  const { school, from, to, move, world, administrator, organizationId } = await garden();
  const [first, second, third] = [
    await world.child(school, from),
    await world.child(school, from),
    await world.child(school),
  ];
  const closing = await world.group(school);
  await move('Transfer', first, { groupId: to, effectiveOn: day(1) });
  await move('Transfer', second, { groupId: closing, effectiveOn: day(1) });
  await move('Enroll', third, { groupId: to, effectiveOn: day(1) });
  await move('Withdraw', first);
  await administrator.does('ArchiveGroup', { groupId: closing });
  await using stream = await follow(administrator, 'OrganizationEvents', { organizationId });
  await letDaysPass(school, 2);
  const { plannedMovements } = (await administrator.run('PlannedMovements', { organizationId })).organization;
  expect(plannedMovements.nodes.toReversed()).toMatchObject([
    { child: { id: first }, state: 'FAILED', failure: 'INVALID_STATE' },
    { child: { id: second }, state: 'FAILED', failure: 'INVALID_INPUT' },
    { child: { id: third }, state: 'DONE', failure: null },
  ]);
  expect((await recordOf(school, second)).group).toMatchObject({ id: from });
  expect((await recordOf(school, third)).group).toMatchObject({ id: to });
  expect(await stream.nextOf('PlannedMovementChanged')).toMatchObject({
    kind: 'MOVEMENT_FAILED',
    plannedMovement: { failure: 'INVALID_STATE' },
  });
});

test('what is planned is taken back before its day, by administrators', async () => {
  const { school, from, to, move, world, administrator } = await garden();
  const child = await world.child(school, from);
  const [teacher, guardian] = [await world.teacher(school, from), await world.guardian(school, child)];
  const { plannedMovement } = await move('Transfer', child, { groupId: to, effectiveOn: day(2) });
  const cancel = (person: Person) => person.does('CancelPlannedMovement', { plannedMovementId: plannedMovement.id });
  for (const person of [teacher, guardian, await world.head(school)])
    expect(await cancel(person)).toMatchObject({ code: 'FORBIDDEN' });
  const elsewhere = await world.teacher(school, await world.group(school));
  for (const person of [elsewhere, (await world.school()).administrator])
    expect(await cancel(person)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await cancel(administrator)).toMatchObject({ state: 'CANCELLED' });
  expect(await cancel(administrator)).toMatchObject({ state: 'CANCELLED' });
  await letDaysPass(school, 3);
  expect((await recordOf(school, child)).group).toMatchObject({ id: from });
  // Then that day is free again.
  expect(await move('Withdraw', child, { effectiveOn: day(2) })).toMatchObject({
    plannedMovement: { state: 'PLANNED' },
  });
});

test('a plan stands when who decided it has left, and waits while the school is closed', async () => {
  const { school, from, to, move, world } = await garden();
  const second = await world.secondAdministrator(school);
  const child = await world.child(school, from);
  await second.does('TransferChild', { input: { childId: child, groupId: to, effectiveOn: day(1) } });
  await second.does('LeaveOrganization', { organizationId: school.id });
  const operator = await world.operator();
  await operator.does('SuspendOrganization', { organizationId: school.id, reason: 'Unpaid.' });
  await letDaysPass(school, 2);
  await operator.does('RestoreOrganization', { organizationId: school.id });
  expect((await recordOf(school, child)).group).toMatchObject({ id: from });
  await makeDue();
  expect((await recordOf(school, child)).group).toMatchObject({ id: to });
  expect(await move('Transfer', child, { groupId: to })).toMatchObject({ movement: null });
});

test('a plan that many processes come to at once is made once', async () => {
  const { school, from, to, move, world } = await garden();
  const children = await Promise.all(Array.from({ length: 5 }, () => world.child(school, from)));
  for (const child of children) await move('Transfer', child, { groupId: to, effectiveOn: day(1) });
  await inDatabase(
    app,
    (sql) => sql`update planned_movements set effective_on = effective_on - 1
      where state = 'PLANNED' and organization_id = ${rowIdOf(school.id)}`,
  );
  await Promise.all(Array.from({ length: 4 }, () => makeDue()));
  const moved = (await journal(school)).filter(({ movementKind }) => movementKind === 'TRANSFERRED');
  expect(moved).toHaveLength(5);
});

test('a family whose children have all left is no member, and is one again when a child comes back', async () => {
  const { school, from, move, world } = await garden();
  const [one, two] = [await world.child(school, from), await world.child(school, from)];
  const guardian = await world.guardian(school, one);
  await world.guardian(school, two, guardian);
  await move('Withdraw', one);
  expect(await membershipsOf(guardian)).toMatchObject([{ role: 'GUARDIAN' }]);
  await using stream = await follow(guardian, 'ViewerEvents');
  await move('Graduate', two);
  expect(await membershipsOf(guardian)).toEqual([]);
  expect(await membershipsOf(guardian, 'ENDED')).toMatchObject([{ endedBy: 'CHILDREN_LEFT' }]);
  expect(await stream.nextOf('MembershipChanged')).toMatchObject({ kind: 'MEMBERSHIP_ENDED' });
  expect((await guardian.run('Organization', { id: school.id })).organization).toBeNull();
  await move('Enroll', one, { groupId: from });
  expect(await stream.nextOf('MembershipChanged')).toMatchObject({
    kind: 'MEMBERSHIP_STARTED',
    membership: { state: 'ACTIVE' },
  });
  expect(await membershipsOf(guardian)).toHaveLength(1);
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ id: one }]);
});

test('a family whose child is expected back stays, and no longer than that', async () => {
  const { school, from, move, world, administrator } = await garden();
  const children = [await world.child(school, from), await world.child(school, from), await world.child(school, from)];
  const guardians = await Promise.all(children.map((child) => world.guardian(school, child)));
  const plans: string[] = [];
  const closing = await world.group(school);
  for (const [index, child] of children.entries()) {
    const groupId = index === 1 ? closing : from;
    const { plannedMovement } = await move('Enroll', child, { groupId, effectiveOn: day(4) });
    plans.push(plannedMovement.id);
    await move('Withdraw', child);
  }
  for (const guardian of guardians) expect(await membershipsOf(guardian)).toHaveLength(1);
  // One is taken back, one fails, one comes.
  await administrator.does('CancelPlannedMovement', { plannedMovementId: plans[0] });
  await administrator.does('ArchiveGroup', { groupId: closing });
  await letDaysPass(school, 5);
  const members = await Promise.all(guardians.map(async (guardian) => (await membershipsOf(guardian)).length));
  expect(members).toEqual([0, 0, 1]);
});

test('who is staff besides stays when their child leaves, and who is suspended stays suspended', async () => {
  const { school, from, move, world, administrator } = await garden();
  const [one, two] = [await world.child(school, from), await world.child(school, from)];
  const teacher = await world.guardian(school, one, await world.teacher(school, from));
  const suspended = await world.guardian(school, two);
  await administrator.does('SuspendMembership', { membershipId: suspended.membershipId, reason: 'For now.' });
  await move('Withdraw', one);
  await move('Withdraw', two);
  expect(await membershipsOf(teacher)).toMatchObject([{ role: 'EMPLOYEE' }]);
  expect(await membershipsOf(suspended, 'SUSPENDED')).toHaveLength(1);
  await move('Enroll', two, { groupId: from });
  expect((await suspended.run('ViewerChildren')).viewer.children.nodes).toEqual([]);
});

test('children are moved by administrators of their own school, into its own groups', async () => {
  const { school, from, to, world, administrator } = await garden();
  const other = await garden();
  const [child, foreign] = [await world.child(school, from), await world.child(other.school, other.from)];
  const attempt = (person: Person, childId: string, groupId: string) =>
    person.does('TransferChild', { input: { childId, groupId } });
  expect(await attempt(administrator, child, other.to)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await attempt(administrator, foreign, to)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await attempt(administrator, foreign, other.to)).toMatchObject({ code: 'NOT_FOUND' });
  const teacher = await world.teacher(school, from);
  for (const person of [teacher, await world.head(school), await world.guardian(school, child)])
    expect(await attempt(person, child, to)).toMatchObject({ code: 'FORBIDDEN' });
  const [colleague, unverified] = [await world.staff(school), await world.member(school, 'EMPLOYEE')];
  await world.assign(school, unverified.membershipId, from);
  for (const person of [colleague, unverified, await world.person(), await world.operator()])
    expect(await attempt(person, child, to)).toMatchObject({ code: 'NOT_FOUND' });
  expect((await recordOf(school, child)).group).toMatchObject({ id: from });
  // A teacher of both groups sees both, and is still told that it is not theirs to do.
  await world.assign(school, teacher.membershipId, to);
  expect(await attempt(teacher, child, to)).toMatchObject({ code: 'FORBIDDEN' });
});

test('staff read the journal as far as it is about their groups and themselves', async () => {
  const { school, from, to, world, move, organizationId } = await garden();
  const teacher = await world.teacher(school, from);
  const elsewhere = await world.teacher(school, to);
  const child = await world.child(school, from);
  const third = await world.group(school);
  await move('Transfer', child, { groupId: to });
  await move('Transfer', child, { groupId: third });
  const read = async (person: Person) =>
    (await person.run('Movements', { organizationId })).organization.movements?.nodes.map(
      ({ movementKind, child }: Json) => [movementKind, child?.id ?? null],
    ) ?? null;
  expect(await read(teacher)).toEqual([
    ['TRANSFERRED', null],
    ['ENROLLED', null],
    ['ASSIGNED', null],
  ]);
  expect(await read(elsewhere)).toEqual([
    ['TRANSFERRED', null],
    ['TRANSFERRED', null],
    ['ASSIGNED', null],
  ]);
  expect(await read(await world.head(school))).toHaveLength(5);
  expect(await read(await world.staff(school))).toEqual([]);
  expect(await read(await world.member(school, 'EMPLOYEE'))).toBeNull();
});

test('a record is edited field by field, and the same institution’s number is nobody else’s', async () => {
  const { school, from, world, administrator, organizationId } = await garden();
  const input = { organizationId, familyName: 'Petrov', givenName: 'Misha', patronymic: 'Ivanovich' };
  const more = { birthDate: '2021-03-04', externalId: 'K-17', idempotencyKey: 'petrov-misha' };
  const add = (change: object = {}) => administrator.does('AddChild', { input: { ...input, ...more, ...change } });
  const made = await Promise.all(Array.from({ length: 10 }, () => add()));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  const [child] = made;
  expect(await add({ familyName: 'Sidorov' })).toMatchObject({ code: 'INVALID_INPUT', field: 'idempotencyKey' });
  expect(await add({ idempotencyKey: 'another-key' })).toMatchObject({ code: 'INVALID_INPUT', field: 'externalId' });
  const update = (change: object) => administrator.does('UpdateChild', { input: { childId: child.id, ...change } });
  expect(await update({ givenName: 'Mikhail' })).toMatchObject({
    familyName: 'Petrov',
    givenName: 'Mikhail',
    patronymic: 'Ivanovich',
    birthDate: '2021-03-04',
    externalId: 'K-17',
  });
  expect(await update({ patronymic: null, externalId: null })).toMatchObject({ patronymic: null, externalId: null });
  for (const birthDate of [day(2), '1899-01-01', '2021-02-30'])
    expect(await update({ birthDate }).catch(() => ({ code: 'INVALID_INPUT' }))).toMatchObject({
      code: 'INVALID_INPUT',
    });
  // Only who keeps the record reads the number.
  await update({ externalId: 'K-18' });
  await administrator.does('EnrollChild', { input: { childId: child.id, groupId: from } });
  const guardian = await world.guardian(school, child.id);
  expect((await guardian.run('Child', { id: child.id })).node).toMatchObject({
    externalId: null,
    birthDate: '2021-03-04',
  });
});

test('children are found by name, among those who are the viewer’s to look after', async () => {
  const { school, from, to, world, organizationId } = await garden();
  await world.child(school, from, 'Alexeev');
  await world.child(school, to, 'Alexeeva');
  await world.child(school, undefined, 'Al%xeev');
  const teacher = await world.teacher(school, from);
  const find = async (person: Person, filter: object) => {
    const { children } = (await person.run('Children', { organizationId, ...filter })).organization;
    expect(children.totalCount).toBe(children.nodes.length);
    return children.nodes.map(({ familyName }: Json) => familyName).toSorted();
  };
  expect(await find(school.administrator, { search: 'alexeev' })).toEqual(['Alexeev', 'Alexeeva']);
  expect(await find(school.administrator, { search: 'l%x' })).toEqual(['Al%xeev']);
  expect(await find(school.administrator, { enrolled: false })).toEqual(['Al%xeev']);
  expect(await find(school.administrator, { search: '  ' })).toHaveLength(3);
  expect(await find(teacher, { search: 'al' })).toEqual(['Alexeev']);
});
