import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { startTestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { startS3 } from './support/s3.ts';
import type { Person } from './support/world.ts';

const picture = () =>
  sharp({ create: { width: 1200, height: 900, channels: 3, background: '#d95f02' } })
    .jpeg()
    .toBuffer();

const filesOf = async (reader: Person, postId: string): Promise<Json[]> =>
  (await reader.run('PostFiles', { id: postId })).node?.attachments ?? [];

async function bytesOf(reader: Person, path: string): Promise<Buffer> {
  const response = await reader.fetch(path);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

test('who lost access has dead links from that moment on, whatever the link says (§4.12)', async () => {
  await using app = await startTestApp();
  const { world } = app;
  const school = await world.school();
  const [groupId, elsewhere] = [await world.group(school), await world.group(school)];
  const teacher = await world.teacher(school, groupId);
  const child = await world.child(school, groupId);
  const [mother, father] = [await world.guardian(school, child), await world.guardian(school, child)];
  const channelId = await world.channel(teacher, school, 'GROUP', groupId);
  const bytes = await picture();
  const file = await world.upload(teacher, { name: 'Прогулка.jpg', bytes: Buffer.from(bytes) });
  const draft = await teacher.does('DraftPost', { input: { channelId, text: 'A walk', fileIds: [file.id] } });
  expect((await mother.run('File', { id: file.id })).node).toBeNull();
  await teacher.does('PublishPost', { postId: draft.id });

  const [seen] = await filesOf(mother, draft.id);
  expect(seen).toMatchObject({ id: file.id, mediaType: 'image/jpeg', width: 1200, height: 900 });
  expect(await bytesOf(mother, seen.url)).toEqual(bytes);
  const preview = await sharp(await bytesOf(mother, seen.preview)).metadata();
  expect(preview).toMatchObject({ format: 'webp', width: 800, height: 600 });
  const [his] = await filesOf(father, draft.id);

  // Another file takes its place: the first is gone for everybody.
  const next = await world.upload(teacher, { name: 'list.txt' });
  await teacher.does('UpdatePost', { input: { postId: draft.id, fileIds: [next.id] } });
  expect((await mother.fetch(seen.url)).status).toBe(404);
  expect((await mother.run('File', { id: file.id })).node).toBeNull();

  const [list] = await filesOf(mother, draft.id);
  await father.does('SignOut', {});
  await school.administrator.does('TransferChild', { input: { childId: child, groupId: elsewhere } });
  expect((await mother.fetch(list.url)).status).toBe(404);
  expect((await father.fetch(his.url)).status).toBe(404);
  const [theirs] = await filesOf(teacher, draft.id);
  expect((await teacher.fetch(theirs.url)).status).toBe(200);
  await teacher.does('DeletePost', { postId: draft.id });
  expect((await teacher.fetch(theirs.url)).status).toBe(404);
});

test('a post takes its author’s own files, twenty at most, and each only once', async () => {
  await using app = await startTestApp();
  const { world } = app;
  const school = await world.school();
  const head = await world.head(school);
  const channelId = await world.channel(head, school, 'COMMUNITY');
  const foreign = await world.upload(await world.staff(school));
  const own = await world.upload(head);
  const draft = (fileIds: string[]) => head.does('DraftPost', { input: { channelId, text: 'With files', fileIds } });
  for (const fileIds of [[foreign.id], [own.id, own.id], Array.from({ length: 21 }, () => own.id)])
    expect(await draft(fileIds)).toMatchObject({ code: 'INVALID_INPUT', field: 'fileIds' });
  expect((await head.run('ViewerPosts', { state: 'DRAFT' })).viewer.posts.totalCount).toBe(0);
  expect((await draft([own.id])).attachments).toMatchObject([{ id: own.id }]);
  expect(await draft([own.id])).toMatchObject({ code: 'INVALID_INPUT', field: 'fileIds' });
});

test('with a bucket of S3 in place of the directory it is the same: sent, read in parts, previewed, swept', async () => {
  await using s3 = await startS3();
  await using app = await startTestApp({ config: { storage: readConfig({ ...s3.settings }).storage } });
  const { world } = app;
  const school = await world.school();
  const channelId = await world.channel(school.administrator, school, 'COMMUNITY');
  const guardian = await world.guardian(school, await world.child(school, await world.group(school)));
  const [film, photo] = [randomBytes(3_000_000), Buffer.from(await picture())];
  // An MP4 begins like this, and then are the pictures, which nobody looks at.
  film.set(Buffer.from('000000206674797069736f6d0000020069736f6d69736f32617663316d703431', 'hex'));
  film.writeUInt32BE(film.length - 32, 32);
  film.write('mdat', 36);
  const uploaded = [
    await world.upload(school.administrator, { name: 'film.mp4', bytes: film }),
    await world.upload(school.administrator, { name: 'photo.jpg', bytes: photo }),
  ];
  const postId = await world.post(school.administrator, channelId, 'Seen today', {
    fileIds: uploaded.map(({ id }) => id),
  });
  const [movie, still] = await filesOf(guardian, postId);
  expect(await bytesOf(guardian, movie.url)).toEqual(film);
  const part = await guardian.fetch(movie.url, { headers: { range: 'bytes=1000000-1000999' } });
  expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, film.subarray(1_000_000, 1_001_000)]);
  expect((await sharp(await bytesOf(guardian, still.preview)).metadata()).format).toBe('webp');

  await school.administrator.does('DeletePost', { postId });
  expect((await guardian.fetch(movie.url)).status).toBe(404);
  await app.jobs.runNow('file-sweep');
  const removed = s3.answers.filter((answer) => answer.startsWith('DELETE'));
  expect(removed.length).toBeGreaterThanOrEqual(uploaded.length);
});
