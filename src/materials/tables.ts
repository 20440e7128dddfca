import { index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { organizations } from '../organizations/tables.ts';

/** Learning material of a group (§1.3); its file is the one attached to it. */
export const materials = pgTable(
  'materials',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    groupId: uuid('group_id')
      .notNull()
      .references(() => groups.id),
    title: text('title').notNull(),
    description: text('description'),
    addedBy: uuid('added_by')
      .notNull()
      .references(() => users.id),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
    changedAt: instant('changed_at').notNull().defaultNow(),
    removedAt: instant('removed_at'),
  },
  (t) => [
    unique('materials_idempotency_key').on(t.addedBy, t.idempotencyKey),
    index('materials_group_index').on(t.groupId, t.id),
  ],
);

export type MaterialRow = typeof materials.$inferSelect;
