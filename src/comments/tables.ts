import { sql } from 'drizzle-orm';
import { check, index, pgEnum, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { channels } from '../channels/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';
import { posts } from '../posts/tables.ts';

export const commentState = pgEnum('comment_state', ['PENDING', 'PUBLISHED', 'REJECTED', 'DELETED']);

/** What a reader says about a post. Of a deleted one a tombstone stays, without words. */
export const comments = pgTable(
  'comments',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    /** The post's, kept here for whoever moderates a channel. */
    channelId: uuid('channel_id')
      .notNull()
      .references(() => channels.id),
    postId: uuid('post_id')
      .notNull()
      .references(() => posts.id),
    authorId: uuid('author_id')
      .notNull()
      .references(() => users.id),
    state: commentState('state').notNull(),
    text: text('text').notNull(),
    /** Why it was rejected. */
    reason: text('reason'),
    decidedBy: uuid('decided_by').references(() => users.id),
    decidedAt: instant('decided_at'),
    editedAt: instant('edited_at'),
    /** When it was first shown; what never was leaves no tombstone. */
    shownAt: instant('shown_at'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('comments_idempotency_key').on(t.authorId, t.idempotencyKey),
    index('comments_post_index').on(t.postId, t.id),
    index('comments_pending_index').on(t.channelId, t.id).where(sql`${t.state} = 'PENDING'`),
    check('comments_shown_check', sql`${t.state} <> 'PUBLISHED' or ${t.shownAt} is not null`),
    check('comments_decided_check', sql`(${t.decidedBy} is null) = (${t.decidedAt} is null)`),
  ],
);

export type CommentRow = typeof comments.$inferSelect;
