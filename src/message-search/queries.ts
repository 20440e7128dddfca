import { sql } from 'drizzle-orm';
import { type Asker, askerOf, counts } from '../chats/queries.ts';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import { wordsSought } from '../database/words.ts';
import type { Page } from '../graphql/connections.ts';
import { around, asMessage, type Found, type Message, shown } from '../messages/queries.ts';
import type { Viewer } from '../viewer.ts';

/** What is sought, and where; without an organization in all of them. */
export interface Sought {
  readonly search: string;
  readonly organizationId: string | null;
}

const words = wordsSought(sql`${sql.placeholder('search')}::text`);
const organizationId = sql`${sql.placeholder('organizationId')}::uuid`;

/** What may be read of the viewer's chats; and of that, by the index that holds the chat as a word, what has the words. */
const mine = sql`
  with mine as materialized (
    select c.id as chat_id, case when c.history_visibility = 'ALL' then 0 else m.since_number end as after, m.until_number as through,
      (select case when bool_or(w.until is null) then null else max(w.until) end from audience_members w
        where w.audience_id = m.audience_id and w.user_id = m.user_id) as left_at
    from audience_members m join chats c on c.audience_id = m.audience_id
    where m.user_id = ${sql.placeholder('userId')} and ${counts}
      and (${organizationId} is null or c.organization_id = ${organizationId})
  )`;
const found = sql`
  from messages m
  where m.state = 'SENT' and numnode(${words}) > 0
    and m.search @@ (${words} && (select string_agg(distinct quote_literal(chat_id), '|')::tsquery from mine))
    and exists (
      select from mine
      where mine.chat_id = m.chat_id and m.number > mine.after and m.number <= coalesce(mine.through, m.number)
        and (mine.left_at is null or m.edited_at is null or m.edited_at <= mine.left_at))`;

type Values = Asker & Sought;

const pageIn = (direction: 'asc' | 'desc') =>
  prepareRaw<Found, Values & { after: string | null; before: string | null; limit: number }>(sql`
    ${mine}
    select ${shown} from (
      select m.id ${found}
        and (${sql.placeholder('after')}::uuid is null or m.id < ${sql.placeholder('after')}::uuid)
        and (${sql.placeholder('before')}::uuid is null or m.id > ${sql.placeholder('before')}::uuid)
      order by m.id ${sql.raw(direction)} limit ${sql.placeholder('limit')}::int
    ) page join messages m on m.id = page.id ${around}
    order by m.id ${sql.raw(direction)}`);
const pages = { asc: pageIn('asc'), desc: pageIn('desc') };

/** A page of the messages with these words that the viewer may read, the latest written first. */
export async function pageOfFound(db: Database, viewer: Viewer, sought: Sought, page: Page): Promise<Message[]> {
  const { after = null, before = null, limit, inverted } = page;
  const values = { ...askerOf(viewer), ...sought, after, before, limit };
  return (await pages[inverted ? 'asc' : 'desc'](db, values)).map(asMessage);
}

const size = prepareRaw<{ size: number }, Values>(sql`${mine} select count(*)::int as size ${found}`);

export async function sizeOfFound(db: Database, viewer: Viewer, sought: Sought): Promise<number> {
  return (await size(db, { ...askerOf(viewer), ...sought }))[0]?.size ?? 0;
}
