import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The processes that inspect something whose command names `path`. */
export async function inspectionsOf(path: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,stat=,args=']);
  const lines = stdout.split('\n').filter((line) => line.includes('inspection.ts') && line.includes(path));
  // One that has ended stays listed until its parent asks for it.
  return lines.filter((line) => !/^\s*\d+\s+Z/.test(line)).map((line) => Number.parseInt(line, 10));
}
