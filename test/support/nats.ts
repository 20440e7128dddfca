import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readConfig } from '../../src/config.ts';
import type { NatsServers } from '../../src/config-values.ts';
import { freePort } from '../../src/database/cluster.ts';
import { eventually } from './waiting.ts';

/** A NATS of one's own on loopback, always on the same port. */
export class Nats implements AsyncDisposable {
  /** How a server of ours reaches it. */
  readonly servers: NatsServers;
  readonly #directory: string;
  #process: ChildProcess | null = null;

  private constructor(servers: NatsServers, directory: string) {
    this.servers = servers;
    this.#directory = directory;
  }

  /** One that is down. `signIn` is how clients sign in (`user:password@`), `settings` are its own, in its own language. */
  static async prepare(signIn = '', settings = ''): Promise<Nats> {
    const port = await freePort();
    const { nats } = readConfig({ HOMEROOM_NATS_URL: `nats://${signIn}127.0.0.1:${port}` });
    if (!nats) throw new Error('no servers');
    const directory = await mkdtemp(join(tmpdir(), 'homeroom-nats-'));
    await writeFile(join(directory, 'settings'), `listen: 127.0.0.1:${port}\n${settings}`);
    return new Nats(nats, directory);
  }

  static async start(signIn = '', settings = ''): Promise<Nats> {
    const nats = await Nats.prepare(signIn, settings);
    await nats.start();
    return nats;
  }

  get port(): number {
    return Number(this.servers.servers[0]?.split(':')[1]);
  }

  async start(): Promise<void> {
    const server = spawn('nats-server', ['-c', join(this.#directory, 'settings')], {
      // Debian keeps it where only root's path leads.
      env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(server, 'spawn').catch((cause: unknown) => {
      throw new Error('There is no nats-server: install it (Debian: apt-get install nats-server).', { cause });
    });
    this.#process = server;
    const end = () => void server.kill('SIGKILL');
    process.once('exit', end);
    server.once('exit', () => process.off('exit', end));
    const said = text(server.stderr);
    await Promise.race([
      eventually(() => answers(this.port)),
      once(server, 'exit').then(async () => Promise.reject(new Error(`nats-server ended:\n${await said}`))),
    ]);
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'data'); // it greets first
  } finally {
    socket.destroy();
  }
}
