import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { testSecret } from './postgres.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The server as operators run it: a process of its own, on a database that is there. */
export interface Program extends AsyncDisposable {
  readonly url: string;
  /** Asks it to stop, as a supervisor does; resolves with its exit code, null when it had to be killed. */
  stop(): Promise<number | null>;
}

export async function startProgram(databaseUrl: string): Promise<Program> {
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      HOMEROOM_DEMO: '0',
      HOMEROOM_FILES: 'memory://',
      DATABASE_URL: databaseUrl,
      HOMEROOM_SECRET: testSecret,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[code: number | null]>; // Boundary: what the event tells is untyped.
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return (await exited)[0];
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /"url":"([^"]+)"/.exec(line)?.[1];
    if (!url) continue;
    // Nobody reads what it logs from here on, and it must not wait for that.
    child.stdout.resume();
    return { url, stop: () => end('SIGTERM'), [Symbol.asyncDispose]: async () => void (await end('SIGKILL')) };
  }
  throw new Error('the server did not start');
}
