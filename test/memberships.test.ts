import { expect, test } from 'vitest';
import { checkAudiences } from '../src/audiences/queries.ts';
import { connect } from '../src/database/connect.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Person } from './support/world.ts';

/** What is stored of the audiences is what follows from the causes. */
async function expectAudiencesRight(app: TestApp): Promise<void> {
  await using connection = await connect({ databaseUrl: app.databaseUrl, dataDirectory: '', poolSize: 1 });
  expect(await checkAudiences(connection.db)).toEqual([]);
}

test('the only administrator cannot resign, leave, or be revoked by the head', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const head = await app.world.head(school);
  const { administrator, id: organizationId } = school;
  const { administrators } = (await head.run('Administrators', { organizationId })).organization;
  const grantId = administrators.nodes[0].id;
  expect(administrators.nodes).toMatchObject([
    { state: 'ACTIVE', reserved: true, order: { number: '12-К', date: '2026-09-01' } },
  ]);
  expect(await administrator.does('RevokeAdministrator', { grantId })).toMatchObject({ code: 'LAST_ADMIN' });
  expect(await head.does('RevokeAdministrator', { grantId })).toMatchObject({ code: 'LAST_ADMIN' });
  expect(await administrator.does('LeaveOrganization', { organizationId })).toMatchObject({ code: 'LAST_ADMIN' });
  expect((await administrator.run('Organization', { id: organizationId })).organization.viewerCanUpdate).toBe(true);
});

test('of twenty simultaneous ways to lose both administrators, one is always refused', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const { administrator, id: organizationId } = school;
  const { administrators } = (await administrator.run('Administrators', { organizationId })).organization;
  const grantOf = Object.fromEntries(
    administrators.nodes.map((grant: { id: string; reserved: boolean }) => [String(grant.reserved), grant.id]),
  );
  const attempts = Array.from({ length: 20 }, (_, index) =>
    index % 4 === 0
      ? administrator.does('RevokeAdministrator', { grantId: grantOf.true })
      : index % 4 === 1
        ? second.does('RevokeAdministrator', { grantId: grantOf.false })
        : index % 4 === 2
          ? administrator.does('LeaveOrganization', { organizationId })
          : second.does('LeaveOrganization', { organizationId }),
  );
  const codes = new Set((await Promise.all(attempts)).map(({ code, __typename }) => code ?? __typename));
  expect(codes).toContain('LAST_ADMIN');
  const left = [administrator, second].map(async (person) => {
    const { organization } = await person.run('Organization', { id: organizationId });
    return organization?.viewerCanUpdate === true;
  });
  expect((await Promise.all(left)).filter(Boolean)).toHaveLength(1);
  await expectAudiencesRight(app);
});

test('a suspended member sees nothing until restored; an ended one begins anew', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { administrator, id } = school;
  const guardian = await app.world.member(school, 'GUARDIAN');
  const { membershipId } = guardian;
  const sees = async () => (await guardian.run('Organization', { id })).organization !== null;
  expect(await sees()).toBe(true);
  expect(await administrator.does('SuspendMembership', { membershipId, reason: 'Asked for it.' })).toMatchObject({
    state: 'SUSPENDED',
  });
  expect(await sees()).toBe(false);
  expect((await guardian.run('Viewer')).viewer.memberships.nodes).toMatchObject([{ state: 'SUSPENDED' }]);
  expect(await administrator.does('RestoreMembership', { membershipId })).toMatchObject({ state: 'ACTIVE' });
  expect(await sees()).toBe(true);
  expect(await administrator.does('EndMembership', { membershipId, reason: 'Moved.' })).toMatchObject({
    endedBy: 'REMOVED',
  });
  expect(await sees()).toBe(false);
  expect(await administrator.does('RestoreMembership', { membershipId })).toMatchObject({ code: 'INVALID_STATE' });
  expect((await app.world.member(school, 'GUARDIAN', guardian)).membershipId).not.toBe(membershipId);
  await expectAudiencesRight(app);
});

test('nobody suspends or ends themselves, and only administrators do it to others', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const head = await app.world.head(school);
  const second = await app.world.secondAdministrator(school);
  const guardian = await app.world.member(school, 'GUARDIAN');
  const end = (who: typeof head, membershipId: string) =>
    who.does('EndMembership', { membershipId, reason: 'Because.' });
  expect(await end(second, second.membershipId)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await end(head, guardian.membershipId)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await end(guardian as never, head.membershipId)).toMatchObject({ code: 'NOT_FOUND' });
  expect(
    await school.administrator.does('SuspendMembership', { membershipId: head.membershipId, reason: ' ' }),
  ).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'reason',
  });
});

test('ending employment revokes the status of employee and the right to administer', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const { administrator, id: organizationId } = school;
  await administrator.does('EndMembership', { membershipId: second.membershipId, reason: 'Left the school.' });
  const revoked = (await administrator.run('Administrators', { organizationId, revoked: true })).organization
    .administrators;
  expect(revoked.nodes).toMatchObject([{ id: second.grantId, state: 'REVOKED' }]);
  const { verifications } = (await administrator.run('Verifications', { organizationId, state: 'REVOKED' }))
    .organization;
  expect(verifications.nodes).toMatchObject([{ state: 'REVOKED' }]);
  await expectAudiencesRight(app);
});

test('the status of employee is submitted, rejected, submitted again, confirmed, and revoked', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { administrator } = school;
  const employee = await app.world.member(school, 'EMPLOYEE');
  const { membershipId } = employee;
  const submit = (evidence: string) => employee.does('SubmitVerification', { membershipId, evidence });
  const first = await submit('Order 1');
  expect(await submit('Order 2')).toMatchObject({ id: first.id, evidence: 'Order 2', state: 'PENDING' });
  expect(await employee.does('ConfirmVerification', { verificationId: first.id })).toMatchObject({ code: 'FORBIDDEN' });
  const rejected = { verificationId: first.id, reason: 'No such order.' };
  expect(await administrator.does('RejectVerification', rejected)).toMatchObject({ state: 'REJECTED' });
  expect(await administrator.does('ConfirmVerification', { verificationId: first.id })).toMatchObject({
    code: 'INVALID_STATE',
  });
  const second = await submit('Order 3');
  expect(second.id).not.toBe(first.id);
  const confirmed = await Promise.all(
    Array.from({ length: 5 }, () => administrator.does('ConfirmVerification', { verificationId: second.id })),
  );
  expect(confirmed.map(({ state }) => state)).toEqual(Array(5).fill('VERIFIED'));
  expect(await submit('Order 4')).toMatchObject({ code: 'INVALID_STATE', currentState: 'VERIFIED' });
  const revoke = { verificationId: second.id, reason: 'Wrong person.' };
  expect(await administrator.does('RevokeVerification', revoke)).toMatchObject({
    state: 'REVOKED',
    reason: 'Wrong person.',
  });
  await expectAudiencesRight(app);
});

test('revoking a confirmed status takes the right to administer that hangs on it', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const { administrator, id: organizationId } = school;
  const revoke = { verificationId: second.verificationId, reason: 'Wrong person.' };
  expect(await administrator.does('RevokeVerification', revoke)).toMatchObject({ state: 'REVOKED' });
  const { organization } = await second.run('Organization', { id: organizationId });
  expect(organization).toMatchObject({ viewerCanUpdate: false, chats: { nodes: [] } });
  const filter = { action: 'administrator.revoke' };
  expect((await administrator.run('AuditLog', { organizationId, filter })).organization.auditLog.totalCount).toBe(1);
  await expectAudiencesRight(app);
});

test('why a colleague was suspended is for the person and the leaders', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const colleague = await app.world.staff(school);
  const { membershipId } = await app.world.member(school, 'EMPLOYEE');
  await school.administrator.does('SuspendMembership', { membershipId, reason: 'A private matter.' });
  const reasonFor = async (person: Person) => {
    const { members } = (await person.run('Members', { organizationId: school.id, state: 'SUSPENDED' })).organization;
    return members.nodes.map(({ reason }: { reason: string | null }) => reason);
  };
  expect(await reasonFor(colleague)).toEqual([null]);
  expect(await reasonFor(school.administrator)).toEqual(['A private matter.']);
});

test('nobody confirms themselves, and a guardian has nothing to confirm', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { viewer } = await school.administrator.run('Viewer');
  const membershipId = viewer.memberships.nodes[0].id;
  const own = await school.administrator.does('SubmitVerification', { membershipId });
  expect(own.viewerCanDecide).toBe(false);
  expect(await school.administrator.does('ConfirmVerification', { verificationId: own.id })).toMatchObject({
    code: 'FORBIDDEN',
  });
  const guardian = await app.world.member(school, 'GUARDIAN');
  const asked = await guardian.does('SubmitVerification', { membershipId: guardian.membershipId });
  expect(asked).toMatchObject({ code: 'INVALID_INPUT', field: 'membershipId' });
});

test('there is one head, a verified employee; appointing another moves the position', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { administrator, id: organizationId } = school;
  const first = await app.world.head(school);
  const second = await app.world.staff(school);
  const unverified = await app.world.member(school, 'EMPLOYEE');
  const appoint = (membershipId: string) => administrator.does('AppointHead', { membershipId });
  expect(await appoint(unverified.membershipId)).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await appoint(second.membershipId)).toMatchObject({ position: 'HEAD' });
  const { members } = (await administrator.run('Members', { organizationId, role: 'EMPLOYEE' })).organization;
  const positions = members.nodes.map(({ id, position }: { id: string; position: string }) => [id, position]);
  expect(Object.fromEntries(positions)).toMatchObject({ [first.membershipId]: null, [second.membershipId]: 'HEAD' });
  expect(await first.does('GrantAdministrator', { membershipId: second.membershipId })).toMatchObject({
    code: 'FORBIDDEN',
  });
  expect(await second.does('GrantAdministrator', { membershipId: first.membershipId })).toMatchObject({
    state: 'ACTIVE',
  });
});

test('an administrator is appointed from verified employees only, once', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const guardian = await app.world.member(school, 'GUARDIAN');
  const employee = await app.world.member(school, 'EMPLOYEE');
  const staff = await app.world.staff(school);
  const grant = (membershipId: string) => school.administrator.does('GrantAdministrator', { membershipId });
  expect(await grant(guardian.membershipId)).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await grant(employee.membershipId)).toMatchObject({ code: 'INVALID_INPUT' });
  const grants = await Promise.all(Array.from({ length: 10 }, () => grant(staff.membershipId)));
  expect(new Set(grants.map(({ id }) => id)).size).toBe(1);
  await expectAudiencesRight(app);
});

test('one person may be employee and guardian at once, and leave in one role', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const person = await app.world.member(school, 'EMPLOYEE');
  await app.world.member(school, 'GUARDIAN', person);
  expect((await person.run('Viewer')).viewer.memberships.nodes).toHaveLength(2);
  const left = await person.does('LeaveOrganization', { organizationId: school.id, role: 'EMPLOYEE' });
  expect(left.memberships).toMatchObject([{ role: 'EMPLOYEE', state: 'ENDED' }]);
  expect((await person.run('Viewer')).viewer.memberships.nodes).toMatchObject([{ role: 'GUARDIAN', state: 'ACTIVE' }]);
  await expectAudiencesRight(app);
});
