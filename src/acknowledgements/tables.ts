import { index, pgTable, primaryKey, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { children } from '../children/tables.ts';
import { createdAt, id } from '../database/columns.ts';
import { posts } from '../posts/tables.ts';

/**
 * For whom a post was whose acknowledgement is required, as of its publication: people, each once for every child that it
 * concerns through them, or once without.
 */
export const postRecipients = pgTable(
  'post_recipients',
  {
    id: id(),
    postId: uuid('post_id')
      .notNull()
      .references(() => posts.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    childId: uuid('child_id').references(() => children.id),
  },
  (t) => [
    unique('post_recipients_key').on(t.postId, t.userId, t.childId).nullsNotDistinct(),
    index('post_recipients_user_index').on(t.userId, t.postId),
  ],
);

export const postAcknowledgements = pgTable(
  'post_acknowledgements',
  {
    postId: uuid('post_id')
      .notNull()
      .references(() => posts.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ name: 'post_acknowledgements_pkey', columns: [t.postId, t.userId] })],
);
