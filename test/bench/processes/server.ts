/** A server under measurement: a process of its own, started alike whoever's it is, and known by what the system says of it. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../src/database/cluster.ts';
import { end, start } from './child.ts';
import { collected, collectOrder } from './collecting.ts';
import { cpuOf, memoryOf, untilAtRest } from './usage.ts';

const preload = fileURLToPath(new URL('./collect-garbage.ts', import.meta.url));

export class Server implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly port: number;

  private constructor(process: ChildProcess, port: number) {
    this.process = process;
    this.port = port;
  }

  /** Starts a program that listens on `PORT`, and waits until it is ready: on a port of its own, or on one it had before. */
  static async start(program: URL, env: Readonly<Record<string, string>> = {}, again?: number): Promise<Server> {
    const port = again ?? (await freePort());
    const child = start(program, { HOST: '127.0.0.1', PORT: String(port), ...env }, [
      '--expose-gc',
      '--import',
      preload,
    ]);
    const server = new Server(child, port);
    while (!(await server.#answers())) {
      if (child.exitCode !== null) throw new Error(`${program.pathname} did not start: see above`);
      await delay(20);
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`;
  }

  get pid(): number {
    if (!this.process.pid) throw new Error('the process was never started');
    return this.process.pid;
  }

  async #answers(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.port}/ready`).then(
      ({ status }) => status !== 503,
      () => false,
    );
  }

  /** Microseconds of CPU so far. */
  cpu(): number {
    return cpuOf(this.pid);
  }

  untilAtRest(): Promise<void> {
    return untilAtRest(this.pid);
  }

  /** Bytes resident once all garbage is collected. */
  async memory(): Promise<number> {
    for (let times = 0; times < 3; times++) {
      const done = new Promise<void>((resolve) => {
        const hear = (message: unknown) => {
          if (message !== collected) return;
          this.process.off('message', hear);
          resolve();
        };
        this.process.on('message', hear);
      });
      this.process.send(collectOrder);
      await done;
      // The collector gives pages back a little later, on threads of its own.
      await delay(300);
    }
    return memoryOf(this.pid);
  }

  pause(): void {
    this.process.kill('SIGSTOP');
  }

  continue(): void {
    this.process.kill('SIGCONT');
  }

  /** Ends it by SIGKILL, as a crash does. */
  kill(): Promise<void> {
    return end(this.process);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return end(this.process);
  }
}
