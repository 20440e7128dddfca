import { sql } from 'drizzle-orm';
import { check, index, integer, pgEnum, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { bytea, createdAt, id, instant } from '../database/columns.ts';
import { locales } from '../texts.ts';

export const localeEnum = pgEnum('locale', locales);
export const sessionEnd = pgEnum('session_end', ['SIGNED_OUT', 'REVOKED']);

/** A person, known by their phone (E.164). A row may wait for its owner, who comes with the first sign-in. */
export const users = pgTable(
  'users',
  {
    id: id(),
    phone: text('phone').notNull(),
    familyName: text('family_name'),
    givenName: text('given_name'),
    patronymic: text('patronymic'),
    email: text('email'),
    locale: localeEnum('locale').notNull().default('ru'),
    createdAt: createdAt(),
    signedInAt: instant('signed_in_at'),
  },
  (t) => [unique('users_phone_key').on(t.phone), check('users_phone_check', sql`${t.phone} ~ '^\\+[1-9][0-9]{6,14}$'`)],
);

export const sessions = pgTable(
  'sessions',
  {
    id: id(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    tokenHash: bytea('token_hash').notNull(),
    client: text('client'),
    /** The keyed hash of the token by which the device is known again; null: it had none, or was signed out. */
    deviceHash: bytea('device_hash'),
    createdAt: createdAt(),
    usedAt: instant('used_at').notNull().defaultNow(),
    expiresAt: instant('expires_at').notNull(),
    endedAt: instant('ended_at'),
    endedBy: sessionEnd('ended_by'),
  },
  (t) => [
    unique('sessions_token_key').on(t.tokenHash),
    index('sessions_user_index').on(t.userId, t.id),
    index('sessions_device_index').on(t.deviceHash).where(sql`${t.deviceHash} is not null`),
    check('sessions_end_check', sql`(${t.endedAt} is null) = (${t.endedBy} is null)`),
  ],
);

/** Counters of the sign-in limits, shared by all processes (shape given by rate-limiter-flexible). */
export const rateLimits = pgTable('rate_limits', {
  key: text('key').primaryKey(),
  points: integer('points').notNull(),
  expire: instant('expire'),
});

export type User = typeof users.$inferSelect;

/** A person as others see them. */
export interface PersonName extends Pick<User, 'id' | 'familyName' | 'givenName' | 'patronymic'> {
  /** The organization in which they are shown, if another person there has a name like theirs; null or absent: nobody has. */
  readonly namesakeIn?: string | null;
}

export type Session = typeof sessions.$inferSelect;
