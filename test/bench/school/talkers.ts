/** A school of colleagues who talk: everybody takes part in every chat. */
import { settleAudiences } from '../../../src/audiences/commands.ts';
import { globalId } from '../../../src/graphql/ids.ts';
import { placeEvents } from '../../support/placing.ts';
import type { BenchDatabase } from './database.ts';
import { type Person, seedSchool } from './seed.ts';

export interface Talker extends Person {
  readonly sessionId: string;
}

export interface TalkingSchool {
  readonly people: readonly Talker[];
  readonly chats: readonly { readonly id: string; readonly rowId: string; readonly audienceId: string }[];
}

let schools = 0;

export async function seedTalkers(
  { connection, sql }: BenchDatabase,
  size: number,
  chatCount: number,
): Promise<TalkingSchool> {
  const { organizationId, people } = await seedSchool(connection, sql, `School of talkers ${++schools}`, size);
  const userIds = people.map(({ userId }) => userId);
  await sql`
    with employed as (
      update memberships set role = 'EMPLOYEE', position = 'EDUCATOR'
      where organization_id = ${organizationId} and user_id = any(${userIds}::uuid[]) returning id, user_id)
    insert into verifications (organization_id, membership_id, user_id, state, decided_at)
    select ${organizationId}, id, user_id, 'VERIFIED', now() from employed`;
  const chats = await sql<{ row_id: string; audience_id: string }[]>`
    with wanted as materialized (
      select uuidv7() as row_id, uuidv7() as audience_id, n from generate_series(1, ${chatCount}::int) n),
    listening as (
      insert into audiences (id, kind, organization_id, subject_id)
      select audience_id, 'CHAT', ${organizationId}, row_id from wanted),
    chatting as (
      insert into chats (id, organization_id, kind, name, audience_id, creator_id)
      select row_id, ${organizationId}, 'CUSTOM', 'Chat ' || n, audience_id, ${userIds[0] ?? ''} from wanted),
    joined as (
      insert into chat_members (chat_id, user_id, added_by)
      select row_id, user_id, ${userIds[0] ?? ''} from wanted, unnest(${userIds}::uuid[]) user_id)
    select row_id, audience_id from wanted`;
  await connection.db.transaction((tx) => settleAudiences(tx, organizationId, 'everybody'));
  await placeEvents(connection);
  const sessions = await sql<{ id: string; user_id: string }[]>`
    select id, user_id from sessions where user_id = any(${userIds}::uuid[])`;
  const sessionOf = new Map(sessions.map(({ id, user_id }) => [user_id, id]));
  await sql`vacuum analyze`;
  return {
    people: people.map((person) => ({ ...person, sessionId: sessionOf.get(person.userId) ?? '' })),
    chats: chats.map(({ row_id, audience_id }) => ({
      id: globalId('Chat', row_id),
      rowId: row_id,
      audienceId: audience_id,
    })),
  };
}

/**
 * What is wrong with what was said in some chats; empty when every chat's numbers have no gap, what was answered is there once
 * and under the number that was answered, there is nothing else, and the log tells of each once, in the order of the numbers.
 */
export async function problemsOfTalk(
  { sql }: BenchDatabase,
  { chats }: TalkingSchool,
  said: readonly (readonly [clientMessageId: string, number: number, asked: number])[],
): Promise<string[]> {
  const ids = chats.map(({ rowId }) => rowId);
  const [found] = await sql<Record<string, number>[]>`
    with here as materialized (select * from messages where chat_id = any(${ids}::uuid[])),
    answered as materialized (
      select * from unnest(${said.map(([key]) => key)}::text[], ${said.map(([, number]) => number)}::bigint[]) a (key, number)),
    told as materialized (
      select subject_id, audience_id, position from log_events
      where kind = 'MESSAGE_SENT' and audience_id in (select audience_id from chats where id = any(${ids}::uuid[])))
    select
      (select count(*) from chats c
        left join lateral (
          select count(*) as size, count(distinct number) as numbers, max(number) as last, (array_agg(h.id order by number desc))[1] as place
          from here h where h.chat_id = c.id) h on true
        where c.id = any(${ids}::uuid[]) and (h.size, h.numbers) is distinct from (c.last_number, c.last_number)
          or h.last <> c.last_number or h.place <> c.place) as "chats with a gap",
      (select count(*) from answered a
        left join (select client_message_id as key, number, count(*) as times from here group by 1, 2) h using (key, number)
        where times is distinct from 1) as "messages lost or doubled",
      (select count(*) from here h left join answered a on a.key = h.client_message_id where a.key is null) as "messages that nobody sent",
      (select count(*) from here h
        left join (select subject_id, count(*) as times from told where position is not null group by 1) t on t.subject_id = h.id
        where times is distinct from 1) as "messages not told once",
      (select count(*) from (
        select h.number, lag(h.number) over (partition by h.chat_id order by t.position) as before
        from told t join here h on h.id = t.subject_id) o where before is not null and number <> before + 1) as "messages told out of order"`;
  return Object.entries(found ?? { 'oracle gave no answer': 1 }).flatMap(([what, count]) =>
    Number(count) > 0 ? [`${count} ${what}`] : [],
  );
}
