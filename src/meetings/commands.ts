import { eq, sql } from 'drizzle-orm';
import { audit, type Deed } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidState, NotFound } from '../errors.ts';
import { cancel, enqueue, type TaskKind } from '../jobs/tasks.ts';
import { append, transact } from '../log/append.ts';
import { lockOrganization, visitOrganization } from '../organizations/commands.ts';
import { closeRoomSoon, endStays, type RoomKeeper } from '../participations/commands.ts';
import { isAnybodyIn } from '../participations/queries.ts';
import type { Viewer } from '../viewer.ts';
import { type Capacities, canRunMeeting, canSeeMeeting, isOver } from './policy.ts';
import { capacitiesWithin, type Meeting, meetingById } from './queries.ts';
import { type MeetingRow, meetings } from './tables.ts';

const hourMs = 60 * 60_000;
/** Past its planned end a meeting in which nobody is any more goes on for so long; past its start none does for longer than that. */
const idleMs = hourMs;
const longestMs = 12 * hourMs;
/** How often it is looked at until then. */
const lookMs = hourMs / 4;

/** The room of a meeting, as the conferencing server knows it. */
export const roomOf = ({ id }: Pick<MeetingRow, 'id'>) => ({ roomKind: 'MEETING', roomId: id }) as const;

/** Lets people in: those for whom it is hear of it. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const startMeeting = (db: Database, viewer: Viewer, meetingId: string): Promise<MeetingRow> =>
  runMeeting(db, viewer, meetingId, async (tx, before) => {
    if (before.state === 'LIVE') return before;
    if (before.state !== 'SCHEDULED') throw new InvalidState(before.state);
    if (before.venueState !== 'ACTIVE') throw new InvalidState(before.venueState);
    const meeting = await setMeeting(tx, before, { state: 'LIVE', startedAt: sql`now()` });
    await cancel(tx, meetingReminder, meetingId);
    await lookAgain(tx, meeting);
    await tellMeeting(tx, meeting, 'MEETING_STARTED');
    await recordMeeting(tx, viewer.userId, meeting, { action: 'meeting.start' });
    return meeting;
  });

/** It is over, for good, and the room is closed. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const endMeeting = (db: Database, viewer: Viewer, meetingId: string): Promise<MeetingRow> =>
  runMeeting(db, viewer, meetingId, (tx, before) => finish(tx, viewer.userId, before));

/** `actorId` null: it ended by itself. @throws InvalidState */
async function finish(tx: Transaction, actorId: string | null, before: Meeting): Promise<Meeting> {
  if (before.state === 'ENDED') return before;
  if (before.state !== 'LIVE') throw new InvalidState(before.state);
  const meeting = await setMeeting(tx, before, { state: 'ENDED', endedAt: sql`clock_timestamp()` });
  await cancel(tx, meetingLimit, meeting.id);
  await endStays(tx, roomOf(meeting), meeting.endedAt ?? new Date(), true);
  await closeRoomSoon(tx, roomOf(meeting));
  await tellMeeting(tx, meeting, 'MEETING_ENDED');
  await recordMeeting(tx, actorId, meeting, { action: 'meeting.end' });
  return meeting;
}

/** Does something with a meeting that the viewer runs. @throws NotFound, Forbidden, InvalidState */
export const runMeeting = (
  db: Database,
  viewer: Viewer,
  meetingId: string,
  make: (tx: Transaction, meeting: Meeting) => Promise<MeetingRow>,
): Promise<MeetingRow> =>
  changeMeeting(db, viewer, meetingId, 'no key update', (tx, { meeting, capacities, viewer: fresh }) => {
    if (!canRunMeeting(fresh, meeting, capacities)) throw new Forbidden('FORBIDDEN_MEETING');
    return make(tx, meeting);
  });

/** A meeting as somebody who does something with it finds it, and who they are there, as of now. */
export interface HeldMeeting {
  readonly meeting: Meeting;
  readonly capacities: Capacities;
  readonly viewer: Viewer;
}

/**
 * Does something with a meeting that the viewer sees. Under the lock `share` it neither starts nor ends meanwhile, and any number
 * of people may do so at once. @throws NotFound, InvalidState
 */
export const changeMeeting = <Result>(
  db: Database,
  viewer: Viewer,
  meetingId: string,
  lock: 'share' | 'no key update',
  make: (tx: Transaction, held: HeldMeeting) => Promise<Result>,
): Promise<Result> =>
  transact(db, async (tx) => {
    const [known] = await meetingById(tx, [meetingId], nobody);
    if (!known) throw new NotFound();
    const { viewer: fresh } = await visitOrganization(tx, viewer, known.organizationId);
    const meeting = await holdMeeting(tx, meetingId, lock);
    const capacities = await capacitiesWithin(tx, fresh, known.audienceId);
    if (!meeting || !canSeeMeeting(capacities)) throw new NotFound();
    return make(tx, { meeting, capacities, viewer: fresh });
  });

async function holdMeeting(
  tx: Transaction,
  meetingId: string,
  lock: 'share' | 'no key update',
): Promise<Meeting | null> {
  await tx.select({ id: meetings.id }).from(meetings).where(eq(meetings.id, meetingId)).for(lock);
  const [meeting] = await meetingById(tx, [meetingId], nobody);
  return meeting ?? null;
}

const nobody = (): never => {
  throw new Error('what is held is read for nobody');
};

export async function setMeeting(
  tx: Transaction,
  { id, venueState, isOrphaned }: Meeting,
  changes: Parameters<ReturnType<typeof tx.update<typeof meetings>>['set']>[0],
): Promise<Meeting> {
  const [meeting] = await tx
    .update(meetings)
    .set({ ...changes, changedAt: sql`now()` })
    .where(eq(meetings.id, id))
    .returning();
  if (!meeting) throw new NotFound();
  return { ...meeting, venueState, isOrphaned };
}

/** Tells those for whom it is, or one of them alone. */
export const tellMeeting = (
  tx: Transaction,
  { id, organizationId, audienceId, chatId, groupId }: MeetingRow,
  kind: string,
  userId: string | null = null,
): Promise<void> =>
  append(tx, {
    kind,
    organizationId,
    audienceId: userId ?? audienceId,
    subjectId: id,
    payload: { placeId: chatId ?? groupId ?? '', partId: id },
  });

export const recordMeeting = (
  tx: Transaction,
  actorId: string | null,
  { id, organizationId }: MeetingRow,
  deed: Omit<Deed, 'target' | 'organizationId'>,
): Promise<void> => audit(tx, actorId, { ...deed, target: { type: 'Meeting', id }, organizationId });

/** Does something with a meeting by the clock, and for nobody. */
const byClock = (
  db: Database,
  meetingId: string,
  make: (tx: Transaction, meeting: Meeting) => Promise<unknown>,
): Promise<void> =>
  transact(db, async (tx) => {
    const [known] = await meetingById(tx, [meetingId], nobody);
    if (!known) return;
    await lockOrganization(tx, known.organizationId, 'share');
    const meeting = await holdMeeting(tx, meetingId, 'no key update');
    if (meeting) await make(tx, meeting);
  });

/** Reminds those for whom a meeting is that it begins soon; where people cannot meet any more none does. */
export const meetingReminder: TaskKind<{ readonly meetingId: string }> = {
  name: 'meeting-reminder',
  run: (db, { meetingId }) =>
    byClock(db, meetingId, async (tx, meeting) => {
      const { state, venueState } = meeting;
      if (state === 'SCHEDULED' && venueState === 'ACTIVE') await tellMeeting(tx, meeting, 'MEETING_REMINDED');
    }),
};

/**
 * Ends a meeting that nobody has ended: an hour after its planned end when nobody is in it, and twelve hours after its start, or at
 * its planned end if that is later, whoever is.
 */
export const meetingLimit: TaskKind<{ readonly meetingId: string }> = {
  name: 'meeting-limit',
  run: (db, { meetingId }) =>
    byClock(db, meetingId, async (tx, meeting) => {
      if (meeting.state !== 'LIVE') return;
      const now = new Date();
      const isIdle = now >= idleAt(meeting) && !(await isAnybodyIn(tx, meetingId));
      if (isIdle || now >= limitAt(meeting)) await finish(tx, null, meeting);
      else await lookAgain(tx, meeting, new Date(now.getTime() + lookMs));
    }),
};

const idleAt = ({ endsAt }: MeetingRow): Date => new Date(endsAt.getTime() + idleMs);

const limitAt = ({ startedAt, endsAt }: MeetingRow): Date =>
  new Date(Math.max((startedAt ?? endsAt).getTime() + longestMs, endsAt.getTime()));

/** Plans when it is looked at whether a meeting goes on: as soon as it might be over, and not before. */
export async function lookAgain(tx: Transaction, meeting: Meeting, notBefore = new Date()): Promise<void> {
  const soonest = Math.max(idleAt(meeting).getTime(), notBefore.getTime());
  const at = new Date(Math.min(soonest, limitAt(meeting).getTime()));
  await cancel(tx, meetingLimit, meeting.id);
  await enqueue(tx, meetingLimit, { meetingId: meeting.id }, { at, key: meeting.id });
}

/** People are let into the room of a meeting while it is LIVE. */
export const meetingRooms: RoomKeeper = {
  hold: async (tx, meetingId) => {
    const meeting = await holdMeeting(tx, meetingId, 'share');
    if (!meeting) return null;
    const endedAt = isOver(meeting) ? (meeting.endedAt ?? meeting.cancelledAt) : null;
    return { isOpen: meeting.state === 'LIVE', endedAt };
  },
};
