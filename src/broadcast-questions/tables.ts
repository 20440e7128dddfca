import { sql } from 'drizzle-orm';
import { check, index, pgEnum, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { broadcasts } from '../broadcasts/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const broadcastQuestionState = pgEnum('broadcast_question_state', [
  'PENDING',
  'SHOWN',
  'ANSWERED',
  'REJECTED',
  'WITHDRAWN',
]);

/** What somebody who watches asks the host. */
export const broadcastQuestions = pgTable(
  'broadcast_questions',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    broadcastId: uuid('broadcast_id')
      .notNull()
      .references(() => broadcasts.id),
    authorId: uuid('author_id')
      .notNull()
      .references(() => users.id),
    state: broadcastQuestionState('state').notNull(),
    text: text('text').notNull(),
    /** What was answered in writing; null: aloud, or not yet. */
    answer: text('answer'),
    decidedBy: uuid('decided_by').references(() => users.id),
    decidedAt: instant('decided_at'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('broadcast_questions_idempotency_key').on(t.authorId, t.idempotencyKey),
    index('broadcast_questions_broadcast_index').on(t.broadcastId, t.id),
    check('broadcast_questions_decided_check', sql`(${t.decidedBy} is null) = (${t.decidedAt} is null)`),
    check('broadcast_questions_answer_check', sql`${t.answer} is null or ${t.state} = 'ANSWERED'`),
  ],
);

export type BroadcastQuestionRow = typeof broadcastQuestions.$inferSelect;
