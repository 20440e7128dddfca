/** Homeroom, whose events are broadcasts that the head of a school starts through the API. */
import { operation } from '../../support/operations.ts';
import type { Bench } from '../bench.ts';
import { now } from '../clock.ts';
import type { Expected } from '../load/verdict.ts';
import { Wire } from '../load/wire.ts';
import type { Server } from '../processes/server.ts';
import { SchoolLog } from '../school/log.ts';
import { planBroadcast, type Studio } from '../school/studio.ts';
import type { Broadcaster, Published } from './broadcaster.ts';
import { startHomeroom } from './homeroom.ts';

const kind = 'BROADCAST_STARTED';

/** What the media server proves itself with. */
export const mediaSecret = 'a secret of thirty-two characters';

export class LiveHomeroom implements Broadcaster {
  readonly id = null;
  readonly server: Server;
  readonly #bench: Bench;
  readonly #studio: Studio;
  readonly #log: SchoolLog;
  readonly #start: number;
  readonly #head: Wire;

  private constructor(server: Server, bench: Bench, studio: Studio, start: number) {
    this.server = server;
    this.#bench = bench;
    this.#studio = studio;
    this.#log = new SchoolLog(bench.database, studio);
    this.#start = start;
    this.#head = new Wire(server.url, studio.head.token);
  }

  static async start(bench: Bench, studio: Studio): Promise<LiveHomeroom> {
    const server = await startHomeroom(bench.database.url, undefined, {
      HOMEROOM_INGEST_URL: 'rtmp://media.example.org/live',
      HOMEROOM_PLAYBACK_URL: 'https://media.example.org/hls',
      HOMEROOM_MEDIA_SECRET: mediaSecret,
    });
    return new LiveHomeroom(server, bench, studio, await bench.log.head());
  }

  /** Asks as the head. @throws Error when the answer is no data */
  async ask(name: string, variables: object): Promise<string> {
    const answer = await this.#head.ask(JSON.stringify({ query: operation(name), variables }));
    if (!answer.startsWith('{"data":')) throw new Error(answer.slice(0, 300));
    return answer;
  }

  /** Begins a broadcast. The time is that of the head's asking. */
  async publish(count: number): Promise<Published> {
    if (count !== 1) throw new Error('one broadcast of a channel is live at a time');
    const { id: broadcastId } = await planBroadcast(this.#bench.database.sql, this.#studio);
    const at = now();
    const answer = await this.ask('StartBroadcast', { broadcastId });
    if (!answer.includes('"state":"LIVE"')) throw new Error(answer.slice(0, 300));
    return { at, count };
  }

  latest(count: number): Promise<number[]> {
    return this.#log.latest(count, kind);
  }

  expected(): Promise<Expected> {
    return this.#log.expected(this.#start, kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#head.close();
    await this.server[Symbol.asyncDispose]();
  }
}
