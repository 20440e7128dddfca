import { sql } from 'drizzle-orm';
import { audit } from '../audit/commands.ts';
import { rows, type Transaction } from '../database/connect.ts';
import { tellAll } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { hasNamesake } from './queries.ts';
import { type MemberName, memberNames } from './tables.ts';

/** A person's name as institutions write it. */
export type Name = Pick<MemberName, 'familyName' | 'givenName' | 'patronymic'>;

/** What an institution calls somebody; null: it has not written that down. */
export interface Named {
  readonly userId: string;
  readonly name: Name | null;
}

const asTable = (people: readonly Named[]) => {
  const part = (of: keyof Name) => sql.param(people.map(({ name }) => name?.[of] ?? null));
  return sql`unnest(
    ${sql.param(people.map(({ userId }) => userId))}::uuid[],
    ${part('familyName')}::text[], ${part('givenName')}::text[], ${part('patronymic')}::text[]
  ) p (user_id, family_name, given_name, patronymic)`;
};

const idsOf = (people: readonly Pick<Named, 'userId'>[]): string[] => people.map(({ userId }) => userId);

/**
 * Keeps what people are called in an organization: as the institution wrote, else by the name of their account. Who has a name there
 * already goes on with it. Holds the organization's lock.
 */
export async function keepNames(tx: Transaction, organizationId: string, people: readonly Named[]): Promise<void> {
  if (people.length === 0) return;
  await tx.execute(sql`
    insert into ${memberNames} (organization_id, user_id, family_name, given_name, patronymic)
    select ${organizationId}::uuid, u.id, coalesce(p.family_name, u.family_name), coalesce(p.given_name, u.given_name),
      case when p.family_name is null then u.patronymic else p.patronymic end
    from ${asTable(people)} join users u on u.id = p.user_id
    where coalesce(p.family_name, u.family_name) is not null and coalesce(p.given_name, u.given_name) is not null
    on conflict do nothing`);
  await markNamesakes(tx, organizationId, idsOf(people));
}

/** A member, and the name that an administrator or a register gives them. */
export interface Renamed {
  readonly membershipId: string;
  readonly userId: string;
  readonly name: Name;
}

/** The institution calls members otherwise from now on, also in what they did before. Holds the organization's lock. */
export async function renameMembers(
  tx: Transaction,
  organization: Organization,
  actorId: string,
  wanted: readonly Renamed[],
): Promise<void> {
  const known = await namesOf(tx, organization.id, idsOf(wanted));
  const renamed = wanted.filter(({ userId, name }) => !isSame(known.get(userId), name));
  if (renamed.length === 0) return;
  await tx.execute(sql`
    insert into ${memberNames} (organization_id, user_id, family_name, given_name, patronymic)
    select ${organization.id}::uuid, p.* from ${asTable(renamed)}
    on conflict (organization_id, user_id) do update
      set family_name = excluded.family_name, given_name = excluded.given_name, patronymic = excluded.patronymic`);
  const left = idsOf(renamed).flatMap((id) => known.get(id)?.likeness ?? []);
  await markNamesakes(tx, organization.id, idsOf(renamed), left);
  await tellAll(
    tx,
    organization,
    renamed.map(({ membershipId, userId }) => ({ kind: 'MEMBER_RENAMED', subjectId: membershipId, to: [userId] })),
  );
  await audit(
    tx,
    actorId,
    ...renamed.map(({ membershipId, userId, name }) => {
      const before = known.get(userId);
      return {
        action: 'membership.rename',
        target: { type: 'Membership', id: membershipId },
        organizationId: organization.id,
        before: before && inFull(before),
        after: inFull(name),
      };
    }),
  );
}

const inFull = ({ familyName, givenName, patronymic }: Name) => ({ familyName, givenName, patronymic });

const isSame = (before: Name | undefined, after: Name): boolean =>
  before?.familyName === after.familyName &&
  before.givenName === after.givenName &&
  before.patronymic === after.patronymic;

async function namesOf(tx: Transaction, organizationId: string, userIds: readonly string[]) {
  const found = await rows<Name & Pick<MemberName, 'userId' | 'likeness'>>(
    tx,
    sql`
    select user_id as "userId", family_name as "familyName", given_name as "givenName", patronymic, likeness
    from ${memberNames} where organization_id = ${organizationId} and user_id = any(${sql.param([...userIds])}::uuid[])`,
  );
  return new Map(found.map((name) => [name.userId, name]));
}

/**
 * Marks anew who of an organization has a namesake there, among all whose names are like those of some people, or `left` by them. What
 * changes who is hidden from others must ask for it as well. Holds the organization's lock.
 */
export async function markNamesakes(
  tx: Transaction,
  organizationId: string,
  userIds: readonly string[],
  left: readonly string[] = [],
): Promise<void> {
  await tx.execute(sql`
    update ${memberNames} n set has_namesake = not n.has_namesake
    where n.organization_id = ${organizationId}
      and (n.likeness = any(${sql.param([...left])}::text[]) or n.likeness in (
        select w.likeness from ${memberNames} w
        where w.organization_id = ${organizationId} and w.user_id = any(${sql.param([...userIds])}::uuid[])))
      and n.has_namesake <> ${hasNamesake}`);
}
