import { expect, test } from 'vitest';
import { networkOf, placeOf } from '../src/graphql/asking.ts';
import { operatorPhone, startTestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { operation } from './support/operations.ts';
import { inDatabase } from './support/sql.ts';
import type { Person } from './support/world.ts';

test('a removed administrator who resumes hears that things happened, but sees nothing of what they are now', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { id: organizationId } = school;
  const second = await app.world.secondAdministrator(school);
  const invite = await second.does('CreateInvite', { input: { groupId: school.staffGroupId, role: 'EMPLOYEE' } });
  const after = (await second.run('Viewer')).viewer.cursor;
  const mother = await app.world.person();
  await mother.does('SubmitJoinRequest', { input: { organizationId, role: 'GUARDIAN', note: 'Petya is ill.' } });
  await school.administrator.does('EndMembership', { membershipId: second.membershipId, reason: 'Left.' });
  await school.administrator.does('RevokeInvite', { inviteId: invite.invite.id });

  const replay = second.subscribe('ViewerEvents', { after });
  const seen: Json[] = [];
  for (let event = await replay.next(); event.kind !== 'MEMBERSHIP_ENDED'; event = await replay.next())
    seen.push(event);
  expect(seen.map(({ kind }) => kind)).toContain('JOIN_REQUEST_SUBMITTED');
  expect(seen.filter(({ joinRequest }) => joinRequest)).toEqual([]);
  const later = second.subscribe('ViewerEvents', { after: (await second.run('Viewer')).viewer.cursor });
  await second.does('UpdateProfile', { input: { locale: 'ru' } });
  expect(await later.nextOf('ProfileUpdated')).toMatchObject({ kind: 'PROFILE_UPDATED' });
  expect(JSON.stringify([replay.delivered, later.delivered])).not.toMatch(/Petya|"invite":\{/);
});

test('a stream whose session has run out gets back none of the rights that were lost meanwhile', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { id: organizationId } = school;
  const second = await app.world.secondAdministrator(school);
  const stream = second.listen(
    `subscription ($id: ID!) { organizationEvents(organizationId: $id) {
       ... on OrganizationChanged { organization { members { totalCount } auditLog { totalCount } } } } }`,
    { id: organizationId },
  );
  const change = (name: string) => school.administrator.does('UpdateOrganization', { input: { organizationId, name } });
  await expect.poll(async () => change('First').then(() => stream.delivered.length)).toBeGreaterThan(0);
  expect(stream.delivered[0].organization.auditLog.totalCount).toBeGreaterThan(0);
  await school.administrator.does('RevokeAdministrator', { grantId: second.grantId });
  await inDatabase(
    app,
    (sql) => sql`update sessions set expires_at = now()
    where user_id = (select id from users where phone = ${second.phone})`,
  );
  const before = stream.delivered.length;
  await change('Second');
  await expect.poll(() => stream.errors.length + stream.delivered.length - before).toBeGreaterThan(0);
  expect(JSON.stringify(stream.delivered.slice(before))).not.toContain('totalCount');
});

test('a former member keeps the name of where they were, and nothing that has changed since', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const guardian = await app.world.member(school, 'GUARDIAN');
  const ended = { membershipId: guardian.membershipId, reason: 'Moved.' };
  await school.administrator.does('EndMembership', ended);
  const { data } = await guardian.send(
    '{ viewer { memberships(state: ENDED) { nodes { organizationName organization { address } } } } }',
  );
  expect(data.viewer.memberships.nodes).toEqual([{ organizationName: 'Kindergarten 7', organization: null }]);
});

test('lists show exactly what their items’ ids answer', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const people: Person[] = [
    school.administrator,
    second,
    await app.world.head(school),
    await app.world.staff(school),
    await app.world.member(school, 'EMPLOYEE'),
    await app.world.member(school, 'GUARDIAN'),
    await app.world.operator(),
  ];
  const input = { groupId: school.staffGroupId, role: 'EMPLOYEE' };
  for (const person of [school.administrator, second]) await person.does('CreateInvite', { input });
  const waiting = await app.world.person();
  await waiting.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'GUARDIAN' } });
  await school.administrator.does('RevokeAdministrator', { grantId: second.grantId });

  const lists = [
    'groups',
    'members',
    'invites',
    'joinRequests',
    'verifications',
    'administrators',
    'channels',
    'chats',
    'auditLog',
  ];
  const query = `query ($id: ID!) { organization(id: $id) { ${lists.map((list) => `${list}(first: 100) { nodes { id } }`).join(' ')} } }`;
  const seenBy = async (person: Person) => {
    const { organization } = (await person.send(query, { id: school.id })).data;
    return lists.flatMap((list) => organization?.[list]?.nodes.map(({ id }: { id: string }) => id) ?? []);
  };
  const everything: string[] = [...new Set((await Promise.all(people.map(seenBy))).flat())];
  expect(everything.length).toBeGreaterThan(40);
  for (const person of people) {
    const listed = new Set(await seenBy(person));
    const own = new Set<string>();
    const { viewer } = await person.run('Viewer');
    for (const { id } of viewer.memberships.nodes) own.add(id);
    const { data } = await person.send(
      '{ viewer { joinRequests { nodes { id } } auditLog(first: 100) { nodes { id } } memberships { nodes { verification { id } } } } }',
    );
    for (const { id } of [...data.viewer.joinRequests.nodes, ...data.viewer.auditLog.nodes]) own.add(id);
    for (const { verification } of data.viewer.memberships.nodes) if (verification) own.add(verification.id);
    for (let start = 0; start < everything.length; start += 100) {
      const ids = everything.slice(start, start + 100);
      const { nodes } = await person.run('Nodes', { ids });
      const answered = ids.filter((_, index) => nodes[index]);
      expect(answered.filter((id) => !own.has(id)).sort()).toEqual(
        ids.filter((id) => listed.has(id) && !own.has(id)).sort(),
      );
    }
  }
});

test.each([
  {
    what: 'the right',
    sql: `update administrator_grants set state = 'REVOKED', revoked_at = now() where not reserved`,
    code: 'NOT_FOUND',
  },
  { what: 'the session', sql: `update sessions set ended_at = now(), ended_by = 'REVOKED'`, code: 'UNAUTHENTICATED' },
])('a rule is asked on the rows of the moment: $what may have gone since the request came', async ({
  sql: takes,
  code,
}) => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const asking = await app.world.person();
  const request = await asking.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'EMPLOYEE' } });
  const { answer } = await inDatabase(app, (sql) =>
    sql.begin(async (tx) => {
      // While the organization is held, the approval has asked who the viewer is, and waits.
      await tx`select from organizations for update`;
      const answer = second.send(operation('ApproveJoinRequest'), { joinRequestId: request.id });
      await waitUntilBlocked(app);
      await tx.unsafe(takes);
      return { answer };
    }),
  );
  const { data, errors } = await answer;
  expect(data?.approveJoinRequest?.code ?? errors?.[0]?.extensions.code).toBe(code);
  // No command took the right, so none has settled who may see what: it is given back as it was taken.
  await inDatabase(app, (sql) => sql`update administrator_grants set state = 'ACTIVE', revoked_at = null`);
});

/** Waits until some statement of the server's waits for a lock. */
async function waitUntilBlocked(app: Parameters<typeof inDatabase>[0]): Promise<void> {
  const blocked = () =>
    inDatabase(
      app,
      (sql) => sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
  await expect.poll(async () => (await blocked()).length).toBeGreaterThan(0);
}

test('a filter that names nothing finds nothing', async () => {
  await using app = await startTestApp();
  const { administrator, id: organizationId } = await app.world.school();
  const found = async (filter: object) =>
    (await administrator.run('AuditLog', { organizationId, filter })).organization.auditLog.totalCount;
  expect(await found({})).toBeGreaterThan(0);
  for (const filter of [{ targetId: 'garbage' }, { actorId: 'garbage' }, { action: "x' or true\u0000" }]) {
    expect(await found(filter)).toBe(0);
  }
});

test('what Postgres or JSON cannot keep is refused by the name of its field', async () => {
  await using app = await startTestApp();
  const { administrator, id: organizationId } = await app.world.school();
  const profile = (input: object) => administrator.does('UpdateProfile', { input });
  const settings = (input: object) => administrator.does('UpdateOrganization', { input: { organizationId, ...input } });
  for (const bad of ['a\u0000b', 'half \ud83d', '\u200b', 'turned \u202e around']) {
    expect(await profile({ familyName: bad })).toMatchObject({ code: 'INVALID_INPUT', field: 'familyName' });
  }
  expect(await profile({ patronymic: 'a\nb' })).toMatchObject({ field: 'patronymic' });
  expect(await settings({ address: 'a\u0000b' })).toMatchObject({ field: 'address' });
  expect(await settings({ website: 'https://user:pw@example.org' })).toMatchObject({ field: 'website' });
  expect(await settings({ studentsAllowed: true })).toMatchObject({ field: 'studentsAllowed' });
  expect(await settings({ name: null })).toMatchObject({ field: 'name' });
  const cursor = await administrator.send(
    '{ viewer { sessions(after: "------------------------------------") { totalCount } } }',
  );
  expect(cursor.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', field: 'after' } }]);
});

test('whoever is suspended cannot leave to come back by another invite', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const invite = await app.world.invite(school, { maxUses: 5 });
  const employee = await app.world.member(school, 'EMPLOYEE');
  await school.administrator.does('SuspendMembership', { membershipId: employee.membershipId, reason: 'Inquiry.' });
  await app.world.member(school, 'GUARDIAN', employee);
  const leave = { organizationId: school.id, role: 'EMPLOYEE' };
  expect(await employee.does('LeaveOrganization', leave)).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'SUSPENDED',
  });
  expect(await employee.does('RedeemInvite', { code: invite.code })).toMatchObject({ code: 'ALREADY_MEMBER' });
});

test('a suspended administrator does not count as one who is left', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  await school.administrator.does('SuspendMembership', { membershipId: second.membershipId, reason: 'Inquiry.' });
  expect(await school.administrator.does('LeaveOrganization', { organizationId: school.id })).toMatchObject({
    code: 'LAST_ADMIN',
  });
});

test('a request that waits is settled when its person joins by invite', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const person = await app.world.person();
  const waiting = await person.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'EMPLOYEE' } });
  const { membership } = await person.does('RedeemInvite', { code: (await app.world.invite(school)).code });
  const { joinRequests } = (await person.run('ViewerJoinRequests')).viewer;
  expect(joinRequests.nodes).toMatchObject([{ id: waiting.id, state: 'APPROVED', membership: { id: membership.id } }]);
});

test('bulk approvals of several organizations at once do not wait for each other in circles', async () => {
  await using app = await startTestApp();
  const [first, ...others] = [
    await app.world.school('A'),
    await app.world.school('B'),
    await app.world.school('C'),
  ] as const;
  const schools = [first, ...others];
  for (const school of others) {
    const { membershipId } = await app.world.member(school, 'EMPLOYEE', first.administrator);
    const asked = await first.administrator.does('SubmitVerification', { membershipId, evidence: 'Order 12' });
    await school.administrator.does('ConfirmVerification', { verificationId: asked.id });
    await school.administrator.does('GrantAdministrator', { membershipId });
  }
  const people = await Promise.all(Array.from({ length: 6 }, () => app.world.person()));
  const requests = await Promise.all(
    people.flatMap((person) =>
      schools.map((school) =>
        person.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'GUARDIAN' } }),
      ),
    ),
  );
  const ids = requests.map(({ id }) => id);
  const bulks = await Promise.all(
    people.map((_, index) =>
      first.administrator.does('ApproveJoinRequests', {
        joinRequestIds: ids.slice(index * 3, index * 3 + 3).reverse(),
      }),
    ),
  );
  expect(bulks.map(({ approved }) => approved.length)).toEqual(Array(6).fill(3));
});

test('browsers get their session over encrypted connections only, in production', async () => {
  await using app = await startTestApp({ config: { production: true } });
  const { challengeId } = await app.world.anonymous().does('RequestSignInCode', { phone: operatorPhone });
  const origin = new URL(app.url).origin;
  const signed = await app.world
    .anonymous()
    .send(
      `mutation { signIn(input: { challengeId: "${challengeId}", code: "${app.codeFor(operatorPhone)}" }) { __typename } }`,
      {},
      { origin },
    );
  expect(signed.headers.get('set-cookie')).toMatch(
    /^__Host-homeroom_session=[\w-]+; Path=\/; HttpOnly; SameSite=Strict; .*Secure/,
  );
});

test('an address is counted as what its holder has of it, and only our own proxies are believed', async () => {
  const spellings = {
    '10.0.0.1/32': [
      '10.0.0.1',
      '::ffff:10.0.0.1',
      '::ffff:a00:1',
      '0:0:0:0:0:FFFF:0A00:0001',
      '10.0.0.1:5678',
      '[::ffff:a00:1]:80',
    ],
    '2001:db8:1:2::/64': ['2001:db8:1:2:3:4:5:6', '2001:DB8:1:2::9', '[2001:db8:1:2::9]:443', '2001:db8:1:2::9%eth0'],
    '::/64': ['::1', '0:0:0:0:0:0:0:1'],
    unknown: ['', 'nobody', '10.0.0.1, 10.0.0.2', '1'.repeat(10_000), '::ffff:999.0.0.1', '10.0.0.1:port'],
  };
  for (const [place, addresses] of Object.entries(spellings)) {
    for (const address of addresses) expect([address, placeOf(address)]).toEqual([address, place]);
  }
  expect(['10.1.2.3/32', '2001:db8:1:2::/64', 'unknown'].map(networkOf)).toEqual([
    '10.1.2.0/24',
    '2001:db8:1::/48',
    'unknown',
  ]);
  await using app = await startTestApp({ config: { signInRatePerHour: 2, trustedProxies: 1 } });
  const from = (forwarded: string) =>
    app.world
      .anonymous()
      .send('{ invitePreview(code: "x") { role } }', {}, { 'x-forwarded-for': forwarded })
      .then(({ errors }) => errors?.[0]?.extensions.code ?? 'OK');
  expect([await from('1.1.1.1, 9.9.9.9'), await from('2.2.2.2, 9.9.9.9'), await from('3.3.3.3, 9.9.9.9')]).toEqual([
    'OK',
    'OK',
    'RATE_LIMITED',
  ]);
  expect(await from('9.9.9.9, 4.4.4.4')).toBe('OK');
});
