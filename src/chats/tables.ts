import { sql } from 'drizzle-orm';
import { check, index, pgEnum, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { audiences } from '../audiences/tables.ts';
import { createdAt, id } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { organizations } from '../organizations/tables.ts';

export const chatState = pgEnum('chat_state', ['ACTIVE', 'READ_ONLY', 'ARCHIVED']);
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
    /** Whose guardians and staff it is for. */
    groupId: uuid('group_id').references(() => groups.id),
    name: text('name').notNull(),
    state: chatState('state').notNull().default('ACTIVE'),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('chats_head_staff_key').on(t.organizationId).where(sql`${t.kind} = 'HEAD_STAFF'`),
    uniqueIndex('chats_group_key').on(t.groupId),
    check('chats_group_check', sql`(${t.kind} = 'GROUP_GUARDIANS') = (${t.groupId} is not null)`),
    index('chats_organization_index').on(t.organizationId, t.id),
  ],
);

export type Chat = typeof chats.$inferSelect;
