import { writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Refused } from './refusal.ts';

/**
 * The process that looks at one file and ends: `node inspection.ts <server's pid> <path> <extension> <preview's path>`. It answers
 * with one line of JSON; any other end means that the file could not be read.
 */
const [server, path = '', extension = '', previewPath = ''] = process.argv.slice(2);

/**
 * Inspections take at most twice that. Most pictures of 100 megapixels need less; an AVIF needs 19 bytes a pixel, so that it ends
 * at some 35 megapixels.
 */
const maxBytes = 768 * 1024 * 1024;

/**
 * Ends the process when it takes too much memory, native memory included, or when the server is gone. It looks every 25 ms: the
 * limit is exceeded by what can be filled in that time.
 */
function watch(serverId: number, bytes: number): void {
  setInterval(() => {
    const exceeded = process.memoryUsage.rss() > bytes;
    if (exceeded) process.getBuiltinModule('node:fs').writeSync(2, `more than ${bytes} bytes of memory\n`);
    // Who has lost its parent is given another.
    if (exceeded || process.ppid !== serverId) process.kill(process.pid, 'SIGKILL');
  }, 25);
}

// A terminal and systemd send these to all processes at once, but files are not to blame; the server ends its inspections itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

// Requests come first, also on a machine with one core.
setPriority(5);

// In a thread, because a parser may keep this one busy for ever; as text, because a module costs a thread 30 ms more to load.
new Worker(`(${watch})(${Number(server)}, ${maxBytes})`, { eval: true }).unref();

// Imported only now, so that no parser runs unwatched.
const { examine } = await import('./examine.ts');
const answer = await examine(path, extension, previewPath).catch((error: unknown) => {
  if (error instanceof Refused) return { refusal: error.refusal };
  throw error;
});
writeSync(1, JSON.stringify(answer));
