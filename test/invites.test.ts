import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { inDatabase } from './support/sql.ts';

const codes = (results: { code?: string; __typename: string }[]) =>
  results.map((result) => result.code ?? result.__typename);

test('of twenty people who use the last place of an invite at the same instant, exactly one wins', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const invite = await app.world.invite(school);
  const people = await Promise.all(Array.from({ length: 20 }, () => app.world.person()));
  const results = await Promise.all(people.map((person) => person.does('RedeemInvite', { code: invite.code })));
  expect(codes(results).sort()).toEqual([...Array(19).fill('INVITE_EXHAUSTED'), 'RedeemInvitePayload']);
  const { members } = (await school.administrator.run('Members', { organizationId: school.id })).organization;
  expect(members.totalCount).toBe(2);
});

test('the same person who redeems twenty times at once gets one membership and takes one use', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const invite = await app.world.invite(school, { maxUses: 5 });
  const person = await app.world.person();
  const results = await Promise.all(
    Array.from({ length: 20 }, () => person.does('RedeemInvite', { code: invite.code })),
  );
  expect(new Set(results.map(({ membership }) => membership.id)).size).toBe(1);
  const { invites } = (await school.administrator.run('Invites', { organizationId: school.id })).organization;
  expect(invites.nodes).toMatchObject([{ useCount: 1, state: 'ACTIVE', redemptions: { totalCount: 1 } }]);
});

test('an invite for many makes each of them a member of their own', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const invite = await app.world.invite(school, { maxUses: 5 });
  const people = await Promise.all(Array.from({ length: 5 }, () => app.world.person()));
  const results = await Promise.all(people.map((person) => person.does('RedeemInvite', { code: invite.code })));
  expect(new Set(results.map(({ membership }) => membership.id)).size).toBe(5);
  const { invites } = (await school.administrator.run('Invites', { organizationId: school.id })).organization;
  expect(invites.nodes).toMatchObject([{ useCount: 5, state: 'EXHAUSTED', redemptions: { totalCount: 5 } }]);
});

test('an invite dies with its creator’s right to invite', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const made = await second.does('CreateInvite', { input: { groupId: school.staffGroupId, role: 'EMPLOYEE' } });
  await school.administrator.does('RevokeAdministrator', { grantId: second.grantId });
  const person = await app.world.person();
  expect(await person.does('RedeemInvite', { code: made.inviteCode })).toMatchObject({ code: 'INVITE_REVOKED' });
});

test('an invite dies with its group', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const groupId = await app.world.group(school, { name: 'Bees' });
  const childId = await app.world.child(school);
  const made = await school.administrator.does('CreateInvite', { input: { groupId, childId, role: 'GUARDIAN' } });
  expect(await app.world.anonymous().does('InvitePreview', { code: made.inviteCode })).toMatchObject({
    groupName: 'Bees',
  });
  expect(await school.administrator.does('ArchiveGroup', { groupId })).toMatchObject({ state: 'ARCHIVED' });
  expect(await app.world.anonymous().does('InvitePreview', { code: made.inviteCode })).toBeNull();
  const person = await app.world.person();
  expect(await person.does('RedeemInvite', { code: made.inviteCode })).toMatchObject({ code: 'INVITE_REVOKED' });
});

test('a revoked, expired or foreign code gives nothing, and a preview of it is as of one that never was', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const person = await app.world.person();
  const preview = (code: string) => app.world.anonymous().does('InvitePreview', { code });

  const revoked = await app.world.invite(school);
  await school.administrator.does('RevokeInvite', { inviteId: revoked.id });
  expect(await school.administrator.does('RevokeInvite', { inviteId: revoked.id })).toMatchObject({ state: 'REVOKED' });
  expect(await person.does('RedeemInvite', { code: revoked.code })).toMatchObject({ code: 'INVITE_REVOKED' });

  const expired = await app.world.invite(school);
  await inDatabase(app, (sql) => sql`update invites set expires_at = now() where revoked_at is null`);
  expect(await person.does('RedeemInvite', { code: expired.code })).toMatchObject({ code: 'INVITE_EXPIRED' });

  expect(await person.does('RedeemInvite', { code: 'never-made' })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await Promise.all([revoked.code, expired.code, 'never-made'].map(preview))).toEqual([null, null, null]);
});

test('an invite for one phone is for nobody else', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const intended = await app.world.person();
  const invite = await app.world.invite(school, { intendedPhone: intended.phone });
  const other = await app.world.person();
  expect(await other.does('RedeemInvite', { code: invite.code })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await intended.does('RedeemInvite', { code: invite.code })).toMatchObject({ membership: { state: 'ACTIVE' } });
});

test('an invite that requires approval makes one request, however often it is used', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const invite = await app.world.invite(school, { requiresApproval: true, position: 'ASSISTANT', maxUses: 3 });
  const person = await app.world.person();
  const first = await person.does('RedeemInvite', { code: invite.code });
  expect(first).toMatchObject({ membership: null, joinRequest: { state: 'PENDING', role: 'EMPLOYEE' } });
  expect(await person.does('RedeemInvite', { code: invite.code })).toEqual(first);
  const approved = await school.administrator.does('ApproveJoinRequest', { joinRequestId: first.joinRequest.id });
  expect(approved).toMatchObject({ state: 'APPROVED', position: 'ASSISTANT' });
});

test('a repeat with the same key returns the invite without its code', async () => {
  await using app = await startTestApp();
  const { administrator, staffGroupId, id: organizationId } = await app.world.school();
  const input = { groupId: staffGroupId, role: 'EMPLOYEE', idempotencyKey: 'staff-room-1' };
  const [first, ...repeats] = await Promise.all(
    Array.from({ length: 5 }, () => administrator.does('CreateInvite', { input })),
  );
  const all = [first, ...repeats];
  expect(new Set(all.map(({ invite }) => invite.id)).size).toBe(1);
  expect(all.filter(({ inviteCode }) => inviteCode !== null)).toHaveLength(1);
  const other = { ...input, role: 'GUARDIAN' };
  expect(await administrator.does('CreateInvite', { input: other })).toMatchObject({ code: 'INVALID_INPUT' });
  expect((await administrator.run('Invites', { organizationId })).organization.invites.totalCount).toBe(1);
});

test('unclaimed invites are annulled together, claimed ones stay', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { administrator, id: organizationId } = school;
  const claimed = await app.world.invite(school, { maxUses: 2 });
  await (await app.world.person()).does('RedeemInvite', { code: claimed.code });
  await app.world.invite(school);
  await app.world.invite(school);
  const before = { organizationId, createdBefore: '2020-01-01T00:00:00Z' };
  expect(await administrator.does('RevokeUnclaimedInvites', before)).toMatchObject({ revokedCount: 0 });
  expect(await administrator.does('RevokeUnclaimedInvites', { organizationId })).toMatchObject({ revokedCount: 2 });
  expect(await administrator.does('RevokeUnclaimedInvites', { organizationId })).toMatchObject({ revokedCount: 0 });
  const list = async (filter: object) =>
    (await administrator.run('Invites', { organizationId, ...filter })).organization.invites.totalCount;
  expect([await list({ state: 'ACTIVE' }), await list({ state: 'REVOKED' }), await list({ unclaimed: true })]).toEqual([
    1, 2, 2,
  ]);
});

test('what an invite cannot be is refused with the field', async () => {
  await using app = await startTestApp();
  const { administrator, staffGroupId: groupId } = await app.world.school();
  const create = (input: object) =>
    administrator.does('CreateInvite', { input: { groupId, role: 'EMPLOYEE', ...input } });
  expect(await create({ maxUses: 0 })).toMatchObject({ field: 'maxUses' });
  expect(await create({ maxUses: 1001 })).toMatchObject({ field: 'maxUses' });
  expect(await create({ expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({ field: 'expiresAt' });
  expect(await create({ intendedPhone: '12' })).toMatchObject({ field: 'intendedPhone' });
  expect(await create({ role: 'GUARDIAN' })).toMatchObject({ field: 'role' });
  expect(await create({ position: 'HEAD' })).toMatchObject({ field: 'position' });
  expect(await create({ idempotencyKey: 'short' })).toMatchObject({ field: 'idempotencyKey' });
});

test('guardians and students come for a child, to its group; employees for none', async () => {
  await using app = await startTestApp();
  const school = await app.world.school('School 12', 'SCHOOL');
  const { administrator, staffGroupId } = school;
  await administrator.does('UpdateOrganization', { input: { organizationId: school.id, studentsAllowed: true } });
  const [groupId, elsewhere] = [await app.world.group(school), await app.world.group(school)];
  const [childId, withoutPlace] = [await app.world.child(school, groupId), await app.world.child(school)];
  const create = (role: string, input: object) => administrator.does('CreateInvite', { input: { role, ...input } });

  expect(await create('EMPLOYEE', { groupId: staffGroupId, childId: withoutPlace })).toMatchObject({
    field: 'childId',
  });
  expect(await create('GUARDIAN', { groupId: staffGroupId, childId: withoutPlace })).toMatchObject({ field: 'role' });
  expect(await create('EMPLOYEE', { groupId })).toMatchObject({ field: 'role' });
  for (const role of ['GUARDIAN', 'STUDENT']) {
    expect(await create(role, { groupId })).toMatchObject({ field: 'childId' });
    expect(await create(role, { childId, groupId: elsewhere })).toMatchObject({ field: 'groupId' });
    expect(await create(role, { childId: withoutPlace })).toMatchObject({ field: 'groupId' });
    expect(await create(role, { childId })).toMatchObject({
      invite: { role, group: { id: groupId }, child: { id: childId } },
    });
    expect(await create(role, { childId: withoutPlace, groupId })).toMatchObject({
      invite: { group: { id: groupId } },
    });
  }
  expect(await create('GUARDIAN', { childId, maxUses: 2 })).toMatchObject({ invite: { maxUses: 2 } });
  expect(await create('STUDENT', { childId, maxUses: 2 })).toMatchObject({ field: 'maxUses' });
});

test('a teacher invites guardians to their own group, and nobody else, until they work there no longer', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const [groupId, elsewhere] = [await app.world.group(school, { name: 'Bees' }), await app.world.group(school)];
  const teacher = await app.world.teacher(school, groupId);
  const [childId, foreignId] = [await app.world.child(school, groupId), await app.world.child(school, elsewhere)];
  const create = (role: string, input: object) => teacher.does('CreateInvite', { input: { role, ...input } });

  expect(await create('GUARDIAN', { childId: foreignId })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await create('STUDENT', { childId })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await create('EMPLOYEE', { groupId: school.staffGroupId })).toMatchObject({ code: 'FORBIDDEN' });
  const made = await create('GUARDIAN', { childId, maxUses: 4 });
  const [mother, father] = [await app.world.person(), await app.world.person()];
  const preview = () => app.world.anonymous().does('InvitePreview', { code: made.inviteCode });
  expect(await preview()).toMatchObject({ groupName: 'Bees', role: 'GUARDIAN' });
  expect(await mother.does('RedeemInvite', { code: made.inviteCode })).toMatchObject({
    membership: { role: 'GUARDIAN' },
  });
  expect((await mother.run('ViewerChildren')).viewer.children.nodes).toMatchObject([
    { id: childId, group: { name: 'Bees' } },
  ]);

  await school.administrator.does('EndStaffAssignment', { input: { staffAssignmentId: teacher.assignmentId } });
  expect(await preview()).toBeNull();
  expect(await father.does('RedeemInvite', { code: made.inviteCode })).toMatchObject({ code: 'INVITE_REVOKED' });
  expect(await create('GUARDIAN', { childId })).toMatchObject({ code: 'NOT_FOUND' });
  expect((await mother.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ id: childId }]);
});

test('an invite for a child leads where the child is by then, if who made it may invite people there', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const [before, after] = [
    await app.world.group(school, { name: 'Bees' }),
    await app.world.group(school, { name: 'Bears' }),
  ];
  const teacher = await app.world.teacher(school, before);
  const childId = await app.world.child(school, before);
  const input = { role: 'GUARDIAN', childId };
  const codes = [];
  for (const creator of [school.administrator, teacher])
    codes.push((await creator.does('CreateInvite', { input })).inviteCode);
  await school.administrator.does('TransferChild', { input: { childId, groupId: after } });
  const preview = (code: string) => app.world.anonymous().does('InvitePreview', { code });
  expect(await Promise.all(codes.map(preview))).toMatchObject([{ groupName: 'Bears' }, null]);
  const [mother, father] = [await app.world.person(), await app.world.person()];
  expect(await father.does('RedeemInvite', { code: codes[1] })).toMatchObject({ code: 'INVITE_REVOKED' });
  expect(await mother.does('RedeemInvite', { code: codes[0] })).toMatchObject({ membership: { state: 'ACTIVE' } });
  expect((await mother.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ group: { name: 'Bears' } }]);
  const { invites } = (await school.administrator.run('Invites', { organizationId: school.id })).organization;
  expect(invites.nodes).toMatchObject([{ group: { name: 'Bears' } }, { group: { name: 'Bears' } }]);
});

test('a guardian cannot invite, and an invite’s code is nowhere to be read again', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const invite = await app.world.invite(school);
  const guardian = await app.world.member(school, 'GUARDIAN');
  const input = { groupId: school.staffGroupId, role: 'EMPLOYEE' };
  expect(await guardian.does('CreateInvite', { input })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await guardian.does('RevokeInvite', { inviteId: invite.id })).toMatchObject({ code: 'NOT_FOUND' });
  const stored = await inDatabase(
    app,
    (sql) => sql`
    select (select json_agg(i)::text from invites i) || (select json_agg(a)::text from audit_entries a)
      || (select json_agg(l)::text from log_events l) as everything`,
  );
  expect(stored[0]?.everything).not.toContain(invite.code);
});
