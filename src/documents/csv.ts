import { stringify } from 'csv-stringify/sync';
import type { TextKey, TextValues } from '../texts.ts';
import { decode } from './encoding.ts';
import { type Line, readLines } from './lines.ts';

/** A column that a table may have: the name of its values and the headers by which a file may call it. */
export interface Column<Key extends string = string> {
  key: Key;
  /** Russian and English; case, spaces, punctuation and the dots of ё do not matter. The first one is shown to people. */
  titles: readonly [string, ...string[]];
  /** The file must have this column; its cells may be empty all the same. */
  required: boolean;
}

/** What is wrong with a file, in words for the person who made it. */
export interface Problem {
  /** The line of the file; the header is usually line 1. */
  row: number;
  /** The header as the file has it; null: it is about the whole line. */
  column: string | null;
  text: TextKey;
  values?: TextValues;
}

export interface Row<Key extends string = string> {
  /** The line on which the row begins. */
  row: number;
  /** Trimmed; empty, or not there: null. */
  values: Record<Key, string | null>;
}

/** A file as it was understood: the rows that could be read, and why the others could not. */
export interface Table<Key extends string = string> {
  /** How the file calls the columns that it has. */
  titles: Readonly<Record<string, string | undefined>>;
  /** None when the header is wrong. */
  rows: readonly Row<Key>[];
  /** The first 100, in the order of the file. */
  problems: readonly Problem[];
  /** All of them. */
  problemCount: number;
}

/** Of one file; the header and empty lines are not counted. */
export const maxRows = 5_000;
const maxProblems = 100;

/** Reads the CSV that a spreadsheet or another program saved; whatever the bytes are, it answers with a table. */
export function readTable<Key extends string>(bytes: Uint8Array, columns: readonly Column<Key>[]): Table<Key> {
  const decoded = decode(bytes);
  if (!decoded) return refused({ row: 1, column: null, text: 'CSV_ENCODING' });

  const keyOf = keysByTitle(columns);
  const { lines, end } = readLines(decoded.text, maxRows + 1, (title) => keyOf(title) !== null);
  const [header, ...others] = lines;
  if (end?.reason === 'UNCLOSED_QUOTE' && !header) return refused({ row: end.row, column: null, text: 'CSV_QUOTE' });
  if (!header?.cells.some(plainTitle)) return refused({ row: 1, column: null, text: 'CSV_EMPTY' });
  if (header.broken) return refused({ row: header.row, column: null, text: 'CSV_QUOTE' });

  const keys = header.cells.map(keyOf);
  if (decoded.guessed && keys.every((key) => key === null))
    return refused({ row: header.row, column: null, text: 'CSV_ENCODING' });
  const wrong = [...headerProblems(header, keys, columns)];
  if (wrong.length > 0) return refused(...wrong);
  const titles: Record<string, string | undefined> = {};
  for (const [index, key] of keys.entries()) if (key !== null) titles[key] = header.cells[index]?.trim();

  const rows: Row<Key>[] = [];
  const problems: Problem[] = [];
  for (const line of others) {
    const problem = lineProblem(line, header);
    if (problem) problems.push(problem);
    else rows.push({ row: line.row, values: valuesOf(line, keys, columns) });
  }
  if (end?.reason === 'UNCLOSED_QUOTE') problems.push({ row: end.row, column: null, text: 'CSV_QUOTE' });
  if (end?.reason === 'TOO_MANY')
    problems.push({ row: end.row, column: null, text: 'CSV_ROWS', values: { max: maxRows } });
  return { titles, rows, problems: problems.slice(0, maxProblems), problemCount: problems.length };
}

/** A table that a Russian Excel opens with a double click, and that `readTable` reads back. */
export function writeTable(titles: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const cells = [titles, ...rows].map((row) => row.map((cell) => defused(cell ?? '')));
  return stringify(cells, { bom: true, delimiter: ';', record_delimiter: 'windows', quote_record_delimiter: true });
}

/** What a spreadsheet would compute; Apple's Numbers takes full-width signs, too. With apostrophes before it, so that reading undoes writing. */
const formula = /^'*[=+\-@＝＋－＠]/u;

/** Spreadsheets show what follows an apostrophe as it is. */
const defused = (cell: string): string => (formula.test(cell.trim()) ? `'${cell.trim()}` : cell.trim());

/** A cell without the apostrophe that defuses it. */
function plainCell(cell: string): string {
  const trimmed = cell.trim();
  return trimmed.startsWith("'") && formula.test(trimmed) ? trimmed.slice(1) : trimmed;
}

const plainTitle = (title: string): string =>
  title
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ё', 'е')
    .replace(/[^\p{L}\p{N}]/gu, '');

function keysByTitle<Key extends string>(columns: readonly Column<Key>[]): (title: string) => Key | null {
  const keys = new Map(
    columns.flatMap(({ key, titles }) => titles.map((title): [string, Key] => [plainTitle(title), key])),
  );
  return (title) => keys.get(plainTitle(title)) ?? null;
}

function* headerProblems(
  header: Line,
  keys: readonly (string | null)[],
  columns: readonly Column[],
): Iterable<Problem> {
  const { row } = header;
  for (const { key, titles, required } of columns) {
    const first = keys.indexOf(key);
    const second = first < 0 ? -1 : keys.indexOf(key, first + 1);
    const column = header.cells[second]?.trim() ?? titles[0];
    if (second >= 0) yield { row, column, text: 'CSV_COLUMN_TWICE', values: { column } };
    if (first < 0 && required) yield { row, column, text: 'CSV_COLUMN_MISSING', values: { column } };
  }
}

function lineProblem({ row, cells, broken }: Line, header: Line): Problem | null {
  if (broken) return { row, column: null, text: 'CSV_QUOTE' };
  // Separators that a spreadsheet leaves behind the last column mean nothing.
  const count = cells.findLastIndex((cell) => cell.trim() !== '') + 1;
  const columns = header.cells.length;
  return count > columns ? { row, column: null, text: 'CSV_CELLS', values: { count, columns } } : null;
}

function valuesOf<Key extends string>(
  { cells }: Line,
  keys: readonly (Key | null)[],
  columns: readonly Column<Key>[],
): Record<Key, string | null> {
  const values = columns.map(({ key }) => [key, plainCell(cells[keys.indexOf(key)] ?? '') || null]);
  return Object.fromEntries(values) as Record<Key, string | null>; // one for every key
}

const refused = <Key extends string>(...problems: readonly Problem[]): Table<Key> => ({
  titles: {},
  rows: [],
  problems,
  problemCount: problems.length,
});
