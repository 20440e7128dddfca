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
import type { Sample } from '../peers/orders.ts';
import { type Studio, seedStudio } from '../school/studio.ts';
import { median } from '../statistics.ts';
import { atOnce, Joins, type Way, ways } from './joins.ts';
import { rotated, type Scenario } from './scenario.ts';

const warmUpStarts = 10;
/** Enough for the costs between them, such as garbage, to show. */
const starts = 10;
/** Where each takes long: how many there are at once does not depend on the machine. */
const slowJoins = 300;
const slowMs = 20;

const peers = ['bare', 'stock'] as const;
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
    const unheard = await costUnheard(bench, studio);
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
    const joinTimes = lists(['p50', 'p99', 'cpu', 'played', 'playedCpu']);
    const together = lists(['homeroom', 'locking']);
    const joining = new Joins(bench, studio, homeroom.server);
    const { problems } = joining;
    for (const way of ways) await joining.by(way, size);
    for (let round = 0; round < bench.rounds; round++) {
      for (const contestant of rotated(contestants, round)) {
        cpu[contestant.name]?.push((await contestant.cost(starts, 1)) / (starts * size));
        const each = await contestant.latenciesOfLast(starts);
        for (const moment of moments)
          times.get(contestant.name)?.[moment]?.push(median(each.map((latencies) => latencies[moment])));
      }
      for (const way of rotated(ways, round)) {
        const done = await joining.by(way, size);
        joins[way]?.push(done.perSecond);
        if (way !== 'homeroom') continue;
        joinTimes.p50?.push(done.p50);
        joinTimes.p99?.push(done.p99);
        joinTimes.cpu?.push(done.cpu ?? Number.NaN);
        joinTimes.played?.push(done.played?.perSecond ?? Number.NaN);
        joinTimes.playedCpu?.push(done.playedCpu ?? Number.NaN);
      }
      for (const way of ['homeroom', 'locking'] satisfies Way[]) {
        const { perSecond } = await joining.slowlyBy(way, Math.min(size, slowJoins), slowMs);
        together[way]?.push((perSecond * slowMs) / 1000);
      }
      const latest = (samples: Readonly<Record<string, readonly number[]>> | undefined) =>
        Object.entries(samples ?? {})
          .map(([name, all]) => `${name} ${all.at(-1)?.toFixed(1)}`)
          .join(', ');
      say(
        `round ${round + 1}: µs ${latest(cpu)}; ms ${latest(times.get('homeroom'))}; bare ${latest(times.get('bare'))}`,
      );
      say(`round ${round + 1}: joins a second ${latest(joins)}; ${latest(joinTimes)}; at once ${latest(together)}`);
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
        floor: beside('bare ws', cpu.bare),
        stock: { ...beside('stock', cpu.stock), limit: { atMost: 0.35 } },
        notes: [
          `the starting alone, with nobody listening: ${(unheard / 1000).toFixed(1)} ms, of which others have nothing`,
        ],
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
        notes: ['the one lock is held by a loop without HTTP and GraphQL'],
      },
      {
        ...common,
        what: 'a join’s statement beside the same behind one lock',
        unit: '/s',
        samples: joins.statement ?? [],
        floor: beside('one lock', joins.locking),
      },
      {
        ...common,
        what: 'joins of a broadcast that are under way at once',
        unit: '',
        samples: together.homeroom ?? [],
        limit: { atLeast: 5 },
        floor: beside('one lock', together.locking),
        notes: [`each is made to take ${slowMs} ms more before it commits; Homeroom has 10 connections`],
      },
      {
        ...common,
        what: 'a join of a broadcast, p99',
        unit: 'ms',
        samples: joinTimes.p99 ?? [],
        floor: beside('p50', joinTimes.p50),
      },
      { ...common, what: 'server’s CPU for a join of a broadcast', unit: 'µs', samples: joinTimes.cpu ?? [] },
      {
        ...common,
        what: 'checks of who plays a broadcast',
        unit: '/s',
        samples: joinTimes.played ?? [],
        notes: ['as the media server asks about everybody who has joined, once each; whom it played to is then noted'],
      },
      { ...common, what: 'server’s CPU for a check of who plays', unit: 'µs', samples: joinTimes.playedCpu ?? [] },
    ];
    return figures;
  },
};

const lists = (names: readonly string[]): Record<string, number[]> =>
  Object.fromEntries(names.map((name) => [name, []]));

/** Microseconds of the server's CPU for starting a broadcast while nobody listens. */
async function costUnheard(bench: Bench, studio: Studio): Promise<number> {
  await using contestant = new Contestant('homeroom', await LiveHomeroom.start(bench, studio));
  for (let start = 0; start < 3 * warmUpStarts; start++) await contestant.deliver(1);
  return (await contestant.cost(starts, 1)) / starts;
}

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
