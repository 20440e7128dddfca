/** What a message of a burst costs beside one that comes alone. */
import type { Figure } from '../figures.ts';
import type { Scenario } from './scenario.ts';

const burst = 10;
const warmUps = 5;
const timesOf = (size: number): number => Math.min(10, Math.max(3, Math.round(10_000 / size)));

export const bursts: Scenario = {
  name: 'burst',
  sizes: [5000],
  async run(bench, size, say) {
    await using contestant = await bench.contestant('homeroom');
    await bench.fill(contestant, size);
    for (let turn = 0; turn < warmUps; turn++) {
      await contestant.deliver(1);
      await contestant.deliver(burst);
    }
    const times = timesOf(size);
    const alone: number[] = [];
    const together: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const measureAlone = async () => alone.push((await contestant.cost(times, 1)) / (times * size));
      const measureTogether = async () => together.push((await contestant.cost(times, burst)) / (times * burst * size));
      const order = round % 2 ? [measureTogether, measureAlone] : [measureAlone, measureTogether];
      for (const measure of order) await measure();
      say(`round ${round + 1}: alone ${alone.at(-1)?.toFixed(1)} µs, in a burst ${together.at(-1)?.toFixed(1)} µs`);
    }
    const figure: Figure = {
      what: `CPU per message in bursts of ${burst}`,
      n: size,
      unit: 'µs',
      samples: together,
      floor: { name: 'alone', samples: alone, limit: { atMost: 0.3 } },
      problems: await contestant.problems(),
    };
    return [figure];
  },
};
