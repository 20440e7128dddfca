import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import type { Person } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const childrenOf = async (person: Person): Promise<string[]> =>
  (await person.run('ViewerChildren')).viewer.children.nodes.map(({ id }: Json) => id);
const redeem = (person: Person, code: string, name: object = {}): Promise<Json> =>
  person.does('RedeemInvite', { code, ...name });
const waiting = { membership: null, joinRequest: { state: 'PENDING' } };

/** A school with a child in a group, another of the same family, and links for a child that several people may use. */
async function family() {
  const { world } = app;
  const school = await world.school();
  const group = await world.group(school);
  const [child, sibling] = [await world.child(school, group), await world.child(school, group)];
  const { administrator } = school;
  const link = async (childId: string, input: object = {}): Promise<string> =>
    (await administrator.does('CreateInvite', { input: { role: 'GUARDIAN', childId, maxUses: 4, ...input } }))
      .inviteCode;
  const guardian = await world.guardian(school, child);
  const revoke = () =>
    administrator.does('RevokeGuardianLink', { guardianLinkId: guardian.linkId, reason: 'By court order.' });
  const approve = (joinRequestId: string, input: object = { despiteRevocations: true }) =>
    administrator.does('ApproveJoinRequest', { joinRequestId, ...input });
  const visibilityFor = async (childId: string): Promise<string[]> =>
    (await administrator.run('Child', { id: childId })).node.guardians.nodes
      .filter(({ contact }: Json) => contact.phone === guardian.phone)
      .map(({ contactVisibility }: Json) => contactVisibility);
  return { world, school, group, child, sibling, administrator, guardian, link, revoke, approve, visibilityFor };
}

test('a guardian who was revoked comes back by no link, whichever it is, but by an administrator who has read why', async () => {
  const { school, administrator, guardian, child, sibling, link, revoke, approve, visibilityFor } = await family();
  await guardian.does('SetGuardianContactVisibility', {
    guardianLinkId: guardian.linkId,
    contactVisibility: 'LIMITED',
  });
  const older = [await link(child), await link(sibling), await link(child, { intendedPhone: guardian.phone })];
  await revoke();
  for (const code of [...older, await link(child), await link(child, { requiresApproval: true })]) {
    const redeemed = await redeem(guardian, code);
    expect(redeemed).toMatchObject(waiting);
    expect(await childrenOf(guardian)).toEqual([]);
    await guardian.does('WithdrawJoinRequest', { joinRequestId: redeemed.joinRequest.id });
  }

  const { joinRequest } = await redeem(guardian, await link(child));
  const revokedBy = { id: (await administrator.run('Viewer')).viewer.user.id };
  const why = { kind: 'GUARDIAN_LINK', role: 'GUARDIAN', reason: 'By court order.', child: { id: child }, revokedBy };
  expect(await approve(joinRequest.id, {})).toMatchObject({ code: 'REVOKED_BEFORE', earlierRevocations: [why] });
  expect(await administrator.does('ApproveJoinRequests', { joinRequestIds: [joinRequest.id] })).toMatchObject({
    approved: [],
    skipped: [{ code: 'REVOKED_BEFORE' }],
  });
  expect(await childrenOf(guardian)).toEqual([]);
  // What administrators wrote about somebody is for administrators.
  const own = (await guardian.run('ViewerJoinRequests', { state: 'PENDING' })).viewer.joinRequests.nodes;
  expect(own).toMatchObject([{ id: joinRequest.id, revocations: null }]);

  expect(await approve(joinRequest.id)).toMatchObject({
    state: 'APPROVED',
    revocations: [{ reason: 'By court order.' }],
  });
  expect(await childrenOf(guardian)).toEqual([child]);
  expect(await visibilityFor(child)).toEqual(['LIMITED']);
  const filter = { action: 'joinRequest.approve' };
  const { auditLog } = (await administrator.run('AuditLog', { organizationId: school.id, filter })).organization;
  expect(auditLog.nodes[0].after.despite).toMatchObject([{ kind: 'GUARDIAN_LINK', reason: 'By court order.' }]);
});

test('the very link by which somebody came answers what it gave while that lasts, and after a revocation asks', async () => {
  const { world, administrator, child, link, approve } = await family();
  const code = await link(child);
  const guardian = await world.person();
  const came = await redeem(guardian, code);
  expect(await redeem(guardian, code)).toEqual(came);
  const { guardians } = (await administrator.run('Child', { id: child })).node;
  const own = await world.userId(guardian);
  const { id } = guardians.nodes.find(({ user }: Json) => user.id === own);
  await administrator.does('RevokeGuardianLink', { guardianLinkId: id, reason: 'By court order.' });

  const asked = await redeem(guardian, code);
  expect(asked).toMatchObject(waiting);
  expect(await redeem(guardian, code)).toEqual(asked);
  expect(await childrenOf(guardian)).toEqual([]);
  await approve(asked.joinRequest.id);
  expect(await childrenOf(guardian)).toEqual([child]);
});

test('who is LIMITED for one child is so for the next, by link and by roster, until the command for it says otherwise', async () => {
  const { world, school, group, guardian, sibling, link, visibilityFor } = await family();
  const show = (contactVisibility: string) =>
    guardian.does('SetGuardianContactVisibility', { guardianLinkId: guardian.linkId, contactVisibility });
  await show('LIMITED');
  expect(await redeem(guardian, await link(sibling))).toMatchObject({ membership: { state: 'ACTIVE' } });
  expect(await visibilityFor(sibling)).toEqual(['LIMITED']);
  await show('FULL');
  const [{ id: sibling_ }] = (await school.administrator.run('Child', { id: sibling })).node.guardians.nodes;
  await guardian.does('SetGuardianContactVisibility', { guardianLinkId: sibling_, contactVisibility: 'FULL' });
  const third = await world.child(school, group);
  await redeem(guardian, await link(third));
  expect(await visibilityFor(third)).toEqual(['FULL']);
});

test('a guardian who is revoked for one child asks for every further one, and keeps those that are theirs', async () => {
  const { guardian, child, sibling, link, revoke, world, school, group } = await family();
  await redeem(guardian, await link(sibling));
  await revoke();
  expect(await childrenOf(guardian)).toEqual([sibling]);
  expect(await redeem(guardian, await link(await world.child(school, group)))).toMatchObject(waiting);
  expect(await redeem(guardian, await link(child))).toMatchObject({ code: 'ALREADY_REQUESTED' });
  expect(await childrenOf(guardian)).toEqual([sibling]);
});

test('a request that waited before the revocation shows it all the same', async () => {
  const { guardian, sibling, link, revoke, approve } = await family();
  const { joinRequest } = await redeem(guardian, await link(sibling, { requiresApproval: true }));
  await revoke();
  expect(await approve(joinRequest.id, {})).toMatchObject({ code: 'REVOKED_BEFORE' });
  expect(await childrenOf(guardian)).toEqual([]);
});

test('an employee who was removed or suspended asks in whichever role, and nothing that happens to their child lets them in', async () => {
  const { world, school, group, child, administrator, link } = await family();
  const [removed, suspended] = [await world.staff(school), await world.staff(school)];
  const staffLink = async () => {
    const input = { role: 'EMPLOYEE', groupId: school.staffGroupId, maxUses: 20 };
    return (await administrator.does('CreateInvite', { input })).inviteCode;
  };
  const older = await staffLink();
  await administrator.does('EndMembership', { membershipId: removed.membershipId, reason: 'Dismissed.' });
  await administrator.does('SuspendMembership', { membershipId: suspended.membershipId, reason: 'An inquiry.' });
  expect(await redeem(removed, older)).toMatchObject(waiting);
  expect(await redeem(removed, await staffLink())).toMatchObject({ code: 'ALREADY_REQUESTED' });
  expect(await redeem(suspended, await staffLink())).toMatchObject({ code: 'ALREADY_MEMBER' });
  for (const person of [removed, suspended]) {
    const { joinRequest } = await redeem(person, await link(child));
    const { nodes } = (await administrator.run('JoinRequests', { organizationId: school.id })).organization
      .joinRequests;
    const kind = person === removed ? 'MEMBERSHIP_ENDED' : 'MEMBERSHIP_SUSPENDED';
    expect(nodes.find(({ id }: Json) => id === joinRequest.id)).toMatchObject({
      revocations: [{ kind, role: 'EMPLOYEE' }],
    });
  }
  await administrator.does('WithdrawChild', { input: { childId: child } });
  await administrator.does('EnrollChild', { input: { childId: child, groupId: group } });
  for (const person of [removed, suspended]) expect(await childrenOf(person)).toEqual([]);
  await administrator.does('RestoreMembership', { membershipId: suspended.membershipId });
  const another = await world.child(school, group);
  expect(await redeem(suspended, await link(another))).toMatchObject({ membership: { state: 'ACTIVE' } });
});

test('who left by themselves, or with their child, comes back by a link as before', async () => {
  const { world, school, group, child, sibling, administrator, guardian, link } = await family();
  await guardian.does('LeaveOrganization', { organizationId: school.id });
  expect(await redeem(guardian, await link(child))).toMatchObject({ membership: { state: 'ACTIVE' } });
  const other = await world.guardian(school, sibling);
  await administrator.does('WithdrawChild', { input: { childId: sibling } });
  expect(await redeem(other, await link(await world.child(school, group)))).toMatchObject({
    membership: { state: 'ACTIVE' },
  });
});

test('of the links that are used while their guardian is revoked none leaves them in', async () => {
  const { guardian, child, link, revoke } = await family();
  const codes = await Promise.all(Array.from({ length: 4 }, () => link(child)));
  const [head, tail] = [codes.slice(0, 2), codes.slice(2)];
  const answers = await Promise.all([
    ...head.map((code) => redeem(guardian, code)),
    revoke(),
    ...tail.map((code) => redeem(guardian, code)),
  ]);
  expect(answers.filter((answer) => answer.membership)).toEqual([]);
  expect(await childrenOf(guardian)).toEqual([]);
});

test('a link for a child takes four people within thirty days, the third and fourth by decision, all of them with a name', async () => {
  const { world, administrator, child, link, approve } = await family();
  const create = (input: object) =>
    administrator.does('CreateInvite', { input: { role: 'GUARDIAN', childId: child, ...input } });
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  expect(await create({ maxUses: 5 })).toMatchObject({ code: 'INVALID_INPUT', field: 'maxUses' });
  expect(await create({ expiresAt: inDays(31) })).toMatchObject({ code: 'INVALID_INPUT', field: 'expiresAt' });
  expect(await create({ expiresAt: inDays(29), maxUses: 4 })).toMatchObject({ invite: { maxUses: 4 } });

  const code = await link(child);
  const nameless = await world.person(null);
  expect(await redeem(nameless, code)).toMatchObject({ code: 'NAME_REQUIRED' });
  expect(await redeem(nameless, code, { familyName: 'Ivanova' })).toMatchObject({ code: 'NAME_REQUIRED' });
  const named = await redeem(nameless, code, { familyName: 'Ivanova', givenName: 'Anna', patronymic: 'Petrovna' });
  expect(named).toMatchObject({ membership: { state: 'ACTIVE' } });
  expect((await nameless.run('Viewer')).viewer.user.displayName).toBe('Ivanova Anna Petrovna');
  const second = await world.person('Second');
  await redeem(second, code, { familyName: 'Another', givenName: 'Name' });
  expect((await second.run('Viewer')).viewer.user.displayName).toBe('Second Test');
  for (const name of ['Third', 'Fourth']) {
    const person = await world.person(name);
    const { joinRequest } = await redeem(person, code);
    expect(joinRequest).toMatchObject({ state: 'PENDING' });
    expect(await approve(joinRequest.id, {})).toMatchObject({ state: 'APPROVED', revocations: [] });
    expect(await childrenOf(person)).toEqual([child]);
  }
  expect(await redeem(await world.person('Fifth'), code)).toMatchObject({ code: 'INVITE_EXHAUSTED' });
});

test('nobody asks to join without a name', async () => {
  const { world, school } = await family();
  const nameless = await world.person(null);
  const ask = () => nameless.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'GUARDIAN' } });
  expect(await ask()).toMatchObject({ code: 'NAME_REQUIRED' });
  await nameless.does('UpdateProfile', { input: { familyName: 'Ivanova', givenName: 'Anna' } });
  expect(await ask()).toMatchObject({ state: 'PENDING' });
});
