import { sql } from 'drizzle-orm';
import { boolean, check, index, pgEnum, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';

export const roomKind = pgEnum('room_kind', ['MEETING', 'CALL']);

/**
 * Somebody's part in a meeting or a call. Its id is who they are to the conferencing server, which learns neither their name nor
 * their id here.
 */
export const participations = pgTable(
  'participations',
  {
    id: id(),
    roomKind: roomKind('room_kind').notNull(),
    /** The meeting's or the call's id. */
    roomId: uuid('room_id').notNull(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    /** When they first asked to be let in; null: never, as who has declined a call or came in person, or they were sent out. */
    admittedAt: instant('admitted_at'),
    /** The session that last asked to be let in: when it ends, so does their being there. */
    sessionId: uuid('session_id'),
    /** When they were first seen in the room, and when last; null: never, or: they are there. */
    joinedAt: instant('joined_at'),
    leftAt: instant('left_at'),
    /** Of a call: when they first answered it, and when they declined it. */
    answeredAt: instant('answered_at'),
    declinedAt: instant('declined_at'),
    /** Of a meeting that is HYBRID: whether its host has seen them in the room. */
    inPerson: boolean('in_person').notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [
    unique('participations_person_key').on(t.roomId, t.userId),
    index('participations_page_index').on(t.roomId, t.id),
    index('participations_user_index').on(t.userId, t.roomId),
    check('participations_left_check', sql`${t.leftAt} is null or ${t.joinedAt} is not null`),
  ],
);

/** A connection of somebody to the room: `sid` is what the conferencing server calls it. */
export const participationStays = pgTable(
  'participation_stays',
  {
    sid: text('sid').primaryKey(),
    participationId: uuid('participation_id')
      .notNull()
      .references(() => participations.id),
    joinedAt: instant('joined_at'),
    leftAt: instant('left_at'),
  },
  (t) => [
    index('participation_stays_participation_index').on(t.participationId),
    check('participation_stays_told_check', sql`${t.joinedAt} is not null or ${t.leftAt} is not null`),
  ],
);

/** What the conferencing server has told already: a webhook counts once. */
export const conferenceReceipts = pgTable(
  'conference_receipts',
  {
    id: text('id').primaryKey(),
    receivedAt: instant('received_at').notNull().defaultNow(),
  },
  (t) => [index('conference_receipts_received_index').on(t.receivedAt)],
);

export type ParticipationRow = typeof participations.$inferSelect;
