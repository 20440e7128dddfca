import { sql } from 'drizzle-orm';
import { index, pgEnum, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { audiences } from '../audiences/tables.ts';
import { createdAt, id } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const channelKind = pgEnum('channel_kind', ['COMMUNITY', 'STAFF', 'GROUP']);

/** A place where the institution tells; its readers are the members of its audience. */
export const channels = pgTable(
  'channels',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    kind: channelKind('kind').notNull(),
    name: text('name').notNull(),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('channels_system_key').on(t.organizationId, t.kind).where(sql`${t.kind} in ('COMMUNITY', 'STAFF')`),
    index('channels_organization_index').on(t.organizationId, t.id),
  ],
);

export type Channel = typeof channels.$inferSelect;
