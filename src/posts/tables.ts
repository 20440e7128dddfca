import { getTableColumns, sql } from 'drizzle-orm';
import {
  boolean,
  check,
  customType,
  index,
  integer,
  pgEnum,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { channels, commenting } from '../channels/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const postState = pgEnum('post_state', [
  'DRAFT',
  'SUGGESTED',
  'APPROVED',
  'SCHEDULED',
  'PUBLISHED',
  'ARCHIVED',
  'DELETED',
]);
export const postStepKind = pgEnum('post_step_kind', [
  'DRAFTED',
  'EDITED',
  'SUGGESTED',
  'REJECTED',
  'WITHDRAWN',
  'APPROVED',
  'SCHEDULED',
  'UNSCHEDULED',
  'REFUSED',
  'PUBLISHED',
  'ARCHIVED',
  'RESTORED',
  'DELETED',
]);

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

/**
 * What is told in a channel: one row from its first draft to its end. `place` orders it among others: by creation, and from
 * its publication on by that.
 */
export const posts = pgTable(
  'posts',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    channelId: uuid('channel_id')
      .notNull()
      .references(() => channels.id),
    authorId: uuid('author_id')
      .notNull()
      .references(() => users.id),
    state: postState('state').notNull().default('DRAFT'),
    place: uuid('place').notNull().default(sql`uuidv7()`),
    /** Markdown, as it was written. */
    text: text('text').notNull(),
    commenting: commenting('commenting').notNull(),
    acknowledgementRequired: boolean('acknowledgement_required').notNull().default(false),
    approvedBy: uuid('approved_by').references(() => users.id),
    /** When it is to be published, and by whose right. */
    publishAt: instant('publish_at'),
    scheduledBy: uuid('scheduled_by').references(() => users.id),
    publishedAt: instant('published_at'),
    publishedBy: uuid('published_by').references(() => users.id),
    /** How many people, and how many of the children, it was for when it was published. */
    recipientCount: integer('recipient_count'),
    childCount: integer('child_count'),
    /** When it was last changed after its publication. */
    editedAt: instant('edited_at'),
    pinnedAt: instant('pinned_at'),
    remindedAt: instant('reminded_at'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
    changedAt: instant('changed_at').notNull().defaultNow(),
    /**
     * The words, and the channel as one of them: the index then finds words within channels, whatever the other organizations
     * write. The Russian configuration takes words in Latin letters for English.
     * In a database whose locale is C only English letters would have a case, so it is taken off before.
     */
    search: tsvector('search').generatedAlwaysAs(
      sql`array_to_tsvector(array[channel_id::text]) || to_tsvector('pg_catalog.russian', translate(lower(text collate "pg_c_utf8"), 'ё', 'е'))`,
    ),
  },
  (t) => [
    unique('posts_idempotency_key').on(t.authorId, t.idempotencyKey),
    uniqueIndex('posts_place_key').on(t.channelId, t.state, t.place),
    index('posts_author_index').on(t.authorId, t.place),
    index('posts_pinned_index').on(t.channelId, t.place).where(sql`${t.pinnedAt} is not null`),
    index('posts_required_index')
      .on(t.channelId, t.place)
      .where(sql`${t.acknowledgementRequired} and ${t.state} = 'PUBLISHED'`),
    // What waits in a GIN index's list of late entries is read by every search.
    index('posts_search_index').using('gin', t.search).with({ fastupdate: false }),
    check('posts_scheduled_check', sql`(${t.state} = 'SCHEDULED') = (${t.publishAt} is not null)`),
    check('posts_scheduler_check', sql`(${t.publishAt} is null) = (${t.scheduledBy} is null)`),
    check(
      'posts_published_check',
      sql`case when ${t.state} in ('PUBLISHED', 'ARCHIVED') then ${t.publishedAt} is not null
        when ${t.state} = 'DELETED' then true else ${t.publishedAt} is null end`,
    ),
    check('posts_pinned_check', sql`${t.pinnedAt} is null or ${t.state} = 'PUBLISHED'`),
  ],
);

/** What became of a post, step by step: with the words, where they changed, and with what was said about it. */
export const postSteps = pgTable(
  'post_steps',
  {
    id: id(),
    postId: uuid('post_id')
      .notNull()
      .references(() => posts.id),
    kind: postStepKind('kind').notNull(),
    /** Null: the platform itself. */
    actorId: uuid('actor_id').references(() => users.id),
    text: text('text'),
    note: text('note'),
    createdAt: createdAt(),
  },
  (t) => [index('post_steps_post_index').on(t.postId, t.id)],
);

export const { search: _, ...postColumns } = getTableColumns(posts);
export type PostRow = Omit<typeof posts.$inferSelect, 'search'>;
export type PostStep = typeof postSteps.$inferSelect & { readonly organizationId: string };
