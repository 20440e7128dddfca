/** What a crowd has heard beside what it was to hear. */
import type { Cursors } from './record.ts';
import type { Stream } from './stream.ts';

/** The places in the log that each audience was told of, in order. */
export type Expected = Readonly<Record<string, readonly number[]>>;

export interface Verdict {
  readonly streams: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicate: number;
  readonly outOfOrder: number;
  /** Heard by who was not to hear it, or answered to who was to be refused. */
  readonly unauthorized: number;
  /** Deliveries to a socket that no subscription of it asked for. */
  readonly misaddressed: number;
  /** Deliveries that were not what was asked for: errors, endings. */
  readonly unproven: number;
  /** Devices that were turned away for good. */
  readonly gaveUp: number;
}

/** A subscription with the audiences whose events it is to hear. */
export interface Member {
  readonly audiences: readonly string[];
  readonly stream: Stream;
}

export function judge(members: readonly Member[], expected: Expected, cursors: Cursors) {
  const verdict = { streams: members.length, delivered: 0, lost: 0, duplicate: 0, outOfOrder: 0, unauthorized: 0 };
  const known = new Map<string, readonly number[]>();
  let unproven = 0;
  for (const { audiences, stream } of members) {
    const { heard } = stream;
    verdict.delivered += heard.count;
    verdict.duplicate += heard.duplicates;
    verdict.outOfOrder += heard.outOfOrder + stream.misnumbered;
    unproven += stream.unproven;
    if (!stream.allowed) {
      verdict.unauthorized += heard.count + (stream.refusals.every((code) => code === 'NOT_FOUND') ? 0 : 1);
      if (stream.refusals.length === 0) verdict.lost++; // its refusal
      continue;
    }
    const key = audiences.join();
    const indexes = known.get(key) ?? cursors.indexesOf(audiences.flatMap((audience) => expected[audience] ?? []));
    known.set(key, indexes);
    const rightly = indexes.reduce((count, index) => count + (heard.has(index) ? 1 : 0), 0);
    verdict.lost += indexes.length - rightly;
    verdict.unauthorized += heard.count - rightly;
  }
  return { ...verdict, unproven };
}

/** Adds verdicts up. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const total = { ...noVerdict };
  for (const verdict of verdicts) {
    for (const key of Object.keys(total) as (keyof Verdict)[]) total[key] += verdict[key];
  }
  return total;
}

const noVerdict: { -readonly [Key in keyof Verdict]: number } = {
  streams: 0,
  delivered: 0,
  lost: 0,
  duplicate: 0,
  outOfOrder: 0,
  unauthorized: 0,
  misaddressed: 0,
  unproven: 0,
  gaveUp: 0,
};

/** What makes a figure invalid, in words; empty when every delivery was right. */
export function problemsOf(verdict: Verdict): string[] {
  const { streams: _streams, delivered, ...wrong } = verdict;
  const problems = Object.entries(wrong).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
  return delivered === 0 ? [...problems, 'nothing delivered'] : problems;
}
