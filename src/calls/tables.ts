import { sql } from 'drizzle-orm';
import { check, index, pgEnum, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { chats } from '../chats/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const callState = pgEnum('call_state', ['RINGING', 'ACTIVE', 'ENDED', 'MISSED', 'DECLINED']);
export const callKind = pgEnum('call_kind', ['AUDIO', 'VIDEO']);

/** Somebody calls those who take part in a chat (§1.3): it rings, and somebody answers, declines, or nobody hears it. */
export const calls = pgTable(
  'calls',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id),
    callerId: uuid('caller_id')
      .notNull()
      .references(() => users.id),
    kind: callKind('kind').notNull(),
    state: callState('state').notNull().default('RINGING'),
    /** Until when it rings. */
    ringsUntil: instant('rings_until').notNull(),
    answeredAt: instant('answered_at'),
    endedAt: instant('ended_at'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('calls_idempotency_key').on(t.callerId, t.idempotencyKey),
    uniqueIndex('calls_active_key').on(t.chatId).where(sql`${t.state} in ('RINGING', 'ACTIVE')`),
    index('calls_chat_index').on(t.chatId, t.id),
    check('calls_ended_check', sql`(${t.state} in ('RINGING', 'ACTIVE')) = (${t.endedAt} is null)`),
    check('calls_answered_check', sql`(${t.state} in ('ACTIVE', 'ENDED')) = (${t.answeredAt} is not null)`),
  ],
);

export type CallRow = typeof calls.$inferSelect;
