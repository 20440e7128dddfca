import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { broadcasts } from '../broadcasts/tables.ts';
import { id, instant } from '../database/columns.ts';

/** Who has watched a broadcast, once however often they came, and for how long: as far as the media server asked about them. */
export const broadcastAttendances = pgTable(
  'broadcast_attendances',
  {
    id: id(),
    broadcastId: uuid('broadcast_id')
      .notNull()
      .references(() => broadcasts.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    joinedAt: instant('joined_at').notNull().defaultNow(),
    seenAt: instant('seen_at').notNull().defaultNow(),
    /** When they left; null: they did not say so, and are there while they are seen. */
    leftAt: instant('left_at'),
    watchedSeconds: integer('watched_seconds').notNull().default(0),
  },
  (t) => [
    unique('broadcast_attendances_person_key').on(t.broadcastId, t.userId),
    index('broadcast_attendances_page_index').on(t.broadcastId, t.id),
    check('broadcast_attendances_watched_check', sql`${t.watchedSeconds} >= 0`),
  ],
);
