import { and, gt, isNull, type SQL, sql } from 'drizzle-orm';
import { prepareRaw } from '../database/statements.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import type { Batch } from '../graphql/context.ts';
import { type PersonName, sessions, users } from './tables.ts';

export const userById = byId(users);
export const sessionById = byId(sessions);

/**
 * Somebody as an organization knows them, as JSON: by the name that it has for them (of a higher floor, and so as text), else by that
 * of their account. Ids are given as expressions with their tables' names.
 */
export const personIn = (userId: SQL, organizationId: SQL): SQL => sql`(
  select json_build_object('id', person.id,
    'familyName', coalesce(known.family_name, person.family_name),
    'givenName', coalesce(known.given_name, person.given_name),
    'patronymic', case when known.user_id is null then person.patronymic else known.patronymic end,
    'namesakeIn', case when known.has_namesake then known.organization_id end)
  from users person
  left join member_names known on known.user_id = person.id and known.organization_id = ${organizationId}
  where person.id = ${userId})`;

/** The whole name by which an organization knows somebody, as text. */
export const nameIn = (userId: SQL, organizationId: SQL): SQL => sql`(
  select concat_ws(' ', p->>'familyName', p->>'givenName', p->>'patronymic') from (select ${personIn(userId, organizationId)} as p) known)`;

/** Whom to show, and in which organization; null: in none. */
export interface Shown {
  readonly userId: string;
  readonly organizationId: string | null;
}

const people = prepareRaw<
  { person: PersonName | null },
  { userIds: readonly string[]; organizationIds: readonly (string | null)[] }
>(sql`
  select ${personIn(sql`wanted.user_id`, sql`wanted.organization_id`)} as person
  from unnest(${sql.placeholder('userIds')}::uuid[], ${sql.placeholder('organizationIds')}::uuid[])
    with ordinality wanted (user_id, organization_id, place)
  order by wanted.place`);

/** People as organizations know them. */
export const personOf: Batch<Shown, PersonName | null> = async (db, keys) => {
  const found = await people(db, {
    userIds: keys.map(({ userId }) => userId),
    organizationIds: keys.map(({ organizationId }) => organizationId),
  });
  return found.map(({ person }) => person);
};

/** Not ended, not too old, used recently enough. */
export const sessionIsGood = (idleDays: number) =>
  and(
    isNull(sessions.endedAt),
    gt(sessions.expiresAt, sql`now()`),
    gt(sessions.usedAt, sql`now() - make_interval(days => ${sql.raw(String(idleDays))})`),
  );

/** A person's own sessions: those that are good, or with `idleDays` null all of them. */
export const sessionsOf = listsOf(sessions, sessions.userId, ({ idleDays }: { idleDays: number | null }) =>
  idleDays === null ? undefined : sessionIsGood(idleDays),
);
