/** Two processes on one database, each with half of the people, and a neighbour school among them: where faults happen. */
import type { Bench } from '../../bench.ts';
import { crowdProgram } from '../../contestants/contestant.ts';
import { startHomeroom } from '../../contestants/homeroom.ts';
import { following } from '../../contestants/parties.ts';
import type { CrowdOrders } from '../../load/crowd.ts';
import { problemsOf, type Verdict } from '../../load/verdict.ts';
import { Helper } from '../../processes/child.ts';
import type { Server } from '../../processes/server.ts';
import type { Person, School } from '../../school/seed.ts';
import { untilHeard } from '../hearing.ts';

export type Side = 'here' | 'there';

export class Pair implements AsyncDisposable {
  readonly crowd = new Helper<CrowdOrders>(crowdProgram);
  readonly #bench: Bench;
  readonly #servers: Record<Side, Server>;
  #start = 0;

  private constructor(bench: Bench, here: Server, there: Server) {
    this.#bench = bench;
    this.#servers = { here, there };
  }

  /** Starts both and fills them. Who loses their connection comes back to the other, as through a balancer. */
  static async start(bench: Bench, size: number): Promise<Pair> {
    const { url } = bench.database;
    const pair = new Pair(bench, await startHomeroom(url), await startHomeroom(url));
    pair.#start = await bench.log.head();
    const people = bench.school.people.slice(0, size);
    const half = Math.ceil(size / 2);
    await pair.#join('here', bench.school, people.slice(0, half));
    await pair.#join('there', bench.school, people.slice(half));
    await pair.#join('here', bench.neighbour, bench.neighbour.people, 'neighbours');
    await bench.log.publish();
    await pair.verdict();
    return pair;
  }

  async #join(side: Side, school: School, people: readonly Person[], name: string = side): Promise<void> {
    const other = side === 'here' ? 'there' : 'here';
    const urls = [this.server(side).url, this.server(other).url];
    await this.crowd.order('join', following(name, school, people, { urls, timed: true }));
    await this.server(side).untilAtRest();
  }

  server(side: Side): Server {
    return this.#servers[side];
  }

  /** Starts a process anew where one was. */
  async restart(side: Side): Promise<void> {
    this.#servers[side] = await startHomeroom(this.#bench.database.url, this.#servers[side].port);
  }

  /** Waits until everybody, or one side, is there and has heard everything, and judges what they heard. */
  async verdict(side: Side | null = null, withinMs?: number): Promise<Verdict> {
    return untilHeard(this.crowd, await this.#bench.log.expected(this.#start), side, withinMs);
  }

  /** The final verdict in words: what was wrong, and what there is to say of it. */
  async outcome(): Promise<{ problems: string[]; notes: string[] }> {
    const verdict = await this.verdict();
    const { losses, gaveUp } = await this.crowd.order('losses');
    return {
      problems: [...problemsOf(verdict), ...gaveUp.map((why) => `gave up: ${why}`)],
      notes: [`${verdict.delivered} deliveries; connections lost: ${JSON.stringify(losses)}`],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crowd[Symbol.asyncDispose]();
    await this.#servers.here[Symbol.asyncDispose]();
    await this.#servers.there[Symbol.asyncDispose]();
  }
}
