/** How long a query waits while a post goes out to everybody, beside how long it takes at rest. */
import { setTimeout as delay } from 'node:timers/promises';
import { operation } from '../../support/operations.ts';
import type { Bench } from '../bench.ts';
import type { Contestant } from '../contestants/contestant.ts';
import type { Figure } from '../figures.ts';
import type { Answered, AskerOrders } from '../load/asker.ts';
import { Helper } from '../processes/child.ts';
import { percentile } from '../statistics.ts';
import type { Scenario } from './scenario.ts';

const perSecond = 100;
/** Of which the 99th percentile is said each round. */
const enough = 500;
const restMs = (enough / perSecond) * 1000;
const betweenPostsMs = 200;
const mostPosts = 60;

export const queries: Scenario = {
  name: 'queries',
  sizes: [15_000],
  async run(bench, size, say) {
    await using contestant = await bench.contestant('homeroom');
    await using asker = new Helper<AskerOrders>(new URL('../load/asker.ts', import.meta.url));
    await bench.fill(contestant, size);
    const measure = new Measuring(bench, contestant, asker);
    await measure.atRest();
    await measure.duringPosts();
    const rest: number[] = [];
    const during: number[] = [];
    const counts: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const quiet = await measure.atRest();
      const busy = await measure.duringPosts();
      rest.push(percentile(quiet, 0.99));
      during.push(percentile(busy, 0.99));
      counts.push(busy.length);
      say(`round ${round + 1}: at rest ${rest.at(-1)?.toFixed(1)} ms, during posts ${during.at(-1)?.toFixed(1)} ms`);
    }
    const figure: Figure = {
      what: 'p99 of a query during a post',
      n: size,
      unit: 'ms',
      samples: during,
      floor: { name: 'at rest', samples: rest, limit: { atMost: 2 } },
      problems: [...measure.problems, ...(await contestant.problems())],
      notes: [`${perSecond} queries a second; ${Math.min(...counts)} or more a round fell into a post`],
    };
    return [figure];
  },
};

class Measuring {
  readonly problems: string[] = [];
  readonly #contestant: Contestant;
  readonly #asker: Helper<AskerOrders>;
  readonly #course: Parameters<AskerOrders['begin']>[0];

  constructor(bench: Bench, contestant: Contestant, asker: Helper<AskerOrders>) {
    this.#contestant = contestant;
    this.#asker = asker;
    const tokens = bench.school.people.slice(0, 20).map(({ token }) => token);
    this.#course = { url: contestant.server.url, query: operation('Viewer'), tokens, perSecond };
  }

  /** How long queries took while nothing else happened. */
  async atRest(): Promise<number[]> {
    await this.#contestant.server.untilAtRest();
    await this.#asker.order('begin', this.#course);
    await delay(restMs);
    return (await this.#answers()).map(([due, answered]) => answered - due);
  }

  /** How long those queries took that were open at some time between a post's commit and its last delivery. */
  async duringPosts(): Promise<number[]> {
    await this.#asker.order('begin', this.#course);
    const posts: { from: number; to: number }[] = [];
    let busyMs = 0;
    while ((busyMs / 1000) * perSecond < enough && posts.length < mostPosts) {
      const { at, heard } = await this.#contestant.deliver(1);
      posts.push({ from: at, to: heard });
      busyMs += heard - at;
      await delay(betweenPostsMs);
    }
    return (await this.#answers())
      .filter(([due, answered]) => posts.some(({ from, to }) => due < to && answered > from))
      .map(([due, answered]) => answered - due);
  }

  async #answers(): Promise<readonly Answered[]> {
    const { answers, failures } = await this.#asker.order('end');
    if (failures > 0) this.problems.push(`${failures} queries failed`);
    return answers;
  }
}
