/** A server that Homeroom is compared with. It is told what to send, and sends what Homeroom sends. */
import { decodeCursor, encodeCursor } from '../../../src/log/cursor.ts';
import { now } from '../clock.ts';
import type { Expected } from '../load/verdict.ts';
import type { PeerOrders, Sample } from '../peers/orders.ts';
import { Giver } from '../processes/orders.ts';
import { Server } from '../processes/server.ts';
import type { School } from '../school/seed.ts';
import type { Broadcaster, Published } from './broadcaster.ts';

const programs = {
  bare: new URL('../peers/bare.ts', import.meta.url),
  stock: new URL('../peers/stock.ts', import.meta.url),
  mercurius: new URL('../peers/mercurius/server.ts', import.meta.url),
};

export type PeerName = keyof typeof programs;

export class Peer implements Broadcaster {
  readonly server: Server;
  readonly id: string | null;
  readonly #orders: Giver<PeerOrders>;
  readonly #audience: string;
  readonly #positions: number[] = [];
  readonly #epoch: string;
  #position: number;

  private constructor(name: PeerName, server: Server, school: School, sample: Sample) {
    this.server = server;
    this.id = name === 'bare' ? sample.id : null;
    this.#orders = new Giver(server.process);
    this.#audience = school.membersAudienceId;
    // Counted on from the sample's, so that the bytes are as many.
    ({ epoch: this.#epoch, position: this.#position } = decodeCursor(sample.cursor));
  }

  static async start(name: PeerName, school: School, sample: Sample): Promise<Peer> {
    const peer = new Peer(name, await Server.start(programs[name]), school, sample);
    await peer.#orders.order('learn', sample);
    await peer.#orders.order(
      'admit',
      school.people.map(({ token }) => token),
    );
    return peer;
  }

  async publish(count: number): Promise<Published> {
    const positions = Array.from({ length: count }, () => ++this.#position);
    this.#positions.push(...positions);
    const cursors = positions.map((position) => encodeCursor(this.#epoch, position));
    const at = now();
    await this.#orders.order('publish', cursors);
    return { at, count };
  }

  async latest(count: number): Promise<number[]> {
    return this.#positions.slice(-count);
  }

  async expected(): Promise<Expected> {
    return { [this.#audience]: this.#positions };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
