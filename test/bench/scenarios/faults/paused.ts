/** One process stands still (SIGSTOP): the other delivers on, and the first one's people miss nothing afterwards. */
import { setTimeout as delay } from 'node:timers/promises';
import { Posting } from '../../school/posting.ts';
import type { Harm } from './fault.ts';

const pauseMs = 10_000;
const perSecond = 20;
/** Ends before the pause does, so that there is time to see that all of it was delivered meanwhile. */
const postMs = 8000;

export const paused: Harm = async (bench, pair) => {
  const began = performance.now();
  const posts = new Posting(bench.log, perSecond);
  pair.server('there').pause();
  await delay(postMs);
  await posts.stop();
  const meanwhile = await pair.verdict('here', began + pauseMs - performance.now());
  await delay(Math.max(0, began + pauseMs - performance.now()));
  pair.server('there').continue();
  const continued = performance.now();
  await pair.verdict();
  const seconds = ((performance.now() - continued) / 1000).toFixed(1);
  return {
    problems: meanwhile.lost > 0 ? [`${meanwhile.lost} deliveries of the other process waited for the paused one`] : [],
    notes: [`${posts.committed} posts meanwhile; the paused one's people had them ${seconds} s after it went on`],
  };
};
