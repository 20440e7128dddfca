/**
 * A consumer that stops reading, with fifty subscriptions on its socket, among many who read: they are to notice nothing, the
 * server is to hold no more than a bounded part of what it owes, and the consumer is to get all of it in the end.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../../bench.ts';
import { now } from '../../clock.ts';
import type { Contestant } from '../../contestants/contestant.ts';
import { following } from '../../contestants/parties.ts';
import type { Figure } from '../../figures.ts';
import { untilHeard } from '../hearing.ts';

const subscriptions = 50;
const posts = 100;
const perSecond = 20;
const burst = 10;
/** Some 4 MB for the consumer: more than the system's buffers hold, so that what follows waits in the server. */
const fillBursts = 20;
/** Some 20 MB more, once: a server that kept it all would show it. */
const floodBursts = 100;
const bearableMiB = 8;

export async function deaf(bench: Bench, size: number, say: (progress: string) => void): Promise<Figure[]> {
  await using contestant = await bench.contestant('homeroom');
  await bench.fill(contestant, size);
  const consumer = bench.school.people.slice(-1);
  await contestant.enter(
    following('consumer', bench.school, consumer, { urls: [contestant.server.url], times: subscriptions }),
  );
  await traffic(bench, contestant, false);
  const reading: number[] = [];
  const stuck: number[] = [];
  let grown = 0;
  for (let round = 0; round < bench.rounds; round++) {
    const last = round === bench.rounds - 1;
    const heeded = await traffic(bench, contestant, last);
    await contestant.crowd.order('pause', 'consumer');
    const unread = await traffic(bench, contestant, last);
    await contestant.crowd.order('resume', 'consumer');
    await untilHeard(contestant.crowd, await contestant.broadcaster.expected());
    reading.push(heeded.p99);
    stuck.push(unread.p99);
    grown = unread.mebibytes - heeded.mebibytes;
    const [alike, beside] = [heeded, unread].map(({ p99 }) => p99.toFixed(1));
    say(
      `round ${round + 1}: p99 ${alike} ms, ${beside} ms beside one who does not read; ${grown.toFixed(1)} MiB for them`,
    );
  }
  const problems = await contestant.problems();
  const { losses } = await contestant.crowd.order('losses');
  return [
    {
      what: 'p99 beside one who does not read',
      n: size,
      unit: 'ms',
      samples: stuck,
      floor: { name: 'all read', samples: reading, limit: { atMost: 1.2 } },
      problems,
      notes: [`${subscriptions} subscriptions unread; connections lost: ${JSON.stringify(losses)}`],
    },
    {
      what: 'memory for one who does not read',
      n: size,
      unit: 'MiB',
      samples: [grown],
      limit: { atMost: bearableMiB },
      problems,
      notes: ['after garbage collection, beside the same traffic read; some 25 MB are owed'],
    },
  ];
}

/** What fills the consumer's buffers, then posts at a pace: the members' p99 of these, and memory at the end. */
async function traffic(
  bench: Bench,
  contestant: Contestant,
  flood: boolean,
): Promise<{ p99: number; mebibytes: number }> {
  await send(bench, contestant, fillBursts);
  const p99 = await steady(bench, contestant);
  if (flood) await send(bench, contestant, floodBursts);
  return { p99, mebibytes: (await contestant.server.memory()) / 2 ** 20 };
}

async function send(bench: Bench, contestant: Contestant, bursts: number): Promise<void> {
  for (let turn = 0; turn < bursts; turn++) await bench.log.publish(burst);
  await contestant.server.untilAtRest();
}

/** Posts at a pace, and returns the members' p99. */
async function steady(bench: Bench, contestant: Contestant): Promise<number> {
  const published: [position: number, at: number][] = [];
  const began = now();
  for (let post = 0; post < posts; post++) {
    await delay(Math.max(0, began + (post * 1000) / perSecond - now()));
    const at = await bench.log.publish();
    const [position = Number.NaN] = await bench.log.latest(1);
    published.push([position, at]);
  }
  await contestant.server.untilAtRest();
  return (await contestant.crowd.order('latencies', { party: 'members', published })).p99;
}
