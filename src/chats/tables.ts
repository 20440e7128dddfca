import { sql } from 'drizzle-orm';
import {
  bigint,
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

export const chatState = pgEnum('chat_state', ['ACTIVE', 'READ_ONLY', 'ARCHIVED']);
export const chatKind = pgEnum('chat_kind', ['DIRECT', 'CUSTOM', 'HEAD_STAFF', 'GROUP_GUARDIANS']);
export const historyVisibility = pgEnum('history_visibility', ['FROM_JOIN', 'ALL']);

/**
 * A place where people talk; who takes part are the members of its audience. Messages are numbered from 1 without a gap:
 * `lastNumber` is the counter, `place` the id of the latest, by which chats are ordered.
 */
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
    /** Of the kind DIRECT it has none: each of the two sees the other's. */
    name: text('name'),
    state: chatState('state').notNull().default('ACTIVE'),
    historyVisibility: historyVisibility('history_visibility').notNull().default('FROM_JOIN'),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    /** Null: the institution's own. */
    creatorId: uuid('creator_id').references(() => users.id),
    /** Of the kind DIRECT: the ids of the two, the lower first. */
    pair: text('pair'),
    idempotencyKey: text('idempotency_key'),
    lastNumber: bigint('last_number', { mode: 'number' }).notNull().default(0),
    place: uuid('place').notNull().default(sql`uuidv7()`),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('chats_head_staff_key').on(t.organizationId).where(sql`${t.kind} = 'HEAD_STAFF'`),
    uniqueIndex('chats_group_key').on(t.groupId),
    uniqueIndex('chats_audience_key').on(t.audienceId),
    unique('chats_pair_key').on(t.organizationId, t.pair),
    unique('chats_idempotency_key').on(t.creatorId, t.idempotencyKey),
    check('chats_group_check', sql`(${t.kind} = 'GROUP_GUARDIANS') = (${t.groupId} is not null)`),
    check('chats_pair_check', sql`(${t.kind} = 'DIRECT') = (${t.pair} is not null)`),
    check('chats_name_check', sql`(${t.kind} = 'DIRECT') = (${t.name} is null)`),
    check('chats_creator_check', sql`(${t.kind} in ('DIRECT', 'CUSTOM')) = (${t.creatorId} is not null)`),
    index('chats_organization_index').on(t.organizationId, t.id),
  ],
);

/**
 * Who was put into a DIRECT or CUSTOM chat. Whether that makes them take part now is for `derived_audience_members` to say:
 * it also needs a membership, and of families somebody there whose charge they are.
 */
export const chatMembers = pgTable(
  'chat_members',
  {
    id: id(),
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    addedBy: uuid('added_by')
      .notNull()
      .references(() => users.id),
    /** Answers for the students in the chat, and cannot leave while there are any. */
    isSupervisor: boolean('is_supervisor').notNull().default(false),
    createdAt: createdAt(),
    leftAt: instant('left_at'),
    /** Who removed them; null: they left by themselves, or are there. */
    removedBy: uuid('removed_by').references(() => users.id),
  },
  (t) => [
    uniqueIndex('chat_members_open_key').on(t.chatId, t.userId).where(sql`${t.leftAt} is null`),
    uniqueIndex('chat_members_supervisor_key').on(t.chatId).where(sql`${t.isSupervisor} and ${t.leftAt} is null`),
    index('chat_members_user_index').on(t.userId).where(sql`${t.leftAt} is null`),
    check('chat_members_removed_check', sql`${t.removedBy} is null or ${t.leftAt} is not null`),
  ],
);

/** What a person keeps for themself about a chat. */
export const chatMarks = pgTable(
  'chat_marks',
  {
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    /** The number of the last message read; never goes back. */
    readThrough: bigint('read_through', { mode: 'number' }).notNull().default(0),
    /** When the last of the missed calls was over that they have been shown. */
    callsSeenAt: instant('calls_seen_at'),
    /** As what they wrote here last. */
    capacity: text('capacity'),
    /** What they have begun to write, on whichever device. */
    draft: text('draft'),
    /** Null: not muted. */
    mutedAt: instant('muted_at'),
    /** Null: until it is unmuted. */
    mutedUntil: instant('muted_until'),
  },
  (t) => [
    primaryKey({ name: 'chat_marks_pkey', columns: [t.chatId, t.userId] }),
    index('chat_marks_user_index').on(t.userId),
  ],
);

export type ChatRow = typeof chats.$inferSelect;
export type ChatMarks = typeof chatMarks.$inferSelect;
