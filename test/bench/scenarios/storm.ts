/**
 * Everybody loses their connection at once while posts go on, and comes back behind what they have heard: nothing may be
 * lost or come twice, and the database must hardly notice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import type { Contestant } from '../contestants/contestant.ts';
import type { Figure } from '../figures.ts';
import { Posting } from '../school/posting.ts';
import { between, type Counts, countStatements, more, statementCounts, surplus } from '../school/statements.ts';
import { untilHeard } from './hearing.ts';
import type { Scenario } from './scenario.ts';

const perSecond = 200;
const few = 10;
const postMs = 8000;
/** Early enough that the last one is back, 4 s later, while posts still come. */
const cutAfterMs = 2000;

interface Period {
  readonly lengthMs: number;
  readonly counts: Counts;
  /** From the last post until everybody had everything. */
  readonly caughtUpMs: number;
  readonly postsPerSecond: number;
}

export const storm: Scenario = {
  name: 'storm',
  sizes: [5000],
  async run(bench, size, say) {
    await countStatements(bench.database);
    const quiet = await quietly(bench);
    await using contestant = await bench.contestant('homeroom');
    await contestant.join(bench.school, size, { timed: false });
    await bench.addStrangers(contestant, size);
    await contestant.deliver(1);
    let calm = await posting(bench, contestant, false, 0);
    const statements: number[] = [];
    const storms: Period[] = [];
    const calms: Period[] = [];
    let most: readonly string[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const stormy = await posting(bench, contestant, true, 0);
      const earlier = calm;
      calm = await posting(bench, contestant, false, stormy.lengthMs);
      const usual = more(more(earlier.counts, calm.counts), quiet.counts);
      const returning = surplus(stormy.counts, usual);
      statements.push(returning.total / size);
      storms.push(stormy);
      calms.push(calm);
      most = returning.most;
      const [late, early] = [stormy, calm].map(({ caughtUpMs }) => (caughtUpMs / 1000).toFixed(1));
      say(
        `round ${round + 1}: ${statements.at(-1)?.toFixed(3)} statements a client, all caught up ${late} s after the last post (${early} s without)`,
      );
    }
    const problems = await contestant.problems();
    const { losses } = await contestant.crowd.order('losses');
    const rates = [...storms, ...calms].map(({ postsPerSecond }) => Math.round(postsPerSecond));
    const perClient: Figure = {
      what: 'SQL statements per returning client',
      n: size,
      unit: '',
      samples: statements,
      limit: { atMost: 0.05 },
      problems,
      notes: [
        `${Math.min(...rates)}–${Math.max(...rates)} posts a second; connections lost: ${JSON.stringify(losses)}`,
        ...most.map((statement) => `more than without: ${statement}`),
      ],
    };
    const seconds = (periods: readonly Period[]) => periods.map(({ caughtUpMs }) => caughtUpMs / 1000);
    const caughtUp: Figure = {
      what: 'all caught up after the last post',
      n: size,
      unit: 's',
      samples: seconds(storms),
      floor: { name: 'no storm', samples: seconds(calms) },
      problems,
    };
    return [perClient, caughtUp];
  },
};

/** What each event costs a server that has little else to do; busy with thousands, it reads its log less often. */
async function quietly(bench: Bench): Promise<Period> {
  await using contestant = await bench.contestant('homeroom');
  await contestant.join(bench.school, few, { timed: false });
  return await posting(bench, contestant, false, 0);
}

/** Posts for a while, with or without a storm in it, and waits until all have heard; at least as long as it is told. */
async function posting(bench: Bench, contestant: Contestant, stormy: boolean, atLeastMs: number): Promise<Period> {
  await contestant.server.untilAtRest();
  const before = await statementCounts(bench.database);
  const began = performance.now();
  const posts = new Posting(bench.log, perSecond);
  await delay(cutAfterMs);
  if (stormy) await contestant.crowd.order('cut', 'members');
  await delay(postMs - cutAfterMs);
  await posts.stop();
  const stopped = performance.now();
  await untilHeard(contestant.crowd, await contestant.broadcaster.expected());
  const heard = performance.now();
  await contestant.server.untilAtRest();
  await delay(Math.max(0, began + atLeastMs - performance.now()));
  const counts = between(before, await statementCounts(bench.database));
  return {
    counts,
    lengthMs: performance.now() - began,
    caughtUpMs: heard - stopped,
    postsPerSecond: (posts.committed / (stopped - began)) * 1000,
  };
}
