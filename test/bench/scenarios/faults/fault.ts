/** A fault, and the figure that it comes to: how many deliveries were wrong, which is to be none. */
import type { Bench } from '../../bench.ts';
import type { Figure } from '../../figures.ts';
import { Pair } from './pair.ts';

/** Does its harm to the two processes; returns what went otherwise than it must, beside what was heard, and what to note. */
export type Harm = (bench: Bench, pair: Pair) => Promise<{ problems?: readonly string[]; notes?: readonly string[] }>;

export async function suffer(bench: Bench, size: number, what: string, harm: Harm): Promise<Figure> {
  await using pair = await Pair.start(bench, size);
  const { problems = [], notes = [] } = await harm(bench, pair);
  const outcome = await pair.outcome();
  return {
    what,
    n: size,
    unit: 'wrong',
    // What was wrong makes the figure invalid, so whatever is shown is none.
    samples: [0],
    limit: { atMost: 0 },
    problems: [...problems, ...outcome.problems],
    notes: [...outcome.notes, ...notes],
  };
}
