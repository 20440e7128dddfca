import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, open, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../src/database/cluster.ts';
import { findPrograms, type Programs } from '../../src/database/programs.ts';
import { processesOf, signal } from './postgres-processes.ts';

/** A Postgres 18 of one's own on loopback. Disposing stops it and leaves nothing; so does the end of this process. */
export interface Cluster extends AsyncDisposable {
  /** The maintenance database, as superuser. The same after a restart. */
  readonly url: string;
  start(): Promise<void>;
  /** `fast` ends sessions in order; `immediate` is a crash from which the next start recovers. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  restart(mode: 'fast' | 'immediate'): Promise<void>;
  /** Every process stands still, connections stay open: a server that hangs. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends every process with SIGKILL. */
  kill(): Promise<void>;
}

/** Starts a cluster, in about a second. Linux and macOS, as root too. */
export async function startCluster(): Promise<Cluster> {
  const directory = await mkdtemp(join(await realpath(tmpdir()), 'homeroom-postgres-'));
  const guard = startGuard(directory);
  try {
    return await createCluster(directory, guard);
  } catch (error) {
    await release(guard);
    throw error;
  }
}

async function createCluster(directory: string, guard: ChildProcess): Promise<Cluster> {
  const programs = await findPrograms();
  const { owner } = programs;
  if (owner) await chown(directory, owner.uid, owner.gid);
  const data = join(directory, 'data');
  const log = join(directory, 'log');
  const port = await freePort();
  const password = randomBytes(16).toString('hex');
  await initialize(programs, directory, password);
  let server: ChildProcess | undefined;

  const cluster: Cluster = {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    async start() {
      const output = await open(log, 'a');
      const [file, args] = programs.command('postgres', ['-D', data, '-p', String(port)]);
      server = spawn(file, args, {
        cwd: directory,
        // Out of the terminal's process group: an interrupt there must not stop it under the running tests.
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
      });
      const ended = once(server, 'exit');
      server.unref();
      await output.close();
      // The postmaster writes its number and its state into this file; one that was killed leaves it behind.
      const ready = async (): Promise<boolean> => {
        const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
        return Number(lines[0]) === server?.pid && lines[7]?.trim() === 'ready';
      };
      while (!(await ready())) {
        if (server.exitCode !== null) throw new Error(`Postgres did not start:\n${await readFile(log, 'utf8')}`);
        await Promise.race([delay(20), ended]);
      }
    },
    async stop(mode) {
      if (server) await end(server, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      server = undefined;
    },
    async restart(mode) {
      await cluster.stop(mode);
      await cluster.start();
    },
    async pause() {
      for (const pid of await processesOf(data)) signal(pid, 'SIGSTOP');
    },
    async resume() {
      for (const pid of await processesOf(data)) signal(pid, 'SIGCONT');
    },
    async kill() {
      const [, ...children] = await processesOf(data);
      if (server) await end(server, 'SIGKILL');
      for (const pid of children) signal(pid, 'SIGKILL');
      server = undefined;
    },
    [Symbol.asyncDispose]: () => release(guard),
  };
  await cluster.start();
  return cluster;
}

async function initialize(programs: Programs, directory: string, password: string): Promise<void> {
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o644 });
  const settings = {
    listen_addresses: '127.0.0.1',
    // Its path may be too long for a socket, and nobody needs one.
    unix_socket_directories: '',
    max_connections: '300',
    shared_buffers: '64MB',
    // Processes are killed here, never the machine: what the kernel has got is not lost.
    fsync: 'off',
    full_page_writes: 'off',
    // In the directory, so that it goes when the directory does.
    dynamic_shared_memory_type: 'mmap',
    // The client's share of a sign-in is thousands of hashes otherwise, and tests connect often.
    scram_iterations: '1',
  };
  const [file, args] = programs.command('initdb', [
    ...['-D', join(directory, 'data'), '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile],
    ...['-E', 'UTF8', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C'],
    ...['--no-sync', '--no-instructions'],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  await promisify(execFile)(file, args, { cwd: directory });
}

function startGuard(directory: string): ChildProcess {
  const program = fileURLToPath(new URL('./postgres-guard.ts', import.meta.url));
  const guard = spawn(process.execPath, [program, directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.unref();
  return guard;
}

async function release(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null) return;
  guard.ref();
  const gone = once(guard, 'exit');
  guard.stdin?.end();
  await gone;
}

async function end(server: ChildProcess, name: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.ref();
  const gone = once(server, 'exit');
  server.kill(name);
  await gone;
}
