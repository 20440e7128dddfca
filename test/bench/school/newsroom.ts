/** A school of sixty groups whose channels are full of posts, and its head, who reads them all. */
import { eq } from 'drizzle-orm';
import { settleAudiences } from '../../../src/audiences/commands.ts';
import { createSystemChannels } from '../../../src/channels/commands.ts';
import { organizations } from '../../../src/organizations/tables.ts';
import { foundGroup } from '../../../src/structure/commands.ts';
import { fillFeeds } from '../../support/full-feeds.ts';
import { placeEvents } from '../../support/placing.ts';
import type { BenchDatabase } from './database.ts';
import { type Person, seedSchool } from './seed.ts';

const groupCount = 60;

/** Makes one with so many posts: a fifth for everybody, a tenth for its staff, the rest in the groups. */
export async function seedNewsroom({ connection, sql }: BenchDatabase, posts: number): Promise<Person> {
  const { organizationId, people } = await seedSchool(connection, sql, 'School of news', 1);
  const [head] = people;
  if (!head) throw new Error('the school has no people');
  await connection.db.transaction(async (tx) => {
    const [school] = await tx.select().from(organizations).where(eq(organizations.id, organizationId));
    if (!school) throw new Error('the school is missing');
    await createSystemChannels(tx, school);
    for (let number = 1; number <= groupCount; number++) {
      const place = { kind: 'CLASS', academicYear: '2026/27', parentId: null, idempotencyKey: null } as const;
      await foundGroup(tx, school, { ...place, name: `Class ${number}` });
    }
  });
  await sql`
    with employed as (
      insert into memberships (organization_id, user_id, role, position) values (${organizationId}, ${head.userId}, 'EMPLOYEE', 'HEAD')
      returning id)
    insert into verifications (organization_id, membership_id, user_id, state, decided_at)
    select ${organizationId}, id, ${head.userId}, 'VERIFIED', now() from employed`;
  await connection.db.transaction((tx) => settleAudiences(tx, organizationId, 'everybody'));
  await placeEvents(connection);
  const community = Math.round(posts / 5);
  const staff = Math.round(posts / 10);
  const eachGroup = Math.round((posts - community - staff) / groupCount);
  await fillFeeds(sql, { organizationId, community, staff, eachGroup, word: 'новости', readers: [head.userId] });
  await sql`vacuum analyze`;
  return head;
}
