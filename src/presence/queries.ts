import { sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import { canSeePerson, type Met } from '../audiences/policy.ts';
import { hiddenFrom, type Meeter, meeterOf } from '../audiences/queries.ts';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import { together } from '../database/together.ts';
import type { Batch, Services } from '../graphql/context.ts';
import type { Looker, Roster } from '../signals/room.ts';

/** Somebody who takes part in a chat, and who of the others there meets them. */
interface Member extends Met {
  readonly chatId: string;
  readonly isStaff: boolean;
  readonly user: PersonName;
}

/** A LIMITED guardian is hidden as such: one who also works here is met by their colleagues (§4.11). */
const membersOfChats = prepareRaw<Member, { ids: readonly string[] }>(sql`
  with hidden as (
    select h.user_id, h.organization_id, json_agg(h.group_id) as groups from hidden_people h
    where h.organization_id in (select c.organization_id from chats c where c.id = any(${sql.placeholder('ids')}::uuid[]))
    group by h.user_id, h.organization_id
  ), present as (
    select c.id, c.organization_id, m.user_id, bool_or(m.capacity = 'EMPLOYEE') as staff, bool_and(m.capacity = 'GUARDIAN') as guardian
    from chats c join audience_members m on m.audience_id = c.audience_id and m.until is null
    where c.id = any(${sql.placeholder('ids')}::uuid[])
    group by c.id, c.organization_id, m.user_id
  )
  select p.id as "chatId", p.user_id as "userId", p.organization_id as "organizationId", p.staff as "isStaff",
    case when p.guardian then coalesce(h.groups, '[]') else '[]' end as "limitedIn",
    ${personIn(sql`p.user_id`, sql`p.organization_id`)} as user
  from present p
  left join hidden h on h.user_id = p.user_id and h.organization_id = p.organization_id`);

async function membersOf(db: Database, chatIds: readonly string[]): Promise<Member[][]> {
  const found = Map.groupBy(await membersOfChats(db, { ids: chatIds }), ({ chatId }) => chatId);
  return chatIds.map((id) => found.get(id) ?? []);
}

/** Reads who takes part in chats now, all that are asked for at once in one statement, and who is told of whom there. */
export function rosters({ db, viewerOfSession }: Pick<Services, 'db' | 'viewerOfSession'>) {
  const read = together((chatIds: readonly string[]) => membersOf(db, chatIds));
  return async (chatId: string, lookers: readonly Looker[]): Promise<Roster<PersonName>> => {
    const members = new Map((await read(chatId)).map((member) => [member.userId, member]));
    const limited = new Set(
      members.values().flatMap(({ userId, limitedIn }) => (limitedIn.length > 0 ? [userId] : [])),
    );
    // Only staff may meet them, so only then, and only of those, is asked who they are.
    const asked = lookers.filter(({ userId }) => limited.size > 0 && members.get(userId)?.isStaff);
    const viewers = new Map(
      await Promise.all(asked.map(async ({ sessionId }) => [sessionId, await viewerOfSession(sessionId)] as const)),
    );
    return {
      people: new Map(members.values().map(({ userId, user }) => [userId, user])),
      limited,
      covers: ({ userId, sessionId }) => {
        const member = members.get(userId);
        return member !== undefined && (limited.size === 0 || !member.isStaff || viewers.has(sessionId));
      },
      shows: (userId, { sessionId }) => {
        const [viewer, met] = [viewers.get(sessionId), members.get(userId)];
        return viewer != null && met !== undefined && canSeePerson(viewer, met);
      },
    };
  };
}

const counterparts = prepareRaw<{ id: string; userId: string }, Meeter & { ids: readonly string[] }>(sql`
  select c.id, m.user_id as "userId" from chats c
  join audience_members m on m.audience_id = c.audience_id and m.until is null and m.user_id <> ${sql.placeholder('userId')}
  where c.id = any(${sql.placeholder('ids')}::uuid[]) and c.kind = 'DIRECT'
    and exists (
      select from audience_members v
      where v.audience_id = c.audience_id and v.until is null and v.user_id = ${sql.placeholder('userId')})
    and not (m.capacity = 'GUARDIAN' and ${hiddenFrom(sql`m.user_id`, sql`c.organization_id`)})`);

/** Whom the viewer meets in DIRECT chats in which both take part now; null: nobody. */
export const metIn: Batch<string, string | null> = async (db, chatIds, viewer) => {
  const found = await counterparts(db, { ...meeterOf(viewer()), ids: chatIds });
  const others = new Map(found.map(({ id, userId }) => [id, userId]));
  return chatIds.map((id) => others.get(id) ?? null);
};
