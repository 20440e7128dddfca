/** Waits for what is still on its way. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CrowdOrders } from '../load/crowd.ts';
import type { Expected, Verdict } from '../load/verdict.ts';
import type { Giver } from '../processes/orders.ts';

const patienceMs = 120_000;
const pollMs = 200;

/** Waits until a party, or everybody, has heard everything, and has been back for it; returns the verdict either way. */
export async function untilHeard(
  crowd: Giver<CrowdOrders>,
  expected: Expected,
  party: string | null = null,
  withinMs = patienceMs,
): Promise<Verdict> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const absent = await crowd.order('absent', party);
    const verdict = await crowd.order('judge', { party, expected });
    if ((verdict.lost === 0 && absent === 0) || performance.now() > deadline) return verdict;
    await delay(pollMs);
  }
}
