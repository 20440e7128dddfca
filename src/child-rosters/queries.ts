import { and, eq, isNull, sql } from 'drizzle-orm';
import { nameIn } from '../accounts/queries.ts';
import { type Child, children } from '../children/tables.ts';
import { type Database, type Executor, rows, type Transaction } from '../database/connect.ts';
import type { Organization } from '../organizations/tables.ts';

/** The children that the institution knows by these numbers. */
export async function childrenByNumber(
  db: Executor,
  { id }: Organization,
  numbers: readonly string[],
): Promise<Map<string, Child>> {
  const found = await db
    .select()
    .from(children)
    .where(and(eq(children.organizationId, id), sql`${children.externalId} = any(${sql.param([...numbers])}::text[])`));
  return new Map(found.map((child) => [child.externalId ?? '', child]));
}

/** That the institution names somebody for a child. */
export interface Naming {
  readonly childId: string;
  readonly userId: string;
}

/** How many of the people named have not joined yet, and how often somebody is named who was revoked. */
export async function standOf(
  db: Executor,
  namings: readonly Naming[],
): Promise<{ expectedGuardianCount: number; revokedGuardianCount: number }> {
  const [found] = await rows<{ expected: number; open: number }>(
    db,
    sql`
    select count(distinct l.user_id) filter (where l.state = 'PENDING')::int as expected, count(l.id)::int as open
    from unnest(
      ${sql.param(namings.map(({ childId }) => childId))}::uuid[], ${sql.param(namings.map(({ userId }) => userId))}::uuid[]
    ) n (child_id, user_id)
    join guardian_links l on l.child_id = n.child_id and l.user_id = n.user_id and l.state <> 'REVOKED'`,
  );
  return {
    expectedGuardianCount: found?.expected ?? 0,
    revokedGuardianCount: namings.length - (found?.open ?? 0),
  };
}

/** A child as a roster has it. */
export interface ChildOfRoster {
  readonly externalId: string;
  readonly familyName: string;
  readonly givenName: string;
  readonly patronymic: string | null;
  readonly birthDate: string | null;
  readonly groupName: string | null;
  /** Who stands for it, and who is expected to; in the order in which they were named. */
  readonly guardians: readonly { readonly phone: string; readonly name: string }[];
}

/** The children who have a number, by group and name; only groups of one academic year are named, or all. */
export function childrenForRoster(db: Executor, { id }: Organization, year: string | null): Promise<ChildOfRoster[]> {
  return rows(
    db,
    sql`
    select c.external_id as "externalId", c.family_name as "familyName", c.given_name as "givenName", c.patronymic,
      to_char(c.birth_date, 'YYYY-MM-DD') as "birthDate", g.name as "groupName", coalesce(l.guardians, '[]') as guardians
    from ${children} c
    left join groups g on g.id = c.group_id and (${year}::text is null or g.academic_year = ${year})
    left join (
      select l.child_id, json_agg(json_build_object('phone', u.phone,
        'name', ${nameIn(sql`l.user_id`, sql`l.organization_id`)}) order by l.id) as guardians
      from guardian_links l join users u on u.id = l.user_id
      where l.organization_id = ${id} and l.state <> 'REVOKED' group by l.child_id
    ) l on l.child_id = c.id
    where c.organization_id = ${id} and c.external_id is not null
    order by g.name nulls last, c.family_name, c.given_name, c.id`,
  );
}

/** How many children have no number, and so no place in a roster. */
export const countUnnumbered = (db: Database | Transaction, { id }: Organization): Promise<number> =>
  db.$count(children, and(eq(children.organizationId, id), isNull(children.externalId)));
