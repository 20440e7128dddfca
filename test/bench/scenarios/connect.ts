/**
 * What a subscriber costs before anything happens: CPU to connect, sign in and subscribe, and memory from then on. A fresh
 * process each round. Few come and go before memory is first read, so that it holds the code; a tenth of all come and go
 * before CPU is, so that it does not hold the compiler's work.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { everybody, type Name } from '../bench.ts';
import type { Contestant } from '../contestants/contestant.ts';
import type { Figure, Reference } from '../figures.ts';
import type { School } from '../school/seed.ts';
import { rotated, type Scenario } from './scenario.ts';

/** More than any of them keeps a handshake's timer (3 s) or waits for its first ping (12 s). */
const settleMs = 15_000;

interface Seated {
  readonly contestant: Contestant;
  /** Bytes before anybody came. */
  readonly base: number;
}

export const connect: Scenario = {
  name: 'connect',
  sizes: [5000],
  async run(bench, size, say) {
    const processors = new Map(everybody.map((name): [Name, number[]] => [name, []]));
    const memories = new Map(everybody.map((name): [Name, number[]] => [name, []]));
    const problems: string[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      await using stack = new AsyncDisposableStack();
      const seated = new Map<Name, Seated>();
      for (const name of rotated(everybody, round)) {
        const contestant = stack.use(await bench.contestant(name));
        await comeAndGo(contestant, bench.school, Math.ceil(size / 100));
        seated.set(name, { contestant, base: await contestant.server.memory() });
        await comeAndGo(contestant, bench.school, Math.ceil(size / 10));
        const before = contestant.server.cpu();
        await contestant.join(bench.school, size);
        processors.get(name)?.push((contestant.server.cpu() - before) / size);
      }
      await delay(settleMs);
      for (const [name, { contestant, base }] of seated) {
        memories.get(name)?.push(((await contestant.server.memory()) - base) / size / 1024);
        if (name === 'homeroom') await bench.addStrangers(contestant, size);
        await contestant.deliver(1);
        problems.push(...(await contestant.problems()));
      }
      const latest = (samples: Map<Name, number[]>) =>
        everybody.map((name) => `${name} ${samples.get(name)?.at(-1)?.toFixed(1)}`).join(', ');
      say(`round ${round + 1}: µs ${latest(processors)}; KiB ${latest(memories)}`);
    }
    return [
      figure('CPU of connect, init, subscribe', size, 'µs', processors, 2, problems),
      figure('idle memory per subscriber', size, 'KiB', memories, 1.5, problems),
    ];
  },
};

async function comeAndGo(contestant: Contestant, school: School, size: number): Promise<void> {
  await contestant.join(school, size, { name: 'first comers' });
  await contestant.leave('first comers');
}

function figure(
  what: string,
  n: number,
  unit: string,
  samples: ReadonlyMap<Name, readonly number[]>,
  timesBare: number,
  problems: readonly string[],
): Figure {
  const reference = (name: Name, title: string, atMost?: number): Reference => ({
    name: title,
    samples: samples.get(name) ?? [],
    ...(atMost ? { limit: { atMost } } : {}),
  });
  return {
    what,
    n,
    unit,
    samples: samples.get('homeroom') ?? [],
    floor: reference('bare', 'bare ws', timesBare),
    stock: reference('stock', 'stock', 0.5),
    mercurius: reference('mercurius', 'Mercurius'),
    problems,
  };
}
