import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdir, open, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findPrograms, type Programs } from './programs.ts';

/** A Postgres of this process's own: it ends with it, however that ends, and is started again should it end before. */
export interface Cluster extends AsyncDisposable {
  /** As its superuser; the same for as long as this lives. */
  readonly url: string;
}

export interface ClusterOptions {
  /** Postgres' data directory. Beside it lie its `.password` and its `.log`, by the same name. */
  readonly directory: string;
  /** How many may be connected at once. */
  readonly connections: number;
  /** Whether what is committed is to survive the death of the machine. */
  readonly isDurable: boolean;
  /** Hears that it ended by itself, and in what words. */
  readonly onTrouble?: (last: string) => void;
}

/** What is small on purpose: a school has hundreds of people, and one process asks. */
const settings = {
  listen_addresses: '127.0.0.1',
  // Its path may be too long for a socket.
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  // The password is random: there is nothing to guess that would have to be made slow.
  scram_iterations: '1',
  // What a failed statement held is people's data.
  log_min_messages: 'fatal',
  log_min_error_statement: 'panic',
};
const patienceMs = 60_000;
const stopMs = 8_000;
const pauseMs = 50;
/** How soon it is started again, and again. */
const restartMs = [100, 500, 1_000, 2_000, 5_000];

/**
 * Runs a command, and tells it to stop in order as soon as whoever holds the other end of standard input lets go, by ending
 * in whatever way.
 */
const guard = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ read -r _; kill -INT $child; } <&3 &
reader=$!
wait $child
status=$?
kill $reader 2>/dev/null
exit $status`;

/** Makes an empty cluster, in about two seconds. */
export async function makeCluster({ directory, isDurable }: ClusterOptions): Promise<void> {
  const programs = await findPrograms();
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o700 });
  const { owner } = programs;
  if (owner) await chown(directory, owner.uid, owner.gid);
  await writeFile(passwordOf(directory), randomBytes(16).toString('hex'), { mode: 0o600 });
  const [file, args] = programs.command('initdb', [
    ...['-D', directory, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordOf(directory), '-E', 'UTF8'],
    ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C', '--no-instructions'],
    ...['-c', 'scram_iterations=1', ...(isDurable ? [] : ['--no-sync'])],
  ]);
  await promisify(execFile)(file, args, { cwd: directory });
}

/** Starts a cluster that was made before. @throws Error in Postgres' own words when it does not start */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const programs = await findPrograms();
  const port = await freePort();
  const password = await readFile(passwordOf(options.directory), 'utf8');
  const server = new Server(options, programs, port);
  await server.start();
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

const passwordOf = (directory: string): string => `${directory}.password`;
const logOf = (directory: string): string => `${directory}.log`;

class Server {
  readonly #options: ClusterOptions;
  readonly #command: [file: string, args: string[]];
  #process: ChildProcess | null = null;
  readonly #stopping = new AbortController();

  constructor(options: ClusterOptions, programs: Programs, port: number) {
    this.#options = options;
    const all = {
      ...settings,
      max_connections: options.connections,
      ...(options.isDurable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    };
    const set = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#command = programs.command('postgres', ['-D', options.directory, '-p', String(port), ...set]);
  }

  async start(): Promise<void> {
    const { directory } = this.#options;
    await endLeftBehind(directory);
    await using log = await open(logOf(directory), 'w', 0o600);
    const [file, args] = this.#command;
    this.#stopping.signal.throwIfAborted();
    const server = spawn('sh', ['-c', guard, 'sh', file, ...args], {
      // Out of the terminal's process group: an interrupt there must not stop it under what still runs here.
      detached: true,
      stdio: ['pipe', log.fd, log.fd],
    });
    this.#process = server;
    server.unref();
    await this.#untilReady(server);
    server.once('exit', () => void this.#startAgain());
  }

  /** The postmaster writes its state into this file; one that was killed leaves it behind. */
  async #untilReady(server: ChildProcess): Promise<void> {
    const ended = once(server, 'exit');
    const until = Date.now() + patienceMs;
    for (;;) {
      const state = (await postmasterFile(this.#options.directory))[7]?.trim();
      if (server.exitCode !== null || server.signalCode !== null) throw new Error(await this.#lastWords());
      if (state === 'ready') return;
      if (Date.now() > until) throw new Error(`Postgres is not ready after ${patienceMs / 1000} s.`);
      await Promise.race([delay(20), ended]);
    }
  }

  async #startAgain(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt++) {
      this.#options.onTrouble?.(await this.#lastWords());
      await delay(restartMs[Math.min(attempt, restartMs.length - 1)], null, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      const begun = await this.start().then(
        () => true,
        () => false,
      );
      if (begun) return;
    }
  }

  async #lastWords(): Promise<string> {
    const said = (await readFile(logOf(this.#options.directory), 'utf8').catch(() => '')).trim().split('\n').slice(-5);
    return `Postgres has ended: ${said.join(' | ')}`;
  }

  async #quit(): Promise<void> {
    for (const pid of await processesIn(this.#options.directory)) signal(pid, 'SIGQUIT');
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.ref();
    const gone = once(server, 'exit');
    server.stdin?.end();
    const patience = setTimeout(() => void this.#quit(), stopMs);
    await gone;
    clearTimeout(patience);
  }
}

/**
 * Ends what outlived the process it belonged to. Only when nothing of it runs may its file go: by it Postgres knows that
 * somebody may still write. Its number may have gone to another process since, which Postgres would take for a server: in a
 * container the same few are given again and again.
 */
async function endLeftBehind(directory: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const left = () => processesIn(directory);
  const isPostmaster = async (pid: number) => pid === Number((await postmasterFile(directory))[0]);
  for (let waited = 0, running = await left(); running.length > 0; waited += pauseMs, running = await left()) {
    for (const pid of running) if (waited === 0 && (await isPostmaster(pid))) signal(pid, 'SIGINT');
    if (waited >= stopMs) for (const pid of running) signal(pid, 'SIGQUIT');
    await delay(pauseMs);
  }
  await rm(join(directory, 'postmaster.pid'), { force: true });
}

/** All of Postgres' processes work in its data directory. */
async function processesIn(directory: string): Promise<number[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = numbers.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => null));
  const found = await Promise.all(places);
  return numbers.filter((_pid, at) => found[at] === directory).map(Number);
}

/** Whoever has ended meanwhile needs none. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {}
}

const postmasterFile = async (directory: string): Promise<string[]> =>
  (await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');

/**
 * Below the range from which systems choose ports for outgoing connections: a client that reconnects while the server
 * restarts could otherwise be given the server's own port, and hold it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) {
      probe.close();
      await once(probe, 'close');
      return port;
    }
  }
}
