import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { inDatabase } from './support/sql.ts';

test('a person who waits cannot ask twice; after a rejection they may ask again when the cool-down is over', async () => {
  await using app = await startTestApp();
  const { id: organizationId, administrator } = await app.world.school();
  const person = await app.world.person();
  const ask = (role = 'EMPLOYEE') => person.does('SubmitJoinRequest', { input: { organizationId, role } });

  const first = await ask();
  expect(first.state).toBe('PENDING');
  expect(await ask()).toMatchObject({ code: 'ALREADY_REQUESTED', joinRequestId: first.id });
  expect(await ask('GUARDIAN')).toMatchObject({ state: 'PENDING' });

  const rejected = await administrator.does('RejectJoinRequest', { joinRequestId: first.id, reason: 'Unknown to us.' });
  expect(rejected).toMatchObject({ state: 'REJECTED', reason: 'Unknown to us.' });
  const refused = await ask();
  expect(refused).toMatchObject({ code: 'COOL_DOWN' });
  expect(new Date(refused.until).getTime() - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
  await inDatabase(app, (sql) => sql`update join_requests set decided_at = decided_at - interval '7 days'`);
  expect(await ask()).toMatchObject({ state: 'PENDING' });
});

test('of twenty simultaneous requests one is made, and the same key gives the same one', async () => {
  await using app = await startTestApp();
  const { id: organizationId, administrator } = await app.world.school();
  const person = await app.world.person();
  const input = { organizationId, role: 'GUARDIAN' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => person.does('SubmitJoinRequest', { input })));
  expect(answers.filter(({ code }) => code === 'ALREADY_REQUESTED')).toHaveLength(19);

  const other = await app.world.person();
  const keyed = { ...input, idempotencyKey: 'phone-1-tap-1' };
  const same = await Promise.all(Array.from({ length: 20 }, () => other.does('SubmitJoinRequest', { input: keyed })));
  expect(new Set(same.map(({ id }) => id)).size).toBe(1);
  const { joinRequests } = (await administrator.run('JoinRequests', { organizationId })).organization;
  expect(joinRequests.totalCount).toBe(2);
});

test('a decision is made once, by somebody else, however many decide at the same time', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const person = await app.world.person();
  const request = await person.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'EMPLOYEE' } });
  const joinRequestId = request.id;
  const decisions = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      index % 2
        ? school.administrator.does('ApproveJoinRequest', { joinRequestId })
        : second.does('RejectJoinRequest', { joinRequestId, reason: 'No.' }),
    ),
  );
  const states = new Set(decisions.map(({ state, currentState }) => state ?? currentState));
  expect(states.size).toBe(1);
  expect(await second.does('ApproveJoinRequest', { joinRequestId: 'nonsense' })).toMatchObject({ code: 'NOT_FOUND' });

  const own = await second.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'GUARDIAN' } });
  expect(own.viewerCanDecide).toBe(false);
  expect(await second.does('ApproveJoinRequest', { joinRequestId: own.id })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await school.administrator.does('ApproveJoinRequest', { joinRequestId: own.id })).toMatchObject({
    state: 'APPROVED',
  });
});

test('a withdrawn or expired request can no longer be approved', async () => {
  await using app = await startTestApp();
  const { id: organizationId, administrator } = await app.world.school();
  const person = await app.world.person();
  const ask = () => person.does('SubmitJoinRequest', { input: { organizationId, role: 'EMPLOYEE' } });
  const withdrawn = await ask();
  const others = await administrator.does('WithdrawJoinRequest', { joinRequestId: withdrawn.id });
  expect(others).toMatchObject({ code: 'FORBIDDEN' });
  expect(await person.does('WithdrawJoinRequest', { joinRequestId: withdrawn.id })).toMatchObject({
    state: 'WITHDRAWN',
  });
  expect(await administrator.does('ApproveJoinRequest', { joinRequestId: withdrawn.id })).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'WITHDRAWN',
  });
  const late = await ask();
  await inDatabase(app, (sql) => sql`update join_requests set expires_at = now() where state = 'PENDING'`);
  expect((await person.run('ViewerJoinRequests', { state: 'EXPIRED' })).viewer.joinRequests.nodes).toMatchObject([
    { id: late.id, state: 'EXPIRED' },
  ]);
  expect(await administrator.does('ApproveJoinRequest', { joinRequestId: late.id })).toMatchObject({
    currentState: 'EXPIRED',
  });
  expect(await ask()).toMatchObject({ state: 'PENDING' });
});

test('many requests are approved at once, and those that cannot be are named', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { id: organizationId, administrator } = school;
  const people = await Promise.all(Array.from({ length: 5 }, () => app.world.person()));
  const requests = await Promise.all(
    people.map((person) => person.does('SubmitJoinRequest', { input: { organizationId, role: 'GUARDIAN' } })),
  );
  await people[0]?.does('WithdrawJoinRequest', { joinRequestId: requests[0].id });
  const elsewhere = await app.world.school('Another school', 'SCHOOL');
  const foreign = await people[1]?.does('SubmitJoinRequest', {
    input: { organizationId: elsewhere.id, role: 'GUARDIAN' },
  });
  const joinRequestIds = [...requests.map(({ id }) => id), foreign.id];
  const outcome = await administrator.does('ApproveJoinRequests', { joinRequestIds });
  expect(outcome.approved.map(({ id }: { id: string }) => id).sort()).toEqual(
    requests
      .slice(1)
      .map(({ id }) => id)
      .sort(),
  );
  expect(outcome.skipped).toEqual(
    expect.arrayContaining([
      { joinRequestId: requests[0].id, code: 'INVALID_STATE', message: expect.any(String) },
      { joinRequestId: foreign.id, code: 'NOT_FOUND', message: expect.any(String) },
    ]),
  );
  const { members } = (await administrator.run('Members', { organizationId, role: 'GUARDIAN' })).organization;
  expect(members.totalCount).toBe(4);
  const tooMany = Array.from({ length: 101 }, () => requests[0].id);
  expect(await administrator.does('ApproveJoinRequests', { joinRequestIds: tooMany })).toMatchObject({
    code: 'INVALID_INPUT',
  });
});

test('students ask only where the institution lets them', async () => {
  await using app = await startTestApp();
  const school = await app.world.school('School 12', 'SCHOOL');
  const pupil = await app.world.person();
  const ask = () => pupil.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'STUDENT' } });
  expect(await ask()).toMatchObject({ code: 'FORBIDDEN' });
  await school.administrator.does('UpdateOrganization', {
    input: { organizationId: school.id, studentsAllowed: true },
  });
  expect(await ask()).toMatchObject({ state: 'PENDING' });
});

test('who is a member in a role cannot ask for it; a removed one may ask again', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const guardian = await app.world.member(school, 'GUARDIAN');
  const ask = () => guardian.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'GUARDIAN' } });
  expect(await ask()).toMatchObject({ code: 'ALREADY_MEMBER' });
  await school.administrator.does('EndMembership', { membershipId: guardian.membershipId, reason: 'Moved away.' });
  expect(await ask()).toMatchObject({ state: 'PENDING' });
});
