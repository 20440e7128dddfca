import { sql } from 'drizzle-orm';
import { nameIn } from '../accounts/queries.ts';
import { type StaffRecord, staffRecords } from '../assignments/tables.ts';
import { children, guardianLinks } from '../children/tables.ts';
import { type Executor, rows } from '../database/connect.ts';
import { groups } from '../groups/tables.ts';
import type { Organization } from '../organizations/tables.ts';

/** Somebody who stands for a child, or is expected to. */
export interface NamedGuardian {
  readonly id: string;
  readonly phone: string;
  /** Empty: nobody knows it yet. */
  readonly name: string;
  readonly hasJoined: boolean;
  /** Whether the child's other guardians are not to know of them. */
  readonly isHidden: boolean;
}

export interface ChildWithGuardians {
  readonly id: string;
  readonly name: string;
  readonly groupId: string;
  readonly groupName: string;
  readonly guardians: readonly NamedGuardian[];
}

/** The enrolled children, of one group or all, by group and name. */
export function childrenWithGuardians(
  db: Executor,
  { id }: Organization,
  groupId: string | null,
): Promise<ChildWithGuardians[]> {
  return rows(
    db,
    sql`
    select c.id, concat_ws(' ', c.family_name, c.given_name) as name, c.group_id as "groupId", g.name as "groupName",
      coalesce(l.guardians, '[]') as guardians
    from ${children} c
    join ${groups} g on g.id = c.group_id
    left join (
      select l.child_id, json_agg(json_build_object('id', u.id, 'phone', u.phone,
        'name', ${nameIn(sql`l.user_id`, sql`l.organization_id`)},
        'hasJoined', l.state = 'ACTIVE', 'isHidden', l.contact_visibility = 'LIMITED') order by l.id) as guardians
      from ${guardianLinks} l join users u on u.id = l.user_id
      where l.organization_id = ${id} and l.state <> 'REVOKED' group by l.child_id
    ) l on l.child_id = c.id
    where c.organization_id = ${id} and (${groupId}::uuid is null or c.group_id = ${groupId})
    order by g.name, c.family_name, c.given_name, c.id`,
  );
}

export interface ExpectedEmployee
  extends Pick<StaffRecord, 'familyName' | 'givenName' | 'patronymic' | 'phone' | 'position'> {
  readonly groupNames: readonly string[];
}

/** The employees whom the institution knows and who have not joined, those of one group or all, by name. */
export function expectedStaff(db: Executor, { id }: Organization, groupId: string | null): Promise<ExpectedEmployee[]> {
  return rows(
    db,
    sql`
    select r.family_name as "familyName", r.given_name as "givenName", r.patronymic, r.phone, r.position,
      array(select g.name from ${groups} g where g.id = any(r.group_ids) and g.state = 'ACTIVE' order by g.name) as "groupNames"
    from ${staffRecords} r
    where r.organization_id = ${id} and (${groupId}::uuid is null or ${groupId} = any(r.group_ids))
      and not exists (
        select from users u join memberships m on m.user_id = u.id
        where u.phone = r.phone and m.organization_id = r.organization_id and m.role = 'EMPLOYEE' and m.state <> 'ENDED')
    order by r.family_name, r.given_name, r.id`,
  );
}
