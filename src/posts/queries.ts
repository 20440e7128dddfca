import { and, eq, getTableColumns, isNotNull, or, type SQL, sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import { publishedBy, readableBy } from '../channels/queries.ts';
import { type Channel, channels } from '../channels/tables.ts';
import { type Database, type Executor, rows } from '../database/connect.ts';
import { prepare } from '../database/statements.ts';
import { wordsSought } from '../database/words.ts';
import { filesAsJson, type ShownFile } from '../files/queries.ts';
import { anyOf, inGroups, type Lists, listsOf } from '../graphql/batches.ts';
import { type Page, paged } from '../graphql/connections.ts';
import type { Batch } from '../graphql/context.ts';
import type { Viewer } from '../viewer.ts';
import { type PostRow, postColumns, postSteps, posts } from './tables.ts';

/** A post with all that it shows, read in one statement: its channel, its author, and what stands around it. */
export interface Post extends PostRow {
  readonly channel: Channel;
  readonly author: PersonName;
  readonly commentCount: number;
  readonly files: readonly ShownFile[];
  readonly reactionCounts: readonly { readonly emoji: string; readonly count: number }[];
}

const shown = {
  post: postColumns,
  channel: getTableColumns(channels),
  author: sql<PersonName>`${personIn(sql`${posts}.author_id`, sql`${channels}.organization_id`)}`,
  files: filesAsJson(posts),
  // Of higher floors, and so as text.
  commentCount: sql<number>`(
    select count(*)::int from comments c where c.post_id = ${posts.id} and c.state = 'PUBLISHED')`,
  reactionCounts: sql<Post['reactionCounts']>`(
    select coalesce(json_agg(json_build_object('emoji', r.emoji, 'count', r.size) order by r.size desc, r.emoji), '[]')
    from (select emoji, count(*)::int as size from post_reactions where post_id = ${posts.id} group by emoji) r)`,
};

const read = (db: Executor) => db.select(shown).from(posts).innerJoin(channels, eq(channels.id, posts.channelId));

type Found = Awaited<ReturnType<typeof read>>[number];

const asPost = ({ post, ...around }: Found): Post => ({ ...post, ...around });

const postsByIds = prepare((db) => read(db).where(sql`${posts.id} = any(${sql.placeholder('ids')})`));

/** Posts by their ids, whoever asks. */
export const postById: Batch<string, Post | null> = async (db, ids) => {
  const found = new Map((await postsByIds(db, { ids: [...ids] })).map((row) => [row.post.id, asPost(row)]));
  return ids.map((id) => found.get(id) ?? null);
};

/** Which of the posts that the viewer may see. */
export interface PostFilter {
  readonly state: PostRow['state'];
  readonly pinned?: boolean;
  /** Only those that the viewer has written. */
  readonly ownOnly?: boolean;
  /** Only those whose acknowledgement is asked of the viewer and has not been given. */
  readonly unacknowledged?: boolean;
  readonly search?: string | null;
}

/** `canSeePost`, for a list of posts in one state, in channels that the viewer reads. What was deleted is in no list. */
function visibleIn({ state, pinned, ownOnly, unacknowledged }: PostFilter, viewer: Viewer): SQL | undefined {
  const own = eq(posts.authorId, viewer.userId);
  return and(
    // As itself and not as a parameter: only then does a prepared statement know that an index of one state serves it.
    sql`${posts.state} = ${sql.raw(`'${state}'`)}`,
    state === 'DELETED' ? sql`false` : undefined,
    state === 'DRAFT' || ownOnly ? own : undefined,
    state === 'SUGGESTED' || state === 'APPROVED' || state === 'SCHEDULED' ? or(own, publishedBy(viewer)) : undefined,
    pinned ? isNotNull(posts.pinnedAt) : undefined,
    unacknowledged
      ? sql`${posts.acknowledgementRequired}
          and exists (select from post_recipients r where r.post_id = ${posts.id} and r.user_id = ${viewer.userId})
          and not exists (select from post_acknowledgements a where a.post_id = ${posts.id} and a.user_id = ${viewer.userId})`
      : undefined,
  );
}

/** The words sought, in some channels, named as a tsquery; words that stand in every text find nothing. */
function found(search: string, places: SQL): SQL {
  const words = wordsSought(sql`${search}`);
  return sql`numnode(${words}) > 0 and ${posts.search} @@ (${words} && ${places})`;
}

const allOf = (among: SQL | undefined): SQL =>
  sql`(select string_agg(quote_literal(${channels.id}), '|')::tsquery from ${channels} where ${among})`;

/**
 * The ids of a page of posts of each channel. They are taken from the channel's own index, so that a page costs the same
 * wherever it is and however many posts there are; words are sought in an index of their own.
 */
function idsOfPages(among: SQL | undefined, filter: PostFilter, viewer: Viewer, page: Page): SQL {
  const { where, orderBy, limit } = paged(posts.place, page);
  const sought = filter.search ? found(filter.search, sql`quote_literal(${channels.id})::tsquery`) : undefined;
  return sql`select latest.id, latest.place from ${channels} cross join lateral (
      select ${posts.id}, ${posts.place} from ${posts}
      where ${and(eq(posts.channelId, channels.id), visibleIn(filter, viewer), sought, where)}
      order by ${orderBy} limit ${limit}) latest
    where ${among}`;
}

/** The ids of one page of all those channels: the latest of each channel's latest. */
function idsOfMergedPage(among: SQL | undefined, filter: PostFilter, viewer: Viewer, page: Page): SQL {
  const { where, orderBy, limit } = paged(posts.place, page);
  if (filter.search)
    return sql`select ${posts.id} from ${posts} join ${channels} on ${channels.id} = ${posts.channelId}
      where ${and(found(filter.search, allOf(among)), among, visibleIn(filter, viewer), where)}
      order by ${orderBy} limit ${limit}`;
  return sql`select id from (${idsOfPages(among, filter, viewer, page)}) latest
    order by place ${sql.raw(page.inverted ? 'asc' : 'desc')} limit ${limit}`;
}

async function pageOf(db: Database, ids: SQL, page: Page): Promise<Post[]> {
  const { orderBy } = paged(posts.place, page);
  const found = await read(db).where(sql`${posts.id} = any(array(${ids}))`).orderBy(orderBy).prepare('page').execute();
  return found.map(asPost);
}

/** How many posts there are in each of those channels; none where there are none. */
async function sizesOf(
  db: Database,
  among: SQL | undefined,
  filter: PostFilter,
  viewer: Viewer,
): Promise<Map<string, number>> {
  const sought = filter.search ? found(filter.search, allOf(among)) : undefined;
  const counted = await rows<{ id: string; size: number }>(
    db,
    sql`select ${posts.channelId} as id, count(*)::int as size from ${posts} join ${channels} on ${channels.id} = ${posts.channelId}
      where ${and(among, visibleIn(filter, viewer), sought)} group by ${posts.channelId}`,
  );
  return new Map(counted.map(({ id, size }) => [id, size]));
}

/** The posts of channels that the viewer reads, latest first. */
export const postsIn: Lists<Post, PostFilter> = {
  page: (db, keys, viewer) =>
    inGroups(
      keys,
      ({ filter, page }) => ({ filter, page }),
      async (parents, { filter, page }) => {
        const ids = idsOfPages(anyOf(channels.id, parents), filter, viewer(), page);
        const found = Map.groupBy(await pageOf(db, sql`select id from (${ids}) page`, page), (post) => post.channelId);
        return parents.map((id) => found.get(id) ?? []);
      },
    ),
  count: (db, keys, viewer) =>
    inGroups(
      keys,
      ({ filter }) => ({ filter }),
      async (parents, { filter }) => {
        const sizes = await sizesOf(db, anyOf(channels.id, parents), filter, viewer());
        return parents.map((id) => sizes.get(id) ?? 0);
      },
    ),
  cursorOf: ({ place }) => place,
};

/** Which channels' posts a feed shows. */
export interface FeedFilter extends PostFilter {
  readonly organizationId: string | null;
  readonly channelKind: Channel['kind'] | null;
  /** Only what concerns this child: of its group, and for all. */
  readonly childId: string | null;
}

const merged = ({ organizationId, channelKind, childId }: FeedFilter, viewer: Viewer): SQL | undefined =>
  and(
    readableBy(viewer),
    organizationId ? eq(channels.organizationId, organizationId) : undefined,
    channelKind ? eq(channels.kind, channelKind) : undefined,
    childId
      ? sql`exists (select from children c where c.id = ${childId} and c.organization_id = ${channels.organizationId}
          and (${channels.kind} = 'COMMUNITY' or c.group_id = ${channels.groupId}))`
      : undefined,
  );

/** A page of all channels that the viewer reads, in one. */
export const pageOfFeed = (db: Database, filter: FeedFilter, viewer: Viewer, page: Page): Promise<Post[]> =>
  pageOf(db, idsOfMergedPage(merged(filter, viewer), filter, viewer, page), page);

export async function sizeOfFeed(db: Database, filter: FeedFilter, viewer: Viewer): Promise<number> {
  const sizes = await sizesOf(db, merged(filter, viewer), filter, viewer);
  return sizes.values().reduce((total, size) => total + size, 0);
}

/** What became of posts. */
export const stepsOf = listsOf(postSteps, postSteps.postId, (_filter: null) => undefined, {
  organizationId: sql<string>`(select p.organization_id from ${posts} p where p.id = post_steps.post_id)`.as(
    'organization_id',
  ),
});

/** What the viewer has done with a post. */
export interface OwnMarks {
  /** Whether its acknowledgement is asked of them. */
  readonly isAsked: boolean;
  readonly acknowledgedAt: Date | null;
  readonly emojis: readonly string[];
}

/** What the viewer has done with posts, in one statement. */
export const ownMarks: Batch<string, OwnMarks> = async (db, ids, viewer) => {
  const { userId } = viewer();
  const found = await rows<{ id: string; isAsked: boolean; acknowledgedAt: string | null; emojis: string[] }>(
    db,
    sql`
    select p.id, a.created_at as "acknowledgedAt",
      exists (select from post_recipients r where r.post_id = p.id and r.user_id = ${userId}) as "isAsked",
      array(select r.emoji from post_reactions r where r.post_id = p.id and r.user_id = ${userId} order by r.created_at) as emojis
    from unnest(${sql.param([...ids])}::uuid[]) p (id)
    left join post_acknowledgements a on a.post_id = p.id and a.user_id = ${userId}`,
  );
  const index = new Map(found.map((marks) => [marks.id, marks]));
  return ids.map((id) => {
    const { isAsked = false, acknowledgedAt = null, emojis = [] } = index.get(id) ?? {};
    return { isAsked, emojis, acknowledgedAt: acknowledgedAt === null ? null : new Date(acknowledgedAt) };
  });
};
