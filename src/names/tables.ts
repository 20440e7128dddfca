import { sql } from 'drizzle-orm';
import { boolean, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { organizations } from '../organizations/tables.ts';

/** Letters and signs of Cyrillic, Greek and Latin that people take for one another, in small letters; one stands for all. */
const lookalikes = {
  of: 'авсегнкмортухіјѕһүӏԁԛԝαβεηικμνορτυχ013l‐‒–—−',
  as: 'abcerhkmoptyxijshyidqwabehikmvoptyxoiзi-----',
};

/**
 * The same for names that people take for one another: in whatever letters and case, with any blanks between, and without marks over
 * letters, so that «ё» is «е», and without signs that nobody sees. However a name is divided, it is read as a whole.
 */
const likeness = sql.raw(`translate(lower(regexp_replace(regexp_replace(
    normalize(family_name || ' ' || given_name || coalesce(' ' || patronymic, ''), nfkd) collate "pg_c_utf8",
    '[\\u0300-\\u036f\\u115f\\u1160\\u17b4\\u17b5\\u2800\\ufe00-\\ufe0f]', '', 'g'), '[[:space:]]+', ' ', 'g')), '${lookalikes.of}', '${lookalikes.as}')`);

/**
 * What somebody is called in an organization. It is the institution's word: what its register or its application says, or with what
 * name they came; it lasts through all periods of theirs, and an administrator alone changes it.
 */
export const memberNames = pgTable(
  'member_names',
  {
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    familyName: text('family_name').notNull(),
    givenName: text('given_name').notNull(),
    patronymic: text('patronymic'),
    likeness: text('likeness').notNull().generatedAlwaysAs(likeness),
    /** Whether another person there has a name like it, one whom everybody may know to be there (`hasNamesake` in queries.ts). */
    hasNamesake: boolean('has_namesake').notNull().default(false),
  },
  (t) => [
    primaryKey({ name: 'member_names_key', columns: [t.organizationId, t.userId] }),
    index('member_names_likeness_index').on(t.organizationId, t.likeness),
  ],
);

export type MemberName = typeof memberNames.$inferSelect;
