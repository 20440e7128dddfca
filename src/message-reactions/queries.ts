import { sql } from 'drizzle-orm';
import type { PersonName } from '../accounts/tables.ts';
import { hiddenFrom, peopleList } from '../audiences/queries.ts';

/** Somebody who reacted to a message; `id` is theirs. */
export interface Reactor {
  readonly id: string;
  readonly user: PersonName;
  readonly emojis: readonly string[];
}

/** Who reacted to a message, unless it was deleted, as far as the viewer meets them (§4.11). */
export const reactorsOf = peopleList<Reactor, { messageId: string; leftAt: string | null }>(
  sql`u.id`,
  sql`r.emojis`,
  sql`from (
      select user_id, json_agg(emoji order by created_at) as emojis from message_reactions
      where message_id = ${sql.placeholder('messageId')}
        and created_at <= coalesce(${sql.placeholder('leftAt')}::timestamptz, 'infinity') group by user_id) r
    join messages m on m.id = ${sql.placeholder('messageId')} and m.state = 'SENT'
    join chats c on c.id = m.chat_id
    join users u on u.id = r.user_id
    where not ${hiddenFrom(sql`u.id`, sql`c.organization_id`)}`,
  sql`c.organization_id`,
);
