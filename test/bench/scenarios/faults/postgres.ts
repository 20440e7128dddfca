/** Postgres goes and comes back, once in order and once as after a crash; and the connection that listens is cut. */
import { setTimeout as delay } from 'node:timers/promises';
import { Posting } from '../../school/posting.ts';
import type { Harm } from './fault.ts';

const perSecond = 20;

export const restarted: Harm = async (bench, pair) => {
  const posts = new Posting(bench.log, perSecond);
  for (const mode of ['fast', 'immediate'] as const) {
    await delay(1500);
    await bench.database.cluster.restart(mode);
  }
  await delay(1500);
  await posts.stop();
  await pair.verdict();
  return { notes: [`${posts.committed} posts, ${posts.failed} refused while Postgres was down`] };
};

const cuts = 5;

export const unheard: Harm = async (bench, pair) => {
  const posts = new Posting(bench.log, perSecond);
  let ended = 0;
  for (let cut = 0; cut < cuts; cut++) {
    await delay(700);
    const found = await bench.database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres' and query ilike 'listen%'`;
    ended += found.length;
  }
  await posts.stop();
  await pair.verdict();
  return { notes: [`${ended} listeners ended`], problems: ended > 0 ? [] : ['nobody listened'] };
};
