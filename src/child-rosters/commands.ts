import { sql } from 'drizzle-orm';
import { users } from '../accounts/tables.ts';
import { settleAudiences } from '../audiences/commands.ts';
import { audit } from '../audit/commands.ts';
import { recordChildren } from '../children/commands.ts';
import { type Child, children, guardianLinks } from '../children/tables.ts';
import { inserts } from '../database/chunks.ts';
import { rows, type Transaction } from '../database/connect.ts';
import { moveChildren } from '../enrollments/commands.ts';
import { globalId } from '../graphql/ids.ts';
import { linkNamed } from '../guardians/commands.ts';
import { visibilityOf } from '../guardians/queries.ts';
import { append } from '../log/append.ts';
import { memberships } from '../memberships/tables.ts';
import { decided } from '../movements/commands.ts';
import { keepNames, type Name } from '../names/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { childrenByNumber, type Naming, standOf } from './queries.ts';

/** Who stands for a child, as the institution's roster has it. */
export interface GuardianEntry {
  readonly phone: string;
  readonly name: Name | null;
}

/** What a roster says of a child. Undefined: it does not say. */
export interface ChildEntry {
  readonly externalId: string;
  readonly familyName: string;
  readonly givenName: string;
  readonly patronymic: string | null | undefined;
  readonly birthDate: string | null | undefined;
  /** Null: the child keeps the place that it has, or has none. */
  readonly groupId: string | null;
  readonly guardians: readonly GuardianEntry[];
}

/** What came of a roster. The rows that changed nothing are the unchanged ones. */
export interface ChildrenRegistered {
  readonly addedCount: number;
  readonly updatedCount: number;
  readonly unchangedCount: number;
  readonly enrolledCount: number;
  readonly transferredCount: number;
  readonly namedGuardianCount: number;
  readonly expectedGuardianCount: number;
  readonly revokedGuardianCount: number;
}

/**
 * Makes children's records, places and guardians what a roster says, as many as there are in a few statements. Nobody
 * loses a place or a guardian: of what it does not say, nothing is concluded. Holds the organization's lock.
 */
export async function registerChildren(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  entries: readonly ChildEntry[],
): Promise<ChildrenRegistered> {
  const known = await childrenByNumber(
    tx,
    organization,
    entries.map(({ externalId }) => externalId),
  );
  const isNew = ({ externalId }: ChildEntry) => !known.has(externalId);
  const added = await addChildren(tx, organization, actorId, entries.filter(isNew));
  const childOf = ({ externalId }: ChildEntry) => known.get(externalId) ?? added.get(externalId);
  const idOf = (entry: ChildEntry) => childOf(entry)?.id ?? '';

  const accounts = await accountsOf(
    tx,
    organization,
    actorId,
    entries.flatMap(({ guardians }) => guardians),
  );
  const namings = entries.flatMap((entry) =>
    entry.guardians.map(({ phone }) => ({ childId: idOf(entry), userId: accounts.get(phone) ?? '' })),
  );
  const named = await nameGuardians(tx, organization, actorId, namings);
  const updated = await updateChildren(
    tx,
    organization,
    actorId,
    entries.flatMap((entry) => ({ child: known.get(entry.externalId), entry })),
    new Set(named.map(({ childId }) => childId)),
  );
  const decision = decided(organization, actorId, { effectiveOn: null, order: null, note: null });
  const moves = entries.flatMap((entry) => {
    const from = childOf(entry)?.groupId ?? null;
    const { groupId: toGroupId } = entry;
    if (toGroupId === null || toGroupId === from) return [];
    const kind = from === null ? ('ENROLLED' as const) : ('TRANSFERRED' as const);
    return [{ ...decision, kind, childId: idOf(entry), toGroupId }];
  });
  await moveChildren(tx, organization, moves);
  await linkMembers(tx, organization, actorId, [...accounts.values()]);

  const touched = new Set([...updated, ...moves.map(({ childId }) => childId)]);
  const enrolledCount = moves.filter(({ kind }) => kind === 'ENROLLED').length;
  return {
    addedCount: added.size,
    updatedCount: updated.length,
    unchangedCount: entries.filter((entry) => !isNew(entry) && !touched.has(idOf(entry))).length,
    enrolledCount,
    transferredCount: moves.length - enrolledCount,
    namedGuardianCount: named.length,
    ...(await standOf(tx, namings)),
  };
}

async function addChildren(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  entries: readonly ChildEntry[],
): Promise<Map<string, Child>> {
  const added: Child[] = [];
  const values = entries.map(({ groupId, guardians, ...record }) => ({ ...record, organizationId: organization.id }));
  for (const some of inserts(values)) added.push(...(await tx.insert(children).values(some).returning()));
  if (added.length > 0) await recordChildren(tx, organization, actorId, 'CHILD_ADDED', added);
  return new Map(added.map((child) => [child.externalId ?? '', child]));
}

/**
 * The accounts of phones, made where there are none, and given a name where they have none; their ids. What the roster calls them is
 * their name here, unless they have come before: then it is an administrator who changes it.
 */
async function accountsOf(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  guardians: readonly GuardianEntry[],
): Promise<Map<string, string>> {
  const people = new Map<string, Name | null>();
  for (const { phone, name } of guardians) people.set(phone, people.get(phone) ?? name);
  // In their order, so that two rosters with the same people wait for each other one way only.
  const phones = [...people.keys()].sort();
  const part = (of: keyof Name) => sql.param(phones.map((phone) => people.get(phone)?.[of] ?? null));
  const persons = sql`unnest(
    ${sql.param(phones)}::text[], ${part('familyName')}::text[], ${part('givenName')}::text[], ${part('patronymic')}::text[]
  ) p (phone, family_name, given_name, patronymic)`;
  await tx.execute(sql`
    insert into ${users} (phone, family_name, given_name, patronymic, locale)
    select p.*, ${organization.locale}::locale from ${persons} on conflict (phone) do nothing`);
  const renamed = await rows<{ id: string }>(
    tx,
    sql`
    update ${users} u set family_name = p.family_name, given_name = p.given_name, patronymic = p.patronymic
    from ${persons}
    where u.phone = p.phone and p.family_name is not null and u.family_name is null and u.given_name is null
    returning u.id`,
  );
  await append(tx, ...renamed.map(({ id }) => ({ kind: 'PROFILE_UPDATED', audienceId: id, subjectId: id })));
  await audit(
    tx,
    actorId,
    ...renamed.map(({ id }) => ({
      action: 'profile.update',
      target: { type: 'User', id },
      organizationId: organization.id,
      after: { fields: ['familyName', 'givenName', 'patronymic'] },
    })),
  );
  const found = await rows<{ id: string; phone: string }>(
    tx,
    sql`select id, phone from ${users} where phone = any(${sql.param(phones)}::text[])`,
  );
  await keepNames(
    tx,
    organization.id,
    found.flatMap(({ id, phone }) => {
      const name = people.get(phone);
      return name ? [{ userId: id, name }] : [];
    }),
  );
  return new Map(found.map(({ id, phone }) => [phone, id]));
}

/**
 * Names people for children: who stands for the child already is left as they are, and whom an administrator has sent away
 * stays away. They have joined only once `linkMembers`, or their own arrival, says so.
 */
async function nameGuardians(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  namings: readonly Naming[],
): Promise<readonly Naming[]> {
  const named = await rows<Naming & { id: string }>(
    tx,
    sql`
    insert into guardian_links (organization_id, child_id, user_id, state, contact_visibility)
    select ${organization.id}::uuid, n.child_id, n.user_id, 'PENDING',
      ${visibilityOf(sql`n.user_id`, sql`${organization.id}::uuid`)}
    from unnest(
      ${sql.param(namings.map(({ childId }) => childId))}::uuid[], ${sql.param(namings.map(({ userId }) => userId))}::uuid[]
    ) with ordinality n (child_id, user_id, place)
    left join lateral (
      select l.state, l.revoked_by as "revokedBy" from ${guardianLinks} l
      where l.child_id = n.child_id and l.user_id = n.user_id order by l.id desc limit 1
    ) latest on true
    where latest.state is null or (latest.state = 'REVOKED' and latest."revokedBy" = n.user_id)
    order by n.place
    returning id, child_id as "childId", user_id as "userId"`,
  );
  await audit(
    tx,
    actorId,
    ...named.map(({ id, childId }) => ({
      action: 'guardian.name',
      target: { type: 'GuardianLink', id },
      organizationId: organization.id,
      after: { childId: globalId('Child', childId), state: 'PENDING' },
    })),
  );
  return named;
}

/** Who of them belongs there as a guardian already stands at once for the children for whom they are named. */
async function linkMembers(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  userIds: readonly string[],
): Promise<void> {
  const present = await rows<{ id: string }>(
    tx,
    sql`
    select distinct l.user_id as id from ${guardianLinks} l
    join ${memberships} m on m.user_id = l.user_id and m.organization_id = l.organization_id
      and m.role = 'GUARDIAN' and m.state = 'ACTIVE'
    where l.organization_id = ${organization.id} and l.state = 'PENDING'
      and l.user_id = any(${sql.param([...userIds])}::uuid[])`,
  );
  if (present.length === 0) return;
  const ids = present.map(({ id }) => id);
  await linkNamed(tx, organization, actorId, ids);
  await settleAudiences(tx, organization.id, ids);
}

const recorded = ['familyName', 'givenName', 'patronymic', 'birthDate'] as const;

/** Children of whom the roster says something else than their records, or whose guardians it has just named; their ids. */
async function updateChildren(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  pairs: readonly { readonly child: Child | undefined; readonly entry: ChildEntry }[],
  named: ReadonlySet<string>,
): Promise<string[]> {
  const changed = pairs.flatMap(({ child, entry }) => {
    if (!child) return [];
    const says = (field: (typeof recorded)[number]) => entry[field] !== undefined && entry[field] !== child[field];
    const fields: string[] = recorded.filter(says);
    if (fields.length === 0 && !named.has(child.id)) return [];
    const record = {
      familyName: entry.familyName,
      givenName: entry.givenName,
      patronymic: entry.patronymic === undefined ? child.patronymic : entry.patronymic,
      birthDate: entry.birthDate === undefined ? child.birthDate : entry.birthDate,
    };
    return [{ ...child, record, fields: named.has(child.id) ? [...fields, 'guardians'] : fields }];
  });
  if (changed.length === 0) return [];
  const values = (of: (typeof recorded)[number]) => sql.param(changed.map(({ record }) => record[of]));
  await tx.execute(sql`
    update ${children} c set family_name = n.family_name, given_name = n.given_name, patronymic = n.patronymic,
      birth_date = n.birth_date, changed_at = now()
    from unnest(
      ${sql.param(changed.map(({ id }) => id))}::uuid[], ${values('familyName')}::text[], ${values('givenName')}::text[],
      ${values('patronymic')}::text[], ${values('birthDate')}::date[]
    ) n (id, family_name, given_name, patronymic, birth_date)
    where c.id = n.id`);
  await recordChildren(
    tx,
    organization,
    actorId,
    'CHILD_UPDATED',
    changed.map(({ id, groupId, fields }) => ({ id, groupId, after: { fields } })),
  );
  return changed.map(({ id }) => id);
}
