import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  jsonb,
  pgSequence,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { createdAt } from '../database/columns.ts';

/** Places in the one total order of events. */
export const logPosition = pgSequence('log_position');

/** What happened, for whom, in what order. `position` is null until the sequencer has given the event its place. */
export const logEvents = pgTable(
  'log_events',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    position: bigint('position', { mode: 'number' }),
    audienceId: uuid('audience_id').notNull(),
    organizationId: uuid('organization_id'),
    kind: text('kind').notNull(),
    subjectId: uuid('subject_id').notNull(),
    payload: jsonb('payload').$type<Record<string, string | number | boolean>>().notNull().default({}),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('log_events_position_key').on(t.position),
    index('log_events_audience_position_index').on(t.audienceId, t.position),
    index('log_events_unplaced_index').on(t.id).where(sql`${t.position} is null`),
  ],
);

/** One row: which history this is (`epoch`, renewed by a restore or failover) and how far it has been forgotten. */
export const logState = pgTable(
  'log_state',
  {
    only: boolean('only').primaryKey().default(true),
    epoch: uuid('epoch').notNull().defaultRandom(),
    cluster: text('cluster').notNull().default(''),
    trimmedThrough: bigint('trimmed_through', { mode: 'number' }).notNull().default(0),
  },
  (t) => [check('log_state_only_check', sql`${t.only}`)],
);
