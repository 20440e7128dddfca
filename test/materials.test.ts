import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, Stream, TestClient } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** Follows from now on, however long the socket takes to open. */
async function follow(person: Person, name: string, variables: object): Promise<Stream> {
  const { cursor } = (await person.run('Viewer')).viewer;
  return person.subscribe(name, { ...variables, after: cursor }).begun();
}

async function add(person: TestClient, groupId: string, input: object = {}): Promise<Json> {
  const { id: fileId } = await app.world.upload(person);
  return person.does('AddMaterial', { input: { groupId, title: 'Leaves', fileId, ...input } });
}

const listFor = async (person: TestClient, groupId: string, variables: object = {}): Promise<Json> =>
  (await person.run('Materials', { groupId, ...variables })).node;
const titlesFor = async (person: TestClient, groupId: string, variables: object = {}): Promise<string[]> =>
  (await listFor(person, groupId, variables)).materials.nodes.map(({ title }: Json) => title);
const materialFor = async (person: TestClient, id: string): Promise<Json> =>
  (await person.run('Material', { id })).node;
const reads = async (person: TestClient, url: string): Promise<boolean> => {
  const response = await person.fetch(url);
  await response.arrayBuffer();
  return response.status === 200;
};

/** A group with somebody of each kind around it. */
async function place(kind = 'KINDERGARTEN') {
  const { world } = app;
  const school: School = await world.school('School 3', kind);
  const [group, elsewhere] = [await world.group(school), await world.group(school)];
  const [teacher, colleague] = [await world.teacher(school, group), await world.teacher(school, elsewhere)];
  const child = await world.child(school, group);
  const guardian = await world.guardian(school, child);
  return { world, school, group, elsewhere, teacher, colleague, child, guardian };
}

test('a teacher adds material, everybody in the group hears of it and reads it, and nobody else', async () => {
  const { world, school, group, elsewhere, teacher, colleague, guardian } = await place();
  const [head, operator] = [await world.head(school), await world.operator()];
  const [stranger, unverified] = [await world.person(), await world.member(school, 'EMPLOYEE')];
  await world.assign(school, unverified.membershipId, group);
  const otherFamily = await world.guardian(school, await world.child(school, elsewhere));
  await using stream = await follow(guardian, 'GroupEvents', { groupId: group });
  const material = await add(teacher, group, { title: ' Leaves ', description: 'Collect five.\nDry them.' });
  expect(material).toMatchObject({
    title: 'Leaves',
    description: 'Collect five.\nDry them.',
    file: { name: 'notes.txt', mediaType: 'text/plain' },
    addedBy: { displayName: 'EMPLOYEE Test' },
    group: { id: group },
  });
  expect(await stream.nextOf('MaterialChanged')).toMatchObject({
    kind: 'MATERIAL_ADDED',
    materialId: material.id,
    material: { title: 'Leaves', file: { name: 'notes.txt' } },
  });
  for (const person of [teacher, guardian, head, school.administrator]) {
    const { file } = await materialFor(person, material.id);
    expect(await reads(person, file.url)).toBe(true);
    expect((await person.run('File', { id: file.id })).node).toMatchObject({ name: 'notes.txt' });
    expect((await listFor(person, group)).materials).toMatchObject({ totalCount: 1, nodes: [{ id: material.id }] });
  }
  for (const person of [colleague, otherFamily, stranger, operator, unverified]) {
    expect(await materialFor(person, material.id)).toBeNull();
    expect((await person.run('File', { id: material.file.id })).node).toBeNull();
    expect((await listFor(person, group))?.materials ?? null).toBeNull();
  }
});

test('confirmed staff of the group and administrators keep its material; who reads is refused, and to others it is not there', async () => {
  const { world, school, group, teacher, colleague, guardian } = await place();
  const head = await world.head(school);
  const material = await add(school.administrator, group);
  for (const person of [teacher, school.administrator]) {
    expect((await listFor(person, group)).viewerCanKeepMaterials).toBe(true);
    expect(await add(person, group)).toMatchObject({ __typename: 'Material' });
  }
  const attempts = async (person: TestClient) => [
    await add(person, group),
    await person.does('UpdateMaterial', { input: { materialId: material.id, title: 'Mine' } }),
    await person.does('RemoveMaterial', { materialId: material.id }),
  ];
  for (const person of [guardian, head]) {
    expect((await listFor(person, group)).viewerCanKeepMaterials).toBe(false);
    expect(await attempts(person)).toMatchObject(Array(3).fill({ code: 'FORBIDDEN' }));
  }
  for (const person of [colleague, await world.person(), await world.operator()]) {
    expect(await attempts(person)).toMatchObject(Array(3).fill({ code: 'NOT_FOUND' }));
  }
  expect(await materialFor(guardian, material.id)).toMatchObject({ title: 'Leaves' });
});

test('a link that a family had is dead from the moment that their child is in another group', async () => {
  const { world, school, group, elsewhere, teacher, child, guardian } = await place();
  const second = await world.guardian(school, await world.child(school, group), await world.person());
  const material = await add(teacher, group);
  const [url, seconds] = [
    (await materialFor(guardian, material.id)).file.url,
    (await materialFor(second, material.id)).file.url,
  ];
  expect(await reads(guardian, url)).toBe(true);
  await school.administrator.does('TransferChild', { input: { childId: child, groupId: elsewhere } });
  expect(await reads(guardian, url)).toBe(false);
  expect((await guardian.run('File', { id: material.file.id })).node).toBeNull();
  expect(await reads(second, seconds)).toBe(true);
});

test('links are dead once a membership ends, an organization is closed, or who uploaded the file has left', async () => {
  const { school, world, group, teacher, guardian } = await place();
  const material = await add(teacher, group);
  const urlFor = async (person: TestClient) => (await materialFor(person, material.id)).file.url;
  const [teachers, guardians, administrators] = await Promise.all(
    [teacher, guardian, school.administrator].map(urlFor),
  );
  await school.administrator.does('EndMembership', { membershipId: teacher.membershipId, reason: 'Left.' });
  expect(await reads(teacher, teachers)).toBe(false);
  expect(await teacher.does('CompleteUpload', { fileId: material.file.id })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await reads(guardian, guardians)).toBe(true);
  const operator = await world.operator();
  await operator.does('SuspendOrganization', { organizationId: school.id, reason: 'Inquiry.' });
  expect([await reads(guardian, guardians), await reads(school.administrator, administrators)]).toEqual([false, false]);
  await operator.does('RestoreOrganization', { organizationId: school.id });
  expect(await reads(guardian, guardians)).toBe(true);
});

test('a material is renamed, described anew and given another file, whose predecessor is gone', async () => {
  const { world, school, group, teacher, guardian } = await place();
  const material = await add(teacher, group, { description: 'Collect five.' });
  const old = (await materialFor(guardian, material.id)).file;
  await using stream = await follow(guardian, 'GroupEvents', { groupId: group });
  const change = (input: object, person: TestClient = teacher) =>
    person.does('UpdateMaterial', { input: { materialId: material.id, ...input } });
  expect(await change({ title: 'Autumn leaves' })).toMatchObject({
    title: 'Autumn leaves',
    description: 'Collect five.',
    file: { id: old.id },
  });
  expect(await stream.nextOf('MaterialChanged')).toMatchObject({ kind: 'MATERIAL_UPDATED' });
  const fresh = await world.upload(school.administrator, { name: 'new.txt', bytes: Buffer.from('new') });
  expect(await change({ fileId: fresh.id })).toMatchObject({ code: 'INVALID_INPUT', field: 'fileId' });
  expect(await change({ fileId: fresh.id, description: null }, school.administrator)).toMatchObject({
    title: 'Autumn leaves',
    description: null,
    file: { id: fresh.id, name: 'new.txt' },
  });
  // It may stay, whoever uploaded it.
  expect(await change({ fileId: fresh.id })).toMatchObject({ file: { id: fresh.id } });
  expect(await reads(guardian, old.url)).toBe(false);
  expect(await reads(guardian, (await materialFor(guardian, material.id)).file.url)).toBe(true);
  const { auditLog } = (await school.administrator.run('AuditLog', { organizationId: school.id, first: 10 }))
    .organization;
  expect(auditLog.nodes.filter(({ action }: Json) => action === 'material.update')).toMatchObject([
    { before: { file: fresh.id }, after: { file: fresh.id } },
    {
      before: { file: old.id, description: 'Collect five.' },
      after: { file: fresh.id, description: null },
    },
    { before: { title: 'Leaves' }, after: { title: 'Autumn leaves' } },
  ]);
});

test('a removed material is gone for everybody, links and bytes too, and they are told which', async () => {
  const { school, group, teacher, guardian } = await place();
  const material = await add(teacher, group);
  const { file } = await materialFor(guardian, material.id);
  await using stream = await follow(guardian, 'ViewerEvents', {});
  const remove = (person: TestClient) => person.does('RemoveMaterial', { materialId: material.id });
  expect(await remove(teacher)).toMatchObject({ materialId: material.id, group: { id: group } });
  expect(await remove(school.administrator)).toMatchObject({ materialId: material.id });
  expect(await remove(guardian)).toMatchObject({ code: 'NOT_FOUND' });
  expect(await stream.nextOf('MaterialChanged')).toMatchObject({
    kind: 'MATERIAL_REMOVED',
    materialId: material.id,
    material: null,
  });
  expect(await reads(guardian, file.url)).toBe(false);
  for (const person of [teacher, guardian, school.administrator]) {
    expect(await materialFor(person, material.id)).toBeNull();
    expect((await person.run('File', { id: file.id })).node).toBeNull();
    expect((await listFor(person, group)).materials).toMatchObject({ totalCount: 0, nodes: [] });
  }
  const change = { input: { materialId: material.id, title: 'Back' } };
  expect(await teacher.does('UpdateMaterial', change)).toMatchObject({ code: 'NOT_FOUND' });
  const removals = await inDatabase(
    app,
    (sql) => sql`
    select from log_events e join materials m on m.id = e.subject_id
    join groups g on g.id = m.group_id and e.audience_id = g.audience_id
    where e.kind = 'MATERIAL_REMOVED' and m.removed_at is not null and m.title = '' and g.id = ${rowIdOf(group)}`,
  );
  expect(removals).toHaveLength(1);
});

const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';

test('materials are listed newest first, page by page, and found by their title', async () => {
  const { group, teacher, guardian } = await place();
  for (const title of ['Leaves', '100% of numbers', 'Numbers', 'Осень']) await add(teacher, group, { title });
  expect(await titlesFor(guardian, group)).toEqual(['Осень', 'Numbers', '100% of numbers', 'Leaves']);
  expect(await titlesFor(guardian, group, { search: 'NUMB' })).toEqual(['Numbers', '100% of numbers']);
  expect(await titlesFor(guardian, group, { search: '0%' })).toEqual(['100% of numbers']);
  expect(await titlesFor(guardian, group, { search: 'осень' })).toEqual(['Осень']);
  const { pageInfo } = (await listFor(guardian, group, { first: 2 })).materials;
  expect(await titlesFor(guardian, group, { first: 2, after: pageInfo.endCursor })).toEqual([
    '100% of numbers',
    'Leaves',
  ]);
});

test('a group takes no material while it is put away, «Staff» never, and one file serves one material', async () => {
  const { world, school, group, child, teacher } = await place();
  const { administrator } = school;
  expect(await add(administrator, school.staffGroupId)).toMatchObject({ code: 'INVALID_INPUT', field: 'groupId' });
  const { id: fileId } = await world.upload(teacher);
  const input = { groupId: group, title: 'Leaves', fileId, idempotencyKey: 'leaves-of-monday' };
  const both = await Promise.all(Array.from({ length: 5 }, () => teacher.does('AddMaterial', { input })));
  expect(new Set(both.map(({ id }) => id)).size).toBe(1);
  const again = { ...input, idempotencyKey: 'leaves-of-tuesday' };
  expect(await teacher.does('AddMaterial', { input: again })).toMatchObject({ code: 'INVALID_INPUT', field: 'fileId' });
  const other = { ...input, title: 'Other' };
  expect(await teacher.does('AddMaterial', { input: other })).toMatchObject({ field: 'idempotencyKey' });
  expect(await add(teacher, group, { title: ' ' })).toMatchObject({ code: 'INVALID_INPUT', field: 'title' });
  await administrator.does('WithdrawChild', { input: { childId: child } });
  expect(await administrator.does('ArchiveGroup', { groupId: group })).toMatchObject({ state: 'ARCHIVED' });
  expect(await add(administrator, group)).toMatchObject({ code: 'INVALID_STATE', currentState: 'ARCHIVED' });
  const change = { input: { materialId: both[0].id, title: 'Late' } };
  expect(await administrator.does('UpdateMaterial', change)).toMatchObject({ code: 'INVALID_STATE' });
  expect((await listFor(administrator, group)).viewerCanKeepMaterials).toBe(false);
  expect(await administrator.does('RemoveMaterial', { materialId: both[0].id })).toMatchObject({
    materialId: both[0].id,
  });
});
