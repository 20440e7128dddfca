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

/** Linux; elsewhere a paused cluster's children end when they are continued by hand. */
export async function childrenOf(parent: number): Promise<number[]> {
  const entries = (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const parents = await Promise.all(entries.map(parentOf));
  return entries.filter((_pid, at) => parents[at] === parent);
}

export async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field after the command name, which may itself hold spaces and parentheses.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
