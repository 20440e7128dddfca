import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The process ids of a running cluster, the postmaster first; empty when it is down. */
export async function processesOf(dataDirectory: string): Promise<number[]> {
  const pidFile = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const postmaster = Number.parseInt(pidFile, 10);
  if (!(postmaster > 0) || !alive(postmaster)) return [];
  return [postmaster, ...(await childrenOf(postmaster))];
}

export function alive(pid: number): boolean {
  return signal(pid, 0);
}

/** Sends a signal; false when the process is gone. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function childrenOf(parent: number): Promise<number[]> {
  // Linux; elsewhere a paused cluster's children end when they are continued by hand.
  const entries = await readdir('/proc').catch(() => []);
  const stats = entries
    .filter((entry) => /^\d+$/.test(entry))
    .map(async (entry) => {
      const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
      // The parent is the second field after the command name, which may itself hold spaces and parentheses.
      return { pid: Number(entry), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
    });
  return (await Promise.all(stats)).filter((stat) => stat.parent === parent).map((stat) => stat.pid);
}
