import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { Database, Executor } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import { type Page, paged } from '../graphql/connections.ts';
import type { Batch, Context } from '../graphql/context.ts';
import type { Role, Viewer } from '../viewer.ts';
import { type Capacities, canSeeMeeting, type MeetingPlace, type Venue } from './policy.ts';
import { type MeetingRow, meetings } from './tables.ts';

/** What the rules about a meeting ask for, read with each. */
const venue = {
  venueState: sql<Venue['venueState']>`coalesce(
    (select c.state::text from chats c where c.id = ${meetings}.chat_id),
    (select g.state::text from groups g where g.id = ${meetings}.group_id))`.as('venue_state'),
  isOrphaned: sql<boolean>`not exists (
    select from audience_members m
    where m.audience_id = ${meetings}.audience_id and m.user_id = ${meetings}.host_id and m.until is null)`.as(
    'is_orphaned',
  ),
};

export type Meeting = MeetingRow & MeetingPlace;

/** Meetings by their ids, whoever asks. */
export const meetingById = byId(meetings, venue);

const capacities = prepareRaw<
  { audienceId: string; capacities: Role[] },
  { audienceIds: readonly string[]; userId: string }
>(sql`
  select m.audience_id as "audienceId", json_agg(m.capacity) as capacities from audience_members m
  where m.audience_id = any(${sql.placeholder('audienceIds')}::uuid[]) and m.user_id = ${sql.placeholder('userId')}::uuid
    and m.until is null
  group by m.audience_id`);

/** As what the viewer belongs to audiences now. */
export const capacitiesIn: Batch<string, Capacities> = async (db, audienceIds, viewer) => {
  const found = await capacities(db, { audienceIds: [...audienceIds], userId: viewer().userId });
  const index = new Map(found.map((row) => [row.audienceId, row.capacities]));
  return audienceIds.map((id) => index.get(id) ?? []);
};

/** As what somebody belongs to an audience, on fresh rows. */
export async function capacitiesWithin(tx: Executor, { userId }: Viewer, audienceId: string): Promise<Capacities> {
  const [found] = await capacities(tx, { audienceIds: [audienceId], userId });
  return found?.capacities ?? [];
}

/** Whether whoever looks sees a meeting. */
export const seesMeeting = (ctx: Context, { audienceId }: Pick<Meeting, 'audienceId'>): Promise<boolean> =>
  ctx.belongs(audienceId, async () => canSeeMeeting(await ctx.load(capacitiesIn, audienceId)));

export interface MeetingFilter {
  readonly state: MeetingRow['state'] | null;
}

/** `canSeeMeeting`, for a list. */
const seenBy = ({ userId }: Viewer): SQL => sql`${meetings.audienceId} in (
  select m.audience_id from audience_members m where m.user_id = ${userId} and m.until is null)`;

const narrowed = ({ state }: MeetingFilter, viewer: Viewer): SQL | undefined =>
  and(state ? eq(meetings.state, state) : undefined, seenBy(viewer));

const byStart = { column: meetings.place, of: (row: MeetingRow) => row.place };

/** The meetings of chats, groups and organizations that the viewer sees, by when they start, the latest first. */
export const meetingsInChat = listsOf(meetings, meetings.chatId, narrowed, venue, byStart);
export const meetingsOfGroup = listsOf(meetings, meetings.groupId, narrowed, venue, byStart);
export const meetingsOf = listsOf(meetings, meetings.organizationId, narrowed, venue, byStart);

/** A page of all meetings that the viewer sees. */
export function pageOfMeetings(db: Database, viewer: Viewer, filter: MeetingFilter, page: Page): Promise<Meeting[]> {
  const { where, orderBy, limit } = paged(meetings.place, page);
  return db
    .select({ ...getTableColumns(meetings), ...venue })
    .from(meetings)
    .where(and(narrowed(filter, viewer), where))
    .orderBy(orderBy)
    .limit(limit);
}

export const sizeOfMeetings = (db: Database, viewer: Viewer, filter: MeetingFilter): Promise<number> =>
  db.$count(meetings, narrowed(filter, viewer));

/** What a calendar holds at most. */
export const calendarCap = 500;

/** The viewer's meetings in an organization of the last month and the coming year, the earliest first. */
export const meetingsForCalendar = (db: Database, viewer: Viewer, organizationId: string): Promise<MeetingRow[]> =>
  db
    .select()
    .from(meetings)
    .where(
      and(
        eq(meetings.organizationId, organizationId),
        seenBy(viewer),
        sql`${meetings.startsAt} between now() - interval '1 month' and now() + interval '1 year'`,
      ),
    )
    .orderBy(meetings.startsAt, meetings.id)
    .limit(calendarCap);
