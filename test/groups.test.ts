import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, Stream } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const year = '2026/27';
const codes = (results: Json[]): string[] => results.map(({ code, __typename }) => code ?? __typename).toSorted();
const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';

async function groupsOf(person: Person, { id: organizationId }: School, filter: object = {}): Promise<Json[]> {
  return (await person.run('Groups', { organizationId, ...filter })).organization.groups.nodes;
}

/** Follows from now on, however long the socket takes to open. */
async function follow(person: Person, name: string, variables: object): Promise<Stream> {
  const { cursor } = (await person.run('Viewer')).viewer;
  return person.subscribe(name, { ...variables, after: cursor }).begun();
}

const topOnly = 'query ($id: ID!) { organization(id: $id) { groups(topOnly: true) { totalCount nodes { id } } } }';

test('an administrator builds a tree of groups, renames and moves them, and everybody there hears of it', async () => {
  const { world } = app;
  const school = await world.school();
  const { administrator, id: organizationId } = school;
  const house = await world.group(school, { kind: 'OTHER', name: 'Main house' });
  const sun = await world.group(school, { name: '  Sun ', parentId: house });
  const teacher = await world.teacher(school, sun);
  await using stream = await follow(teacher, 'GroupEvents', { groupId: sun });

  expect((await administrator.run('Group', { id: house })).node).toMatchObject({
    name: 'Main house',
    parentId: null,
    subgroups: { nodes: [{ id: sun, name: 'Sun' }] },
  });
  const renamed = await administrator.does('UpdateGroup', { input: { groupId: sun, name: 'Rainbow' } });
  expect(renamed).toMatchObject({ name: 'Rainbow', kind: 'AGE_GROUP', parentId: house, academicYear: year });
  expect(await stream.next()).toMatchObject({ kind: 'GROUP_UPDATED', group: { name: 'Rainbow' } });
  expect(await administrator.does('UpdateGroup', { input: { groupId: sun, kind: 'OTHER' } })).toMatchObject({
    name: 'Rainbow',
    kind: 'OTHER',
  });
  expect(await stream.next()).toMatchObject({ kind: 'GROUP_UPDATED' });
  expect(await administrator.does('MoveGroup', { groupId: sun, parentId: null })).toMatchObject({ parentId: null });
  expect(await stream.next()).toMatchObject({ kind: 'GROUP_MOVED' });
  expect(await administrator.does('MoveGroup', { groupId: sun, parentId: null })).toMatchObject({ id: sun });

  const { auditLog } = (await administrator.run('AuditLog', { organizationId, first: 50 })).organization;
  const moves = auditLog.nodes.filter(({ action }: Json) => action === 'group.move');
  expect(moves).toMatchObject([{ before: { parentId: house }, after: { parentId: null } }]);
});

test('of twenty crossing moves at the same instant no two make a circle', async () => {
  const { world } = app;
  const school = await world.school();
  const ids = await Promise.all(Array.from({ length: 5 }, () => world.group(school)));
  const pairs = ids.flatMap((groupId) =>
    ids.filter((parentId) => parentId !== groupId).map((parentId) => ({ groupId, parentId })),
  );
  expect(pairs).toHaveLength(20);
  const results = await Promise.all(pairs.map((pair) => school.administrator.does('MoveGroup', pair)));
  expect(new Set(codes(results))).toEqual(new Set(['Group', 'INVALID_INPUT']));
  const parents = new Map((await groupsOf(school.administrator, school)).map(({ id, parentId }) => [id, parentId]));
  for (const id of ids) {
    const upwards = [id];
    for (let at = parents.get(id); at; at = parents.get(at)) {
      expect(upwards).not.toContain(at);
      upwards.push(at);
    }
  }
  const [first] = ids;
  expect(await school.administrator.does('MoveGroup', { groupId: first, parentId: first })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'parentId',
  });
});

test('a tree has eight floors at most, also when a part with parts of its own is moved', async () => {
  const { world } = app;
  const school = await world.school();
  let parentId: string | undefined;
  const floors: string[] = [];
  for (let floor = 1; floor <= 8; floor++) {
    parentId = await world.group(school, { parentId });
    floors.push(parentId);
  }
  const tooDeep = { organizationId: school.id, kind: 'AGE_GROUP', name: 'Ninth', academicYear: year, parentId };
  expect(await school.administrator.does('CreateGroup', { input: tooDeep })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'parentId',
  });
  const whole = await world.group(school);
  await world.group(school, { parentId: whole });
  const under = (floor: number) =>
    school.administrator.does('MoveGroup', { groupId: whole, parentId: floors[floor - 1] });
  expect(await under(7)).toMatchObject({ code: 'INVALID_INPUT', field: 'parentId' });
  expect(await under(6)).toMatchObject({ parentId: floors[5] });
});

test('a group is part of one of its own year, of its own organization, in use, and never of «Staff»', async () => {
  const { world } = app;
  const [school, other] = [await world.school(), await world.school('Kindergarten 8')];
  const { administrator } = school;
  const [past, foreign] = [await world.group(school, { academicYear: '2025/26' }), await world.group(other)];
  const [archived, group] = [await world.group(school), await world.group(school)];
  await administrator.does('ArchiveGroup', { groupId: archived });
  const make = (parentId: string) =>
    administrator.does('CreateGroup', {
      input: { organizationId: school.id, kind: 'CLASS', name: 'New', academicYear: year, parentId },
    });
  for (const place of [make, (parentId: string) => administrator.does('MoveGroup', { groupId: group, parentId })]) {
    expect(await place(past)).toMatchObject({ code: 'INVALID_INPUT', field: 'parentId' });
    expect(await place(school.staffGroupId)).toMatchObject({ code: 'INVALID_INPUT', field: 'parentId' });
    expect(await place(archived)).toMatchObject({ code: 'INVALID_INPUT', field: 'parentId' });
    expect(await place(foreign)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await place(Buffer.from(`Group:${crypto.randomUUID()}`).toString('base64'))).toMatchObject({
      code: 'NOT_FOUND',
    });
  }
  expect(await administrator.does('MoveGroup', { groupId: archived, parentId: null })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'ARCHIVED',
  });
});

test('a name is taken once a year: of twenty who give it at the same instant, one does', async () => {
  const { world } = app;
  const school = await world.school();
  const second = await world.secondAdministrator(school);
  const input = { organizationId: school.id, kind: 'AGE_GROUP', name: 'Sun', academicYear: year };
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? second : school.administrator).does('CreateGroup', { input }),
    ),
  );
  expect(codes(results)).toEqual(['Group', ...Array(19).fill('GROUP_NAME_TAKEN')].toSorted());
  const next = await world.group(school, { name: 'Sun', academicYear: '2027/28' });
  expect(next).toBeTruthy();
  const moon = await world.group(school, { name: 'Moon' });
  expect(await second.does('UpdateGroup', { input: { groupId: moon, name: 'Sun' } })).toMatchObject({
    code: 'GROUP_NAME_TAKEN',
  });
  // What has failed has left nothing: no chats, no audiences without a group.
  const [left] = await inDatabase(
    app,
    (sql) => sql`select
      (select count(*)::int from chats where kind = 'GROUP_GUARDIANS' and group_id not in (select id from groups)) as chats,
      (select count(*)::int from audiences where subject_id not in (select id from groups)) as audiences`,
  );
  expect(left).toEqual({ chats: 0, audiences: 0 });
});

test('a group that was put away gets its name back only while nobody else has it', async () => {
  const { world } = app;
  const school = await world.school();
  const { administrator } = school;
  const old = await world.group(school, { name: 'Sun' });
  await administrator.does('ArchiveGroup', { groupId: old });
  const young = await world.group(school, { name: 'Sun' });
  expect(await administrator.does('RestoreGroup', { groupId: old })).toMatchObject({ code: 'GROUP_NAME_TAKEN' });
  await administrator.does('UpdateGroup', { input: { groupId: young, name: 'Star' } });
  const both = Array.from({ length: 10 }, () => administrator.does('RestoreGroup', { groupId: old }));
  expect(codes(await Promise.all(both))).toEqual(Array(10).fill('Group'));
});

test('a group is put away when children and parts have gone, with its staff, its invites and its chat', async () => {
  const { world } = app;
  const school = await world.school();
  const { administrator, id: organizationId } = school;
  const [group, elsewhere] = [await world.group(school), await world.group(school)];
  const part = await world.group(school, { parentId: group });
  const child = await world.child(school, group);
  const waiting = await world.child(school);
  const teacher = await world.teacher(school, group);
  await world.assign(school, teacher.membershipId, group, 'SPECIALIST');
  const archive = () => administrator.does('ArchiveGroup', { groupId: group });
  expect(await archive()).toMatchObject({ code: 'GROUP_NOT_EMPTY', childCount: 1, subgroupCount: 1 });

  const made = async (input: object) => {
    const { inviteCode, invite } = await administrator.does('CreateInvite', { input: { role: 'GUARDIAN', ...input } });
    return { code: inviteCode, id: invite.id };
  };
  const [follows, dies] = [await made({ childId: child }), await made({ childId: waiting, groupId: group })];
  await administrator.does('TransferChild', { input: { childId: child, groupId: elsewhere } });
  await administrator.does('ArchiveGroup', { groupId: part });

  await using stream = await follow(teacher, 'GroupEvents', { groupId: group });
  await using everything = await follow(administrator, 'OrganizationEvents', { organizationId });
  expect(await archive()).toMatchObject({ state: 'ARCHIVED', archivedAt: expect.any(String) });
  expect(await archive()).toMatchObject({ state: 'ARCHIVED' });
  expect(await stream.nextOf('GroupChanged')).toMatchObject({ kind: 'GROUP_ARCHIVED' });
  expect(await stream.nextOf('AccessEnded')).toMatchObject({ reason: 'MEMBERSHIP_CHANGED' });
  expect(await everything.nextOf('InviteChanged')).toMatchObject({
    kind: 'INVITE_REVOKED',
    invite: { id: dies.id, state: 'REVOKED' },
  });

  // Edge case 2: at once, and not for whom the link leads elsewhere by now.
  const [late, lucky] = [await world.person(), await world.person()];
  expect(await late.does('RedeemInvite', { code: dies.code })).toMatchObject({ code: 'INVITE_REVOKED' });
  expect(await lucky.does('RedeemInvite', { code: follows.code })).toMatchObject({ membership: { state: 'ACTIVE' } });
  expect((await lucky.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ group: { id: elsewhere } }]);

  const { movements } = (await administrator.run('Movements', { organizationId, kind: 'RELEASED' })).organization;
  expect(movements.nodes.map(({ position, fromGroup }: Json) => [position, fromGroup.id]).toSorted()).toEqual([
    ['EDUCATOR', group],
    ['SPECIALIST', group],
  ]);
  expect((await teacher.run('Group', { id: group })).node).toBeNull();
  const chatState = async () => {
    const [chat] = await inDatabase(app, (sql) => sql`select state from chats where group_id = ${rowIdOf(group)}`);
    return chat?.state;
  };
  expect(await chatState()).toBe('READ_ONLY');

  // It comes back empty.
  expect(await administrator.does('RestoreGroup', { groupId: group })).toMatchObject({
    state: 'ACTIVE',
    archivedAt: null,
  });
  expect(await chatState()).toBe('ACTIVE');
  expect((await administrator.run('Group', { id: group })).node).toMatchObject({
    staff: { nodes: [] },
    children: { totalCount: 0 },
    subgroups: { nodes: [] },
  });
  expect(await late.does('RedeemInvite', { code: dies.code })).toMatchObject({ code: 'INVITE_REVOKED' });
});

test('nobody comes into a group while it is put away, whoever is first', async () => {
  const { world } = app;
  const school = await world.school();
  const { administrator } = school;
  const [group, from] = [await world.group(school), await world.group(school)];
  const children = await Promise.all(Array.from({ length: 5 }, () => world.child(school, from)));
  const employee = await world.staff(school);
  const { membershipId } = employee;
  const results = await Promise.all([
    ...children.map((childId) => administrator.does('TransferChild', { input: { childId, groupId: group } })),
    administrator.does('ArchiveGroup', { groupId: group }),
    administrator.does('AssignStaff', { input: { groupId: group, membershipId, position: 'EDUCATOR' } }),
    administrator.does('MoveGroup', { groupId: from, parentId: group }),
  ]);
  expect(results).toHaveLength(8);
  const { node } = await administrator.run('Group', { id: group });
  if (node.state === 'ARCHIVED')
    expect(node).toMatchObject({ children: { totalCount: 0 }, staff: { nodes: [] }, subgroups: { nodes: [] } });
  else expect(codes(results)).toContain('GROUP_NOT_EMPTY');
});

test('a part comes back only after what it is part of', async () => {
  const { world } = app;
  const school = await world.school();
  const whole = await world.group(school);
  const part = await world.group(school, { parentId: whole });
  const does = (name: string, groupId: string) => school.administrator.does(name, { groupId });
  await does('ArchiveGroup', part);
  await does('ArchiveGroup', whole);
  expect(await does('RestoreGroup', part)).toMatchObject({ code: 'INVALID_INPUT', field: 'parentId' });
  await does('RestoreGroup', whole);
  expect(await does('RestoreGroup', part)).toMatchObject({ state: 'ACTIVE', parentId: whole });
});

test('who asks twice with one key gets one group', async () => {
  const { world } = app;
  const school = await world.school();
  const input = {
    organizationId: school.id,
    kind: 'CLASS',
    name: '1A',
    academicYear: year,
    idempotencyKey: 'class-1A',
  };
  const make = (more: object = {}) => school.administrator.does('CreateGroup', { input: { ...input, ...more } });
  const made = await Promise.all(Array.from({ length: 10 }, () => make()));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(await make({ name: '1B' })).toMatchObject({ code: 'INVALID_INPUT', field: 'idempotencyKey' });
  expect(await groupsOf(school.administrator, school, { kind: 'CLASS' })).toHaveLength(1);
});

test('the group «Staff» is nobody’s to change, and nobody works or learns in it', async () => {
  const { world } = app;
  const school = await world.school();
  const { administrator, staffGroupId: groupId } = school;
  const refused = { code: 'INVALID_INPUT', field: 'groupId' };
  const child = await world.child(school);
  const { membershipId } = await world.staff(school);
  const attempts: [string, object][] = [
    ['UpdateGroup', { input: { groupId, name: 'Everybody' } }],
    ['MoveGroup', { groupId, parentId: await world.group(school) }],
    ['ArchiveGroup', { groupId }],
    ['RestoreGroup', { groupId }],
    ['EnrollChild', { input: { childId: child, groupId } }],
    ['AssignStaff', { input: { groupId, membershipId, position: 'EDUCATOR' } }],
  ];
  for (const [name, variables] of attempts) expect(await administrator.does(name, variables)).toMatchObject(refused);
  const staff = { organizationId: school.id, kind: 'STAFF', name: 'Staff 2', academicYear: year };
  expect(await administrator.does('CreateGroup', { input: staff })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await groupsOf(administrator, school, { kind: 'STAFF' })).toMatchObject([{ viewerCanArrange: false }]);
});

test('what a group cannot be called, or a year, is refused with the field', async () => {
  const school = await app.world.school();
  const input = { organizationId: school.id, kind: 'AGE_GROUP', name: 'Sun', academicYear: year };
  const wrong: [string, object][] = [
    ['name', { name: ' ' }],
    ['name', { name: 'a'.repeat(101) }],
    ['name', { name: 'Sun\nMoon' }],
    ['academicYear', { academicYear: '2026/28' }],
    ['academicYear', { academicYear: '2026' }],
    ['academicYear', { academicYear: '1999/00' }],
  ];
  for (const [field, change] of wrong)
    expect(await school.administrator.does('CreateGroup', { input: { ...input, ...change } })).toMatchObject({
      code: 'INVALID_INPUT',
      field,
    });
});

test('who may not arrange groups is told so where they see the group, and where they do not, that there is none', async () => {
  const { world } = app;
  const [school, other] = [await world.school(), await world.school('Kindergarten 8')];
  const group = await world.group(school);
  const [teacher, head] = [await world.teacher(school, group), await world.head(school)];
  const guardian = await world.guardian(school, await world.child(school, group));
  const [colleague, unverified] = [await world.staff(school), await world.member(school, 'EMPLOYEE')];
  await world.assign(school, unverified.membershipId, group);
  const input = { groupId: group, name: 'Mine' };
  for (const person of [teacher, head, guardian])
    expect(await person.does('UpdateGroup', { input })).toMatchObject({ code: 'FORBIDDEN' });
  for (const person of [colleague, unverified, other.administrator, await world.person(), await world.operator()]) {
    expect(await person.does('UpdateGroup', { input })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await person.does('MoveGroup', { groupId: group, parentId: null })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await person.does('ArchiveGroup', { groupId: group })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await person.does('RestoreGroup', { groupId: group })).toMatchObject({ code: 'NOT_FOUND' });
    expect((await person.run('Group', { id: group })).node ?? null).toBeNull();
    await using stream = person.subscribe('GroupEvents', { groupId: group });
    await stream.done;
    expect(stream.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  }
});

test('a family sees the group of its child and nothing of the structure around it', async () => {
  const { world } = app;
  const school = await world.school('School 12', 'SCHOOL');
  await school.administrator.does('UpdateOrganization', {
    input: { organizationId: school.id, studentsAllowed: true },
  });
  const whole = await world.group(school, { kind: 'OTHER' });
  const group = await world.group(school, { kind: 'CLASS', parentId: whole });
  const part = await world.group(school, { kind: 'CLASS', parentId: group });
  await world.group(school);
  const child = await world.child(school, group);
  const guardian = await world.guardian(school, child);
  const { inviteCode } = await school.administrator.does('CreateInvite', {
    input: { role: 'STUDENT', childId: child },
  });
  const student = await world.person('Student');
  await student.does('RedeemInvite', { code: inviteCode });
  for (const person of [guardian, student]) {
    expect(await groupsOf(person, school)).toMatchObject([
      {
        id: group,
        parentId: null,
        childCount: null,
        staffCount: null,
        viewerCanLookInto: false,
        viewerCanArrange: false,
      },
    ]);
    expect((await person.run('Group', { id: group })).node).toMatchObject({
      parent: null,
      subgroups: null,
      children: null,
    });
    for (const id of [whole, part]) expect((await person.run('Group', { id })).node).toBeNull();
    // Neither does a filter tell that it is part of something.
    const { data } = await person.send(topOnly, { id: school.id });
    expect(data.organization.groups).toEqual({ totalCount: 1, nodes: [{ id: group }] });
  }
});

test('who works in a part only does not learn of what it is part of', async () => {
  const { world } = app;
  const school = await world.school();
  const whole = await world.group(school);
  const part = await world.group(school, { parentId: whole });
  const teacher = await world.teacher(school, part);
  expect((await teacher.run('Group', { id: part })).node).toMatchObject({ parent: null, parentId: null });
  const { data } = await teacher.send(topOnly, { id: school.id });
  expect(data.organization.groups.nodes).toContainEqual({ id: part });
  await world.assign(school, teacher.membershipId, whole);
  expect((await teacher.run('Group', { id: part })).node).toMatchObject({ parent: { id: whole }, parentId: whole });
  expect((await teacher.send(topOnly, { id: school.id })).data.organization.groups.nodes).not.toContainEqual({
    id: part,
  });
  // The head has the whole tree, an administrator too.
  const head = await world.head(school);
  const tops = (await head.send(topOnly, { id: school.id })).data.organization.groups.nodes;
  expect(tops).toHaveLength(2);
  expect(tops).toContainEqual({ id: whole });
});

test('staff whose status is not confirmed have no list of groups, confirmed staff theirs and «Staff»', async () => {
  const { world } = app;
  const school = await world.school();
  const [group] = [await world.group(school), await world.group(school)];
  const [teacher, unverified] = [await world.teacher(school, group), await world.member(school, 'EMPLOYEE')];
  await world.assign(school, unverified.membershipId, group);
  expect((await teacher.run('Groups', { organizationId: school.id })).organization.groups.nodes).toMatchObject([
    { id: group, childCount: 0, staffCount: 2, viewerCanLookInto: true, viewerCanInvite: ['GUARDIAN'] },
    { id: school.staffGroupId, viewerCanInvite: [] },
  ]);
  expect((await unverified.run('Groups', { organizationId: school.id })).organization.groups).toBeNull();
  expect((await unverified.run('Nodes', { ids: [group, school.staffGroupId] })).nodes).toEqual([null, null]);
});

test('a year that no year can be, or a name that no text can be, finds nothing and breaks nothing', async () => {
  const { world } = app;
  const school = await world.school();
  const { administrator, id } = school;
  const ask = (field: string) => administrator.send(`query ($id: ID!) { organization(id: $id) { ${field} } }`, { id });
  for (const field of [
    'groups(academicYear: "2026\\u0000") { totalCount }',
    'children(search: "a\\u0000b") { totalCount }',
  ]) {
    const { errors } = await ask(field);
    expect(errors ?? []).not.toContainEqual(expect.objectContaining({ extensions: { code: 'INTERNAL' } }));
  }
});
