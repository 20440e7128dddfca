import { sql } from 'drizzle-orm';
import type { PersonName } from '../accounts/tables.ts';
import { hiddenFrom, type Meeter, meeterOf } from '../audiences/queries.ts';
import { activePlaces, activeStandings } from '../audiences/tables.ts';
import { type Database, type Executor, rows } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Page } from '../graphql/connections.ts';
import type { Role, Viewer } from '../viewer.ts';
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
  readonly since: Date;
  readonly isSupervisor: boolean;
  readonly user: PersonName;
}

type Found = Omit<ChatMember, 'since'> & { since: string };
type Values = { chatId: string; after: string | null; before: string | null; limit: number };

/** Who takes part, as far as the viewer meets them: a guardian whose contacts are LIMITED is in no list of other families (§4.11). */
const members = sql`
  from chats c
  join audience_members m on m.audience_id = c.audience_id and m.until is null
  join users u on u.id = m.user_id
  where c.id = ${sql.placeholder('chatId')}
    and not (m.capacity = 'GUARDIAN' and ${hiddenFrom(sql`m.user_id`, sql`c.organization_id`)})`;

const pageStatement = (direction: 'asc' | 'desc') =>
  prepareRaw<Found, Meeter & Values>(sql`
    select m.id, m.capacity, m.since,
      json_build_object('id', u.id, 'familyName', u.family_name, 'givenName', u.given_name, 'patronymic', u.patronymic) as user,
      exists (select from chat_members o where o.chat_id = c.id and o.user_id = u.id and o.left_at is null and o.is_supervisor)
        and m.capacity = 'EMPLOYEE' as "isSupervisor"
    ${members}
      and (${sql.placeholder('after')}::uuid is null or m.id < ${sql.placeholder('after')}::uuid)
      and (${sql.placeholder('before')}::uuid is null or m.id > ${sql.placeholder('before')}::uuid)
    order by m.id ${sql.raw(direction)} limit ${sql.placeholder('limit')}::int`);

const pages = { asc: pageStatement('asc'), desc: pageStatement('desc') };

/** A page of those who take part in a chat, whoever came last first. */
export async function pageOfMembers(
  db: Database,
  viewer: Viewer,
  chatId: string,
  { after, before, inverted, limit }: Page,
): Promise<ChatMember[]> {
  const found = await pages[inverted ? 'asc' : 'desc'](db, {
    ...meeterOf(viewer),
    chatId,
    after: after ?? null,
    before: before ?? null,
    limit,
  });
  return found.map((member) => ({ ...member, since: new Date(member.since) }));
}

const size = prepareRaw<{ size: number }, Meeter & { chatId: string }>(sql`select count(*)::int as size ${members}`);

export async function sizeOfMembers(db: Database, viewer: Viewer, chatId: string): Promise<number> {
  const [counted] = await size(db, { ...meeterOf(viewer), chatId });
  return counted?.size ?? 0;
}
