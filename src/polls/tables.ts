import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  pgEnum,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { children } from '../children/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { messages } from '../messages/tables.ts';
import { organizations } from '../organizations/tables.ts';
import { posts } from '../posts/tables.ts';

export const pollState = pgEnum('poll_state', ['OPEN', 'CLOSED']);
export const pollResults = pgEnum('poll_results', ['ALWAYS', 'AFTER_VOTE', 'AFTER_CLOSE']);
export const pollElectorate = pgEnum('poll_electorate', ['PERSON', 'CHILD']);

/** A question with 2 to 12 answers, in a message or a post. */
export const polls = pgTable(
  'polls',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    messageId: uuid('message_id').references(() => messages.id),
    postId: uuid('post_id').references(() => posts.id),
    creatorId: uuid('creator_id')
      .notNull()
      .references(() => users.id),
    question: text('question').notNull(),
    multiple: boolean('multiple').notNull(),
    /** Who chose what is written down nowhere. */
    anonymous: boolean('anonymous').notNull(),
    electorate: pollElectorate('electorate').notNull(),
    results: pollResults('results').notNull(),
    state: pollState('state').notNull().default('OPEN'),
    closesAt: instant('closes_at'),
    closedAt: instant('closed_at'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('polls_message_key').on(t.messageId),
    unique('polls_post_key').on(t.postId),
    unique('polls_idempotency_key').on(t.creatorId, t.idempotencyKey),
    check('polls_owner_check', sql`(${t.messageId} is null) <> (${t.postId} is null)`),
    check('polls_closed_check', sql`(${t.state} = 'CLOSED') = (${t.closedAt} is not null)`),
  ],
);

/**
 * One answer. `voteCount` is kept for all polls; of an anonymous one there is nothing else, and while it is open `shownCount` is what
 * of it is shown: as it stood at the last five votes.
 */
export const pollOptions = pgTable(
  'poll_options',
  {
    pollId: uuid('poll_id')
      .notNull()
      .references(() => polls.id),
    position: smallint('position').notNull(),
    text: text('text').notNull(),
    voteCount: integer('vote_count').notNull().default(0),
    shownCount: integer('shown_count').notNull().default(0),
  },
  (t) => [
    primaryKey({ name: 'poll_options_pkey', columns: [t.pollId, t.position] }),
    check('poll_options_position_check', sql`${t.position} between 1 and 12`),
    check('poll_options_count_check', sql`${t.voteCount} >= 0`),
  ],
);

/**
 * Who has voted: `elector` is the person's id, or the child's for whom they have. Each guardian of a child votes for themself, and knows
 * nothing of the others; when the poll is closed one of their votes counts. What they chose is not here.
 */
export const pollVoters = pgTable(
  'poll_voters',
  {
    pollId: uuid('poll_id')
      .notNull()
      .references(() => polls.id),
    elector: uuid('elector').notNull(),
    /** Who cast it. */
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    childId: uuid('child_id').references(() => children.id),
    /** Not, once the poll is closed, where another guardian's vote is the child's. */
    isCounted: boolean('is_counted').notNull().default(true),
  },
  (t) => [primaryKey({ name: 'poll_voters_pkey', columns: [t.pollId, t.elector, t.userId] })],
);

/** What was chosen, of polls that are not anonymous. */
export const pollVotes = pgTable(
  'poll_votes',
  {
    pollId: uuid('poll_id').notNull(),
    elector: uuid('elector').notNull(),
    userId: uuid('user_id').notNull(),
    position: smallint('position').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'poll_votes_pkey', columns: [t.pollId, t.position, t.elector, t.userId] }),
    foreignKey({
      name: 'poll_votes_voter_fk',
      columns: [t.pollId, t.elector, t.userId],
      foreignColumns: [pollVoters.pollId, pollVoters.elector, pollVoters.userId],
    }),
    index('poll_votes_elector_index').on(t.pollId, t.elector, t.userId),
  ],
);

export type PollRow = typeof polls.$inferSelect;
