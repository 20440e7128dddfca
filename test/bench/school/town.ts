/** A school in which one person reaches all there is: its head, with twenty thousand posts and a hundred full chats. */
import { settleAudiences } from '../../../src/audiences/commands.ts';
import { globalId } from '../../../src/graphql/ids.ts';
import { placeEvents } from '../../support/placing.ts';
import type { Things } from '../hostile/documents.ts';
import type { BenchDatabase } from './database.ts';
import { seedNewsroom } from './newsroom.ts';
import type { Person } from './seed.ts';

const posts = 20_000;
const chatCount = 100;
const messagesEach = 300;

export interface Town {
  readonly head: Person;
  /** Ids of what the head sees, a hundred of a kind at most. */
  readonly things: Things;
}

export async function seedTown(database: BenchDatabase): Promise<Town> {
  const { connection, sql } = database;
  const head = await seedNewsroom(database, posts);
  const [school] = await sql<{ id: string }[]>`
    select organization_id as id from memberships where user_id = ${head.userId} and role = 'EMPLOYEE'`;
  if (!school) throw new Error('the head has no school');
  await sql`
    with wanted as materialized (
      select uuidv7() as row_id, uuidv7() as audience_id, n from generate_series(1, ${chatCount}::int) n),
    listening as (
      insert into audiences (id, kind, organization_id, subject_id) select audience_id, 'CHAT', ${school.id}, row_id from wanted),
    chatting as (
      insert into chats (id, organization_id, kind, name, audience_id, creator_id)
      select row_id, ${school.id}, 'CUSTOM', 'Chat ' || n, audience_id, ${head.userId} from wanted)
    insert into chat_members (chat_id, user_id, added_by) select row_id, ${head.userId}, ${head.userId} from wanted`;
  await connection.db.transaction((tx) => settleAudiences(tx, school.id, 'everybody'));
  await sql`
    insert into messages (id, chat_id, number, author_id, capacity, text, client_message_id, sent_at)
    select uuidv7((n - ${messagesEach}::int) * interval '7 minutes'), c.id, n, ${head.userId}, 'EMPLOYEE',
      'Сообщение ' || n || ': ' || (select string_agg(w, ' ') from (select (array['завтра', 'прогулка', 'спасибо', 'форма', 'театр',
        'новости', 'группа', 'обед'])[1 + (n * 7 + i * 3) % 8] as w from generate_series(1, 4 + n % 12) i) words),
      'town-' || n, now() + (n - ${messagesEach}::int) * interval '7 minutes'
    from chats c, generate_series(1, ${messagesEach}::int) n where c.organization_id = ${school.id} and c.kind = 'CUSTOM'`;
  await sql`
    update chats set last_number = ${messagesEach}::int,
      place = (select id from messages where chat_id = chats.id and number = ${messagesEach}::int)
    where organization_id = ${school.id} and kind = 'CUSTOM'`;
  await placeEvents(connection);
  await sql`vacuum analyze`;
  const idsIn = async (type: string, table: string): Promise<[string, readonly string[]]> => {
    const column = type === 'Organization' ? 'id' : 'organization_id';
    const found = await sql<{ id: string }[]>`
      select id from ${sql(table)} where ${sql(column)} = ${school.id} order by id desc limit 100`;
    return [type, found.map(({ id }) => globalId(type, id))];
  };
  const messages = await sql<{ id: string }[]>`select id from messages where author_id = ${head.userId} limit 100`;
  return {
    head,
    things: new Map([
      await idsIn('Organization', 'organizations'),
      await idsIn('Channel', 'channels'),
      await idsIn('Chat', 'chats'),
      await idsIn('Group', 'groups'),
      await idsIn('Post', 'posts'),
      ['Message', messages.map(({ id }) => globalId('Message', id))],
    ]),
  };
}
