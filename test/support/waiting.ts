import { setTimeout as delay } from 'node:timers/promises';

/** Far beyond what anything takes, also on a machine that does much else: what has not come by then does not come. */
export const patience = 60_000;
const interval = 20;

/**
 * Waits until what is asked for holds, and answers it; the only wait that tests need. Time that a test has in its hand
 * stands still meanwhile (`vi.waitFor` would let it pass).
 */
export async function eventually<T>(holds: () => T | Promise<T>): Promise<T> {
  for (let rounds = patience / interval; ; rounds--) {
    try {
      return await holds();
    } catch (error) {
      if (rounds <= 0) throw error;
      await delay(interval);
    }
  }
}

/** Waits at random, so that what races meets otherwise each time: the test holds whoever comes first. */
export const anyMoment = (upTo: number): Promise<void> => delay(Math.random() * upTo);
