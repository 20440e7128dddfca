/** Homeroom as it is run: `src/main.ts` with its defaults, in a process of its own, on the bench's database. */
import type { Expected } from '../load/verdict.ts';
import { Server } from '../processes/server.ts';
import type { SchoolLog } from '../school/log.ts';
import type { Broadcaster, Published } from './broadcaster.ts';

const program = new URL('../../../src/main.ts', import.meta.url);

/** Starts a process of Homeroom's; `port` is one that a former process had. */
export function startHomeroom(
  databaseUrl: string,
  port?: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const settings = {
    DATABASE_URL: databaseUrl,
    HOMEROOM_DEMO: '0',
    // Of one address and one person come more requests here than of any school.
    HOMEROOM_RATE_PER_MINUTE: '1000000',
    HOMEROOM_SHARE_PERCENT: '1000000',
    // Production demands a gateway; nobody signs in by phone here.
    HOMEROOM_SMS_URL: 'http://127.0.0.1:9/',
    ...more,
  };
  return Server.start(program, settings, port);
}

export class Homeroom implements Broadcaster {
  readonly id = null;
  readonly server: Server;
  readonly #log: SchoolLog;
  readonly #start: number;

  private constructor(server: Server, log: SchoolLog, start: number) {
    this.server = server;
    this.#log = log;
    this.#start = start;
  }

  static async start(databaseUrl: string, log: SchoolLog): Promise<Homeroom> {
    const server = await startHomeroom(databaseUrl);
    return new Homeroom(server, log, await log.head());
  }

  async publish(count: number): Promise<Published> {
    return { at: await this.#log.publish(count), count };
  }

  latest(count: number): Promise<number[]> {
    return this.#log.latest(count);
  }

  expected(): Promise<Expected> {
    return this.#log.expected(this.#start);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
