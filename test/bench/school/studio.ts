/** A school that goes live: its head, and broadcasts for all its members. */

import { eq } from 'drizzle-orm';
import { settleAudiences } from '../../../src/audiences/commands.ts';
import { createSystemChannels } from '../../../src/channels/commands.ts';
import { globalId } from '../../../src/graphql/ids.ts';
import { organizations } from '../../../src/organizations/tables.ts';
import { placeEvents } from '../../support/placing.ts';
import type { BenchDatabase, Sql } from './database.ts';
import { type Person, type School, seedSchool } from './seed.ts';

export interface Studio extends School {
  /** One of its people, the last. */
  readonly head: Person;
  /** Where everybody reads. */
  readonly communityId: string;
}

/** A broadcast, by its row's id and the API's. */
export interface Planned {
  readonly rowId: string;
  readonly id: string;
}

/** Makes one of so many people and their head. */
export async function seedStudio({ connection, sql }: BenchDatabase, size: number): Promise<Studio> {
  const school = await seedSchool(connection, sql, 'School that goes live', size + 1);
  const { organizationId, people } = school;
  const head = people.at(-1);
  if (!head) throw new Error('the school has no people');
  await connection.db.transaction(async (tx) => {
    const [row] = await tx.select().from(organizations).where(eq(organizations.id, organizationId));
    if (!row) throw new Error('the school is missing');
    await createSystemChannels(tx, row);
  });
  await sql`
    with employed as (
      update memberships set role = 'EMPLOYEE', position = 'HEAD'
      where organization_id = ${organizationId} and user_id = ${head.userId} returning id, user_id)
    insert into verifications (organization_id, membership_id, user_id, state, decided_at)
    select ${organizationId}, id, user_id, 'VERIFIED', now() from employed`;
  await connection.db.transaction((tx) => settleAudiences(tx, organizationId, 'everybody'));
  await placeEvents(connection);
  await sql`vacuum analyze`;
  const [community] = await sql<{ id: string }[]>`
    select id from channels where organization_id = ${organizationId} and kind = 'COMMUNITY'`;
  return { ...school, head, communityId: community?.id ?? '' };
}

/** Plans a broadcast for everybody; one that is LIVE is over. By hand, so that it costs no server anything. */
export async function planBroadcast(sql: Sql, { organizationId, communityId, head }: Studio): Promise<Planned> {
  await sql`
    update broadcasts set state = 'ENDED', ended_at = now() where channel_id = ${communityId} and state = 'LIVE'`;
  const [planned] = await sql<{ id: string }[]>`
    insert into broadcasts (organization_id, channel_id, creator_id, host_id, title, starts_at, place)
    values (${organizationId}, ${communityId}, ${head.userId}, ${head.userId}, 'The new playground', now(), uuidv7())
    returning id`;
  if (!planned) throw new Error('insert returned no row');
  return { rowId: planned.id, id: globalId('Broadcast', planned.id) };
}

/** One that has begun without anybody hearing of it. */
export async function openBroadcast(sql: Sql, studio: Studio): Promise<Planned> {
  const planned = await planBroadcast(sql, studio);
  await sql`update broadcasts set state = 'LIVE', started_at = now() where id = ${planned.rowId}`;
  return planned;
}
