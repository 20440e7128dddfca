import { writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Refused } from './refusal.ts';

/**
 * The process that looks at one file and ends: `node inspection.ts <server's pid> <path> <extension> <preview's path>`. It answers
 * with one line of JSON; any other end means that the file could not be read.
 */
const [server, path = '', extension = '', previewPath = ''] = process.argv.slice(2);

// A terminal and systemd send these to all processes at once, but files are not to blame; the server ends its inspections itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

// Requests come first, also on a machine with one core.
setPriority(10);

const maxBytes = 768 * 1024 * 1024;
const watchdog = new Worker(new URL('./watchdog.ts', import.meta.url), {
  workerData: { server: Number(server), maxBytes },
});
watchdog.unref();

// Imported only now, so that no parser runs unwatched.
const { examine } = await import('./examine.ts');
const answer = await examine(path, extension, previewPath).catch((error: unknown) => {
  if (error instanceof Refused) return { refusal: error.refusal };
  throw error;
});
writeSync(1, JSON.stringify(answer));
