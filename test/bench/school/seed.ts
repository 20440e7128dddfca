/** Two schools full of signed-in people, made in bulk: what matters is what servers read of them, not how they came. */
import { eq } from 'drizzle-orm';
import { createAudience, settleAudiences } from '../../../src/audiences/commands.ts';
import { checkAudiences } from '../../../src/audiences/queries.ts';
import type { Connection, Transaction } from '../../../src/database/connect.ts';
import { globalId } from '../../../src/graphql/ids.ts';
import { organizations } from '../../../src/organizations/tables.ts';
import { hashSecret, newSecret } from '../../../src/secrets.ts';
import { placeEvents } from '../../support/placing.ts';
import type { Sql } from './database.ts';

export interface Person {
  readonly userId: string;
  readonly token: string;
}

export interface School {
  readonly organizationId: string;
  /** Its id in the API. */
  readonly id: string;
  readonly membersAudienceId: string;
  readonly people: readonly Person[];
}

/** Makes a school whose members are guardians, each with a session. */
export async function seedSchool(connection: Connection, sql: Sql, name: string, size: number): Promise<School> {
  const { db } = connection;
  const organization = await db.transaction((tx) => insertOrganization(tx, name));
  const tokens = Array.from({ length: size }, newSecret);
  const userIds = await insertPeople(sql, organization.id, tokens);
  await db.transaction((tx) => settleAudiences(tx, organization.id, 'everybody'));
  await placeEvents(connection);
  const differences = await checkAudiences(db);
  if (differences.length > 0) throw new Error(`the seeded audiences are wrong: ${JSON.stringify(differences[0])}`);
  return {
    organizationId: organization.id,
    id: globalId('Organization', organization.id),
    membersAudienceId: organization.membersAudienceId,
    people: userIds.map((userId, index) => ({ userId, token: tokens[index] ?? '' })),
  };
}

async function insertOrganization(tx: Transaction, name: string) {
  const id = crypto.randomUUID();
  const audience = {
    membersAudienceId: await createAudience(tx, id, 'MEMBERS'),
    employeesAudienceId: await createAudience(tx, id, 'EMPLOYEES'),
    staffAudienceId: await createAudience(tx, id, 'STAFF'),
    verifiedStaffAudienceId: await createAudience(tx, id, 'VERIFIED_STAFF'),
    administratorsAudienceId: await createAudience(tx, id, 'ADMINISTRATORS'),
  };
  await tx.insert(organizations).values({ id, kind: 'SCHOOL', name, ...audience });
  const [organization] = await tx.select().from(organizations).where(eq(organizations.id, id));
  if (!organization) throw new Error('insert returned no row');
  return organization;
}

let phones = 0;

async function insertPeople(sql: Sql, organizationId: string, tokens: readonly string[]): Promise<string[]> {
  const hashes = tokens.map((token) => hashSecret(token).toString('hex'));
  const from = 79_000_000_000 + phones;
  phones += tokens.length;
  const people = await sql<{ user_id: string }[]>`
    with given as (select hash, n from unnest(${hashes}::text[]) with ordinality as given (hash, n)),
    people as (
      insert into users (id, phone, family_name, given_name, signed_in_at)
      select uuidv7(), '+' || (${from}::bigint + n), 'Member ' || n, 'Test', now() from given
      returning id, phone
    ),
    signed_in as (
      insert into sessions (user_id, token_hash, client, expires_at)
      select p.id, decode(g.hash, 'hex'), 'bench', now() + interval '30 days'
      from given g join people p on p.phone = '+' || (${from}::bigint + g.n)
    ),
    joined as (
      insert into memberships (organization_id, user_id, role)
      select ${organizationId}::uuid, id, 'GUARDIAN' from people
    )
    select p.id as user_id from given g join people p on p.phone = '+' || (${from}::bigint + g.n) order by g.n`;
  // Plans made for empty tables would make servers slow for reasons that no school has.
  await sql`analyze`;
  return people.map(({ user_id }) => user_id);
}
