/** What a scenario finds: one figure a line, each beside what it is measured against, with the limit that it is to keep. */
import { median, type Spread, spread } from './statistics.ts';

/** The same figure of something else, round by round. */
export interface Reference {
  /** In a word: `bare ws`, `at rest`. */
  readonly name: string;
  readonly samples: readonly number[];
  /** What Homeroom's figure divided by it is to be at most, or at least. */
  readonly limit?: Limit;
}

export type Limit = { readonly atMost: number } | { readonly atLeast: number };

export interface Figure {
  readonly what: string;
  readonly n: number;
  readonly unit: string;
  /** A sample for each round. */
  readonly samples: readonly number[];
  /** Of the samples themselves. */
  readonly limit?: Limit;
  readonly floor?: Reference;
  readonly stock?: Reference;
  readonly mercurius?: Reference;
  /** Why it does not count: any delivery that was lost, came twice, out of order or to the wrong people. */
  readonly problems: readonly string[];
  readonly notes?: readonly string[];
}

/** Homeroom's sample divided by the other's of the same round. */
export function ratio(figure: Figure, reference: Reference): Spread {
  return spread(figure.samples.map((sample, round) => sample / (reference.samples[round] ?? Number.NaN)));
}

export const keeps = (value: number, limit: Limit): boolean =>
  'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast;

/** Whether the medians keep their limits; null where there is none. */
export function met(figure: Figure): boolean | null {
  const checks = [figure.floor, figure.stock, figure.mercurius].flatMap((reference) =>
    reference?.limit ? [keeps(ratio(figure, reference).median, reference.limit)] : [],
  );
  if (figure.limit) checks.push(keeps(median(figure.samples), figure.limit));
  return checks.length > 0 ? checks.every(Boolean) : null;
}
