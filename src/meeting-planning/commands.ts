import { isDeepStrictEqual } from 'node:util';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { visitChat } from '../chats/commands.ts';
import { placeAt } from '../database/columns.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { groups } from '../groups/tables.ts';
import { demandComingYear, idempotencyKey, line, optionalLine, prose, valid } from '../input.ts';
import { cancel, minutesBefore, reschedule } from '../jobs/tasks.ts';
import { transact } from '../log/append.ts';
import {
  lookAgain,
  meetingReminder,
  recordMeeting,
  runMeeting,
  setMeeting,
  tellMeeting,
} from '../meetings/commands.ts';
import { canScheduleMeeting, isOver, type Venue } from '../meetings/policy.ts';
import { capacitiesWithin } from '../meetings/queries.ts';
import { type MeetingRow, meetingFormat, meetings } from '../meetings/tables.ts';
import { visitOrganization } from '../organizations/commands.ts';
import type { Viewer } from '../viewer.ts';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

const id = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const title = line(200);
const agenda = prose(4000);
const location = optionalLine(300);
const format = z.enum(meetingFormat.enumValues);
/** Minutes, up to a week. */
const remindBefore = z.int().min(0).max(10_080).nullable();

const ScheduleMeeting = z.object({
  chatId: id,
  groupId: id,
  title,
  agenda,
  format,
  location,
  startsAt: z.date().nullish(),
  endsAt: z.date().nullish(),
  remindBefore: remindBefore.default(15),
  idempotencyKey,
});
type Wish = z.output<typeof ScheduleMeeting>;

/** Plans a meeting of those who take part in a chat, or of a group (§2.2.6, 2.3.4). @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function scheduleMeeting(db: Database, viewer: Viewer, input: unknown): Promise<MeetingRow> {
  const wish = valid(ScheduleMeeting, input);
  const { chatId, groupId } = wish;
  if ((chatId === null) === (groupId === null)) throw new InvalidInput('chatId', 'INVALID_MEETING_AUDIENCE');
  return transact(db, async (tx) => {
    const place = await (chatId === null ? visitGroup(tx, viewer, groupId ?? '') : visitTalk(tx, viewer, chatId));
    const { viewer: fresh, audienceId, ...venue } = place;
    const first = wish.idempotencyKey ? await meetingByKey(tx, viewer, wish.idempotencyKey) : null;
    if (first) return sameWish(first, wish);
    const capacities = await capacitiesWithin(tx, fresh, audienceId);
    if (!canScheduleMeeting(fresh, venue, capacities)) {
      if (canScheduleMeeting(fresh, { ...venue, venueState: 'ACTIVE' }, capacities))
        throw new InvalidState(venue.venueState);
      throw new Forbidden('FORBIDDEN_SCHEDULE_MEETING');
    }
    demandComingYear('startsAt', wish.startsAt);
    const startsAt = wish.startsAt ?? new Date();
    const endsAt = wish.endsAt ?? new Date(startsAt.getTime() + hourMs);
    demandSpan(startsAt, endsAt);
    demandLocation(wish);
    const [meeting] = await tx
      .insert(meetings)
      .values({
        ...wish,
        organizationId: venue.organizationId,
        audienceId,
        hostId: viewer.userId,
        startsAt,
        endsAt,
        place: placeAt(startsAt),
      })
      .onConflictDoNothing({ target: [meetings.hostId, meetings.idempotencyKey] })
      .returning();
    if (!meeting) {
      const made = await meetingByKey(tx, viewer, wish.idempotencyKey ?? '');
      if (!made) throw new Error('insert returned no row');
      return sameWish(made, wish);
    }
    await planReminder(tx, meeting);
    await tellMeeting(tx, meeting, 'MEETING_SCHEDULED');
    await recordMeeting(tx, viewer.userId, meeting, { action: 'meeting.schedule', after: described(meeting) });
    return meeting;
  });
}

type Place = Venue & { readonly audienceId: string; readonly viewer: Viewer };

async function visitTalk(tx: Transaction, viewer: Viewer, chatId: string): Promise<Place> {
  const { chat, viewer: fresh } = await visitChat(tx, viewer, chatId);
  const { organizationId, audienceId, state } = chat;
  return { organizationId, audienceId, groupId: null, venueState: state, viewer: fresh };
}

/** The group «Staff» is of all confirmed staff, who need not be assigned to it; any other of those in it. */
async function visitGroup(tx: Transaction, viewer: Viewer, groupId: string): Promise<Place> {
  const [group] = await tx.select().from(groups).where(eq(groups.id, groupId));
  if (!group) throw new NotFound();
  const { organization, viewer: fresh } = await visitOrganization(tx, viewer, group.organizationId);
  if (!canSeeGroup(fresh, group)) throw new NotFound();
  const audienceId = group.kind === 'STAFF' ? organization.staffAudienceId : group.audienceId;
  return { organizationId: organization.id, audienceId, groupId, venueState: group.state, viewer: fresh };
}

async function meetingByKey(tx: Transaction, { userId }: Viewer, key: string): Promise<MeetingRow | null> {
  const [found] = await tx
    .select()
    .from(meetings)
    .where(and(eq(meetings.hostId, userId), eq(meetings.idempotencyKey, key)));
  return found ?? null;
}

/** @throws InvalidInput */
function sameWish(first: MeetingRow, { chatId, groupId, title: name }: Wish): MeetingRow {
  if (first.chatId === chatId && first.groupId === groupId && first.title === name) return first;
  throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
}

/** @throws InvalidInput */
function demandSpan(startsAt: Date, endsAt: Date): void {
  if (endsAt <= startsAt || endsAt.getTime() > startsAt.getTime() + dayMs)
    throw new InvalidInput('endsAt', 'INVALID_MEETING_TIMES');
}

/** @throws InvalidInput */
function demandLocation({ format: how, location: where }: Pick<MeetingRow, 'format' | 'location'>): void {
  if ((how === 'HYBRID') !== (where !== null)) throw new InvalidInput('location', 'INVALID_MEETING_LOCATION');
}

const UpdateMeeting = z
  .object({ title, agenda, format, location, startsAt: z.date(), endsAt: z.date(), remindBefore })
  .partial();

/** What of a meeting that goes on is settled. */
const planned = ['format', 'startsAt', 'remindBefore'];

/**
 * Changes a meeting; what is left out stays. While it is LIVE: its words, where it is, and when it is to be over.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function updateMeeting(
  db: Database,
  viewer: Viewer,
  meetingId: string,
  input: unknown,
): Promise<MeetingRow> {
  const changes = valid(UpdateMeeting, input);
  return runMeeting(db, viewer, meetingId, async (tx, before) => {
    const isPlan = planned.some((field) => field in changes);
    if (isOver(before) || (isPlan && before.state !== 'SCHEDULED')) throw new InvalidState(before.state);
    const after = { ...before, ...changes };
    if (after.format === 'ONLINE' && !('location' in changes)) after.location = null;
    demandComingYear('startsAt', changes.startsAt);
    if (changes.startsAt && !changes.endsAt)
      after.endsAt = new Date(changes.startsAt.getTime() + before.endsAt.getTime() - before.startsAt.getTime());
    demandComingYear('endsAt', changes.endsAt);
    demandSpan(after.startsAt, after.endsAt);
    demandLocation(after);
    const isReminderSame = after.remindBefore === before.remindBefore;
    if (sameDescription(before, after) && isReminderSame) return before;
    const { format: how, location: where, endsAt } = after;
    const meeting = await setMeeting(tx, before, {
      ...changes,
      format: how,
      location: where,
      endsAt,
      ...(changes.startsAt && { place: placeAt(changes.startsAt) }),
      ...(!sameDescription(before, after) && { sequence: before.sequence + 1 }),
    });
    if (isPlan) await planReminder(tx, meeting);
    if (meeting.state === 'LIVE' && changes.endsAt) await lookAgain(tx, meeting);
    if (!sameDescription(before, after)) await tellMeeting(tx, meeting, 'MEETING_UPDATED');
    await recordMeeting(tx, viewer.userId, meeting, {
      action: 'meeting.update',
      before: described(before),
      after: described(meeting),
    });
    return meeting;
  });
}

/** What stands in people's calendars. */
const described = ({
  title: name,
  agenda: about,
  format: how,
  location: where,
  startsAt,
  endsAt,
}: Pick<MeetingRow, 'title' | 'agenda' | 'format' | 'location' | 'startsAt' | 'endsAt'>) => ({
  title: name,
  agenda: about,
  format: how,
  location: where,
  startsAt,
  endsAt,
});

const sameDescription = (one: MeetingRow, other: MeetingRow): boolean =>
  isDeepStrictEqual(described(one), described(other));

const Cancellation = z.object({ reason: optionalLine(500) });

/** Calls a planned meeting off, for good. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function cancelMeeting(
  db: Database,
  viewer: Viewer,
  meetingId: string,
  input: unknown,
): Promise<MeetingRow> {
  const { reason } = valid(Cancellation, input);
  return runMeeting(db, viewer, meetingId, async (tx, before) => {
    if (before.state === 'CANCELLED') return before;
    if (before.state !== 'SCHEDULED') throw new InvalidState(before.state);
    const meeting = await setMeeting(tx, before, {
      state: 'CANCELLED',
      reason,
      cancelledAt: sql`now()`,
      sequence: before.sequence + 1,
    });
    await cancel(tx, meetingReminder, meetingId);
    await tellMeeting(tx, meeting, 'MEETING_CANCELLED');
    await recordMeeting(tx, viewer.userId, meeting, { action: 'meeting.cancel', reason });
    return meeting;
  });
}

const planReminder = (
  tx: Transaction,
  { id: meetingId, startsAt, remindBefore: minutes }: MeetingRow,
): Promise<void> => {
  const at = minutesBefore(startsAt, minutes);
  return reschedule(tx, meetingReminder, { meetingId }, { at, key: meetingId });
};
