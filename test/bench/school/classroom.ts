/** A group's chat as it is in the middle of a year: staff and families, what they said, and what stands around it. */
import { eq } from 'drizzle-orm';
import { settleAudiences } from '../../../src/audiences/commands.ts';
import { checkAudiences } from '../../../src/audiences/queries.ts';
import { globalId } from '../../../src/graphql/ids.ts';
import { organizations } from '../../../src/organizations/tables.ts';
import { foundGroup } from '../../../src/structure/commands.ts';
import { placeEvents } from '../../support/placing.ts';
import type { BenchDatabase } from './database.ts';
import { type Person, seedSchool } from './seed.ts';

const memberCount = 60;
const staffCount = 6;
/** Guardians whom other families do not meet. */
const limitedCount = 3;

export interface Classroom {
  /** The chat's id in the API. */
  readonly chatId: string;
  readonly guardians: readonly Person[];
}

/** Makes so many schools with such a chat, so that tables are as large as they are, and returns the first one's. */
export async function seedClassrooms(database: BenchDatabase, count: number, messages: number): Promise<Classroom> {
  const first = await seedClassroom(database, messages);
  for (let more = 1; more < count; more++) await seedClassroom(database, messages);
  await database.sql`vacuum analyze`;
  return first;
}

/** Makes one with so many messages: each with up to four reactions, every fifth with one or two files. */
async function seedClassroom({ connection, sql }: BenchDatabase, messages: number): Promise<Classroom> {
  const { organizationId, people } = await seedSchool(connection, sql, 'School of chats', memberCount);
  const userIds = people.map(({ userId }) => userId);
  const [staff, families] = [userIds.slice(0, staffCount), userIds.slice(staffCount)];
  const group = await connection.db.transaction(async (tx) => {
    const [school] = await tx.select().from(organizations).where(eq(organizations.id, organizationId));
    if (!school) throw new Error('the school is missing');
    const place = { kind: 'CLASS', academicYear: '2026/27', parentId: null, idempotencyKey: null } as const;
    return foundGroup(tx, school, { ...place, name: 'Class 1' });
  });
  await sql`
    with employed as (
      update memberships set role = 'EMPLOYEE', position = 'EDUCATOR'
      where organization_id = ${organizationId} and user_id = any(${staff}::uuid[]) returning id, user_id),
    assigned as (
      insert into staff_assignments (organization_id, group_id, membership_id, user_id, position, started_on)
      select ${organizationId}, ${group.id}, id, user_id, 'EDUCATOR', '2026-09-01' from employed)
    insert into verifications (organization_id, membership_id, user_id, state, decided_at)
    select ${organizationId}, id, user_id, 'VERIFIED', now() from employed`;
  await sql`
    with given as (select user_id, n, uuidv7() as child_id from unnest(${families}::uuid[]) with ordinality g (user_id, n)),
    born as (
      insert into children (id, organization_id, family_name, given_name, group_id)
      select child_id, ${organizationId}, 'Child ' || n, 'Test', ${group.id} from given),
    enrolled as (
      insert into enrollments (organization_id, child_id, group_id, started_on)
      select ${organizationId}, child_id, ${group.id}, '2026-09-01' from given)
    insert into guardian_links (organization_id, child_id, user_id, state, contact_visibility, activated_at)
    select ${organizationId}, child_id, user_id, 'ACTIVE',
      case when n > ${families.length - limitedCount}::int then 'LIMITED' else 'FULL' end::contact_visibility, now() from given`;
  await connection.db.transaction((tx) => settleAudiences(tx, organizationId, 'everybody'));
  await placeEvents(connection);
  const differences = await checkAudiences(connection.db);
  if (differences.length > 0) throw new Error(`the seeded audiences are wrong: ${JSON.stringify(differences[0])}`);

  const [chat] = await sql<{ id: string }[]>`select id from chats where group_id = ${group.id}`;
  if (!chat) throw new Error('the group has no chat');
  await sql`
    with said as materialized (
      select n, uuidv7((n - ${messages}::int) * interval '7 minutes') as id, (${userIds}::uuid[])[1 + n * 7 % ${memberCount}::int] as author_id
      from generate_series(1, ${messages}::int) n)
    insert into messages (id, chat_id, number, author_id, capacity, text, client_message_id, sent_at)
    select id, ${chat.id}, n, author_id, case when author_id = any(${staff}::uuid[]) then 'EMPLOYEE' else 'GUARDIAN' end,
      'Сообщение ' || n || ': ' || (
        select string_agg(w, ' ') from (select (array['завтра', 'прогулка', 'во сколько', 'спасибо', 'музыка', 'сменная обувь', 'форма',
          'театр', 'справка', 'каток', 'не придём', 'обед'])[1 + (n * 7 + i * i * 3) % 12] as w from generate_series(1, 3 + n % 12) i) words),
      'classroom-' || n, now() + (n - ${messages}::int) * interval '7 minutes' from said`;
  await sql`
    update chats set last_number = ${messages}::int, place = (select id from messages where chat_id = ${chat.id} and number = ${messages}::int)
    where id = ${chat.id}`;
  await sql`
    insert into message_reactions (message_id, user_id, emoji)
    select m.id, (${userIds}::uuid[])[1 + (m.number * 11 + r * 13) % ${memberCount}::int], (array['👍', '❤️', '🎉'])[1 + (m.number + r) % 3]
    from messages m, generate_series(1, 4) r where m.chat_id = ${chat.id} and r <= m.number * 3 % 5`;
  await sql`
    insert into files (uploader_id, state, name, size, media_type, received_at, owner_kind, owner_id, position)
    select author_id, 'READY', 'photo-' || k || '.jpg', 10000 + number, 'image/jpeg', now(), 'MESSAGE', id, k
    from messages, generate_series(1, 2) k where chat_id = ${chat.id} and number % 5 = 0 and k <= 1 + number / 5 % 2`;
  await sql`
    insert into chat_marks (chat_id, user_id, read_through)
    select ${chat.id}, user_id, ${messages}::int - n * 37 % 80 from unnest(${userIds}::uuid[]) with ordinality u (user_id, n)`;
  return { chatId: globalId('Chat', chat.id), guardians: people.slice(staffCount, memberCount - limitedCount) };
}
