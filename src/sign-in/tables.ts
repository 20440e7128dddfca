import { sql } from 'drizzle-orm';
import { boolean, check, index, pgEnum, pgTable, smallint, text, uuid } from 'drizzle-orm/pg-core';
import { bytea, createdAt, instant } from '../database/columns.ts';

export const challengeState = pgEnum('sign_in_challenge_state', ['ISSUED', 'USED', 'LOCKED', 'FAILED']);

/** A code that was sent to a phone, and what became of it. Any number may live at once: who asked for one tries that one. */
export const signInChallenges = pgTable(
  'sign_in_challenges',
  {
    /** 122 random bits, told to nobody but who asked. Not in order of creation, as other ids: that could be guessed. */
    id: uuid('id').primaryKey().default(sql`gen_random_uuid()`),
    phone: text('phone').notNull(),
    /** Keyed, as are the next three. */
    codeHash: bytea('code_hash').notNull(),
    deviceHash: bytea('device_hash'),
    networkHash: bytea('network_hash').notNull(),
    addressHash: bytea('address_hash').notNull(),
    /** Whether the phone knew the device that asked. */
    isKnown: boolean('is_known').notNull(),
    state: challengeState('state').notNull().default('ISSUED'),
    attemptCount: smallint('attempt_count').notNull().default(0),
    attemptedAt: instant('attempted_at'),
    createdAt: createdAt(),
    expiresAt: instant('expires_at').notNull(),
  },
  (t) => [
    index('sign_in_challenges_phone_index').on(t.phone, t.expiresAt),
    check('sign_in_challenges_attempts_check', sql`${t.attemptCount} between 0 and 5`),
  ],
);

export type SignInChallenge = typeof signInChallenges.$inferSelect;
