import { and, eq, isNull, ne, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { type StaffAssignmentRow, type StaffRecord, staffAssignments, staffRecords } from '../assignments/tables.ts';
import { type Executor, rows } from '../database/connect.ts';
import { anyOf } from '../graphql/batches.ts';
import { type Membership, memberships } from '../memberships/tables.ts';
import type { Organization } from '../organizations/tables.ts';

const among = (column: PgColumn, values: readonly string[]): SQL =>
  sql`${column} = any(${sql.param([...values])}::text[])`;

/** What the register says of employees with these numbers. */
export async function staffByNumber(
  db: Executor,
  { id }: Organization,
  numbers: readonly string[],
): Promise<Map<string, StaffRecord>> {
  const found = await db
    .select()
    .from(staffRecords)
    .where(and(eq(staffRecords.organizationId, id), among(staffRecords.externalId, numbers)));
  return new Map(found.map((record) => [record.externalId, record]));
}

/** What the register says of employees with these phones. */
export async function staffByPhone(
  db: Executor,
  { id }: Organization,
  phones: readonly string[],
): Promise<Map<string, StaffRecord>> {
  const found = await db
    .select()
    .from(staffRecords)
    .where(and(eq(staffRecords.organizationId, id), among(staffRecords.phone, phones)));
  return new Map(found.map((record) => [record.phone, record]));
}

/** Those of some phones' owners who work there, be they suspended. */
export async function employeesByPhone(
  db: Executor,
  { id }: Organization,
  phones: readonly string[],
): Promise<Map<string, Membership>> {
  const found = await db
    .select({ phone: users.phone, membership: memberships })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(
      and(
        eq(memberships.organizationId, id),
        eq(memberships.role, 'EMPLOYEE'),
        ne(memberships.state, 'ENDED'),
        among(users.phone, phones),
      ),
    );
  return new Map(found.map(({ phone, membership }) => [phone, membership]));
}

/** The work in groups that goes on, by membership. */
export async function openAssignments(
  db: Executor,
  membershipIds: readonly string[],
): Promise<Map<string, StaffAssignmentRow[]>> {
  const found = await db
    .select()
    .from(staffAssignments)
    .where(and(anyOf(staffAssignments.membershipId, membershipIds), isNull(staffAssignments.endedOn)));
  return Map.groupBy(found, ({ membershipId }) => membershipId);
}

/** An employee as a roster has them. */
export interface EmployeeOfRoster extends Omit<StaffRecord, 'id' | 'organizationId' | 'groupIds' | 'createdAt'> {
  readonly groupNames: readonly string[];
}

/** What the institution keeps of its employees, by name; only groups of one academic year are named, or all. */
export function staffForRoster(db: Executor, { id }: Organization, year: string | null): Promise<EmployeeOfRoster[]> {
  return rows(
    db,
    sql`
    select r.external_id as "externalId", r.family_name as "familyName", r.given_name as "givenName", r.patronymic, r.phone,
      r.position, array(
        select g.name from groups g
        where g.id = any(r.group_ids) and g.state = 'ACTIVE' and (${year}::text is null or g.academic_year = ${year})
        order by g.name
      ) as "groupNames"
    from ${staffRecords} r where r.organization_id = ${id} order by r.family_name, r.given_name, r.id`,
  );
}

/** How many work there of whom the institution's own table says nothing yet. */
export async function countUnrecorded(db: Executor, { id }: Organization): Promise<number> {
  const [found] = await rows<{ size: number }>(
    db,
    sql`
    select count(*)::int as size from ${memberships} m join ${users} u on u.id = m.user_id
    where m.organization_id = ${id} and m.role = 'EMPLOYEE' and m.state <> 'ENDED'
      and not exists (select from ${staffRecords} r where r.organization_id = ${id} and r.phone = u.phone)`,
  );
  return found?.size ?? 0;
}
