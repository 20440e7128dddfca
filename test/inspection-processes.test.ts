import { execFileSync, spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Busy, startInspector } from '../src/inspection/inspector.ts';
import { inspectionsOf } from './support/children.ts';
import { picture } from './support/pictures.ts';
import { alive } from './support/postgres-processes.ts';
import { startUploads, type Upload, type Uploads } from './support/uploads.ts';
import { eventually } from './support/waiting.ts';

let uploads: Uploads;

beforeAll(async () => {
  uploads = await startUploads();
});

afterAll(async () => {
  await uploads[Symbol.asyncDispose]();
});

/** An inspection that never ends: the process waits for a reader of its preview. */
async function endless(): Promise<Upload> {
  const file = await uploads.add('a.png', await picture(4, 4).png().toBuffer());
  execFileSync('mkfifo', [file.previewPath]);
  return file;
}

const begun = (file: Upload): Promise<number> =>
  expect
    .poll(() => inspectionsOf(file.path))
    .toEqual([expect.any(Number)])
    .then(async () => (await inspectionsOf(file.path))[0] ?? 0);

/** It has stepped back behind the server, which it does before it looks at the file. */
const working = (pid: number) => expect.poll(() => getPriority(pid)).toBeGreaterThan(getPriority());

test('one that hangs is killed in time, and the next file is inspected', async () => {
  await using impatient = startInspector({ timeoutMs: 2_000 });
  const files = [await endless(), await endless()];
  const answers = await Promise.all(files.map((file) => impatient.inspect(file).catch((error) => error)));
  for (const answer of answers) expect(answer).toMatchObject({ refusal: 'UNREADABLE', cause: { killed: true } });
  for (const file of files) {
    expect(await inspectionsOf(file.path)).toEqual([]);
    await expect(access(file.previewPath)).rejects.toThrow('ENOENT');
  }
  // On a busy machine even this may take longer than it is given.
  const text = await uploads.add('a.txt', 'a');
  expect(await eventually(() => impatient.inspect(text))).toMatchObject({ mediaType: 'text/plain' });
});

test('one that crashes costs one file', async () => {
  await using inspector = startInspector();
  const file = await endless();
  const answer = inspector.inspect(file).catch((error) => error);
  process.kill(await begun(file), 'SIGSEGV');
  expect(await answer).toMatchObject({ refusal: 'UNREADABLE', cause: { signal: 'SIGSEGV' } });
  expect(await inspector.inspect(await uploads.add('a.txt', 'a'))).toMatchObject({ mediaType: 'text/plain' });
});

test('one knows nothing of the server’s environment, and its work comes after the server’s', async () => {
  await using inspector = startInspector();
  const file = await endless();
  const answer = inspector.inspect(file).catch((error) => error);
  const pid = await begun(file);
  expect(process.env).toHaveProperty('PATH');
  expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toBe('');
  await working(pid);
  await inspector[Symbol.asyncDispose]();
  await answer;
});

test('one goes on when a terminal or a supervisor asks all processes to end, until the server has', async () => {
  await using inspector = startInspector();
  const file = await endless();
  const answer = inspector.inspect(file);
  const pid = await begun(file);
  await working(pid);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(pid, signal);
  expect((await readFile(file.previewPath)).subarray(8, 12).toString()).toBe('WEBP');
  expect(await answer).toMatchObject({ hasPreview: true });
});

test('two at a time inspect however many files, and who would be one too many is told so', async () => {
  const files = await Promise.all(
    Array.from({ length: 20 }, async () => uploads.add('a.png', await picture(40, 40).png().toBuffer())),
  );
  await using inspector = startInspector({ timeoutMs: 600_000 });
  const held = [await endless(), await endless()];
  const answers = [...held, ...files].map((file) => inspector.inspect(file));
  // Far on, so that a third which had been let in beside them would be there too.
  for (const file of held) await working(await begun(file));
  expect(await inspectionsOf(uploads.folder)).toHaveLength(2);
  for (const file of held) await readFile(file.previewPath);
  expect((await Promise.all(answers)).map(({ hasPreview }) => hasPreview)).toEqual(Array(22).fill(true));

  await using crowded = startInspector();
  const text = await uploads.add('a.txt', 'a');
  const told = Array.from({ length: 67 }, () =>
    crowded.inspect(text).then(
      () => 'inspected',
      (error) => error.name,
    ),
  );
  expect(await Promise.race(told)).toBe('Busy');
  await crowded[Symbol.asyncDispose]();
  expect((await Promise.all(told)).filter((answer) => answer === 'Busy')).toHaveLength(67);
});

test('nothing runs on once the inspector is disposed of, and nothing is said of the files', async () => {
  const stopping = startInspector({ timeoutMs: 600_000 });
  const files = [await endless(), await endless(), await endless()];
  const answers = files.map((file) => stopping.inspect(file).catch((error) => error));
  const pids = await Promise.all(files.slice(0, 2).map(begun));
  await stopping[Symbol.asyncDispose]();
  expect(pids.filter(alive)).toEqual([]);
  for (const answer of await Promise.all(answers)) expect(answer).toBeInstanceOf(Busy);
  for (const file of files) expect(await inspectionsOf(file.path)).toEqual([]);
  await expect(stopping.inspect(await uploads.add('a.txt', 'a'))).rejects.toBeInstanceOf(Busy);
});

test('a server that is killed takes its inspections with it', async () => {
  const file = await endless();
  const program = fileURLToPath(new URL('support/inspecting.ts', import.meta.url));
  const server = spawn(process.execPath, [program, file.path, file.previewPath], { stdio: 'inherit' });
  await begun(file);
  server.kill('SIGKILL');
  await expect.poll(() => inspectionsOf(file.path)).toEqual([]);
});
