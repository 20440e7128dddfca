import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { createdAt } from '../database/columns.ts';
import { posts } from '../posts/tables.ts';

/** One person's reactions to a post, each emoji once. */
export const postReactions = pgTable(
  'post_reactions',
  {
    postId: uuid('post_id')
      .notNull()
      .references(() => posts.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    emoji: text('emoji').notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ name: 'post_reactions_pkey', columns: [t.postId, t.emoji, t.userId] })],
);
