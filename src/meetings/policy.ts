import type { Role, Viewer } from '../viewer.ts';
import type { MeetingRow } from './tables.ts';

/** Where people are to meet: in a chat, or a group. */
export interface Venue {
  readonly organizationId: string;
  /** Null: it is a chat. */
  readonly groupId: string | null;
  /** The chat's, or the group's. */
  readonly venueState: 'ACTIVE' | 'READ_ONLY' | 'ARCHIVED';
}

/** A meeting as rules ask about it. */
export type MeetingPlace = Venue &
  Pick<MeetingRow, 'state' | 'hostId'> & {
    /** Its host is not among those for whom it is any more. */
    readonly isOrphaned: boolean;
  };

/** As what somebody is among those for whom a meeting is; empty: they are not. */
export type Capacities = readonly Role[];

/** Sees that there is a meeting: for whom it is, now. */
export const canSeeMeeting = (capacities: Capacities): boolean => capacities.length > 0;

/**
 * Answers for those who would meet: administrators and the head where they take part, confirmed staff in groups of their own, and
 * in chats in which they take part as staff (§2.2.6, 2.3.4, §3).
 */
const answersFor = (viewer: Viewer, { organizationId, groupId }: Venue, capacities: Capacities): boolean =>
  canSeeMeeting(capacities) &&
  (viewer.leads(organizationId) || (groupId === null ? capacities.includes('EMPLOYEE') : viewer.teaches(groupId)));

/** Schedules meetings: who answers for those who would meet, unless the place is frozen or put away. */
export const canScheduleMeeting = (viewer: Viewer, venue: Venue, capacities: Capacities): boolean =>
  venue.venueState === 'ACTIVE' && answersFor(viewer, venue, capacities);

/**
 * Starts a meeting and ends it, changes and cancels it, and keeps its attendance: its host, and who leads; when its host is gone,
 * whoever answers for those who meet.
 */
export const canRunMeeting = (viewer: Viewer, meeting: MeetingPlace, capacities: Capacities): boolean =>
  answersFor(viewer, meeting, capacities) &&
  (meeting.hostId === viewer.userId || meeting.isOrphaned || viewer.leads(meeting.organizationId));

/** Nothing of it changes any more. */
export const isOver = ({ state }: Pick<MeetingRow, 'state'>): boolean => state === 'ENDED' || state === 'CANCELLED';

/** What keeps somebody who sees a meeting from joining it. */
export type JoinObstacle = 'NOT_STARTED' | 'OVER' | 'UNVERIFIED' | 'NOT_CONFIGURED';

/** What it is; null: nothing. Of a HYBRID meeting one can come in person, also where there is no video. */
export function obstacleToJoin(
  viewer: Viewer,
  { organizationId, state, format }: Pick<MeetingRow, 'organizationId' | 'state' | 'format'>,
  isConfigured: boolean,
): JoinObstacle | null {
  if (isOver({ state })) return 'OVER';
  if (!viewer.takesPartIn(organizationId)) return 'UNVERIFIED';
  if (state !== 'LIVE') return 'NOT_STARTED';
  return isConfigured || format === 'HYBRID' ? null : 'NOT_CONFIGURED';
}
