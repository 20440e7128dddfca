import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Conferencing, JoinTicket } from '../conferencing/conferencing.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotConfigured } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { valid } from '../input.ts';
import { changeMeeting, recordMeeting, roomOf, runMeeting, tellMeeting } from '../meetings/commands.ts';
import { obstacleToJoin } from '../meetings/policy.ts';
import type { Meeting } from '../meetings/queries.ts';
import type { MeetingRow } from '../meetings/tables.ts';
import { admit, markInPerson, sendOutSoon } from '../participations/commands.ts';
import { participations } from '../participations/tables.ts';
import type { Viewer } from '../viewer.ts';

/** How somebody gets into a meeting; `ticket` null: there is no video here, they come in person. */
export interface Admission {
  readonly meetingId: string;
  readonly ticket: JoinTicket | null;
}

/** Lets somebody into a meeting that goes on. Repeating it gives them another ticket. @throws NotFound, Forbidden, InvalidState, NotConfigured */
export async function joinMeeting(
  db: Database,
  viewer: Viewer,
  meetingId: string,
  conferencing: Conferencing | null,
): Promise<Admission> {
  const identity = await changeMeeting(db, viewer, meetingId, 'share', async (tx, { meeting, viewer: fresh }) => {
    const obstacle = obstacleToJoin(fresh, meeting, conferencing !== null);
    if (obstacle === 'UNVERIFIED') throw new Forbidden('FORBIDDEN_UNVERIFIED');
    if (obstacle === 'NOT_CONFIGURED') throw new NotConfigured('CALLS_NOT_CONFIGURED');
    if (obstacle) throw new InvalidState(meeting.state);
    const { id, isNew } = await admit(tx, roomOf(meeting), viewer);
    if (isNew) await tellMeeting(tx, meeting, 'MEETING_JOINED', viewer.userId);
    return id;
  });
  const ticket = conferencing && (await conferencing.ticketFor({ roomKind: 'MEETING', roomId: meetingId }, identity));
  return { meetingId, ticket };
}

/**
 * Ends the viewer's connection, on whichever device it is; they may join again. Who is not there has left.
 * @throws NotFound, InvalidState
 */
export const leaveMeeting = (db: Database, viewer: Viewer, meetingId: string): Promise<MeetingRow> =>
  changeMeeting(db, viewer, meetingId, 'share', async (tx, { meeting }) => {
    const theirs = and(eq(participations.roomId, meetingId), eq(participations.userId, viewer.userId));
    const [participation] = await tx.select().from(participations).where(theirs);
    if (meeting.state === 'LIVE' && participation?.admittedAt) await sendOutSoon(tx, participation);
    return meeting;
  });

const Attendance = z.object({
  userIds: z
    .array(z.string())
    .min(1)
    .max(500)
    .transform((ids) => [...new Set(ids)]),
  present: z.boolean(),
});

/**
 * Notes who is in the room of a HYBRID meeting in person, or is not, while it goes on and afterwards. Repeating it changes nothing.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function recordMeetingAttendance(
  db: Database,
  viewer: Viewer,
  meetingId: string,
  input: unknown,
): Promise<MeetingRow> {
  const { userIds, present } = valid(Attendance, input);
  return runMeeting(db, viewer, meetingId, async (tx, meeting) => {
    if (meeting.format !== 'HYBRID') throw new InvalidInput('meetingId', 'INVALID_MEETING_ONLINE');
    if (meeting.state !== 'LIVE' && meeting.state !== 'ENDED') throw new InvalidState(meeting.state);
    if (present) await demandInvited(tx, meeting, userIds);
    const marked = await markInPerson(tx, roomOf(meeting), userIds, present);
    if (marked.length === 0) return meeting;
    await recordMeeting(tx, viewer.userId, meeting, {
      action: 'meeting.record-attendance',
      after: { present, userIds: marked.map((id) => globalId('User', id)) },
    });
    return meeting;
  });
}

/** @throws InvalidInput unless the meeting is for all of them */
async function demandInvited(tx: Transaction, { audienceId }: Meeting, userIds: readonly string[]): Promise<void> {
  const [found] = await rows<{ size: number }>(
    tx,
    sql`
    select count(distinct user_id)::int as size from audience_members
    where audience_id = ${audienceId} and until is null and user_id = any(${sql.param([...userIds])}::uuid[])`,
  );
  if (found?.size !== userIds.length) throw new InvalidInput('userIds', 'INVALID_MEETING_PEOPLE');
}
