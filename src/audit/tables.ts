import { index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id } from '../database/columns.ts';

/** Who did what to what, written in the transaction that did it; what is deleted takes its words with it, nothing else changes. */
export const auditEntries = pgTable(
  'audit_entries',
  {
    id: id(),
    organizationId: uuid('organization_id'),
    actorId: uuid('actor_id'),
    action: text('action').notNull(),
    targetType: text('target_type').notNull(),
    targetId: uuid('target_id').notNull(),
    before: jsonb('before').$type<Record<string, unknown>>(),
    after: jsonb('after').$type<Record<string, unknown>>(),
    reason: text('reason'),
    createdAt: createdAt(),
  },
  (t) => [
    index('audit_entries_organization_index').on(t.organizationId, t.id),
    index('audit_entries_actor_index').on(t.actorId, t.id),
    index('audit_entries_target_index').on(t.targetId),
  ],
);
