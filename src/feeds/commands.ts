import { and, eq, sql } from 'drizzle-orm';
import { visitChannel } from '../channels/commands.ts';
import { type Channel, channelMarks } from '../channels/tables.ts';
import { type Database, rows } from '../database/connect.ts';
import { NotFound } from '../errors.ts';
import { append, transact } from '../log/append.ts';
import { canSeePost } from '../posts/policy.ts';
import { posts } from '../posts/tables.ts';
import type { Viewer } from '../viewer.ts';

/**
 * Marks a channel as read, up to a post or to its latest. A mark never goes back: of two devices the one that is further counts.
 * @throws NotFound, InvalidState
 */
export async function markChannelRead(
  db: Database,
  viewer: Viewer,
  channelId: string,
  postId: string | null,
): Promise<Channel> {
  return transact(db, async (tx) => {
    const { channel, viewer: fresh } = await visitChannel(tx, viewer, channelId);
    if (postId) {
      const [post] = await tx
        .select()
        .from(posts)
        .where(and(eq(posts.id, postId), eq(posts.channelId, channelId)));
      if (!post?.publishedAt || !canSeePost(fresh, { ...post, channel })) throw new NotFound();
    }
    const upTo = postId
      ? sql`${posts.id} = ${postId}`
      : sql`${posts.channelId} = ${channelId} and ${posts.state} = 'PUBLISHED'`;
    const moved = await rows(
      tx,
      sql`
      insert into ${channelMarks} (channel_id, user_id, read_through)
      select ${channelId}, ${viewer.userId}, place from ${posts} where ${upTo} order by place desc limit 1
      on conflict (user_id, channel_id) do update set read_through = excluded.read_through
        where channel_marks.read_through is null or channel_marks.read_through < excluded.read_through
      returning 1 as moved`,
    );
    if (moved.length === 0) return channel;
    const { organizationId } = channel;
    await append(tx, { kind: 'CHANNEL_READ', organizationId, audienceId: viewer.userId, subjectId: channelId });
    return channel;
  });
}
