import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import { applicationOf } from './support/world.ts';

test('an application is sent once per key, withdrawn by its applicant, and decided once', async () => {
  await using app = await startTestApp();
  const applicant = await app.world.person();
  const operator = await app.world.operator();
  const input = { ...applicationOf('School 12', 'SCHOOL', '+79175550301'), idempotencyKey: 'form-1-send' };
  const sent = await Promise.all(
    Array.from({ length: 5 }, () => applicant.does('SubmitOrganizationApplication', { input })),
  );
  expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
  const applicationId = sent[0].id;
  const approvals = await Promise.all(
    Array.from({ length: 10 }, () => operator.does('ApproveOrganizationApplication', { applicationId })),
  );
  expect(new Set(approvals.map(({ organization }) => organization.id)).size).toBe(1);
  expect((await operator.run('Organizations')).organizations.totalCount).toBe(1);
  const late = await applicant.does('WithdrawOrganizationApplication', { applicationId });
  expect(late).toMatchObject({ code: 'INVALID_STATE', currentState: 'APPROVED' });
  const rejected = await operator.does('RejectOrganizationApplication', { applicationId, reason: 'Too late.' });
  expect(rejected).toMatchObject({ code: 'INVALID_STATE' });
});

test('only the operator decides, and never on their own application', async () => {
  await using app = await startTestApp();
  const operator = await app.world.operator();
  const stranger = await app.world.person();
  const input = applicationOf('Own', 'SCHOOL', '+79175550302');
  const own = await operator.does('SubmitOrganizationApplication', { input });
  expect(own.viewerCanDecide).toBe(false);
  const applicationId = own.id;
  expect(await operator.does('ApproveOrganizationApplication', { applicationId })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await stranger.does('ApproveOrganizationApplication', { applicationId })).toMatchObject({ code: 'NOT_FOUND' });
  expect((await stranger.run('OrganizationApplication', { id: applicationId })).organizationApplication).toBeNull();
  expect((await stranger.run('OrganizationApplications')).organizationApplications).toBeNull();
  const theirs = await stranger.does('SubmitOrganizationApplication', { input });
  expect(await stranger.does('ApproveOrganizationApplication', { applicationId: theirs.id })).toMatchObject({
    code: 'FORBIDDEN',
  });
  expect(
    await operator.does('RejectOrganizationApplication', { applicationId: theirs.id, reason: 'No.' }),
  ).toMatchObject({
    state: 'REJECTED',
  });
});

test('an application names what is wrong in it', async () => {
  await using app = await startTestApp();
  const applicant = await app.world.person();
  const good = applicationOf('School', 'SCHOOL', '+79175550303');
  const send = (input: object) => applicant.does('SubmitOrganizationApplication', { input });
  const cases: [object, string][] = [
    [{ ...good, organization: { ...good.organization, name: '  ' } }, 'organization.name'],
    [{ ...good, administrator: { ...good.administrator, phone: '123' } }, 'administrator.phone'],
    [{ ...good, administrator: { ...good.administrator, email: 'x' } }, 'administrator.email'],
    [{ ...good, order: { ...good.order, number: '' } }, 'order.number'],
  ];
  for (const [input, field] of cases) expect(await send(input)).toMatchObject({ code: 'INVALID_INPUT', field });
});

test('the phone that the application names gets the reserved grant, any other phone an account without rights', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const other = await app.world.person();
  expect((await other.run('Viewer')).viewer).toMatchObject({ isOperator: false, memberships: { nodes: [] } });
  expect((await school.administrator.run('Viewer')).viewer).toMatchObject({
    user: { displayName: 'Sidorova Anna Ivanovna' },
    memberships: { nodes: [{ role: 'EMPLOYEE', state: 'ACTIVE' }] },
  });
});

test('an administrator edits the organization, and the audit log keeps before and after', async () => {
  await using app = await startTestApp();
  const { administrator, id: organizationId } = await app.world.school();
  const update = (input: object) => administrator.does('UpdateOrganization', { input: { organizationId, ...input } });
  expect(await update({ website: 'https://example.org', timeZone: 'Asia/Omsk' })).toMatchObject({
    timeZone: 'Asia/Omsk',
  });
  expect(await update({ timeZone: 'Mars/Base' })).toMatchObject({ code: 'INVALID_INPUT', field: 'timeZone' });
  expect(await update({ website: 'http://example.org' })).toMatchObject({ field: 'website' });
  const filter = { action: 'organization.update' };
  const { auditLog } = (await administrator.run('AuditLog', { organizationId, filter })).organization;
  expect(auditLog.nodes).toMatchObject([{ before: { timeZone: 'Europe/Moscow' }, after: { timeZone: 'Asia/Omsk' } }]);
});

test('a suspended organization is closed to its people and comes back as it was', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const operator = await app.world.operator();
  const guardian = await app.world.member(school, 'GUARDIAN');
  const { administrator, id: organizationId } = school;
  const suspended = await operator.does('SuspendOrganization', { organizationId, reason: 'Licence expired.' });
  expect(suspended).toMatchObject({ state: 'SUSPENDED', suspensionReason: 'Licence expired.' });
  for (const person of [administrator, guardian]) {
    expect((await person.run('Organization', { id: organizationId })).organization).toBeNull();
    const { memberships } = (await person.run('Viewer')).viewer;
    expect(memberships.nodes).toMatchObject([{ suspensionReason: 'Licence expired.', organization: null }]);
  }
  const refused = await administrator.does('UpdateOrganization', { input: { organizationId, name: 'X' } });
  expect(refused).toMatchObject({ code: 'NOT_FOUND' });
  expect(await administrator.does('RestoreOrganization', { organizationId })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await operator.does('RestoreOrganization', { organizationId })).toMatchObject({ state: 'ACTIVE' });
  expect((await administrator.run('Organization', { id: organizationId })).organization.viewerCanUpdate).toBe(true);
});

test('lists are paged both ways without gaps, also between rows of one instant', async () => {
  await using app = await startTestApp();
  const { administrator, id: organizationId, staffGroupId } = await app.world.school();
  for (let index = 0; index < 25; index++) {
    await administrator.does('CreateInvite', { input: { groupId: staffGroupId, role: 'EMPLOYEE' } });
  }
  await inDatabase(app, (sql) => sql`update invites set created_at = now()`);
  const all = (await administrator.run('Invites', { organizationId, first: 100 })).organization.invites;
  expect(all).toMatchObject({ totalCount: 25, pageInfo: { hasNextPage: false } });
  const ids = (nodes: { id: string }[]) => nodes.map(({ id }) => id);
  const forward: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const page: Json = (await administrator.run('Invites', { organizationId, first: 7, after })).organization.invites;
    forward.push(...ids(page.nodes));
    after = page.pageInfo.endCursor;
    more = page.pageInfo.hasNextPage;
  }
  expect(forward).toEqual(ids(all.nodes));
  const backward = await administrator.send(
    'query ($id: ID!) { organization(id: $id) { invites(last: 3) { nodes { id } pageInfo { hasPreviousPage } } } }',
    { id: organizationId },
  );
  expect(ids(backward.data.organization.invites.nodes)).toEqual(forward.slice(-3));
  const tooLarge = await administrator.send(
    'query ($id: ID!) { organization(id: $id) { invites(first: 101) { totalCount } } }',
    {
      id: organizationId,
    },
  );
  expect(tooLarge.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', field: 'first' } }]);
});

test('what is foreign, malformed or of another type is equally not there', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const other = await app.world.school('Elsewhere', 'SCHOOL');
  const ids = [
    other.id,
    other.staffGroupId,
    'nonsense',
    Buffer.from('Organization:1; drop table users').toString('base64'),
    Buffer.from('Viewer:00000000-0000-0000-0000-000000000000').toString('base64'),
    Buffer.from('Organization:00000000-0000-0000-0000-000000000000').toString('base64'),
  ];
  expect((await school.administrator.run('Nodes', { ids })).nodes).toEqual(ids.map(() => null));
  for (const id of ids) expect(await school.administrator.run('Node', { id })).toEqual({ node: null });
  const [own] = (await school.administrator.run('Nodes', { ids: [school.id] })).nodes;
  expect(own).toEqual({ __typename: 'Organization', id: school.id });
});

test('a person reads their own actions, an administrator those of the organization', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const guardian = await app.world.member(school, 'GUARDIAN');
  expect((await guardian.run('AuditLog', { organizationId: school.id })).organization.auditLog).toBeNull();
  const { auditLog } = (await guardian.run('ViewerAuditLog')).viewer;
  const actions = auditLog.nodes.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(['joinRequest.submit', 'profile.update', 'session.start']);
});
