/** The bench's one table, and the same as JSON. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Figure, type Limit, met, type Reference, ratio } from './figures.ts';
import type { Machine } from './machine.ts';
import { median, spread } from './statistics.ts';

const header = ['figure', 'N', 'Homeroom', 'floor', 'ratio', 'stock', 'ratio', 'Mercurius', 'ratio', 'ok?'];

export function table(figures: readonly Figure[]): string {
  const lines = [header, ...figures.map(line)];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const text = lines.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' │ '));
  text.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('─┼─'));
  const remarks = figures.flatMap(({ what, n, problems, notes = [] }) => [
    ...problems.map((problem) => `INVALID ${what}, N=${n}: ${problem}`),
    ...notes.map((note) => `  ${what}, N=${n}: ${note}`),
  ]);
  return [...text, '', ...remarks].join('\n');
}

function line(figure: Figure): string[] {
  const { what, n, unit, samples, limit, floor, stock, mercurius, problems } = figure;
  const start = [what, String(n)];
  if (problems.length > 0) return [...start, 'INVALID', '', '', '', '', '', '', 'INVALID'];
  const kept = met(figure);
  const own = spread(samples);
  return [
    ...start,
    `${number(own.median)} ${unit}${samples.length > 1 ? ` (${number(own.min)}–${number(own.max)})` : ''}${bound(limit)}`,
    ...[floor, stock, mercurius].flatMap((reference) => [
      value(reference, unit, reference === floor),
      compared(figure, reference),
    ]),
    kept === null ? '' : kept ? 'yes' : 'NO',
  ];
}

function value(reference: Reference | undefined, unit: string, named: boolean): string {
  if (!reference) return '';
  return `${named ? `${reference.name} ` : ''}${number(median(reference.samples))} ${unit}`;
}

function compared(figure: Figure, reference: Reference | undefined): string {
  if (!reference) return '';
  const { median: middle, min, max } = ratio(figure, reference);
  return `${middle.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})${bound(reference.limit)}`;
}

const bound = (limit: Limit | undefined): string =>
  !limit ? '' : 'atMost' in limit ? ` ≤ ${limit.atMost}` : ` ≥ ${limit.atLeast}`;

const number = (amount: number): string =>
  Math.abs(amount) >= 100 ? amount.toFixed(0) : String(+amount.toPrecision(3));

export interface Run {
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly figures: readonly Figure[];
}

export const resultsFile = new URL('./results.json', import.meta.url);

interface Kept {
  readonly what: string;
  readonly n: number;
}

/** Puts a run's figures in the place of the same ones measured before; each says when, and of which commit, it is. */
export function writeResults({ date, machine: { commit, ...machine }, rounds, figures }: Run): void {
  const measured = figures.map((figure) => ({
    ...figure,
    date,
    commit,
    rounds,
    median: figure.problems.length > 0 ? null : median(figure.samples),
    ratios: Object.fromEntries(
      [figure.floor, figure.stock, figure.mercurius].flatMap((reference) =>
        reference && figure.problems.length === 0 ? [[reference.name, ratio(figure, reference)]] : [],
      ),
    ),
    met: figure.problems.length > 0 ? null : met(figure),
  }));
  const before: readonly Kept[] = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')).figures : [];
  const others = before.filter(({ what, n }) => !measured.some((figure) => figure.what === what && figure.n === n));
  writeFileSync(resultsFile, `${JSON.stringify({ machine, figures: [...measured, ...others] }, null, 2)}\n`);
}
