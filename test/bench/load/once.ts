/** Something that each of many people does once, by whatever way. */
import { now } from '../clock.ts';
import { percentile } from '../statistics.ts';

export interface Done {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failures: readonly string[];
}

/** Has every person do it: as many at once as there are hands, the next as soon as one is done. */
export async function inFlight<Hand, Person>(
  people: readonly Person[],
  hands: readonly Hand[],
  doIt: (hand: Hand, person: Person) => Promise<void>,
): Promise<Done> {
  const took: number[] = [];
  const failures: string[] = [];
  const began = now();
  const left = people.values();
  const working = hands.map(async (hand) => {
    for (const person of left) {
      const asked = now();
      await doIt(hand, person).catch((error: unknown) => failures.push(String(error)));
      took.push(now() - asked);
    }
  });
  await Promise.all(working);
  const perSecond = (took.length / (now() - began)) * 1000;
  return { perSecond, p50: percentile(took, 0.5), p99: percentile(took, 0.99), failures: [...new Set(failures)] };
}
