/** Between which times of day nobody is to be disturbed, by which clock: `21:30`, seconds may follow. May go past midnight. */
export interface QuietHours {
  readonly from: string;
  readonly until: string;
  readonly timeZone: string;
}

const minute = 60_000;
const day = 24 * 60 * minute;
/** Quiet hours that leave a minute of the day may grow together where clocks are put forward over it. */
const longest = 3 * day;

/** To make one costs fifty times as much as to ask it; there are a few hundred time zones. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    clocks.set(timeZone, clock);
  }
  return clock;
}

/** The name by which a time zone is known here, as in `Europe/Moscow`; null: it is none. An offset such as `+03:00` is none. */
export function timeZoneNamed(name: string): string | null {
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    return new Intl.DateTimeFormat('sv', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

/** What clocks show at an instant, as if it were UTC, to the minute. */
const shown = (timeZone: string, instant: number): number =>
  Date.parse(`${clockOf(timeZone).format(instant).replace(' ', 'T').slice(0, 16)}Z`);

const offsetAt = (timeZone: string, instant: number): number =>
  shown(timeZone, instant) - Math.floor(instant / minute) * minute;

/** A time of day, behind midnight. */
function timeOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return (hours * 60 + minutes) * minute;
}

/** Whether clocks show a time that is quiet. */
function isQuietAt({ from, until, timeZone }: QuietHours, instant: number): boolean {
  const [time, begins, ends] = [shown(timeZone, instant) % day, timeOf(from), timeOf(until)];
  return begins < ends ? begins <= time && time < ends : begins <= time || time < ends;
}

/** The first minute in which something holds, between one where it does not and one where it does. */
function firstMinute(holds: (instant: number) => boolean, before: number, then: number): number {
  let [low, high] = [Math.floor(before / minute), Math.ceil(then / minute)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle * minute)) high = middle;
    else low = middle;
  }
  return high * minute;
}

/** When clocks leave the quiet hours that hold at an instant. */
function endOf(hours: QuietHours, instant: number): number {
  const { timeZone, until } = hours;
  const now = shown(timeZone, instant);
  const first = now - (now % day) + timeOf(until);
  for (let end = first <= now ? first + day : first; end <= now + longest; end += day) {
    // Clocks may be put forward or back before then: they show it under one of two offsets, under both, or never.
    const [over] = [offsetAt(timeZone, instant), offsetAt(timeZone, end - offsetAt(timeZone, instant) + day)]
      .map((offset) => end - offset)
      .filter((candidate) => candidate > instant && !isQuietAt(hours, candidate))
      .toSorted((one, other) => one - other);
    if (over === undefined) continue;
    // Where they jumped over that time, it was over when they did.
    return isQuietAt(hours, over - minute) ? over : firstMinute((at) => !isQuietAt(hours, at), instant, over);
  }
  throw new Error('quiet hours without an end');
}

/**
 * When somebody is to be told of what came at a moment: at once, or when the quiet hours that held then end. What clocks show
 * decides, also in the night in which they are put forward or back. @param hours null: never quiet
 */
export const tellAt = (hours: QuietHours | null, moment: Date): Date =>
  hours && isQuietAt(hours, moment.getTime()) ? new Date(endOf(hours, moment.getTime())) : moment;

/** Everything that came before this has been told of by now. Null: everything has, it is not quiet. */
export function quietSince(hours: QuietHours | null, now: Date): Date | null {
  if (!hours || !isQuietAt(hours, now.getTime())) return null;
  const isUntold = (instant: number) => tellAt(hours, new Date(instant)) > now;
  return new Date(firstMinute(isUntold, now.getTime() - longest, now.getTime()));
}
