import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readConfig, type StreamingConfig } from '../../src/config.ts';
import { freePort } from '../../src/database/cluster.ts';
import { eventually } from './waiting.ts';

const needed = 'There is no nginx with RTMP: install both (Debian: apt-get install nginx libnginx-mod-rtmp openssl).';
// Debian keeps it where only root's path leads.
const env = { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
const secret = 'between the media server and us, and nobody else';

/** The media server that we ship the configuration of, as it is: but on ports and in a directory of its own. */
export class Nginx implements AsyncDisposable {
  /** How a server of ours is told of it. */
  readonly streaming: StreamingConfig;
  readonly #directory: string;
  readonly #ports: Ports;
  #process: ChildProcess | null = null;

  private constructor(streaming: StreamingConfig, directory: string, ports: Ports) {
    this.streaming = streaming;
    this.#directory = directory;
    this.#ports = ports;
  }

  /** One that is down. */
  static async prepare(graceSeconds: number): Promise<Nginx> {
    const directory = await mkdtemp(join(tmpdir(), 'homeroom-nginx-'));
    // Its workers are somebody else, if we are root.
    await chmod(directory, 0o755);
    for (const name of ['lib', 'log', 'sites']) await mkdir(join(directory, name));
    const ports = {
      ingest: await freePort(),
      show: await freePort(),
      told: await freePort(),
      playback: await freePort(),
    };
    const { streaming } = readConfig({
      HOMEROOM_INGEST_URL: `rtmp://127.0.0.1:${ports.ingest}/live`,
      HOMEROOM_PLAYBACK_URL: `https://127.0.0.1:${ports.playback}/hls`,
      HOMEROOM_MEDIA_SECRET: secret,
      HOMEROOM_STREAM_GRACE_SECONDS: String(graceSeconds),
    });
    if (!streaming) throw new Error('no media server');
    return new Nginx(streaming, directory, ports);
  }

  /** Starts it beside a server of ours, at this address. */
  async start(homeroom: string): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    const certificate = [
      '-keyout',
      at('key.pem'),
      '-out',
      at('certificate.pem'),
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
    ];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    try {
      execFileSync('openssl', ['req', '-x509', ...curve, ...certificate], { stdio: 'pipe' });
    } catch (cause) {
      throw new Error(needed, { cause });
    }
    const { ingest, show, told, playback } = this.#ports;
    await this.#write('homeroom.conf', {
      'server 127.0.0.1:4000;': `server ${new URL(homeroom).host};`,
      'put-the-secret-here-that-homeroom-has-too': this.streaming.secret,
      '/etc/ssl/certs/media.example.org.pem': at('certificate.pem'),
      '/etc/ssl/private/media.example.org.key': at('key.pem'),
    });
    await this.#write('nginx.conf', {
      'listen 1935;': `listen 127.0.0.1:${ingest};`,
      '127.0.0.1:1936': `127.0.0.1:${show}`,
      '127.0.0.1:1937': `127.0.0.1:${told}`,
      'listen 443 ': `listen 127.0.0.1:${playback} `,
      '/run/nginx.pid': at('pid'),
      '/var/log/nginx': at('log'),
      '/var/lib/nginx': at('lib'),
      '/etc/nginx/homeroom.conf': at('homeroom.conf'),
      '/etc/nginx/sites-enabled': at('sites'),
    });
    // In a group of its own, so that its workers go when it goes.
    const server = spawn('nginx', ['-c', at('nginx.conf'), '-g', 'daemon off;'], {
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(server, 'spawn').catch((cause: unknown) => {
      throw new Error(needed, { cause });
    });
    this.#process = server;
    const end = () => kill(server);
    process.once('exit', end);
    server.once('exit', () => process.off('exit', end));
    const said = text(server.stderr);
    const ended = once(server, 'exit').then(async () => Promise.reject(new Error(`${needed}\n${await said}`)));
    const up = eventually(() => Promise.all(Object.values(this.#ports).map(answers)));
    await Promise.race([up, ended]);
  }

  async #write(name: string, changes: Readonly<Record<string, string>>): Promise<void> {
    let shipped = await readFile(new URL(`../../src/streaming/${name}`, import.meta.url), 'utf8');
    for (const [ours, here] of Object.entries(changes)) {
      if (!shipped.includes(ours)) throw new Error(`${name} does not hold «${ours}»`);
      shipped = shipped.replaceAll(ours, here);
    }
    await writeFile(join(this.#directory, name), shipped);
  }

  /** Asks it for a path, or a whole address, as a player does. */
  get(
    path: string,
    method = 'GET',
  ): Promise<{ status: number; headers: Readonly<Record<string, unknown>>; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Nginx['get']>>>();
    const url = new URL(path, this.streaming.playbackUrl);
    // Nobody has signed its certificate but itself.
    const asked = request(url, { method, rejectUnauthorized: false, agent: false }, async (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await text(response) });
    });
    asked.once('error', reject).end();
    return promise;
  }

  /** Tells it what its own part for RTMP does, and answers with the status. */
  async tell(door: string): Promise<number> {
    const told = await fetch(`http://127.0.0.1:${this.#ports.told}/media/${door}`, {
      method: 'POST',
      body: 'name=key',
    });
    return told.status;
  }

  /** Everything that it has written: its logs, and the names of what it keeps. */
  async written(): Promise<string> {
    const names = await readdir(join(this.#directory, 'lib'), { recursive: true });
    const logs = (await readdir(join(this.#directory, 'log'))).map((name) =>
      readFile(join(this.#directory, 'log', name), 'utf8'),
    );
    return [...names, ...(await Promise.all(logs))].join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#process;
    if (server && server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit');
      kill(server);
      await gone;
    }
    // What its workers were writing when they were killed may come a moment later.
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Ports {
  /** Where pictures come in, where they are cut into pieces, where our server is told of them, and where they are played. */
  readonly ingest: number;
  readonly show: number;
  readonly told: number;
  readonly playback: number;
}

function kill({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The last of the group was gone already.
  }
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
