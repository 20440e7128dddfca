/** A server with its own crowd of subscribers, every delivery to whom is checked. */
import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../clock.ts';
import type { CrowdOrders, Latencies, Party } from '../load/crowd.ts';
import { problemsOf } from '../load/verdict.ts';
import { Helper } from '../processes/child.ts';
import type { School } from '../school/seed.ts';
import { sum } from '../statistics.ts';
import type { Broadcaster, Published } from './broadcaster.ts';
import { type Following, following } from './parties.ts';

export const crowdProgram = new URL('../load/crowd.ts', import.meta.url);

/** Longer than any delivery takes that still comes; once one has not, the run is invalid and need not be long. */
const patienceMs = 120_000;
const impatienceMs = 1000;

export class Contestant<Kind extends Broadcaster = Broadcaster> implements AsyncDisposable {
  readonly name: string;
  readonly broadcaster: Kind;
  readonly crowd = new Helper<CrowdOrders>(crowdProgram);
  readonly #published: [position: number, at: number][] = [];
  /** How many deliveries each event is, to whom. */
  readonly #members = new Map<string, number>();
  #problems: string[] = [];

  constructor(name: string, broadcaster: Kind) {
    this.name = name;
    this.broadcaster = broadcaster;
  }

  get server() {
    return this.broadcaster.server;
  }

  /** Has people follow the school, and waits until the server has done all that this takes. */
  async join(school: School, size: number, options: Partial<Following> & { name?: string } = {}): Promise<void> {
    const { name = 'members', ...rest } = options;
    const people = school.people.slice(0, size);
    if (people.length < size) throw new Error(`the school has no ${size} people`);
    const { url } = this.server;
    await this.enter(following(name, school, people, { urls: [url], id: this.broadcaster.id, timed: true, ...rest }));
    this.#members.set(name, size * (rest.times ?? 1));
  }

  /** Has who came under a name go for good, and waits until the server has done with them. */
  async leave(name: string): Promise<void> {
    this.#members.delete(name);
    await this.crowd.order('leave', name);
    await this.server.untilAtRest();
  }

  /** As `join`, for anybody. */
  async enter(party: Party): Promise<void> {
    await this.crowd.order('join', party);
    do await this.server.untilAtRest();
    while (await this.#absent(party.name));
  }

  async #absent(party: string): Promise<boolean> {
    const absent = await this.crowd.order('absent', party);
    const { gaveUp } = await this.crowd.order('losses');
    if (gaveUp.length > 0) throw new Error(`${this.name} turned people away: ${gaveUp.slice(0, 3).join(', ')}`);
    return absent > 0;
  }

  /** Publishes, and returns when every member has heard, and when that was. */
  async deliver(count: number): Promise<Published & { readonly heard: number }> {
    const before = await this.crowd.order('delivered');
    const all = {
      deliveries: before + count * sum([...this.#members.values()]),
      withinMs: this.#problems.length > 0 ? impatienceMs : patienceMs,
    };
    const heard = this.crowd.order('reach', all);
    const published = await this.broadcaster.publish(count);
    if (!(await heard)) this.#problems.push('deliveries did not come');
    return { ...published, heard: now() };
  }

  /** Microseconds of the server's CPU for so many deliveries to everybody, one after the other. */
  async cost(times: number, count: number): Promise<number> {
    await this.server.untilAtRest();
    const before = this.server.cpu();
    for (let turn = 0; turn < times; turn++) {
      const { at } = await this.deliver(count);
      // What follows the last delivery belongs to it as well.
      await delay(20);
      for (const position of await this.broadcaster.latest(count)) this.#published.push([position, at]);
    }
    await delay(100);
    return this.server.cpu() - before;
  }

  /** How long after their publication the deliveries that were paid for arrived. */
  latencies(): Promise<Latencies> {
    return this.crowd.order('latencies', { party: 'members', published: this.#published });
  }

  /** The same of each of the last events that were paid for. */
  latenciesOfLast(count: number): Promise<Latencies[]> {
    const last = this.#published.slice(-count);
    return Promise.all(last.map((one) => this.crowd.order('latencies', { party: 'members', published: [one] })));
  }

  /** What was wrong with what was heard; empty when it was exactly what was to be heard. */
  async problems(): Promise<string[]> {
    const verdict = await this.crowd.order('judge', { party: null, expected: await this.broadcaster.expected() });
    return [...this.#problems, ...problemsOf(verdict)].map((problem) => `${this.name}: ${problem}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crowd[Symbol.asyncDispose]();
    await this.broadcaster[Symbol.asyncDispose]();
  }
}
