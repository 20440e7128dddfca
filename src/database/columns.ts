import { type SQL, sql } from 'drizzle-orm';
import { customType, timestamp, uuid } from 'drizzle-orm/pg-core';

/** A primary key that orders by creation (to the millisecond, and within one connection exactly), so pages go by it. */
export const id = () => uuid('id').primaryKey().default(sql`uuidv7()`);

/** A moment, in UTC. Read to the millisecond, kept to the microsecond: never page by it, and compare it in SQL. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/** When the row was written, by the database's clock. */
export const createdAt = () => instant('created_at').notNull().defaultNow();

/** Bytes: hashes, never files. */
export const bytea = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  toDriver: (bytes) => bytes,
  fromDriver: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
});

/** A new id for what is ordered by a time and not by its creation: it stands among ids that were made then. */
export const placeAt = (at: Date): SQL => sql`uuidv7(${at.toISOString()}::timestamptz - clock_timestamp())`;
