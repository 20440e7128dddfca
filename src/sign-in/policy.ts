/** What a day holds for one phone, of codes or of wrong guesses. */
export interface Allowance {
  /** A fifth is for devices that the phone knows, the rest for all others; of that one network has a fifth of the whole. */
  readonly perDay: number;
  /** So many come without a wait from one network; all strangers together have two fifths of the day's. */
  readonly free: number;
}

/** What somebody has had of it since a day ago. */
export interface Spent {
  readonly count: number;
  readonly lastAt: Date | null;
  /** When the first of it is a day old. */
  readonly easesAt: Date | null;
}

export interface PhoneSpent {
  /** By the network that asks; a known device is counted among the known. */
  readonly here: Spent;
  readonly strangers: Spent;
  readonly known: Spent;
}

/** Wrong guesses at all codes of one phone. Of a million codes, 50 a day find one within 38 years as likely as not. */
export const guesses: Allowance = { perDay: 50, free: 5 };

/** Codes for one phone that did not sign in. */
export const codes = (perPhone: number): Allowance => ({ perDay: perPhone, free: 1 });

const longestWaitMinutes = 30;

/** When the next may come; null: now. Waits are what strangers meet, so that they cannot spend a phone's day in a minute. */
export function nextAt({ perDay, free }: Allowance, spent: PhoneSpent, isKnown: boolean): Date | null {
  const fifth = Math.floor(perDay / 5);
  if (isKnown) return spent.known.count >= fifth ? spent.known.easesAt : null;
  const until = [
    spent.here.count >= fifth ? spent.here.easesAt : waitedFor(spent.here, free),
    spent.strangers.count >= perDay - fifth ? spent.strangers.easesAt : waitedFor(spent.strangers, 2 * fifth),
  ];
  return until.filter((at) => at !== null).reduce<Date | null>((last, at) => (last && last > at ? last : at), null);
}

/** After the free ones a minute, then two, four, and so on. */
function waitedFor({ count, lastAt }: Spent, free: number): Date | null {
  if (count < free || !lastAt) return null;
  const minutes = Math.min(2 ** (count - free), longestWaitMinutes);
  return new Date(lastAt.getTime() + minutes * 60_000);
}
