/** One question that the bench asks. */
import type { Bench } from '../bench.ts';
import type { Figure } from '../figures.ts';

export interface Scenario {
  readonly name: string;
  /** How many people it takes, run after run. */
  readonly sizes: readonly number[];
  run(bench: Bench, size: number, say: (progress: string) => void): Promise<Figure[]>;
}

/** The same, beginning one later each round, so that nobody always comes first. */
export function rotated<Value>(values: readonly Value[], round: number): Value[] {
  const by = round % values.length;
  return [...values.slice(by), ...values.slice(0, by)];
}
