import { sql } from 'drizzle-orm';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { InvalidInput, InvalidState, RateLimited } from '../errors.ts';
import { append } from '../log/append.ts';
import {
  addToPost,
  changePost,
  type HeldPost,
  publishersOnly,
  recordPost,
  setPost,
  tellPublishers,
} from '../posts/commands.ts';
import { canKeepPost } from '../posts/policy.ts';
import type { PostRow } from '../posts/tables.ts';
import type { Viewer } from '../viewer.ts';
import { waitedFor } from './queries.ts';
import { postAcknowledgements } from './tables.ts';

/** People are reminded of one post at most so often. */
const remindEveryMs = 60 * 60_000;

/**
 * Writes down for whom a post is that is being published: its readers now, without its author, and the children it concerns
 * through them. Whoever comes later may read it, but it was not for them.
 * @returns how many people and children
 */
export async function freezeRecipients(
  tx: Transaction,
  { id, authorId, acknowledgementRequired, channel }: HeldPost,
): Promise<{ recipientCount: number; childCount: number }> {
  const readers = sql`
    select distinct m.user_id, p.child_id
    from audience_members m
    left join active_places p on p.user_id = m.user_id and p.child_id is not null
      and p.organization_id = ${channel.organizationId} and ${channel.kind} <> 'STAFF'
      and coalesce(p.group_id = ${channel.groupId}::uuid, true)
    where m.audience_id = ${channel.audienceId} and m.until is null and m.user_id <> ${authorId}`;
  const counts = sql`select count(distinct user_id)::int as "recipientCount", count(distinct child_id)::int as "childCount"`;
  const [counted] = await rows<{ recipientCount: number; childCount: number }>(
    tx,
    acknowledgementRequired
      ? sql`with frozen as (
          insert into post_recipients (post_id, user_id, child_id) select ${id}::uuid, r.* from (${readers}) r
          returning user_id, child_id) ${counts} from frozen`
      : sql`${counts} from (${readers}) r`,
  );
  return counted ?? { recipientCount: 0, childCount: 0 };
}

/** Says that one has taken note of a post that asks for it. Repeating it changes nothing. @throws NotFound, InvalidInput, InvalidState */
export const acknowledgePost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  addToPost(db, viewer, postId, async (tx, { post }) => {
    if (!post.acknowledgementRequired) throw new InvalidInput('postId', 'INVALID_NOT_REQUIRED');
    const added = await tx
      .insert(postAcknowledgements)
      .values({ postId, userId: viewer.userId })
      .onConflictDoNothing()
      .returning();
    if (added.length === 0) return post;
    // Whoever counts, and the person's other devices.
    await tellPublishers(tx, post, { kind: 'POST_ACKNOWLEDGED', subjectId: postId }, viewer.userId);
    return post;
  });

/**
 * Reminds everybody who was asked to acknowledge a post, has not, and still reads it.
 * @returns the post, and how many were reminded
 * @throws NotFound, Forbidden, InvalidInput, InvalidState, RateLimited within an hour of the last time
 */
export const remindUnacknowledged = (
  db: Database,
  viewer: Viewer,
  postId: string,
): Promise<{ post: PostRow; remindedCount: number }> =>
  changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    if (!canKeepPost(fresh, before)) throw publishersOnly({ ...before.channel, state: 'ACTIVE' });
    if (before.state !== 'PUBLISHED') throw new InvalidState(before.state);
    if (!before.acknowledgementRequired) throw new InvalidInput('postId', 'INVALID_NOT_REQUIRED');
    const again = new Date((before.remindedAt?.getTime() ?? 0) + remindEveryMs);
    if (again > new Date()) throw new RateLimited(again);
    const people = await waitedFor(tx, postId);
    const post = await setPost(tx, before, { remindedAt: sql`now()` });
    const { organizationId, channelId } = post;
    await append(
      tx,
      ...people.map((audienceId) => ({
        kind: 'POST_REMINDED',
        organizationId,
        audienceId,
        subjectId: postId,
        payload: { placeId: channelId },
      })),
    );
    await recordPost(tx, viewer.userId, post, 'remind', { after: { remindedCount: people.length } });
    return { post, remindedCount: people.length };
  });
