import ical, { ICalEventStatus } from 'ical-generator';

/** Something in a calendar. */
export interface CalendarEntry {
  /** The same for ever, of whichever calendar it is read. */
  readonly id: string;
  /** Grows with each change, so that calendars know the newer. */
  readonly sequence: number;
  readonly title: string;
  readonly description: string | null;
  readonly location: string | null;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly isCancelled: boolean;
}

/** An iCalendar document (RFC 5545), with all times in UTC. */
export function calendarOf(name: string, entries: readonly CalendarEntry[]): string {
  const calendar = ical({ name: oneLine(name), prodId: { company: 'Homeroom', product: 'Homeroom' } });
  for (const { id, sequence, title, description, location, startsAt, endsAt, ...entry } of entries) {
    calendar.createEvent({
      id: `${id}@homeroom`,
      sequence,
      summary: oneLine(title),
      description: description === null ? null : description.replaceAll(/\r\n?/g, '\n'),
      location: location === null ? null : oneLine(location),
      start: startsAt,
      end: endsAt,
      created: entry.createdAt,
      lastModified: entry.changedAt,
      stamp: entry.changedAt,
      status: entry.isCancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    });
  }
  return `${calendar.toString()}\r\n`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');
