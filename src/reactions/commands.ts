import { and, eq, sql } from 'drizzle-orm';
import type { Database, Transaction } from '../database/connect.ts';
import { InvalidInput } from '../errors.ts';
import { append } from '../log/append.ts';
import { addToPost, type HeldPost, participantsOnly } from '../posts/commands.ts';
import { canTakePart } from '../posts/policy.ts';
import type { PostRow } from '../posts/tables.ts';
import type { Viewer } from '../viewer.ts';
import { postReactions } from './tables.ts';

/** Different emojis on one post or message. */
export const maxEmojis = 20;
const oneEmoji = /^\p{RGI_Emoji}$/v;

/** @throws InvalidInput unless it is one emoji */
export function demandEmoji(emoji: string): void {
  if (!oneEmoji.test(emoji)) throw new InvalidInput('emoji', 'INVALID_EMOJI');
}

/** Reacts to a post with an emoji. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const addReaction = (db: Database, viewer: Viewer, postId: string, emoji: string): Promise<PostRow> =>
  addToPost(db, viewer, postId, async (tx, { post, viewer: fresh }) => {
    if (!canTakePart(fresh, post)) throw participantsOnly(post);
    demandEmoji(emoji);
    if (!(await emojisOf(tx, postId)).has(emoji)) await makeRoom(tx, postId, emoji);
    const added = await tx
      .insert(postReactions)
      .values({ postId, emoji, userId: viewer.userId })
      .onConflictDoNothing()
      .returning();
    return added.length === 0 ? post : told(tx, viewer, post);
  });

/** Those who bring a new emoji to a post do so one after the other, so that there are never too many. */
async function makeRoom(tx: Transaction, postId: string, emoji: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`post_reactions ${postId}`}, 0))`);
  const known = await emojisOf(tx, postId); // again: somebody may just have been before
  if (known.size >= maxEmojis && !known.has(emoji))
    throw new InvalidInput('emoji', 'TOO_MANY_REACTIONS', { max: maxEmojis });
}

async function emojisOf(tx: Transaction, postId: string): Promise<ReadonlySet<string>> {
  const { emoji } = postReactions;
  const found = await tx.selectDistinct({ emoji }).from(postReactions).where(eq(postReactions.postId, postId));
  return new Set(found.map((row) => row.emoji));
}

/** Takes a reaction back. Repeating it changes nothing. @throws NotFound, InvalidInput, InvalidState */
export const removeReaction = (db: Database, viewer: Viewer, postId: string, emoji: string): Promise<PostRow> =>
  addToPost(db, viewer, postId, async (tx, { post }) => {
    demandEmoji(emoji);
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
