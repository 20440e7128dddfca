/** What a delivery costs the server: single posts to everybody, each delivered in full before the next. */
import { everybody } from '../bench.ts';
import type { Contestant } from '../contestants/contestant.ts';
import type { Figure, Reference } from '../figures.ts';
import { rotated, type Scenario } from './scenario.ts';

/** So that what is measured is compiled, and not being compiled. */
const warmUpPostsOf = (size: number): number => Math.min(100, Math.max(10, Math.round(30_000 / size)));
/** Enough for the costs between posts, such as garbage, to show; more where a post is little. */
const postsOf = (size: number): number => Math.min(20, Math.max(5, Math.round(20_000 / size)));

export const fanout: Scenario = {
  name: 'fanout',
  sizes: [1000, 5000, 15_000],
  async run(bench, size, say) {
    await using stack = new AsyncDisposableStack();
    const contestants: Contestant[] = [];
    for (const name of everybody) {
      const contestant = stack.use(await bench.contestant(name));
      await bench.fill(contestant, size);
      for (let post = 0; post < warmUpPostsOf(size); post++) await contestant.deliver(1);
      contestants.push(contestant);
      say(`${name} has its ${size} people`);
    }
    const samples = new Map(contestants.map(({ name }): [string, number[]] => [name, []]));
    for (let round = 0; round < bench.rounds; round++) {
      for (const contestant of rotated(contestants, round)) {
        const cost = await contestant.cost(postsOf(size), 1);
        samples.get(contestant.name)?.push(cost / (postsOf(size) * size));
      }
      say(
        `round ${round + 1}: ${[...samples].map(([name, all]) => `${name} ${all.at(-1)?.toFixed(1)} µs`).join(', ')}`,
      );
    }
    const reference = (name: string, title: string, atMost?: number): Reference => ({
      name: title,
      samples: samples.get(name) ?? [],
      ...(atMost ? { limit: { atMost } } : {}),
    });
    const notes = await Promise.all(
      contestants.map(async (contestant) => {
        const { p50, p99 } = await contestant.latencies();
        return `${contestant.name} delivers within ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99)`;
      }),
    );
    const problems = (await Promise.all(contestants.map((contestant) => contestant.problems()))).flat();
    const figure: Figure = {
      what: 'CPU per delivery',
      n: size,
      unit: 'µs',
      samples: samples.get('homeroom') ?? [],
      floor: reference('bare', 'bare ws', 1.3),
      stock: reference('stock', 'stock', 0.35),
      mercurius: reference('mercurius', 'Mercurius'),
      problems,
      notes,
    };
    return [figure];
  },
};
