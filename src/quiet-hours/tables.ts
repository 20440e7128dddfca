import { sql } from 'drizzle-orm';
import { check, pgTable, text, time, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';

/** When a person wants no notifications, if not when their institutions say. Without times: never quiet. */
export const quietHours = pgTable(
  'quiet_hours',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id),
    from: time('quiet_from'),
    until: time('quiet_until'),
    timeZone: text('time_zone').notNull(),
  },
  (t) => [check('quiet_hours_times_check', sql`(${t.from} is null) = (${t.until} is null)`)],
);

export type QuietHoursRow = typeof quietHours.$inferSelect;
