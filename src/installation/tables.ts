import { sql } from 'drizzle-orm';
import { boolean, check, pgTable } from 'drizzle-orm/pg-core';
import { bytea } from '../database/columns.ts';

/** One row: by what the secret is known again with which this database was written. It tells nothing of the secret. */
export const secretFingerprint = pgTable(
  'secret_fingerprint',
  { only: boolean('only').primaryKey().default(true), fingerprint: bytea('fingerprint').notNull() },
  (t) => [check('secret_fingerprint_only_check', sql`${t.only}`)],
);
