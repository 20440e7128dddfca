import { getTableColumns, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
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
import { chats } from '../chats/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';

export const messageState = pgEnum('message_state', ['SCHEDULED', 'SENT', 'FAILED', 'CANCELLED', 'DELETED']);
export const messagePriority = pgEnum('message_priority', ['NORMAL', 'IMPORTANT', 'URGENT']);
export const messageFailure = pgEnum('message_failure', ['ACCESS_LOST', 'CHAT_CLOSED']);

/** Characters of a message, files that go with it, and people it may name. */
export const maxLength = 4_000;
export const maxFiles = 10;
export const maxMentions = 50;

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

/**
 * What somebody says in a chat: one row from its scheduling to its tombstone. `number` is its place in the chat, from 1 and
 * without a gap; a scheduled one gets it when it is sent.
 */
export const messages = pgTable(
  'messages',
  {
    id: id(),
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id),
    number: bigint('number', { mode: 'number' }),
    authorId: uuid('author_id')
      .notNull()
      .references(() => users.id),
    /** As what the author said it: the role of a membership. */
    capacity: text('capacity').notNull(),
    state: messageState('state').notNull().default('SENT'),
    /** Empty of what was deleted, or taken back before it was sent. */
    text: text('text').notNull(),
    clientMessageId: text('client_message_id').notNull(),
    replyToId: uuid('reply_to_id'),
    /** What it was copied from. */
    forwardedFromId: uuid('forwarded_from_id'),
    mentions: uuid('mentions').array().notNull().default(sql`'{}'`),
    priority: messagePriority('priority').notNull().default('NORMAL'),
    acknowledgementRequired: boolean('acknowledgement_required').notNull().default(false),
    /** When it was said. */
    sentAt: instant('sent_at'),
    /** When it is, or was, to be sent. */
    sendAt: instant('send_at'),
    failure: messageFailure('failure'),
    editedAt: instant('edited_at'),
    pinnedAt: instant('pinned_at'),
    deletedAt: instant('deleted_at'),
    deletedBy: uuid('deleted_by').references(() => users.id),
    createdAt: createdAt(),
    /** The words, and the chat as one of them, as in `posts.search`. */
    search: tsvector('search').generatedAlwaysAs(
      sql`array_to_tsvector(array[chat_id::text]) || to_tsvector('pg_catalog.russian', translate(lower(text collate "pg_c_utf8"), 'ё', 'е'))`,
    ),
  },
  (t) => [
    unique('messages_client_key').on(t.authorId, t.chatId, t.clientMessageId),
    uniqueIndex('messages_number_key').on(t.chatId, t.number),
    index('messages_unsent_index').on(t.authorId, t.id).where(sql`${t.number} is null`),
    index('messages_pinned_index').on(t.chatId, t.number).where(sql`${t.pinnedAt} is not null`),
    index('messages_required_index').on(t.chatId, t.number).where(sql`${t.acknowledgementRequired}`),
    // Writers put words aside and file them a few hundred at a time; a search reads what lies there, so it must not be much.
    index('messages_search_index').using('gin', t.search).with({ gin_pending_list_limit: 256 }),
    check('messages_number_check', sql`(${t.number} is not null) = (${t.state} in ('SENT', 'DELETED'))`),
    check('messages_sent_check', sql`(${t.number} is null) = (${t.sentAt} is null)`),
    check('messages_scheduled_check', sql`${t.state} not in ('SCHEDULED', 'FAILED') or ${t.sendAt} is not null`),
    check('messages_failure_check', sql`(${t.state} = 'FAILED') = (${t.failure} is not null)`),
    check('messages_deleted_check', sql`(${t.state} = 'DELETED') = (${t.deletedAt} is not null)`),
    check('messages_pinned_check', sql`${t.pinnedAt} is null or ${t.state} = 'SENT'`),
  ],
);

/** What a message said before it was edited. */
export const messageRevisions = pgTable(
  'message_revisions',
  {
    id: id(),
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id),
    text: text('text').notNull(),
    /** When, and by whom, it was said otherwise. */
    replacedBy: uuid('replaced_by')
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [index('message_revisions_message_index').on(t.messageId, t.id)],
);

/** One person's reactions to a message, each emoji once. */
export const messageReactions = pgTable(
  'message_reactions',
  {
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    emoji: text('emoji').notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ name: 'message_reactions_pkey', columns: [t.messageId, t.emoji, t.userId] })],
);

export const messageAcknowledgements = pgTable(
  'message_acknowledgements',
  {
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ name: 'message_acknowledgements_pkey', columns: [t.messageId, t.userId] })],
);

export const { search: _, ...messageColumns } = getTableColumns(messages);
export type MessageRow = Omit<typeof messages.$inferSelect, 'search'>;
export type MessageRevision = typeof messageRevisions.$inferSelect;
