import { and, countDistinct, eq, ne } from 'drizzle-orm';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput } from '../errors.ts';
import { append } from '../log/append.ts';
import { addToPost, type HeldPost } from '../posts/commands.ts';
import { canTakePart } from '../posts/policy.ts';
import type { PostRow } from '../posts/tables.ts';
import type { Viewer } from '../viewer.ts';
import { postReactions } from './tables.ts';

/** Different emojis on one post. */
const maxEmojis = 20;
const oneEmoji = /^\p{RGI_Emoji}$/v;

/** Reacts to a post with an emoji. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const addReaction = (db: Database, viewer: Viewer, postId: string, emoji: string): Promise<PostRow> =>
  addToPost(db, viewer, postId, async (tx, { post, viewer: fresh }) => {
    if (!canTakePart(fresh, post)) throw new Forbidden('FORBIDDEN_UNVERIFIED');
    if (!oneEmoji.test(emoji)) throw new InvalidInput('emoji', 'INVALID_EMOJI');
    const [others] = await tx
      .select({ size: countDistinct(postReactions.emoji) })
      .from(postReactions)
      .where(and(eq(postReactions.postId, postId), ne(postReactions.emoji, emoji)));
    if (others && others.size >= maxEmojis) throw new InvalidInput('emoji', 'TOO_MANY_REACTIONS', { max: maxEmojis });
    const added = await tx
      .insert(postReactions)
      .values({ postId, emoji, userId: viewer.userId })
      .onConflictDoNothing()
      .returning();
    return added.length === 0 ? post : told(tx, viewer, post);
  });

/** Takes a reaction back. Repeating it changes nothing. @throws NotFound, InvalidState */
export const removeReaction = (db: Database, viewer: Viewer, postId: string, emoji: string): Promise<PostRow> =>
  addToPost(db, viewer, postId, async (tx, { post }) => {
    const removed = await tx
      .delete(postReactions)
      .where(
        and(eq(postReactions.postId, postId), eq(postReactions.userId, viewer.userId), eq(postReactions.emoji, emoji)),
      )
      .returning();
    return removed.length === 0 ? post : told(tx, viewer, post);
  });

/** Only the person's own devices hear of it: to tell everybody of everybody's would be a delivery for each pair of readers. */
async function told(tx: Transaction, { userId }: Viewer, post: HeldPost): Promise<PostRow> {
  const { id, organizationId, channelId } = post;
  const event = { kind: 'POST_REACTED', organizationId, subjectId: id, payload: { placeId: channelId } };
  await append(tx, { ...event, audienceId: userId });
  return post;
}
