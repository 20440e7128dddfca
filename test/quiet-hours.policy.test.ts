import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type QuietHours, quietSince, tellAt, timeZoneNamed } from '../src/quiet-hours/policy.ts';

const berlin = (from: string, until: string): QuietHours => ({ from, until, timeZone: 'Europe/Berlin' });
const night = berlin('21:00', '07:00');

/** When somebody is told of what came then. */
const told = (hours: QuietHours | null, moment: string): string => tellAt(hours, new Date(moment)).toISOString();
const since = (hours: QuietHours | null, now: string): string | null =>
  quietSince(hours, new Date(now))?.toISOString() ?? null;

describe('on an ordinary night', () => {
  test.each([
    ['in the afternoon at once', '2026-01-15T15:00:00.123+01:00', '2026-01-15T14:00:00.123Z'],
    ['a moment before it begins at once', '2026-01-15T20:59:59.999+01:00', '2026-01-15T19:59:59.999Z'],
    ['the moment it begins in the morning', '2026-01-15T21:00:00+01:00', '2026-01-16T06:00:00.000Z'],
    ['before midnight in the morning', '2026-01-15T23:30:12+01:00', '2026-01-16T06:00:00.000Z'],
    ['behind midnight in the same morning', '2026-01-16T00:30:12+01:00', '2026-01-16T06:00:00.000Z'],
    ['a moment before it is over a moment later', '2026-01-16T06:59:59.999+01:00', '2026-01-16T06:00:00.000Z'],
    ['the moment it is over at once', '2026-01-16T07:00:00+01:00', '2026-01-16T06:00:00.000Z'],
  ])('one is told of what comes %s', (_what, moment, expected) => {
    expect(told(night, moment)).toBe(expected);
  });

  test('who is never quiet is told of everything at once', () => {
    expect(told(null, '2026-01-16T03:00:00Z')).toBe('2026-01-16T03:00:00.000Z');
    expect(since(null, '2026-01-16T03:00:00Z')).toBeNull();
  });

  test('quiet hours may lie within one day', () => {
    const nap = berlin('12:30', '14:00');
    expect(told(nap, '2026-01-15T12:45:00+01:00')).toBe('2026-01-15T13:00:00.000Z');
    expect(told(nap, '2026-01-15T23:00:00+01:00')).toBe('2026-01-15T22:00:00.000Z');
  });

  test('they may begin or end at midnight', () => {
    expect(told(berlin('22:00', '00:00'), '2026-01-15T23:59:00+01:00')).toBe('2026-01-15T23:00:00.000Z');
    expect(told(berlin('00:00', '06:00'), '2026-01-16T00:00:00+01:00')).toBe('2026-01-16T05:00:00.000Z');
  });

  test('the same hours are others elsewhere, also where clocks differ by less than an hour', () => {
    const moment = '2026-01-15T18:00:00Z';
    expect(told({ ...night, timeZone: 'Asia/Kathmandu' }, moment)).toBe('2026-01-16T01:15:00.000Z');
    expect(told({ ...night, timeZone: 'Europe/Moscow' }, moment)).toBe('2026-01-16T04:00:00.000Z');
    expect(told(night, moment)).toBe('2026-01-15T18:00:00.000Z');
  });

  test('seconds, as the database adds them, change nothing', () => {
    expect(told(berlin('21:00:00', '07:00:00'), '2026-01-15T23:30:00+01:00')).toBe('2026-01-16T06:00:00.000Z');
  });
});

describe('when clocks are put forward, from 2 to 3 on 29 March', () => {
  test('the morning comes an hour earlier', () => {
    expect(told(night, '2026-03-28T23:00:00+01:00')).toBe('2026-03-29T05:00:00.000Z');
    expect(told(night, '2026-03-29T04:00:00+02:00')).toBe('2026-03-29T05:00:00.000Z');
  });

  test('quiet hours whose end is jumped over end with the jump', () => {
    expect(told(berlin('22:00', '02:30'), '2026-03-28T23:00:00+01:00')).toBe('2026-03-29T01:00:00.000Z');
    expect(told(berlin('22:00', '02:30'), '2026-03-29T03:00:00+02:00')).toBe('2026-03-29T01:00:00.000Z');
  });

  test('quiet hours whose beginning is jumped over begin with the jump', () => {
    expect(told(berlin('02:30', '06:00'), '2026-03-29T01:59:00+01:00')).toBe('2026-03-29T00:59:00.000Z');
    expect(told(berlin('02:30', '06:00'), '2026-03-29T03:00:00+02:00')).toBe('2026-03-29T04:00:00.000Z');
    expect(since(berlin('02:30', '06:00'), '2026-03-29T05:00:00+02:00')).toBe('2026-03-29T01:00:00.000Z');
  });

  test('those that are jumped over as a whole are none that night', () => {
    expect(told(berlin('02:15', '02:45'), '2026-03-29T03:00:00+02:00')).toBe('2026-03-29T01:00:00.000Z');
  });

  test('those that leave only time that is jumped over last until the next night', () => {
    expect(told(berlin('02:01', '02:00'), '2026-03-28T12:00:00+01:00')).toBe('2026-03-30T00:00:00.000Z');
    expect(since(berlin('02:01', '02:00'), '2026-03-29T12:00:00+02:00')).toBe('2026-03-28T01:01:00.000Z');
  });
});

describe('when clocks are put back, from 3 to 2 on 25 October', () => {
  test('the morning comes an hour later', () => {
    expect(told(night, '2026-10-24T23:00:00+02:00')).toBe('2026-10-25T06:00:00.000Z');
    expect(told(night, '2026-10-25T02:30:00+01:00')).toBe('2026-10-25T06:00:00.000Z');
  });

  test('an end that is shown twice is one twice: what clocks show decides', () => {
    const hours = berlin('22:00', '02:30');
    expect(told(hours, '2026-10-24T23:00:00+02:00')).toBe('2026-10-25T00:30:00.000Z');
    expect(told(hours, '2026-10-25T02:45:00+02:00')).toBe('2026-10-25T00:45:00.000Z');
    expect(told(hours, '2026-10-25T02:10:00+01:00')).toBe('2026-10-25T01:30:00.000Z');
  });
});

describe('what is still to be told', () => {
  test('is nothing by day, and by night what came since it began', () => {
    expect(since(night, '2026-01-15T15:00:00+01:00')).toBeNull();
    expect(since(night, '2026-01-16T07:00:00+01:00')).toBeNull();
    expect(since(night, '2026-01-15T21:00:30+01:00')).toBe('2026-01-15T20:00:00.000Z');
    expect(since(night, '2026-01-16T06:59:59+01:00')).toBe('2026-01-15T20:00:00.000Z');
  });

  test('is what is told later, whatever the hours, the place and the night', () => {
    const time = fc.integer({ min: 0, max: 1439 }).map((minutes) => {
      const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
      return `${hour}:${minute}`;
    });
    const timeZone = fc.constantFrom(
      'Europe/Berlin',
      'Europe/Moscow',
      'Australia/Lord_Howe',
      'Africa/Cairo',
      'America/St_Johns',
    );
    const moment = fc
      .tuple(
        fc.constantFrom('2026-03-29', '2026-04-05', '2026-04-24', '2026-07-01', '2026-10-25', '2026-11-01'),
        fc.integer({ min: -2880, max: 2880 }),
      )
      .map(([day, minutes]) => new Date(Date.parse(`${day}T00:00:00Z`) + minutes * 60_000));
    fc.assert(
      fc.property(
        time,
        time,
        timeZone,
        moment,
        fc.integer({ min: 0, max: 3000 }),
        (from, until, zone, now, minutes) => {
          fc.pre(from !== until);
          const hours = { from, until, timeZone: zone };
          const came = new Date(now.getTime() - minutes * 60_000);
          const when = tellAt(hours, came);
          expect(when >= came).toBe(true);
          // One is told when it is not quiet, and as soon as it is not.
          expect(tellAt(hours, when)).toEqual(when);
          if (when > came) expect(tellAt(hours, new Date(when.getTime() - 60_000))).toEqual(when);
          const quiet = quietSince(hours, now);
          expect(when > now).toBe(quiet !== null && came >= quiet);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('a time zone is one that clocks know by name, not an offset', () => {
  expect(timeZoneNamed('Europe/Moscow')).toBe('Europe/Moscow');
  expect(timeZoneNamed('europe/moscow')).toBe('Europe/Moscow');
  expect(timeZoneNamed('UTC')).toBe('UTC');
  expect(timeZoneNamed('Asia/Kolkata')).toMatch(/^Asia\/(Kolkata|Calcutta)$/);
  expect(['+03:00', 'Europe/Atlantis', '', 'GMT; drop'].map(timeZoneNamed)).toEqual([null, null, null, null]);
});
