/** Processes that the bench starts, and that end with it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Giver, type Orders } from './orders.ts';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program with what it needs of this environment and no more. Its stdout goes to /dev/null. */
export function start(program: URL, env: Readonly<Record<string, string>> = {}, flags: string[] = []): ChildProcess {
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(fileURLToPath(program), {
    env: { PATH, HOME, NODE_ENV: 'production', ...env },
    execArgv: flags,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Ends a process, and returns when it is gone; one that is paused or hangs ends too. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** A program that obeys orders. */
export class Helper<Given extends Orders> extends Giver<Given> implements AsyncDisposable {
  readonly process: ChildProcess;

  constructor(program: URL) {
    const started = start(program);
    super(started);
    this.process = started;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return end(this.process);
  }
}
