import { execFileSync, spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Busy, startInspector } from '../src/inspection/inspector.ts';
import { inspectionsOf } from './support/children.ts';
import { picture } from './support/pictures.ts';
import { alive } from './support/postgres-processes.ts';
import { startUploads, type Upload, type Uploads } from './support/uploads.ts';

// On a busy machine inspections, which come after everything else, take their time.
vi.setConfig({ testTimeout: 120_000 });

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
    .poll(() => inspectionsOf(file.path), { timeout: 30_000 })
    .toEqual([expect.any(Number)])
    .then(async () => (await inspectionsOf(file.path))[0] ?? 0);

test('one that hangs is killed in time, and the next file is inspected', async () => {
  await using impatient = startInspector({ timeoutMs: 2_000 });
  const files = [await endless(), await endless()];
  const answers = await Promise.all(files.map((file) => impatient.inspect(file).catch((error) => error)));
  for (const answer of answers) expect(answer).toMatchObject({ refusal: 'UNREADABLE', cause: { killed: true } });
  for (const file of files) {
    expect(await inspectionsOf(file.path)).toEqual([]);
    await expect(access(file.previewPath)).rejects.toThrow('ENOENT');
  }
  expect(await impatient.inspect(await uploads.add('a.txt', 'a'))).toMatchObject({ mediaType: 'text/plain' });
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
  await expect.poll(() => getPriority(pid), { timeout: 30_000 }).toBeGreaterThan(getPriority());
  await inspector[Symbol.asyncDispose]();
  await answer;
});

test('one goes on when a terminal or a supervisor asks all processes to end, until the server has', async () => {
  await using inspector = startInspector();
  const file = await endless();
  const answer = inspector.inspect(file);
  const pid = await begun(file);
  await expect.poll(() => getPriority(pid), { timeout: 30_000 }).toBeGreaterThan(getPriority());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(pid, signal);
  expect((await readFile(file.previewPath)).subarray(8, 12).toString()).toBe('WEBP');
  expect(await answer).toMatchObject({ hasPreview: true });
});

test('two at a time inspect however many files, and who would be one too many is told so', async () => {
  const files = await Promise.all(
    Array.from({ length: 20 }, async () => uploads.add('a.png', await picture(40, 40).png().toBuffer())),
  );
  let done = false;
  const counts = new Set<number>();
  const watching = (async () => {
    for (; !done; await setTimeout(50)) counts.add((await inspectionsOf(uploads.folder)).length);
  })();
  await using inspector = startInspector();
  const found = await Promise.all(files.map((file) => inspector.inspect(file)));
  done = true;
  await watching;
  expect(found.map(({ hasPreview }) => hasPreview)).toEqual(Array(20).fill(true));
  expect(Math.max(...counts)).toBe(2);

  await using crowded = startInspector();
  const text = await uploads.add('a.txt', 'a');
  const answers = Array.from({ length: 67 }, () =>
    crowded.inspect(text).then(
      () => 'inspected',
      (error) => error.name,
    ),
  );
  expect(await Promise.race(answers)).toBe('Busy');
  await crowded[Symbol.asyncDispose]();
  expect((await Promise.all(answers)).filter((answer) => answer === 'Busy')).toHaveLength(67);
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
  await expect.poll(() => inspectionsOf(file.path), { timeout: 30_000 }).toEqual([]);
});
