import { sql } from 'drizzle-orm';
import { assign, type Post, release } from '../assignments/commands.ts';
import { type StaffRecord, staffRecords } from '../assignments/tables.ts';
import { audit } from '../audit/commands.ts';
import { inserts } from '../database/chunks.ts';
import type { Transaction } from '../database/connect.ts';
import { type Membership, memberships } from '../memberships/tables.ts';
import { decided } from '../movements/commands.ts';
import { renameMembers } from '../names/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { employeesByPhone, openAssignments, staffByNumber } from './queries.ts';

/** What a roster says of an employee. Undefined or null: it does not say. */
export interface StaffEntry
  extends Pick<StaffRecord, 'externalId' | 'familyName' | 'givenName' | 'phone' | 'position'> {
  readonly patronymic: string | null | undefined;
  /** Of one academic year. */
  readonly groupIds: readonly string[] | null;
}

/** What came of a roster. The rows that changed nothing are the unchanged ones. */
export interface StaffRegistered {
  readonly addedCount: number;
  readonly updatedCount: number;
  readonly unchangedCount: number;
  readonly assignedCount: number;
  readonly releasedCount: number;
}

/** An employee as the institution knows them before and after a roster, and as a member, if they have joined. */
interface Employee {
  readonly before: StaffRecord | null;
  readonly after: Omit<StaffRecord, 'id' | 'createdAt'>;
  readonly membership: Membership | null;
}

/**
 * Makes the records of employees what a roster says. Who has joined works from now on in the groups of that academic year
 * which the record names, and no more in those that it named before; the others begin when they join. What it does not say
 * stays, and nobody is dismissed. Who has joined is called what their record says, where it is new or says otherwise than before; one
 * that says the same does not undo what an administrator has changed since. No other record has one of its phones. Holds the organization's lock.
 */
export async function registerStaff(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  entries: readonly StaffEntry[],
  groupsOfYear: ReadonlySet<string>,
): Promise<StaffRegistered> {
  const numbers = entries.map(({ externalId }) => externalId);
  const phones = entries.map(({ phone }) => phone);
  const known = await staffByNumber(tx, organization, numbers);
  const members = await employeesByPhone(tx, organization, phones);
  const staff = entries.map((entry): Employee => {
    const before = known.get(entry.externalId) ?? null;
    const elsewhere = before?.groupIds.filter((id) => !groupsOfYear.has(id)) ?? [];
    const groupIds = entry.groupIds ? [...new Set([...elsewhere, ...entry.groupIds])].sort() : (before?.groupIds ?? []);
    const patronymic = entry.patronymic === undefined ? (before?.patronymic ?? null) : entry.patronymic;
    const after = { ...entry, patronymic, groupIds, organizationId: organization.id };
    return { before, after, membership: members.get(entry.phone) ?? null };
  });
  const added = staff.filter(({ before }) => !before);
  const updated = staff.filter((employee) => fieldsOf(employee).length > 0);
  await addRecords(tx, organization, actorId, added);
  await updateRecords(tx, organization, actorId, updated);
  await renameMembers(tx, organization, actorId, staff.filter(isNamedAnew).flatMap(asRenamed));
  const moved = await follow(tx, organization, actorId, staff, groupsOfYear);
  const touched = new Set([...added, ...updated, ...moved.people]);
  return {
    addedCount: added.length,
    updatedCount: updated.length,
    unchangedCount: staff.length - touched.size,
    assignedCount: moved.assignedCount,
    releasedCount: moved.releasedCount,
  };
}

const named = ['familyName', 'givenName', 'patronymic'] as const;

const isNamedAnew = ({ before, after }: Employee): boolean =>
  named.some((field) => comparable(before?.[field] ?? null) !== comparable(after[field]));

const asRenamed = ({ after, membership }: Employee) =>
  membership ? [{ membershipId: membership.id, userId: membership.userId, name: after }] : [];

const recorded = [...named, 'phone', 'position', 'groupIds'] as const;

/** What of a record changes. */
const fieldsOf = ({ before, after }: Employee): string[] =>
  before ? recorded.filter((field) => comparable(before[field]) !== comparable(after[field])) : [];

const comparable = (value: string | readonly string[] | null): string | null =>
  Array.isArray(value) ? value.toSorted().join() : String(value ?? '');

async function addRecords(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  added: readonly Employee[],
): Promise<void> {
  const made: StaffRecord[] = [];
  for (const some of inserts(added.map(({ after }) => after)))
    made.push(...(await tx.insert(staffRecords).values(some).returning()));
  await audit(
    tx,
    actorId,
    ...made.map(({ id }) => ({
      action: 'staffRecord.add',
      target: { type: 'StaffRecord', id },
      organizationId: organization.id,
    })),
  );
}

async function updateRecords(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  updated: readonly Employee[],
): Promise<void> {
  if (updated.length === 0) return;
  const ids = sql`${sql.param(updated.map(({ before }) => before?.id))}::uuid[]`;
  // Two employees may have exchanged their phones: for a moment neither has one.
  await tx.execute(sql`update ${staffRecords} set phone = 'none ' || id where id = any(${ids})`);
  const values = (of: 'familyName' | 'givenName' | 'patronymic' | 'phone' | 'position') =>
    sql.param(updated.map(({ after }) => after[of]));
  await tx.execute(sql`
    update ${staffRecords} r set family_name = n.family_name, given_name = n.given_name, patronymic = n.patronymic,
      phone = n.phone, position = n.post::"position", group_ids = string_to_array(n.group_ids, ',')::uuid[]
    from unnest(
      ${ids}, ${values('familyName')}::text[], ${values('givenName')}::text[], ${values('patronymic')}::text[],
      ${values('phone')}::text[], ${values('position')}::text[],
      ${sql.param(updated.map(({ after }) => after.groupIds.join(',')))}::text[]
    ) n (id, family_name, given_name, patronymic, phone, post, group_ids)
    where r.id = n.id`);
  await audit(
    tx,
    actorId,
    ...updated.map((employee) => ({
      action: 'staffRecord.update',
      target: { type: 'StaffRecord', id: employee.before?.id ?? '' },
      organizationId: organization.id,
      after: { fields: fieldsOf(employee) },
    })),
  );
}

/** Where they work follows from the records of those who have joined; what was assigned besides them stays. */
async function follow(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  staff: readonly Employee[],
  groupsOfYear: ReadonlySet<string>,
) {
  const joined = staff.flatMap((employee) =>
    employee.membership ? [{ employee, membership: employee.membership }] : [],
  );
  await setPositions(tx, joined);
  const open = await openAssignments(
    tx,
    joined.map(({ membership }) => membership.id),
  );
  const decision = decided(organization, actorId, { effectiveOn: null, order: null, note: null });
  const work = joined.map(({ employee, membership }) => {
    const current = open.get(membership.id) ?? [];
    const [before, after] = [placesOf(employee.before, groupsOfYear), placesOf(employee.after, groupsOfYear)];
    const missing = after.filter((place) => !current.some((assignment) => isAt(assignment, place)));
    const left = before.filter((place) => !after.some((other) => isAt(other, place)));
    return {
      employee,
      begins: missing.map((place): Post => ({ ...place, membership, decision })),
      ends: current.filter((assignment) => left.some((place) => isAt(assignment, place))),
    };
  });
  const begins = work.flatMap((each) => each.begins);
  const ends = work.flatMap((each) => each.ends);
  if (begins.length > 0) await assign(tx, organization, begins);
  await release(tx, organization, ends, decision);
  return {
    people: work.filter((each) => each.begins.length + each.ends.length > 0).map(({ employee }) => employee),
    assignedCount: begins.length,
    releasedCount: ends.length,
  };
}

type Place = Pick<Post, 'groupId' | 'position'>;

const isAt = (one: Place, other: Place): boolean => one.groupId === other.groupId && one.position === other.position;

const placesOf = (record: Employee['after'] | null, groupsOfYear: ReadonlySet<string>): Place[] =>
  record
    ? record.groupIds.filter((id) => groupsOfYear.has(id)).map((groupId) => ({ groupId, position: record.position }))
    : [];

/** A member's position is the record's, unless somebody decided otherwise: the head, say. */
async function setPositions(
  tx: Transaction,
  joined: readonly { readonly employee: Employee; readonly membership: Membership }[],
): Promise<void> {
  const changed = joined.filter(
    ({ employee: { before, after }, membership: { position } }) =>
      position === null || (position === before?.position && position !== after.position),
  );
  if (changed.length === 0) return;
  await tx.execute(sql`
    update ${memberships} m set position = n.post::"position"
    from unnest(
      ${sql.param(changed.map(({ membership }) => membership.id))}::uuid[],
      ${sql.param(changed.map(({ employee }) => employee.after.position))}::text[]
    ) n (id, post)
    where m.id = n.id`);
}
