import { sql } from 'drizzle-orm';
import { index, pgEnum, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { audiences } from '../audiences/tables.ts';
import { createdAt, id } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const chatKind = pgEnum('chat_kind', ['DIRECT', 'CUSTOM', 'HEAD_STAFF', 'GROUP_GUARDIANS']);

/** A place where people talk; its members are the members of its audience. */
export const chats = pgTable(
  'chats',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    kind: chatKind('kind').notNull(),
    name: text('name').notNull(),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('chats_head_staff_key').on(t.organizationId).where(sql`${t.kind} = 'HEAD_STAFF'`),
    index('chats_organization_index').on(t.organizationId, t.id),
  ],
);

export type Chat = typeof chats.$inferSelect;
