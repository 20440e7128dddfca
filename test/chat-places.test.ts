import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('a chat of two is over for both when one of them is left as a student', async () => {
  const { world } = app;
  const school = await world.school('School 12', 'SCHOOL');
  const { administrator } = school;
  await administrator.does('UpdateOrganization', { input: { organizationId: school.id, studentsAllowed: true } });
  const groupId = await world.group(school, { kind: 'CLASS' });
  const head = await world.head(school);
  const guardian = await world.guardian(school, await world.child(school, groupId));
  const userIds = [await world.userId(guardian)];
  const begun = await head.does('CreateChat', { input: { organizationId: school.id, kind: 'DIRECT', userIds } });
  await world.message(head, begun.id);
  const record = { role: 'STUDENT', groupId, childId: await world.child(school, groupId) };
  await guardian.does('RedeemInvite', { code: (await world.invite(school, record)).code });
  expect((await head.run('Chat', { id: begun.id })).chat.viewerCanWrite).toMatchObject({ allowed: true });
  await administrator.does('EndMembership', { membershipId: guardian.membershipId, reason: 'As agreed' });
  const { chat } = await head.run('Chat', { id: begun.id });
  expect(chat).toMatchObject({ viewerCapacities: [], viewerCanWrite: { reason: 'LEFT' }, lastNumber: 1 });
  expect((await guardian.run('Chat', { id: begun.id })).chat).toBeNull();
});
