import { date, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';

/** How many messages were sent on a day (UTC) for whom: the installation, a country, a network, an address. */
export const smsCounts = pgTable(
  'sms_counts',
  {
    /** `installation`, `country:7`, `network:…` and `address:…` by their keyed hashes. */
    key: text('key').notNull(),
    day: date('day').notNull(),
    sent: integer('sent').notNull(),
    /** The most that it was: what is given back and spent again alarms nobody twice. */
    peak: integer('peak').notNull(),
  },
  (t) => [primaryKey({ name: 'sms_counts_pkey', columns: [t.key, t.day] })],
);
