import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { audiences } from '../audiences/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { organizations } from '../organizations/tables.ts';

export const channelKind = pgEnum('channel_kind', ['COMMUNITY', 'STAFF', 'GROUP']);
export const channelState = pgEnum('channel_state', ['ACTIVE', 'ARCHIVED']);
export const commenting = pgEnum('commenting', ['OFF', 'MODERATED', 'OPEN']);

/**
 * A place where the institution tells; its readers are the members of its audience. Each organization has one system channel
 * of the kinds COMMUNITY and STAFF, each group one of its own; administrators may add further ones for the same readers.
 */
export const channels = pgTable(
  'channels',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    kind: channelKind('kind').notNull(),
    /** Whose it is, of the kind GROUP. */
    groupId: uuid('group_id').references(() => groups.id),
    isSystem: boolean('is_system').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    /** What new posts allow unless told otherwise. */
    commenting: commenting('commenting').notNull().default('OFF'),
    state: channelState('state').notNull().default('ACTIVE'),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    /** Who hears what is suggested, asked and acknowledged here. */
    publishersAudienceId: uuid('publishers_audience_id')
      .notNull()
      .references(() => audiences.id),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
    archivedAt: instant('archived_at'),
  },
  (t) => [
    uniqueIndex('channels_system_key')
      .on(t.organizationId, t.kind)
      .where(sql`${t.isSystem} and ${t.kind} in ('COMMUNITY', 'STAFF')`),
    uniqueIndex('channels_group_key').on(t.groupId).where(sql`${t.isSystem}`),
    unique('channels_idempotency_key').on(t.organizationId, t.idempotencyKey),
    index('channels_organization_index').on(t.organizationId, t.id),
    index('channels_group_index').on(t.groupId),
    check('channels_group_check', sql`(${t.kind} = 'GROUP') = (${t.groupId} is not null)`),
    check('channels_archive_check', sql`(${t.state} = 'ARCHIVED') = (${t.archivedAt} is not null)`),
    check('channels_system_check', sql`not ${t.isSystem} or ${t.kind} = 'GROUP' or ${t.state} = 'ACTIVE'`),
  ],
);

/** What a person keeps for themself about a channel: up to which post they have read, and until when it is quiet. */
export const channelMarks = pgTable(
  'channel_marks',
  {
    channelId: uuid('channel_id')
      .notNull()
      .references(() => channels.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    /** The place of the last post read (`posts.place`); null: none. */
    readThrough: uuid('read_through'),
    /** Null: not muted. */
    mutedAt: instant('muted_at'),
    /** Null: until it is unmuted. */
    mutedUntil: instant('muted_until'),
  },
  (t) => [primaryKey({ name: 'channel_marks_pkey', columns: [t.userId, t.channelId] })],
);

export type Channel = typeof channels.$inferSelect;
