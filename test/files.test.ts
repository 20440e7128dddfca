import { readdirSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import { applicationOf } from './support/world.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';
const announce = (person: TestClient, input: object = {}): Promise<Json> =>
  person.does('CreateUpload', { input: { name: 'a.txt', size: 10, ...input } });
const fileFor = async (person: TestClient, id: string): Promise<Json> => (await person.run('File', { id })).node;

test('a file needs a name that a disk could hold and a size that the installation takes', async () => {
  const { administrator: person } = await app.world.school();
  for (const name of [
    '',
    ' ',
    '../passwd',
    'a\\b.txt',
    'a\nb.txt',
    'turned\u202egpj.exe',
    'a\0.txt',
    `${'a'.repeat(256)}`,
  ]) {
    expect(await announce(person, { name }), name).toMatchObject({ code: 'INVALID_INPUT', field: 'name' });
  }
  for (const size of [0, -1, 50 * 1024 * 1024 + 1]) {
    expect(await announce(person, { size })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'size',
      message: 'Нужен файл размером от 1 байта до 50 МБ.',
    });
  }
  expect(await announce(person, { size: 50 * 1024 * 1024 })).toMatchObject({ file: { state: 'PENDING' } });
  // As a Mac spells it and as everybody else does.
  const { file } = await announce(person, { name: 'И\u0306огурт.txt' });
  expect(file.name).toBe('Йогурт.txt');
  const { errors } = await app.world
    .anonymous()
    .send('mutation { createUpload(input: { name: "a", size: 1 }) { __typename } }');
  expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
});

test('who announces a file twice with one key gets one file', async () => {
  const person = await app.world.person();
  const idempotencyKey = 'photo-of-monday';
  const answers = await Promise.all(Array.from({ length: 10 }, () => announce(person, { idempotencyKey })));
  expect(new Set(answers.map(({ file }) => file.id)).size).toBe(1);
  expect(new Set(answers.map(({ expiresAt }) => expiresAt)).size).toBe(1);
  expect(await announce(person, { idempotencyKey, size: 11 })).toMatchObject({ field: 'idempotencyKey' });
  const another = await announce(await app.world.person(), { idempotencyKey });
  expect(another.file.id).not.toBe(answers[0].file.id);
});

test('fifty files of one person wait to be used at most, however many are announced at once', async () => {
  const { administrator: person } = await app.world.school();
  const answers = await Promise.all(Array.from({ length: 60 }, () => announce(person)));
  const made = answers.filter(({ file }) => file);
  expect(made).toHaveLength(50);
  expect(answers.find(({ file }) => !file)).toMatchObject({ code: 'TOO_MANY_UPLOADS', limit: 50 });
  await person.does('DeleteUpload', { fileId: made[0].file.id });
  await app.jobs.runNow('file-sweep');
  expect(await announce(person)).toMatchObject({ file: { state: 'PENDING' } });
  expect(await announce(await app.world.person())).toMatchObject({ file: { state: 'PENDING' } });
});

test('a file that is attached to nothing is there for who uploaded it alone', async () => {
  const { world } = app;
  const school = await world.school();
  const person = await world.staff(school);
  const file = await world.upload(person);
  expect(await fileFor(person, file.id)).toMatchObject({
    id: file.id,
    state: 'READY',
    url: expect.stringMatching(/^\/files\//),
  });
  for (const other of [school.administrator, await world.operator(), await world.person()]) {
    expect(await fileFor(other, file.id)).toBeNull();
    expect(await other.does('CompleteUpload', { fileId: file.id })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await other.does('DeleteUpload', { fileId: file.id })).toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(await person.does('DeleteUpload', { fileId: file.id })).toMatchObject({ state: 'DELETED' });
  expect(await person.does('DeleteUpload', { fileId: file.id })).toMatchObject({ state: 'DELETED' });
  expect(await fileFor(person, file.id)).toBeNull();
  expect(await person.does('CompleteUpload', { fileId: file.id })).toMatchObject({ code: 'NOT_FOUND' });
});

test('the order of an application is read by who applies and by operators, and may be sent anew', async () => {
  const { world } = app;
  const [applicant, operator, stranger] = [await world.person(), await world.operator(), await world.person()];
  const [first, second] = [
    await world.upload(applicant),
    await world.upload(applicant, { name: 'order-2.txt', bytes: Buffer.from('2') }),
  ];
  const input = applicationOf('School 5', 'SCHOOL', '+79175550001');
  const submit = (person: TestClient, orderFileId: string) =>
    person.does('SubmitOrganizationApplication', { input: { ...input, orderFileId } });
  expect(await submit(stranger, first.id)).toMatchObject({ code: 'INVALID_INPUT', field: 'orderFileId' });
  const waiting = await announce(applicant);
  expect(await submit(applicant, waiting.file.id)).toMatchObject({ code: 'INVALID_INPUT', field: 'orderFileId' });
  const application = await submit(applicant, first.id);
  expect(application).toMatchObject({ state: 'SUBMITTED', orderFile: { id: first.id, mediaType: 'text/plain' } });
  expect(await submit(applicant, first.id)).toMatchObject({ code: 'INVALID_INPUT', field: 'orderFileId' });
  expect(await applicant.does('DeleteUpload', { fileId: first.id })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await fileFor(stranger, first.id)).toBeNull();
  const { url } = await fileFor(operator, first.id);
  expect((await operator.fetch(url)).status).toBe(200);

  const applicationId = application.id;
  await operator.does('RequestOrganizationApplicationChanges', { applicationId, reason: 'Illegible.' });
  const resubmit = (more: object) =>
    applicant.does('ResubmitOrganizationApplication', { input: { ...input, applicationId, ...more } });
  expect(await resubmit({ orderFileId: second.id })).toMatchObject({ orderFile: { id: second.id } });
  expect(await fileFor(operator, first.id)).toBeNull();
  expect((await operator.fetch(url)).status).toBe(404);
  await operator.does('RequestOrganizationApplicationChanges', { applicationId, reason: 'The address.' });
  expect(await resubmit({})).toMatchObject({ orderFile: { id: second.id } });
});

test('what nobody uses for a day is swept away with its bytes, and what is used stays', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'homeroom-test-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const own = stack.use(await startTestApp({ config: { storage: { kind: 'directory', directory } } }));
  const { world } = own;
  const stored = () =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  const { administrator: person } = await world.school();
  const { default: sharp } = await import('sharp');
  const picture = Buffer.from(
    await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer(),
  );
  const [unused, used, young] = [
    await world.upload(person, { name: 'a.png', bytes: picture }),
    await world.upload(person),
    await world.upload(person),
  ];
  const [sent, never] = [await world.send(person, 'b.txt', Buffer.from('b')), await announce(person)];
  const refused = await announce(person, { name: 'c.pdf' });
  await person.put(refused.uploadPath, 'no pdf 010');
  const application = { ...applicationOf('School 6', 'SCHOOL', '+79175550002'), orderFileId: used.id };
  await person.does('SubmitOrganizationApplication', { input: application });
  expect(stored()).toHaveLength(5);

  await own.jobs.runNow('file-sweep');
  expect(stored()).toHaveLength(5);
  await inDatabase(
    own,
    (sql) => sql`update files set created_at = now() - interval '25 hours' where id <> ${rowIdOf(young.id)}`,
  );
  // A storage that is away only postpones it.
  await rename(directory, `${directory}-away`);
  await writeFile(directory, '');
  await expect(own.jobs.runNow('file-sweep')).rejects.toThrow('has failed');
  await rm(directory);
  await rename(`${directory}-away`, directory);
  await own.jobs.runNow('file-sweep');
  expect(stored().toSorted()).toEqual([rowIdOf(used.id), rowIdOf(young.id)].toSorted());
  for (const id of [unused.id, sent.file.id, never.file.id, refused.file.id])
    expect(await fileFor(person, id)).toBeNull();
  for (const id of [used.id, young.id]) expect(await fileFor(person, id)).toMatchObject({ state: 'READY' });
  expect((await person.put(never.uploadPath, '0123456789')).status).toBe(404);
  const [left] = await inDatabase(
    own,
    (sql) => sql`select count(*)::int as size from files where deleted_at is not null and erased_at is null`,
  );
  expect(left?.size).toBe(0);
  await own.jobs.runNow('file-sweep');
});
