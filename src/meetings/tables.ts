import { sql } from 'drizzle-orm';
import { check, index, integer, pgEnum, pgTable, smallint, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { audiences } from '../audiences/tables.ts';
import { chats } from '../chats/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { organizations } from '../organizations/tables.ts';

export const meetingState = pgEnum('meeting_state', ['SCHEDULED', 'LIVE', 'ENDED', 'CANCELLED']);
export const meetingFormat = pgEnum('meeting_format', ['ONLINE', 'HYBRID']);

/**
 * People meet at a time, by video or also in a room (§2.2.6): those who take part in a chat, or everybody of a group. `place` orders it
 * among others, by when it is to start.
 */
export const meetings = pgTable(
  'meetings',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    chatId: uuid('chat_id').references(() => chats.id),
    groupId: uuid('group_id').references(() => groups.id),
    /** The chat's or the group's. */
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    hostId: uuid('host_id')
      .notNull()
      .references(() => users.id),
    state: meetingState('state').notNull().default('SCHEDULED'),
    format: meetingFormat('format').notNull(),
    location: text('location'),
    title: text('title').notNull(),
    agenda: text('agenda'),
    startsAt: instant('starts_at').notNull(),
    /** When it is to be over. */
    endsAt: instant('ends_at').notNull(),
    place: uuid('place').notNull(),
    remindBefore: smallint('remind_before'),
    /** How often what stands in people's calendars was changed. */
    sequence: integer('sequence').notNull().default(0),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    cancelledAt: instant('cancelled_at'),
    /** Why it was cancelled. */
    reason: text('reason'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
    changedAt: instant('changed_at').notNull().defaultNow(),
  },
  (t) => [
    unique('meetings_idempotency_key').on(t.hostId, t.idempotencyKey),
    index('meetings_chat_index').on(t.chatId, t.place),
    index('meetings_group_index').on(t.groupId, t.place),
    index('meetings_audience_index').on(t.audienceId, t.place),
    index('meetings_organization_index').on(t.organizationId, t.place),
    index('meetings_open_index').on(t.audienceId).where(sql`${t.state} in ('SCHEDULED', 'LIVE')`),
    index('meetings_live_index').on(t.id).where(sql`${t.state} = 'LIVE'`),
    check('meetings_audience_check', sql`(${t.chatId} is null) <> (${t.groupId} is null)`),
    check('meetings_times_check', sql`${t.endsAt} > ${t.startsAt}`),
    check('meetings_location_check', sql`(${t.format} = 'HYBRID') = (${t.location} is not null)`),
    check(
      'meetings_started_check',
      sql`case ${t.state} when 'SCHEDULED' then ${t.startedAt} is null when 'CANCELLED' then ${t.startedAt} is null
        else ${t.startedAt} is not null end`,
    ),
    check('meetings_ended_check', sql`(${t.state} = 'ENDED') = (${t.endedAt} is not null)`),
    check('meetings_cancelled_check', sql`(${t.state} = 'CANCELLED') = (${t.cancelledAt} is not null)`),
  ],
);

export type MeetingRow = typeof meetings.$inferSelect;
