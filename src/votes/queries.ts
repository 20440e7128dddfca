import { sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import { hiddenFrom, type Meeter, meeterOf } from '../audiences/queries.ts';
import { prepareRaw } from '../database/statements.ts';
import { inGroups, type Lists } from '../graphql/batches.ts';

/** Somebody who chose an answer; `id` is theirs whose vote it is, the person's or the child's. */
export interface Voter {
  readonly id: string;
  readonly childId: string | null;
  readonly user: PersonName;
}

/** An answer as the parent of a list. */
export const answerId = (pollId: string, position: number): string => `${pollId} ${position}`;

interface Wanted extends Meeter {
  readonly parents: readonly string[];
}

/**
 * The answers wanted, and who chose each, as far as the viewer meets them: a guardian whose contacts are LIMITED is in no list of
 * other families (§4.11), unless they vote as one of the staff.
 */
const wanted = sql`
  from unnest(${sql.placeholder('parents')}::text[]) a (id)
  join polls p on p.id = split_part(a.id, ' ', 1)::uuid
  left join messages m on m.id = p.message_id left join chats c on c.id = m.chat_id
  left join posts o on o.id = p.post_id left join channels h on h.id = o.channel_id`;

const voters = sql`
  from poll_votes v
  join poll_voters s on s.poll_id = v.poll_id and s.elector = v.elector and s.user_id = v.user_id and s.is_counted
  where v.poll_id = p.id and v.position = split_part(a.id, ' ', 2)::int
    and not (${hiddenFrom(sql`s.user_id`, sql`p.organization_id`)} and (p.electorate = 'CHILD' or not exists (
      select from audience_members w
      where w.audience_id = coalesce(c.audience_id, h.audience_id) and w.user_id = s.user_id and w.until is null
        and w.capacity = 'EMPLOYEE')))`;

interface PageValues extends Wanted {
  readonly after: string | null;
  readonly before: string | null;
  readonly limit: number;
}

const pageStatement = (direction: 'asc' | 'desc') =>
  prepareRaw<Voter & { parentId: string }, PageValues>(sql`
  select a.id as "parentId", l.* ${wanted} cross join lateral (
    select v.elector as id, s.child_id as "childId",
      ${personIn(sql`s.user_id`, sql`p.organization_id`)} as user
    ${voters}
      and (${sql.placeholder('after')}::uuid is null or v.elector < ${sql.placeholder('after')}::uuid)
      and (${sql.placeholder('before')}::uuid is null or v.elector > ${sql.placeholder('before')}::uuid)
    order by v.elector ${sql.raw(direction)} limit ${sql.placeholder('limit')}::int) l
  order by l.id ${sql.raw(direction)}`);

const pages = { asc: pageStatement('asc'), desc: pageStatement('desc') };

const sizes = prepareRaw<{ parentId: string; size: number }, Wanted>(sql`
  select a.id as "parentId", l.size ${wanted} cross join lateral (select count(*)::int as size ${voters}) l`);

/** Who chose each answer, in an order that tells nothing of when. */
export const votersOf: Lists<Voter, null> = {
  page: (db, keys, viewer) =>
    inGroups(
      keys,
      ({ page }) => page,
      async (parents, { inverted, after = null, before = null, limit }) => {
        const values = { ...meeterOf(viewer()), parents, after, before, limit };
        const found = Map.groupBy(await pages[inverted ? 'asc' : 'desc'](db, values), ({ parentId }) => parentId);
        return parents.map((id) => found.get(id) ?? []);
      },
    ),
  count: (db, keys, viewer) =>
    inGroups(
      keys,
      () => null,
      async (parents) => {
        const found = await sizes(db, { ...meeterOf(viewer()), parents });
        const index = new Map(found.map(({ parentId, size }) => [parentId, size]));
        return parents.map((id) => index.get(id) ?? 0);
      },
    ),
};
