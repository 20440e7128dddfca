import { type SQL, sql } from 'drizzle-orm';
import type { PersonName } from '../accounts/tables.ts';
import { hiddenFrom, peopleList } from '../audiences/queries.ts';

/** Somebody a message was for; `id` is theirs. */
export interface Recipient {
  readonly id: string;
  readonly user: PersonName;
  readonly acknowledgedAt: string | null;
}

const message = sql`
  join messages m on m.id = ${sql.placeholder('messageId')} and m.number is not null
  join chats c on c.id = m.chat_id`;

/** Who took part when a message was said, or reads it since, and takes part now. */
const present = (userId: SQL): SQL => sql`exists (
  select from audience_members w
  where w.audience_id = c.audience_id and w.user_id = ${userId} and w.until is null
    and (w.since_number < m.number or c.history_visibility = 'ALL'))`;

/** Who has read a message besides its author, as far as the viewer meets them. */
export const readersOf = peopleList<Pick<Recipient, 'id' | 'user'>, { messageId: string }>(
  sql`u.id`,
  sql`k.read_through`,
  sql`from users u ${message}
    join chat_marks k on k.chat_id = c.id and k.user_id = u.id and k.read_through >= m.number
    where u.id <> m.author_id and ${present(sql`u.id`)} and not ${hiddenFrom(sql`u.id`, sql`c.organization_id`)}`,
  sql`c.organization_id`,
);

/** Whom a message asks to take note of it: who took part then and does now, or has done so; not its author. */
export const recipientsOf = peopleList<Recipient, { messageId: string; acknowledged: boolean | null }>(
  sql`u.id`,
  sql`a.created_at as "acknowledgedAt"`,
  sql`from users u ${message}
    left join message_acknowledgements a on a.message_id = m.id and a.user_id = u.id
    where u.id <> m.author_id and (a.user_id is not null or ${present(sql`u.id`)})
      and u.id in (select w.user_id from audience_members w where w.audience_id = c.audience_id)
      and (${sql.placeholder('acknowledged')}::boolean is null or (a.user_id is not null) = ${sql.placeholder('acknowledged')}::boolean)
      and not ${hiddenFrom(sql`u.id`, sql`c.organization_id`)}`,
  sql`c.organization_id`,
);
