import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { inDatabase } from './support/sql.ts';

const mega = 1024 * 1024;

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ config: { quotas: { person: 3 * mega, organization: 2 * mega } } });
});
afterAll(() => app[Symbol.asyncDispose]());

const announce = (person: TestClient, size: number): Promise<Json> =>
  person.does('CreateUpload', { input: { name: 'menu.txt', size } });

/** Uploads a text of this size, and tells the file. */
async function upload(person: TestClient, size: number): Promise<string> {
  const { file, uploadPath } = await announce(person, size);
  await person.put(uploadPath, 'a'.repeat(size));
  await person.does('CompleteUpload', { fileId: file.id });
  return file.id;
}

test('who is a member of nothing has room for three files of ten megabytes', async () => {
  const person = await app.world.person();
  expect(await announce(person, 10 * mega + 1)).toMatchObject({ code: 'INVALID_INPUT', field: 'size' });
  const answers = await Promise.all(Array.from({ length: 6 }, () => announce(person, 100)));
  expect(answers.filter(({ file }) => file)).toHaveLength(3);
  expect(answers.find(({ file }) => !file)).toMatchObject({ code: 'TOO_MANY_UPLOADS', limit: 3 });
});

test('a person’s files take no more room than is theirs, however many are announced at once', async () => {
  const { administrator } = await app.world.school();
  const answers = await Promise.all(Array.from({ length: 5 }, () => announce(administrator, mega)));
  expect(answers.filter(({ file }) => file)).toHaveLength(3);
  expect(answers.find(({ file }) => !file)).toMatchObject({
    code: 'QUOTA_EXCEEDED',
    limitBytes: 3 * mega,
    usedBytes: 3 * mega,
  });
  const discarded = answers.find(({ file }) => file);
  await administrator.does('DeleteUpload', { fileId: discarded.file.id });
  expect(await announce(administrator, mega)).toMatchObject({ file: { state: 'PENDING' } });
});

test('an organization’s files take no more room than is its own, and who leads it sees how much that is', async () => {
  const school = await app.world.school();
  const { administrator, id: organizationId } = school;
  const second = await app.world.secondAdministrator(school);
  const { channels } = (await administrator.run('Channels', { organizationId })).organization;
  const fileIds = [await upload(administrator, mega), await upload(administrator, mega - 100)];
  expect(await announce(second, mega)).toMatchObject({ file: { state: 'PENDING' } });
  await administrator.does('DraftPost', { input: { channelId: channels.nodes[0].id, text: 'Menu', fileIds } });
  expect(await announce(second, 200)).toMatchObject({ code: 'QUOTA_EXCEEDED', limitBytes: 2 * mega });
  expect(await announce(second, 50)).toMatchObject({ file: { state: 'PENDING' } });

  const { viewer, organization } = await administrator.run('Storage', { organizationId });
  expect(viewer.storage).toEqual({ usedBytes: 2 * mega - 100, limitBytes: 3 * mega });
  expect(organization.storage).toEqual({ usedBytes: 2 * mega - 100, limitBytes: 2 * mega });
  const stranger = await app.world.person();
  expect((await stranger.run('Storage', { organizationId })).organization).toBeNull();
});

test('a file that was refused takes no room', async () => {
  const { administrator } = await app.world.school();
  const { file } = await announce(administrator, mega);
  await inDatabase(
    app,
    (sql) => sql`update files set state = 'REJECTED', refusal = 'EXECUTABLE' where id = ${rowIdOf(file.id)}`,
  );
  expect((await administrator.run('Viewer')).viewer).not.toBeNull();
  const { data } = await administrator.send('{ viewer { storage { usedBytes } } }');
  expect(data.viewer.storage.usedBytes).toBe(0);
});

const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';
