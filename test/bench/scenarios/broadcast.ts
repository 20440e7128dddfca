/**
 * The institution goes live: what it takes until everybody has heard that a broadcast has begun, and then everybody comes at once.
 * Beside servers that send the same bytes; and beside the one statement of a join in a loop, alone and behind one lock.
 */
import { operation } from '../../support/operations.ts';
import { type Bench, intruders, sampleOf } from '../bench.ts';
import { Contestant } from '../contestants/contestant.ts';
import { LiveHomeroom } from '../contestants/live-homeroom.ts';
import { following } from '../contestants/parties.ts';
import { Peer } from '../contestants/peer.ts';
import type { Figure, Reference } from '../figures.ts';
import type { AttenderOrders } from '../load/attender.ts';
import type { JoinerOrders } from '../load/joiner.ts';
import type { Done } from '../load/once.ts';
import type { Sample } from '../peers/orders.ts';
import { Helper } from '../processes/child.ts';
import type { Server } from '../processes/server.ts';
import { openBroadcast, type Planned, type Studio, seedStudio } from '../school/studio.ts';
import { median } from '../statistics.ts';
import { rotated, type Scenario } from './scenario.ts';

const warmUpStarts = 10;
const starts = 5;
const atOnce = 128;
/** As many as Homeroom has. */
const connections = 10;

const peers = ['bare', 'stock'] as const;
type Way = 'homeroom' | 'statement' | 'locking';
const ways: readonly Way[] = ['homeroom', 'statement', 'locking'];
const moments = ['first', 'p50', 'p99', 'last'] as const;

export const broadcast: Scenario = {
  name: 'broadcast',
  sizes: [5000],
  async run(bench, size, say) {
    const studio = await seedStudio(bench.database, size);
    say('the school is there');
    await using stack = new AsyncDisposableStack();
    const query = operation('BroadcastStarted');
    const sample = await takeSample(bench, studio, query);
    const homeroom = stack.use(new Contestant('homeroom', await LiveHomeroom.start(bench, studio)));
    const contestants: Contestant[] = [homeroom];
    for (const name of peers) contestants.push(stack.use(new Contestant(name, await Peer.start(name, studio, sample))));
    for (const contestant of contestants) {
      await contestant.join(studio, size, { query, proof: proofIn(sample) });
      for (let start = 0; start < warmUpStarts; start++) await contestant.deliver(1);
      say(`${contestant.name} has its ${size} people`);
    }
    await addOthers(bench, homeroom, studio);

    const cpu = lists(['homeroom', ...peers]);
    const times = new Map(contestants.map(({ name }) => [name, lists(moments)]));
    const joins = lists(ways);
    const joinTimes = lists(['p50', 'p99', 'cpu']);
    const problems: string[] = [];
    const joining = new Joins(bench, studio, homeroom.server, size, problems);
    for (const way of ways) await joining.by(way);
    for (let round = 0; round < bench.rounds; round++) {
      for (const contestant of rotated(contestants, round)) {
        cpu[contestant.name]?.push((await contestant.cost(starts, 1)) / (starts * size));
        const each = await contestant.latenciesOfLast(starts);
        for (const moment of moments)
          times.get(contestant.name)?.[moment]?.push(median(each.map((latencies) => latencies[moment])));
      }
      for (const way of rotated(ways, round)) {
        const { done, cpu: cost } = await joining.by(way);
        joins[way]?.push(done.perSecond);
        if (way !== 'homeroom') continue;
        joinTimes.p50?.push(done.p50);
        joinTimes.p99?.push(done.p99);
        joinTimes.cpu?.push(cost);
      }
      const latest = (samples: Readonly<Record<string, readonly number[]>> | undefined) =>
        Object.entries(samples ?? {})
          .map(([name, all]) => `${name} ${all.at(-1)?.toFixed(1)}`)
          .join(', ');
      say(
        `round ${round + 1}: µs ${latest(cpu)}; ms ${latest(times.get('homeroom'))}; bare ${latest(times.get('bare'))}`,
      );
      say(`round ${round + 1}: joins a second ${latest(joins)}; ${latest(joinTimes)}`);
    }
    problems.push(...(await Promise.all(contestants.map((contestant) => contestant.problems()))).flat());

    const common = { n: size, problems: [...new Set(problems)] };
    const beside = (name: string, samples: readonly number[] | undefined): Reference => ({
      name,
      samples: samples ?? [],
    });
    const arrival = (moment: (typeof moments)[number], what: string): Figure => ({
      ...common,
      what: `a broadcast’s start from the mutation to ${what}`,
      unit: 'ms',
      samples: times.get('homeroom')?.[moment] ?? [],
      // The others' begins when they are told: there is no mutation before it.
      ...(moment !== 'first' && { floor: beside('bare ws', times.get('bare')?.[moment]) }),
      stock: beside('stock', times.get('stock')?.[moment]),
    });
    const figures: Figure[] = [
      {
        ...common,
        what: 'CPU per delivery of a broadcast’s start, with the starting',
        unit: 'µs',
        samples: cpu.homeroom ?? [],
        floor: { ...beside('bare ws', cpu.bare), limit: { atMost: 1.3 } },
        stock: { ...beside('stock', cpu.stock), limit: { atMost: 0.35 } },
      },
      arrival('first', 'the first listener'),
      arrival('p50', 'a listener, p50'),
      arrival('p99', 'a listener, p99'),
      arrival('last', 'the last listener'),
      {
        ...common,
        what: 'joins of a broadcast',
        unit: '/s',
        samples: joins.homeroom ?? [],
        floor: beside('statement', joins.statement),
        notes: [`everybody once, ${atOnce} at a time`],
      },
      {
        ...common,
        what: 'joins of a broadcast beside the statement behind one lock',
        unit: '/s',
        samples: joins.homeroom ?? [],
        floor: beside('one lock', joins.locking),
      },
      {
        ...common,
        what: 'a join of a broadcast, p99',
        unit: 'ms',
        samples: joinTimes.p99 ?? [],
        floor: beside('p50', joinTimes.p50),
      },
      { ...common, what: 'server’s CPU for a join of a broadcast', unit: 'µs', samples: joinTimes.cpu ?? [] },
    ];
    return figures;
  },
};

const lists = (names: readonly string[]): Record<string, number[]> =>
  Object.fromEntries(names.map((name) => [name, []]));

async function takeSample(bench: Bench, studio: Studio, query: string): Promise<Sample> {
  await using homeroom = await LiveHomeroom.start(bench, studio);
  return await sampleOf(homeroom, studio, query);
}

/** What shows that a delivery is whole: what is the same of all these broadcasts. */
function proofIn({ event }: Sample): string {
  if (event.__typename !== 'BroadcastStarted') throw new Error(`the sample is ${JSON.stringify(event)}`);
  return '"title":"The new playground"';
}

/** People of another school: some follow their own, where nothing begins, some try this one. */
async function addOthers({ neighbour }: Bench, contestant: Contestant, studio: Studio): Promise<void> {
  const urls = [contestant.server.url];
  const common = { urls, query: operation('BroadcastStarted') };
  const [trying, staying] = [neighbour.people.slice(0, intruders), neighbour.people.slice(intruders)];
  await contestant.enter(following('strangers', neighbour, staying, common));
  await contestant.enter(following('intruders', studio, trying, { ...common, allowed: false }));
}

/** Everybody comes to watch a broadcast of their own for each time, by one way or another. */
class Joins {
  readonly #bench: Bench;
  readonly #studio: Studio;
  readonly #server: Server;
  readonly #size: number;
  readonly #problems: string[];

  constructor(bench: Bench, studio: Studio, server: Server, size: number, problems: string[]) {
    this.#bench = bench;
    this.#studio = studio;
    this.#server = server;
    this.#size = size;
    this.#problems = problems;
  }

  /** Everybody joins; microseconds of the server's CPU for each. */
  async by(way: Way): Promise<{ done: Done; cpu: number }> {
    const { sql } = this.#bench.database;
    const broadcast = await openBroadcast(sql, this.#studio);
    await sql`vacuum analyze broadcasts, broadcast_attendances`;
    await sql`checkpoint`;
    await this.#server.untilAtRest();
    const before = this.#server.cpu();
    const done = way === 'homeroom' ? await this.#overHttp(broadcast) : await this.#byHand(broadcast, way);
    const cpu = (this.#server.cpu() - before) / this.#size;
    if (done.failures.length > 0) this.#problems.push(`${way}: joins failed: ${done.failures[0]}`);
    await this.#check(broadcast, way);
    return { done, cpu };
  }

  async #overHttp({ id: broadcastId }: Planned): Promise<Done> {
    await using joiner = new Helper<JoinerOrders>(new URL('../load/joiner.ts', import.meta.url));
    const body = JSON.stringify({ query: operation('JoinBroadcast'), variables: { broadcastId } });
    const tokens = this.#people.map(({ token }) => token);
    return await joiner.order('join', { url: this.#server.url, body, tokens, atOnce, proof: '"state":"LIVE"' });
  }

  async #byHand({ rowId: broadcastId }: Planned, way: Way): Promise<Done> {
    await using attender = new Helper<AttenderOrders>(new URL('../load/attender.ts', import.meta.url));
    const userIds = this.#people.map(({ userId }) => userId);
    const databaseUrl = this.#bench.database.url;
    const attending = { databaseUrl, connections, atOnce, broadcastId, userIds, locking: way === 'locking' };
    return await attender.order('attend', attending);
  }

  get #people() {
    return this.#studio.people.slice(0, this.#size);
  }

  /** Everybody is there, once, and counted. */
  async #check({ rowId, id }: Planned, way: Way): Promise<void> {
    const [found] = await this.#bench.database.sql<{ there: number }[]>`
      select count(distinct user_id) as there from broadcast_attendances where broadcast_id = ${rowId}`;
    if (Number(found?.there) !== this.#size)
      this.#problems.push(`${way}: ${found?.there} have joined of ${this.#size}`);
    const query = operation('BroadcastAttendance');
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${this.#studio.head.token}` };
    const body = JSON.stringify({ query, variables: { id } });
    const answer = await (await fetch(this.#server.url, { method: 'POST', headers, body })).json();
    const { watchingCount, attendance } = answer.data?.node ?? {};
    if (watchingCount !== this.#size || attendance?.totalCount !== this.#size)
      this.#problems.push(`${way}: ${watchingCount} watch, ${attendance?.totalCount} have watched, of ${this.#size}`);
  }
}
