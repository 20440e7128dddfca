import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another process has the data directory open; two would destroy the data. */
export class DirectoryInUse extends Error {
  constructor(directory: string, pid: number) {
    super(
      `The data directory ${directory} is in use by process ${pid}. ` +
        'Stop that process, or give this one a directory of its own (or a DATABASE_URL: Postgres serves any number).',
    );
    this.name = 'DirectoryInUse';
  }
}

/**
 * Takes a data directory for this process until disposed. The lock of a process that died without giving it back is taken
 * over. It knows the processes of one machine (one container), not those of others that mount the same directory.
 * @throws DirectoryInUse
 */
export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const path = join(directory, 'postgres.lock');
  const mine = `${path}.${process.pid}`;
  const content = `${process.pid} ${await startOf(process.pid)}\n`;
  await writeFile(mine, content);
  try {
    // Linking either creates the whole file or fails, so nobody reads a lock that is half written.
    while (!(await linked(mine, path))) await removeStale(directory, path);
  } finally {
    await rm(mine, { force: true });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      if ((await contentOf(path)) === content) await rm(path, { force: true });
    },
  };
}

async function removeStale(directory: string, path: string): Promise<void> {
  const content = await contentOf(path);
  if (content === null) return;
  const pid = await holderOf(content);
  if (pid !== null) throw new DirectoryInUse(directory, pid);
  // Two processes may both find it stale: the slower one must not throw away the lock that the faster one took.
  const aside = `${path}.stale.${process.pid}`;
  await rename(path, aside).catch(ignoreMissing);
  const taken = await contentOf(aside);
  if (taken !== null && taken !== content) await linked(aside, path);
  await rm(aside, { force: true });
}

/** The living process that wrote a lock, or null. */
async function holderOf(content: string): Promise<number | null> {
  const [pid, start] = content.trim().split(' ');
  const number = Number(pid);
  if (!Number.isInteger(number) || number <= 0) return null;
  try {
    process.kill(number, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return null;
  }
  // The number may have gone to another process since: in a container the server is always number 1.
  return (await startOf(number)) === start ? number : null;
}

/** When a process started, in the kernel's own terms; the same for all where the system does not tell. */
async function startOf(pid: number): Promise<string> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  // Field 22, counted after the command name, which may itself hold spaces and parentheses.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function contentOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(ignoreMissing);
}

function ignoreMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
