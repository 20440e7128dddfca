import { sql } from 'drizzle-orm';
import type { PersonName } from '../accounts/tables.ts';
import { hiddenFrom, peopleList } from '../audiences/queries.ts';
import { activePlaces, activeStandings } from '../audiences/tables.ts';
import { type Executor, rows } from '../database/connect.ts';
import type { Role } from '../viewer.ts';
import type { Candidate } from './policy.ts';

/** As what some people could take part in an organization's chats, by person. */
export async function candidates(
  db: Executor,
  organizationId: string,
  userIds: readonly string[],
): Promise<Map<string, Candidate[]>> {
  const found = await rows<Candidate & { userId: string }>(
    db,
    sql`
    select s.user_id as "userId", s.role, s.verified, s.administrator, s.position,
      array(select distinct p.group_id::text from ${activePlaces} p where p.membership_id = s.membership_id) as "groupIds"
    from ${activeStandings} s
    where s.organization_id = ${organizationId} and s.user_id = any(${sql.param([...userIds])}::uuid[])`,
  );
  return Map.groupBy(found, ({ userId }) => userId);
}

/** Somebody who takes part in a chat, in one capacity; `id` orders the list. */
export interface ChatMember {
  readonly id: string;
  readonly capacity: Role;
  readonly since: string;
  readonly isSupervisor: boolean;
  readonly user: PersonName;
}

/**
 * Who takes part, as far as the viewer meets them: a guardian whose contacts are LIMITED is in no list of other families (§4.11).
 * Who takes part no longer is not told who does.
 */
export const membersOfChat = peopleList<ChatMember, { chatId: string }>(
  sql`m.id`,
  sql`m.capacity, m.since,
    m.capacity = 'EMPLOYEE' and exists (
      select from chat_members o where o.chat_id = c.id and o.user_id = u.id and o.left_at is null and o.is_supervisor
    ) as "isSupervisor"`,
  sql`from chats c
    join audience_members m on m.audience_id = c.audience_id and m.until is null
    join users u on u.id = m.user_id
    where c.id = ${sql.placeholder('chatId')}
      and exists (
        select from audience_members own
        where own.audience_id = c.audience_id and own.user_id = ${sql.placeholder('userId')} and own.until is null)
      and not (m.capacity = 'GUARDIAN' and ${hiddenFrom(sql`m.user_id`, sql`c.organization_id`)})`,
  sql`c.organization_id`,
);
