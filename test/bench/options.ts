/** What a run of the bench is asked for. */
import { parseArgs } from 'node:util';

export interface Options {
  /** The scenarios to run; null: all. */
  readonly only: readonly string[] | null;
  /** Sizes in place of each scenario's own; null: its own. */
  readonly sizes: readonly number[] | null;
  readonly rounds: number;
}

/** @throws Error when something is asked for that there is not */
export function readOptions(args: readonly string[], scenarios: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, n: { type: 'string' }, rounds: { type: 'string', default: '5' } },
  });
  const only = values.only?.split(',') ?? null;
  const unknown = only?.filter((name) => !scenarios.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no scenario ${unknown.join()}; there are ${scenarios.join(', ')}`);
  const sizes = values.n?.split(',').map(whole) ?? null;
  return { only, sizes, rounds: whole(values.rounds) };
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text} is not a number of people or rounds`);
  return value;
}
