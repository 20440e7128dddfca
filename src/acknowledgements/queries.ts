import { sql } from 'drizzle-orm';
import { type Database, type Executor, rows } from '../database/connect.ts';
import type { Page } from '../graphql/connections.ts';
import type { Batch } from '../graphql/context.ts';

/** How far a post has reached those it was for: people, and children by any one of theirs. */
export interface Reach {
  readonly recipientCount: number;
  readonly acknowledgedCount: number;
  readonly childCount: number;
  readonly acknowledgedChildCount: number;
}

const nobody: Reach = { recipientCount: 0, acknowledgedCount: 0, childCount: 0, acknowledgedChildCount: 0 };

/** The reach of posts whose acknowledgement is required. */
export const reachOf: Batch<string, Reach> = async (db, ids) => {
  const found = await rows<Reach & { id: string }>(
    db,
    sql`
    select r.post_id as id,
      count(distinct r.user_id)::int as "recipientCount", count(distinct a.user_id)::int as "acknowledgedCount",
      count(distinct r.child_id)::int as "childCount",
      count(distinct r.child_id) filter (where a.user_id is not null)::int as "acknowledgedChildCount"
    from post_recipients r left join post_acknowledgements a on a.post_id = r.post_id and a.user_id = r.user_id
    where r.post_id = any(${sql.param([...ids])}::uuid[]) group by r.post_id`,
  );
  const index = new Map(found.map((reach) => [reach.id, reach]));
  return ids.map((id) => index.get(id) ?? nobody);
};

/** Somebody a post was for; `id` is the person's, and orders the list. */
export interface Recipient {
  readonly id: string;
  readonly postId: string;
  readonly organizationId: string;
  readonly childIds: readonly string[];
  readonly acknowledgedAt: Date | null;
}

/** A child a post was for; `id` is the child's. */
export interface ConcernedChild {
  readonly id: string;
  readonly organizationId: string;
  readonly acknowledgedByIds: readonly string[];
}

/** Has acknowledged, has not, or null for both. */
type Wanted = boolean | null;

/** Who was here at the publication and is no reader any more cannot acknowledge: nobody waits for them. */
const stillReads = sql`exists (
  select from posts p join channels c on c.id = p.channel_id
  join audience_members m on m.audience_id = c.audience_id and m.user_id = r.user_id and m.until is null
  where p.id = r.post_id)`;

const organization = sql`(select p.organization_id from posts p where p.id = r.post_id) as organization_id`;

const peopleOf = (postId: string, wanted: Wanted) => sql`
  select r.user_id as id, r.post_id, ${organization}, array_remove(array_agg(r.child_id), null) as child_ids, a.created_at as acknowledged_at
  from post_recipients r left join post_acknowledgements a on a.post_id = r.post_id and a.user_id = r.user_id
  where r.post_id = ${postId} and ${wanted === null ? sql`true` : wanted ? sql`a.user_id is not null` : sql`a.user_id is null and ${stillReads}`}
  group by r.user_id, r.post_id, a.created_at`;

const childrenOf = (postId: string, wanted: Wanted) => sql`
  select r.child_id as id, ${organization}, array_remove(array_agg(a.user_id), null) as acknowledged_by_ids
  from post_recipients r left join post_acknowledgements a on a.post_id = r.post_id and a.user_id = r.user_id
  where r.post_id = ${postId} and r.child_id is not null
  group by r.child_id, r.post_id
  having ${wanted === null ? sql`true` : wanted ? sql`count(a.user_id) > 0` : sql`count(a.user_id) = 0 and bool_or(${stillReads})`}`;

const pageOf = <Row>(db: Database, list: ReturnType<typeof peopleOf>, columns: string, page: Page): Promise<Row[]> =>
  rows<Row>(
    db,
    sql`select ${sql.raw(columns)} from (${list}) l
      where ${page.after ? sql`l.id < ${page.after}` : sql`true`} and ${page.before ? sql`l.id > ${page.before}` : sql`true`}
      order by l.id ${sql.raw(page.inverted ? 'asc' : 'desc')} limit ${page.limit}`,
  );

async function sizeOf(db: Executor, list: ReturnType<typeof peopleOf>): Promise<number> {
  const [counted] = await rows<{ size: number }>(db, sql`select count(*)::int as size from (${list}) l`);
  return counted?.size ?? 0;
}

/** A page of the people a post was for, whoever came last first. */
export async function recipientsOf(db: Database, postId: string, wanted: Wanted, page: Page): Promise<Recipient[]> {
  const columns =
    'l.id, l.post_id as "postId", l.organization_id as "organizationId", l.child_ids as "childIds", l.acknowledged_at as "acknowledgedAt"';
  const found = await pageOf<Omit<Recipient, 'acknowledgedAt'> & { acknowledgedAt: string | null }>(
    db,
    peopleOf(postId, wanted),
    columns,
    page,
  );
  return found.map((row) => ({ ...row, acknowledgedAt: row.acknowledgedAt ? new Date(row.acknowledgedAt) : null }));
}

export const countRecipients = (db: Executor, postId: string, wanted: Wanted): Promise<number> =>
  sizeOf(db, peopleOf(postId, wanted));

/** A page of the children a post was for. */
export const concernedChildren = (
  db: Database,
  postId: string,
  wanted: Wanted,
  page: Page,
): Promise<ConcernedChild[]> =>
  pageOf<ConcernedChild>(
    db,
    childrenOf(postId, wanted),
    'l.id, l.organization_id as "organizationId", l.acknowledged_by_ids as "acknowledgedByIds"',
    page,
  );

export const countConcernedChildren = (db: Executor, postId: string, wanted: Wanted): Promise<number> =>
  sizeOf(db, childrenOf(postId, wanted));

/** The people who are still asked to acknowledge a post. */
export async function waitedFor(db: Executor, postId: string): Promise<string[]> {
  return (await rows<{ id: string }>(db, sql`select l.id from (${peopleOf(postId, false)}) l`)).map(({ id }) => id);
}
