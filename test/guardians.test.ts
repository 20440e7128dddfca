import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, Stream } from './support/client.ts';
import { EventSource } from './support/event-source.ts';
import { inDatabase } from './support/sql.ts';
import type { Person } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** Follows from now on, however long the socket takes to open. */
async function follow(person: Person, name: string, variables: object = {}): Promise<Stream> {
  const { cursor } = (await person.run('Viewer')).viewer;
  return person.subscribe(name, { ...variables, after: cursor }).begun();
}

async function invite(by: Person, childId: string, input: object = {}): Promise<Json> {
  return by.does('CreateInvite', { input: { role: 'GUARDIAN', childId, ...input } });
}

/** How somebody sees a child and its family; null: not at all. */
const childFor = async (person: Person, id: string): Promise<Json> => (await person.run('Child', { id })).node;
const namesOf = (child: Json): string[] => child.guardians.nodes.map(({ id }: Json) => id).toSorted();
const childrenOf = async (person: Person): Promise<string[]> =>
  (await person.run('ViewerChildren')).viewer.children.nodes.map(({ id }: Json) => id);
const visible = async (person: Person, ids: string[]): Promise<Json[]> => (await person.run('Nodes', { ids })).nodes;

/** A school with a group, a child in it and whoever works there. */
async function family(kind = 'KINDERGARTEN') {
  const { world } = app;
  const school = await world.school('Kindergarten 7', kind);
  const group = await world.group(school);
  const child = await world.child(school, group);
  return { world, school, group, child, administrator: school.administrator };
}

test('a guardian comes for a child, invited by its teacher, the head or an administrator, and by nobody else', async () => {
  const { world, school, group, child, administrator } = await family();
  const [teacher, head] = [await world.teacher(school, group), await world.head(school)];
  for (const person of [teacher, head, administrator]) {
    const made = await invite(person, child);
    expect(made).toMatchObject({ invite: { role: 'GUARDIAN', group: { id: group }, child: { id: child } } });
    const guardian = await world.person('Guardian');
    expect(await guardian.does('RedeemInvite', { code: made.inviteCode })).toMatchObject({
      membership: { role: 'GUARDIAN', state: 'ACTIVE' },
    });
    expect(await childrenOf(guardian)).toEqual([child]);
  }
  const guardian = await world.guardian(school, child);
  expect(await invite(guardian, child)).toMatchObject({ code: 'FORBIDDEN' });
  const elsewhere = await world.teacher(school, await world.group(school));
  const unverified = await world.member(school, 'EMPLOYEE');
  await world.assign(school, unverified.membershipId, group);
  const otherSchool = await world.school('Kindergarten 8');
  for (const person of [elsewhere, unverified, otherSchool.administrator, await world.operator(), await world.person()])
    expect(await invite(person, child)).toMatchObject({ code: 'NOT_FOUND' });
  // A teacher invites guardians only, and a guardian comes for a child only.
  expect(await invite(teacher, child, { role: 'STUDENT' })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await teacher.does('CreateInvite', { input: { role: 'GUARDIAN', groupId: group } })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'childId',
  });
  expect(await invite(administrator, child, { role: 'EMPLOYEE' })).toMatchObject({ code: 'INVALID_INPUT' });
});

test('a child and a group do not go together unless the child is there', async () => {
  const { world, school, child, administrator } = await family();
  const [other, foreignSchool] = [await world.group(school), await world.school('Kindergarten 8')];
  const foreign = await world.group(foreignSchool);
  const waiting = await world.child(school);
  expect(await invite(administrator, child, { groupId: other })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'groupId',
  });
  expect(await invite(administrator, waiting)).toMatchObject({ code: 'INVALID_INPUT', field: 'groupId' });
  expect(await invite(administrator, waiting, { groupId: foreign })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await invite(administrator, waiting, { groupId: school.staffGroupId })).toMatchObject({
    code: 'INVALID_INPUT',
  });
  const foreignChild = await world.child(foreignSchool, foreign);
  expect(await invite(administrator, foreignChild, { groupId: other })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await invite(administrator, waiting, { groupId: other })).toMatchObject({ invite: { group: { id: other } } });
});

test('a teacher’s invite dies when the group is theirs no longer, or the child is elsewhere (edge case 2)', async () => {
  const { world, school, group, child, administrator } = await family();
  const [leaving, staying] = [await world.teacher(school, group), await world.teacher(school, group)];
  const [first, second] = [await invite(leaving, child), await invite(staying, child)];
  await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: leaving.assignmentId } });
  const guardian = await world.person('Guardian');
  const redeem = (made: Json) => guardian.does('RedeemInvite', { code: made.inviteCode });
  const preview = (made: Json) => world.anonymous().does('InvitePreview', { code: made.inviteCode });
  expect(await redeem(first)).toMatchObject({ code: 'INVITE_REVOKED' });
  expect(await preview(first)).toBeNull();
  expect(await preview(second)).toMatchObject({ role: 'GUARDIAN' });
  const next = await world.group(school);
  await administrator.does('TransferChild', { input: { childId: child, groupId: next } });
  expect(await redeem(second)).toMatchObject({ code: 'INVITE_REVOKED' });
  // It lives again where the child is theirs again: the right is asked for at redemption.
  await world.assign(school, staying.membershipId, next);
  expect(await redeem(second)).toMatchObject({ membership: { role: 'GUARDIAN' } });
  expect(await redeem(second)).toMatchObject({ membership: { role: 'GUARDIAN' } });
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ group: { id: next } }]);
});

test('a guardian who is there comes for a second child, once, with one membership', async () => {
  const { world, school, group, child, administrator } = await family();
  const guardian = await world.guardian(school, child);
  const second = await world.child(school, await world.group(school));
  const [made, again] = [await invite(administrator, second), await invite(administrator, second)];
  const redeemed = await Promise.all(
    Array.from({ length: 10 }, () => guardian.does('RedeemInvite', { code: made.inviteCode })),
  );
  expect(new Set(redeemed.map(({ membership }) => membership.id))).toEqual(new Set([guardian.membershipId]));
  expect((await childrenOf(guardian)).toSorted()).toEqual([child, second].toSorted());
  expect(await guardian.does('RedeemInvite', { code: again.inviteCode })).toMatchObject({ code: 'ALREADY_MEMBER' });
  expect(namesOf(await childFor(administrator, second))).toHaveLength(1);
  expect(await visible(guardian, [group])).toMatchObject([{ id: group }]);
  await administrator.does('SuspendMembership', { membershipId: guardian.membershipId, reason: 'For now.' });
  const third = await invite(administrator, await world.child(school, group));
  expect(await guardian.does('RedeemInvite', { code: third.inviteCode })).toMatchObject({ code: 'ALREADY_MEMBER' });
});

test('a LIMITED guardian is in nothing that the child’s other guardian sees, and in all that staff see (edge case 11)', async () => {
  const { world, school, group, child, administrator } = await family();
  const teacher = await world.teacher(school, group);
  const [mother, father] = [await world.guardian(school, child), await world.guardian(school, child)];
  const both = [mother.linkId, father.linkId].toSorted();
  expect(namesOf(await childFor(mother, child))).toEqual(both);
  // They see each other’s names, and nothing by which to reach each other.
  for (const { id, contact, user } of (await childFor(mother, child)).guardians.nodes) {
    expect(user.displayName).toBe('Guardian Test');
    expect(contact === null).toBe(id !== mother.linkId);
  }
  await using hears = await follow(mother, 'ViewerEvents');
  await using inGroup = await follow(mother, 'GroupEvents', { groupId: group });
  await using staffHear = await follow(teacher, 'GroupEvents', { groupId: group });
  const hide = (person: Person, guardianLinkId: string, contactVisibility = 'LIMITED') =>
    person.does('SetGuardianContactVisibility', { guardianLinkId, contactVisibility });

  expect(await hide(mother, father.linkId)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await hide(teacher, father.linkId)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await hide(father, father.linkId)).toMatchObject({ contactVisibility: 'LIMITED' });
  expect(await staffHear.nextOf('GuardianLinkChanged')).toMatchObject({ guardianLink: { id: father.linkId } });

  expect(namesOf(await childFor(mother, child))).toEqual([mother.linkId]);
  const { data } = await mother.send(
    `query ($child: ID!, $link: ID!) {
       node(id: $child) { ... on Child { guardians(includeRevoked: true) { totalCount edges { node { id } } } } }
       link: node(id: $link) { id }
       viewer { children { nodes { guardians { totalCount } } } }
     }`,
    { child, link: father.linkId },
  );
  expect(data).toMatchObject({
    node: { guardians: { totalCount: 1 } },
    link: null,
    viewer: { children: { nodes: [{ guardians: { totalCount: 1 } }] } },
  });
  expect(await hide(mother, father.linkId, 'FULL')).toMatchObject({ code: 'NOT_FOUND' });
  expect(await mother.does('RevokeGuardianLink', { guardianLinkId: father.linkId, reason: 'No.' })).toMatchObject({
    code: 'NOT_FOUND',
  });
  for (const person of [teacher, administrator, await world.head(school)])
    expect(namesOf(await childFor(person, child))).toEqual(both);
  // The hidden one still sees the other.
  expect(namesOf(await childFor(father, child))).toEqual(both);

  // Nor does she hear of anything he does.
  await administrator.does('RevokeGuardianLink', { guardianLinkId: father.linkId, reason: 'Court order.' });
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'Rainbow' } });
  expect(await hears.next()).toMatchObject({ kind: 'GROUP_UPDATED' });
  expect(await inGroup.next()).toMatchObject({ kind: 'GROUP_UPDATED' });
  expect(JSON.stringify([hears.delivered, inGroup.delivered])).not.toContain(father.linkId);
  expect(await hide(administrator, father.linkId, 'FULL')).toMatchObject({ code: 'INVALID_STATE' });
});

test('when a link is revoked everything it reached ends at once, over WebSocket and over SSE', async () => {
  const { world, school, group, child, administrator } = await family();
  const guardian = await world.guardian(school, child);
  const stranger = await world.guardian(school, await world.child(school, group));
  const after = (await guardian.run('Viewer')).viewer.cursor;
  await using socket = guardian.subscribe('GroupEvents', { groupId: group, after });
  await using organization = await guardian
    .subscribe('OrganizationEvents', { organizationId: school.id, after })
    .begun();
  await using source = new EventSource([app.url], guardian, 'GroupEvents', { groupId: group, after });
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'Before' } });
  expect(await socket.next()).toMatchObject({ kind: 'GROUP_UPDATED' });
  await expect.poll(() => source.delivered.length).toBe(1);
  const revoke = { guardianLinkId: guardian.linkId, reason: 'Deprived of parental rights.' };
  for (const person of [guardian, stranger])
    expect(await person.does('RevokeGuardianLink', revoke)).toMatchObject({
      code: person === guardian ? 'FORBIDDEN' : 'NOT_FOUND',
    });
  expect(await administrator.does('RevokeGuardianLink', { ...revoke, reason: ' ' })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'reason',
  });
  expect(await administrator.does('RevokeGuardianLink', revoke)).toMatchObject({ state: 'REVOKED' });
  expect(await administrator.does('RevokeGuardianLink', revoke)).toMatchObject({ state: 'REVOKED' });
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'After' } });
  await Promise.all([socket.done, organization.done, expect.poll(() => source.completed).toBe(true)]);
  for (const delivered of [socket.delivered, organization.delivered, source.delivered]) {
    expect(delivered.at(-1)).toMatchObject({ __typename: 'AccessEnded', reason: 'MEMBERSHIP_CHANGED' });
    expect(delivered.filter(({ kind }: Json) => kind === 'GROUP_UPDATED')).toHaveLength(
      delivered === organization.delivered ? delivered.length - 1 : 1,
    );
  }
  expect(await visible(guardian, [group, child, guardian.linkId, school.id])).toEqual([null, null, null, null]);
  expect(await childrenOf(guardian)).toEqual([]);
  // Nothing is left to lead back in: neither the old link nor the old events.
  await using again = guardian.subscribe('GroupEvents', { groupId: group, after });
  await again.done;
  expect(again.delivered).toEqual([]);
});

test('a family that moves hears the old group no longer and the new one from then on, over both transports (edge case 6)', async () => {
  const { world, school, group, child, administrator } = await family();
  const next = await world.group(school);
  const guardian = await world.guardian(school, child);
  const after = (await guardian.run('Viewer')).viewer.cursor;
  await using old = new EventSource([app.url], guardian, 'GroupEvents', { groupId: group, after });
  await using everything = new EventSource([app.url], guardian, 'ViewerEvents', { after });
  await using socket = guardian.subscribe('ViewerEvents', { after });
  await expect.poll(() => [old.opened, everything.opened]).toEqual([1, 1]);
  const rename = (groupId: string, name: string) => administrator.does('UpdateGroup', { input: { groupId, name } });
  await rename(next, 'Not yet theirs');
  await rename(group, 'Theirs');
  await administrator.does('TransferChild', { input: { childId: child, groupId: next } });
  await rename(group, 'Theirs no longer');
  await rename(next, 'Theirs now');
  await expect.poll(() => old.completed).toBe(true);
  expect(old.delivered.map(({ kind, __typename }) => kind ?? __typename)).toEqual(['GROUP_UPDATED', 'AccessEnded']);
  const kinds = (list: Json[]) => list.map(({ kind }) => kind);
  const heard = ['GROUP_UPDATED', 'CHILD_TRANSFERRED', 'GROUP_UPDATED'];
  await expect.poll(() => kinds(everything.delivered)).toEqual(heard);
  expect(kinds(await socket.count(3))).toEqual(heard);
  expect(JSON.stringify([everything.delivered, socket.delivered, old.delivered])).not.toContain('no longer');
  await using now = new EventSource([app.url], guardian, 'GroupEvents', { groupId: next });
  await expect.poll(() => now.opened).toBe(1);
  const hears = async () => rename(next, `Star ${crypto.randomUUID()}`).then(() => now.delivered.length);
  await expect.poll(hears).toBeGreaterThan(0);
});

test('with two children in one group nothing ends when one leaves, over both transports (edge case 7)', async () => {
  const { world, school, group, child, administrator } = await family();
  const second = await world.child(school, group);
  const guardian = await world.guardian(school, child);
  await world.guardian(school, second, guardian);
  const after = (await guardian.run('Viewer')).viewer.cursor;
  await using socket = await guardian.subscribe('GroupEvents', { groupId: group, after }).begun();
  await using source = new EventSource([app.url], guardian, 'GroupEvents', { groupId: group, after });
  await expect.poll(() => source.opened).toBe(1);
  await administrator.does('TransferChild', { input: { childId: child, groupId: await world.group(school) } });
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'Still theirs' } });
  expect(await socket.next()).toMatchObject({ group: { name: 'Still theirs' } });
  await expect.poll(() => source.delivered).toMatchObject([{ group: { name: 'Still theirs' } }]);
  await administrator.does('GraduateChild', { input: { childId: second } });
  expect(await socket.next()).toMatchObject({ __typename: 'AccessEnded' });
  await expect.poll(() => source.completed).toBe(true);
  expect((await childrenOf(guardian)).length).toBe(1);
});

test('who is staff and a guardian at once is there in both capacities, and loses one without the other (edge case 8)', async () => {
  const { world, school, group, child, administrator } = await family();
  const person = await world.teacher(school, group);
  const employee = person.membershipId;
  const { linkId } = await world.guardian(school, child, person);
  const capacities = () =>
    inDatabase(
      app,
      (sql) => sql`
      select a.kind::text as kind, array_agg(m.capacity order by m.capacity) as capacities
      from audience_members m join audiences a on a.id = m.audience_id join users u on u.id = m.user_id
      where u.phone = ${person.phone} and m.until is null and a.kind::text like 'GROUP%' group by a.kind`,
    ).then((found) => Object.fromEntries(found.map(({ kind, capacities }) => [kind, capacities])));
  expect(await capacities()).toEqual({
    GROUP: ['EMPLOYEE', 'GUARDIAN'],
    GROUP_STAFF: ['EMPLOYEE'],
    GROUP_GUARDIANS: ['EMPLOYEE', 'GUARDIAN'],
  });
  await using stream = await follow(person, 'GroupEvents', { groupId: group });
  await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: person.assignmentId } });
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'A guardian’s' } });
  expect(await stream.nextOf('GroupChanged')).toMatchObject({ group: { name: 'A guardian’s' } });
  expect(await capacities()).toEqual({ GROUP: ['GUARDIAN'], GROUP_GUARDIANS: ['GUARDIAN'] });
  expect((await person.run('Group', { id: group })).node).toMatchObject({ id: group, children: null });
  await world.assign(school, employee, group);
  await administrator.does('RevokeGuardianLink', { guardianLinkId: linkId, reason: 'A mistake.' });
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'A teacher’s' } });
  expect(await stream.nextOf('GroupChanged')).toMatchObject({ group: { name: 'A teacher’s' } });
  expect(await capacities()).toEqual({ GROUP: ['EMPLOYEE'], GROUP_STAFF: ['EMPLOYEE'], GROUP_GUARDIANS: ['EMPLOYEE'] });
  expect(await childrenOf(person)).toEqual([]);
  expect(await childFor(person, child)).toMatchObject({ id: child });
});

test('a family sees no other child, family, movement or number of the group, by whatever way it asks', async () => {
  const { world, school, group, child, administrator } = await family();
  const [guardian, other] = [await world.guardian(school, child), await world.child(school, group)];
  const stranger = await world.guardian(school, other);
  const organizationId = school.id;
  const { movements } = (await administrator.run('Movements', { organizationId })).organization;
  const ofOther = movements.nodes.find((move: Json) => move.child.id === other);
  const ofOwn = movements.nodes.find((move: Json) => move.child.id === child);
  const planned = await administrator.does('TransferChild', {
    input: { childId: other, groupId: await world.group(school), effectiveOn: dayFromNow(5) },
  });
  const hidden = [other, stranger.linkId, stranger.membershipId, ofOther.id, planned.plannedMovement.id];
  expect(await visible(guardian, hidden)).toEqual(hidden.map(() => null));
  expect(await visible(guardian, [ofOwn.id])).toMatchObject([{ id: ofOwn.id }]);
  const { data } = await guardian.send(
    `query ($id: ID!, $group: ID!) {
       organization(id: $id) {
         children { totalCount } movements { totalCount } plannedMovements { totalCount } members { totalCount }
         invites { totalCount } groups { totalCount nodes { children { totalCount } childCount staffCount } }
       }
       node(id: $group) { ... on Group { children { totalCount } subgroups { totalCount } childCount } }
     }`,
    { id: organizationId, group },
  );
  expect(data).toEqual({
    organization: {
      children: null,
      movements: null,
      plannedMovements: null,
      members: null,
      invites: null,
      groups: { totalCount: 1, nodes: [{ children: null, childCount: null, staffCount: null }] },
    },
    node: { children: null, subgroups: null, childCount: null },
  });
  const attempts: [string, object][] = [
    ['UpdateChild', { input: { childId: other, familyName: 'X' } }],
    ['WithdrawChild', { input: { childId: other } }],
    ['RevokeGuardianLink', { guardianLinkId: stranger.linkId, reason: 'X' }],
    ['SetGuardianContactVisibility', { guardianLinkId: stranger.linkId, contactVisibility: 'LIMITED' }],
    ['CancelPlannedMovement', { plannedMovementId: planned.plannedMovement.id }],
    ['SuspendMembership', { membershipId: stranger.membershipId, reason: 'X' }],
  ];
  for (const [name, variables] of attempts)
    expect(await guardian.does(name, variables)).toMatchObject({ code: 'NOT_FOUND' });
  // Their own child is seen, and not to be arranged by them.
  for (const name of ['UpdateChild', 'WithdrawChild'])
    expect(
      await guardian.does(name, { input: { childId: child, familyName: 'X' } }).catch(() => ({ code: 'FORBIDDEN' })),
    ).toMatchObject({ code: 'FORBIDDEN' });
});

test('a group’s families hear of its children’s comings and goings only where it is their own', async () => {
  const { world, school, group, child, administrator } = await family();
  const [guardian, teacher] = [await world.guardian(school, child), await world.teacher(school, group)];
  await using hears = await follow(guardian, 'GroupEvents', { groupId: group });
  await using all = await follow(guardian, 'ViewerEvents');
  await using staffHear = await follow(teacher, 'GroupEvents', { groupId: group });
  const newcomer = await world.child(school, group, 'Newcomer');
  await world.guardian(school, newcomer);
  await administrator.does('WithdrawChild', { input: { childId: newcomer } });
  await administrator.does('UpdateChild', { input: { childId: child, patronymic: 'Petrovich' } });
  await administrator.does('UpdateGroup', { input: { groupId: group, name: 'Over' } });
  expect(await hears.next()).toMatchObject({ kind: 'GROUP_UPDATED' });
  expect(await all.next()).toMatchObject({ kind: 'CHILD_UPDATED', child: { id: child } });
  expect(await all.next()).toMatchObject({ kind: 'GROUP_UPDATED' });
  await staffHear.nextOf('GroupChanged');
  expect(staffHear.delivered.map(({ kind }: Json) => kind)).toEqual([
    'CHILD_ENROLLED',
    'GUARDIAN_LINKED',
    'CHILD_WITHDRAWN',
    'CHILD_UPDATED',
    'GROUP_UPDATED',
  ]);
  expect(JSON.stringify([hears.delivered, all.delivered])).not.toContain('Newcomer');
});

test('a teacher who reads on from before sees nothing of a child that has left the group since', async () => {
  const { world, school, group, administrator } = await family();
  const teacher = await world.teacher(school, group);
  const { cursor } = (await teacher.run('Viewer')).viewer;
  const child = await world.child(school, group, 'Gone');
  await world.guardian(school, child);
  await administrator.does('TransferChild', { input: { childId: child, groupId: await world.group(school) } });
  await using stream = teacher.subscribe('GroupEvents', { groupId: group, after: cursor });
  const seen = [await stream.next(), await stream.next(), await stream.next()];
  expect(seen).toMatchObject([
    { kind: 'CHILD_ENROLLED', child: null },
    { kind: 'GUARDIAN_LINKED', guardianLink: null },
    { kind: 'CHILD_TRANSFERRED', child: null },
  ]);
});

test('a student sees the own record and who stands for it, and no classmate’s', async () => {
  const { world, school, group, child, administrator } = await family('SCHOOL');
  await administrator.does('UpdateOrganization', { input: { organizationId: school.id, studentsAllowed: true } });
  const [mother, hidden] = [await world.guardian(school, child), await world.guardian(school, child)];
  await hidden.does('SetGuardianContactVisibility', { guardianLinkId: hidden.linkId, contactVisibility: 'LIMITED' });
  const classmate = await world.child(school, group);
  const student = await world.person('Student');
  const made = await invite(administrator, child, { role: 'STUDENT' });
  expect(await student.does('RedeemInvite', { code: made.inviteCode })).toMatchObject({
    membership: { role: 'STUDENT' },
  });
  expect(await childFor(student, child)).toMatchObject({
    id: child,
    group: { id: group },
    viewerCanArrange: false,
    externalId: null,
    guardians: { nodes: [{ id: mother.linkId, contact: null }] },
  });
  expect(await childFor(student, classmate)).toBeNull();
  expect(await childrenOf(student)).toEqual([]);
  expect(await invite(student, child)).toMatchObject({ code: 'FORBIDDEN' });
  const [stream] = [await follow(student, 'GroupEvents', { groupId: group })];
  await administrator.does('GraduateChild', { input: { childId: child } });
  expect(await stream.nextOf('AccessEnded')).toMatchObject({ reason: 'MEMBERSHIP_CHANGED' });
  expect(await childFor(student, child)).toBeNull();
});

test('a record is one student’s, and a student has one record', async () => {
  const { world, school, group, child, administrator } = await family('SCHOOL');
  await administrator.does('UpdateOrganization', { input: { organizationId: school.id, studentsAllowed: true } });
  const student = await world.person('Student');
  const redeem = async (person: Person, childId: string) => {
    const made = await invite(administrator, childId, { role: 'STUDENT' });
    return person.does('RedeemInvite', { code: made.inviteCode });
  };
  expect(await redeem(student, child)).toMatchObject({ membership: { role: 'STUDENT' } });
  expect(await redeem(await world.person('Impostor'), child)).toMatchObject({ code: 'INVALID_STATE' });
  expect(await redeem(student, await world.child(school, group))).toMatchObject({ code: 'INVALID_STATE' });
  expect(await redeem(student, child)).toMatchObject({ code: 'ALREADY_MEMBER' });
  expect(await invite(administrator, child, { role: 'STUDENT', maxUses: 2 })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'maxUses',
  });
  // Who has gone makes room for who comes.
  await student.does('LeaveOrganization', { organizationId: school.id });
  expect(await redeem(await world.person('Successor'), child)).toMatchObject({ membership: { role: 'STUDENT' } });
});

test('whoever is let in for a child by approval is its guardian from then on', async () => {
  const { world, group, child, administrator } = await family();
  const made = await invite(administrator, child, { requiresApproval: true });
  const guardian = await world.person('Guardian');
  const { joinRequest } = await guardian.does('RedeemInvite', { code: made.inviteCode });
  expect(await childrenOf(guardian)).toEqual([]);
  expect(await childFor(guardian, child)).toBeNull();
  await administrator.does('ApproveJoinRequest', { joinRequestId: joinRequest.id });
  expect(await childrenOf(guardian)).toEqual([child]);
  expect(await visible(guardian, [group])).toMatchObject([{ id: group }]);
});

test('a request that waits for one child is not answered by coming for another', async () => {
  const { world, school, group, child, administrator } = await family();
  const second = await world.child(school, group);
  const waiting = await invite(administrator, child, { requiresApproval: true });
  const guardian = await world.person('Guardian');
  const { joinRequest } = await guardian.does('RedeemInvite', { code: waiting.inviteCode });
  await world.guardian(school, second, guardian);
  await administrator.does('ApproveJoinRequest', { joinRequestId: joinRequest.id });
  expect((await childrenOf(guardian)).toSorted()).toEqual([child, second].toSorted());
});

test('an invite for a child that has left lets nobody in', async () => {
  const { world, child, administrator } = await family();
  const made = await invite(administrator, child);
  await administrator.does('WithdrawChild', { input: { childId: child } });
  const late = await world.person('Late');
  expect(await late.does('RedeemInvite', { code: made.inviteCode })).toMatchObject({ code: 'INVITE_REVOKED' });
  expect(await late.does('InvitePreview', { code: made.inviteCode })).toBeNull();
});

test('only whom they concern reach a guardian by phone: leaders and the staff of the group, while the child is there', async () => {
  const { world, school, group, child, administrator } = await family();
  const guardian = await world.guardian(school, child);
  const [teacher, head] = [await world.staff(school), await world.head(school)];
  await world.assign(school, teacher.membershipId, group);
  const [elsewhere, unverified] = [
    await world.teacher(school, await world.group(school)),
    await world.member(school, 'EMPLOYEE'),
  ];
  await world.assign(school, unverified.membershipId, group);
  const reach = async (person: Person) =>
    (await childFor(person, child))?.guardians.nodes.map(({ contact }: Json) => contact?.phone ?? null) ?? null;
  for (const person of [teacher, head, administrator, guardian]) expect(await reach(person)).toEqual([guardian.phone]);
  for (const person of [elsewhere, unverified, await world.operator()]) expect(await reach(person)).toBeNull();
  await administrator.does('RevokeVerification', { verificationId: teacher.verificationId, reason: 'Forged.' });
  expect(await reach(teacher)).toBeNull();
  await administrator.does('WithdrawChild', { input: { childId: child } });
  expect(await reach(head)).toEqual([guardian.phone]);
  expect(await reach(guardian)).toBeNull();
  expect(await visible(guardian, [guardian.linkId])).toEqual([null]);
});

test('a guardian who is suspended, or leaves, or is removed, reaches nothing; only the first comes back as they were', async () => {
  const { world, school, group, child, administrator } = await family();
  const [first, second, third] = [
    await world.guardian(school, child),
    await world.guardian(school, child),
    await world.guardian(school, child),
  ];
  const nothing = async (person: Person) => expect(await visible(person, [group, child])).toEqual([null, null]);
  await administrator.does('SuspendMembership', { membershipId: first.membershipId, reason: 'For now.' });
  await second.does('LeaveOrganization', { organizationId: school.id });
  await administrator.does('EndMembership', { membershipId: third.membershipId, reason: 'Moved away.' });
  for (const person of [first, second, third]) await nothing(person);
  await administrator.does('RestoreMembership', { membershipId: first.membershipId });
  expect(await childrenOf(first)).toEqual([child]);
  // The child goes and comes back: so do its guardians, and nobody who had gone before.
  await administrator.does('WithdrawChild', { input: { childId: child } });
  await nothing(first);
  await administrator.does('EnrollChild', { input: { childId: child, groupId: group } });
  expect(await childrenOf(first)).toEqual([child]);
  for (const person of [second, third]) await nothing(person);
});

test('a closed school is closed to its families, and open again as it was', async () => {
  const { world, school, group, child } = await family();
  const guardian = await world.guardian(school, child);
  await using stream = await follow(guardian, 'GroupEvents', { groupId: group });
  const operator = await world.operator();
  await operator.does('SuspendOrganization', { organizationId: school.id, reason: 'Unpaid.' });
  expect(await stream.next()).toMatchObject({ __typename: 'AccessEnded', reason: 'ORGANIZATION_SUSPENDED' });
  expect(await visible(guardian, [group, child, guardian.linkId])).toEqual([null, null, null]);
  expect(await childrenOf(guardian)).toEqual([]);
  await operator.does('RestoreOrganization', { organizationId: school.id });
  expect(await childrenOf(guardian)).toEqual([child]);
});

const dayFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
