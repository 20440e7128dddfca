import { and, eq, isNotNull, or, sql } from 'drizzle-orm';
import { publishedBy } from '../channels/queries.ts';
import { channels } from '../channels/tables.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import { posts } from '../posts/tables.ts';
import type { CommentPlace } from './policy.ts';
import { type CommentRow, comments } from './tables.ts';

/** What the rules about a comment ask for, read with each. */
const place = {
  post: sql<CommentPlace['post']>`(
    select json_build_object('state', p.state, 'authorId', p.author_id, 'publishedAt', p.published_at, 'commenting', p.commenting, 'channel',
      json_build_object('organizationId', h.organization_id, 'kind', h.kind, 'groupId', h.group_id, 'state', h.state))
    from posts p join channels h on h.id = p.channel_id where p.id = ${comments}.post_id)`.as('post'),
  limitedIn: sql<(string | null)[]>`array(
    select h.group_id from hidden_people h
    where h.user_id = ${comments}.author_id and h.organization_id = ${comments}.organization_id)`.as('limited_in'),
};

export type Comment = CommentRow & CommentPlace;

/** Comments by their ids, whoever asks. */
export const commentById = byId(comments, place);

/** The comments of posts that the viewer sees: `canSeeComment`, for a list. */
export const commentsOf = listsOf(
  comments,
  comments.postId,
  ({ state, isGone }: { state: CommentRow['state'] | null; isGone: boolean }, viewer) =>
    and(
      isGone ? sql`false` : undefined,
      state ? eq(comments.state, state) : undefined,
      or(
        eq(comments.state, 'PUBLISHED'),
        and(eq(comments.state, 'DELETED'), isNotNull(comments.shownAt)),
        eq(comments.authorId, viewer.userId),
        sql`exists (select from ${channels} where ${channels.id} = ${comments.channelId} and ${publishedBy(viewer)})`,
      ),
    ),
  place,
);

/** The comments that wait in channels where the viewer publishes. */
export const pendingIn = listsOf(
  comments,
  comments.channelId,
  (_filter: null) =>
    and(
      eq(comments.state, 'PENDING'),
      sql`exists (select from ${posts} where ${posts.id} = ${comments.postId} and ${posts.state} <> 'DELETED')`,
    ),
  place,
);
