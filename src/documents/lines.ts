import { parse } from 'csv-parse/sync';

/** A line of a table that is not empty; a quoted cell may go on over several lines of text. */
export interface Line {
  /** The line of text on which it begins; the first one is 1. */
  row: number;
  cells: readonly string[];
  /** A quote in it is not closed or not doubled, so where its cells end is anybody's guess. */
  broken: boolean;
}

/** Why reading ended before the text did, and on which line. */
export interface End {
  row: number;
  reason: 'TOO_MANY' | 'UNCLOSED_QUOTE';
}

/** What all programs write, forgiving what is no mistake; `isBroken` finds the quotes that are one. */
const dialect = {
  record_delimiter: ['\r\n', '\n', '\r'],
  relax_column_count: true,
  relax_quotes: true, // many programs write the name of a school as it is: МБОУ "Радуга"
};

/** Excel's way to name the separator; spreadsheets do not show it as a line. */
const separatorLine = /^"?sep=([,;\t])"?[,;\t]*(?:\r\n|\r|\n|$)/i;

/** At most so many lines of a text, and where it ended early. `knows` tells a title from other words. */
export function readLines(
  text: string,
  max: number,
  knows: (title: string) => boolean,
): { lines: Line[]; end: End | null } {
  const named = separatorLine.exec(text);
  const whole = Buffer.from(named ? text.slice(named[0].length) : text);
  const delimiter = named?.[1] ?? separatorOf(whole, knows);
  const bytes = withoutEmptyEnd(whole, delimiter);
  const lines: Line[] = [];
  const to = 4 * max; // empty lines are not counted as rows, but reading them takes time, too
  const place = { row: 1, byte: 0 };
  let surplus: number | null = null;

  const read = (cells: readonly string[], end: number): void => {
    const raw = bytes.toString('utf8', place.byte, end);
    if (cells.some((cell) => cell.trim() !== '')) {
      if (lines.length < max) lines.push({ row: place.row, cells, broken: isBroken(raw, cells) });
      else surplus ??= place.row;
    }
    place.row += raw.match(/\r\n|\r|\n/g)?.length ?? 0; // csv-parse counts a CRLF within quotes twice
    place.byte = end;
  };
  let unclosed = false;
  try {
    parse(bytes, { ...dialect, delimiter, to, on_record: (cells, { bytes }) => void read(cells, bytes) });
  } catch {
    unclosed = true; // the dialect forgives everything else
  }
  if (!unclosed && place.byte < bytes.length) surplus ??= place.row;
  if (surplus !== null) return { lines, end: { row: surplus, reason: 'TOO_MANY' } };
  return { lines, end: unclosed ? { row: place.row, reason: 'UNCLOSED_QUOTE' } : null };
}

const lineBreaks = new Set(Buffer.from('\r\n'));

/** A sheet that somebody formatted down to its last row is saved with a million lines of separators. */
function withoutEmptyEnd(bytes: Buffer, delimiter: string): Buffer {
  const empty = new Set(Buffer.from(` \t\r\n${delimiter}`));
  const end = bytes.findLastIndex((byte) => !empty.has(byte)) + 1;
  const rest = bytes.subarray(end).findIndex((byte) => lineBreaks.has(byte));
  return rest < 0 ? bytes : bytes.subarray(0, end + rest);
}

/** Whether a quoted cell, written by the rules, is not what the text has. */
function isBroken(raw: string, cells: readonly string[]): boolean {
  let at = 0;
  return !cells.every((cell) => {
    const written = raw[at] === '"' ? `"${cell.replaceAll('"', '""')}"` : cell;
    const same = raw.startsWith(written, at);
    at += written.length + 1;
    return same;
  });
}

/** The separator by which the header shows most of the titles; if it is a draw, most cells. */
function separatorOf(bytes: Buffer, knows: (title: string) => boolean): string {
  const headers = [';', ',', '\t'].map((delimiter) => {
    try {
      const [cells = []] = parse(bytes, { ...dialect, delimiter, to: 1, skip_records_with_empty_values: true });
      return { delimiter, known: cells.filter(knows).length, count: cells.length };
    } catch {
      return { delimiter, known: 0, count: 0 }; // an unclosed quote; reading says so
    }
  });
  const [best] = headers.sort((one, other) => other.known - one.known || other.count - one.count);
  return best?.delimiter ?? ';';
}
