import { sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Page } from '../graphql/connections.ts';
import { around, asMessage, type Found, type Message, shown } from '../messages/queries.ts';
import type { MessageRow } from '../messages/tables.ts';

const unsentIn = (direction: 'asc' | 'desc') =>
  prepareRaw<Found, { userId: string; state: string; after: string | null; before: string | null; limit: number }>(sql`
    select ${shown} from messages m ${around}
    where m.author_id = ${sql.placeholder('userId')} and m.number is null
      and m.state = ${sql.placeholder('state')}::message_state
      and (${sql.placeholder('after')}::uuid is null or m.id < ${sql.placeholder('after')}::uuid)
      and (${sql.placeholder('before')}::uuid is null or m.id > ${sql.placeholder('before')}::uuid)
    order by m.id ${sql.raw(direction)} limit ${sql.placeholder('limit')}::int`);
const unsent = { asc: unsentIn('asc'), desc: unsentIn('desc') };

/** A page of what somebody has written and was not sent, the latest first. */
export async function pageOfUnsent(
  db: Database,
  userId: string,
  state: MessageRow['state'],
  page: Page,
): Promise<Message[]> {
  const { after = null, before = null, limit, inverted } = page;
  return (await unsent[inverted ? 'asc' : 'desc'](db, { userId, state, after, before, limit })).map(asMessage);
}

const unsentSize = prepareRaw<{ size: number }, { userId: string; state: string }>(sql`
  select count(*)::int as size from messages m
  where m.author_id = ${sql.placeholder('userId')} and m.number is null
    and m.state = ${sql.placeholder('state')}::message_state`);

export async function sizeOfUnsent(db: Database, userId: string, state: MessageRow['state']): Promise<number> {
  const [counted] = await unsentSize(db, { userId, state });
  return counted?.size ?? 0;
}
