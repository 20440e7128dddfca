import { and, eq } from 'drizzle-orm';
import { tellChat } from '../chats/commands.ts';
import type { Database } from '../database/connect.ts';
import { InvalidInput, InvalidState } from '../errors.ts';
import { changeMessage, demandWriting, type HeldMessage } from '../messages/commands.ts';
import { messageReactions } from '../messages/tables.ts';
import { demandEmoji, maxEmojis } from '../reactions/commands.ts';
import type { Viewer } from '../viewer.ts';

/** Reacts to a message with an emoji. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const addMessageReaction = (db: Database, viewer: Viewer, messageId: string, emoji: string): Promise<string> =>
  changeMessage(db, viewer, messageId, async (tx, held) => {
    demandReactable(held);
    demandEmoji(emoji);
    const { reactionCounts } = held.message;
    if (reactionCounts.length >= maxEmojis && !reactionCounts.some((one) => one.emoji === emoji))
      throw new InvalidInput('emoji', 'TOO_MANY_REACTIONS', { max: maxEmojis });
    const added = await tx
      .insert(messageReactions)
      .values({ messageId, emoji, userId: viewer.userId })
      .onConflictDoNothing()
      .returning();
    if (added.length > 0) await tellChat(tx, held.chat, 'MESSAGE_REACTED', messageId);
  });

/** Takes a reaction back. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const removeMessageReaction = (
  db: Database,
  viewer: Viewer,
  messageId: string,
  emoji: string,
): Promise<string> =>
  changeMessage(db, viewer, messageId, async (tx, held) => {
    demandReactable(held);
    demandEmoji(emoji);
    const own = and(eq(messageReactions.messageId, messageId), eq(messageReactions.userId, viewer.userId));
    const removed = await tx
      .delete(messageReactions)
      .where(and(own, eq(messageReactions.emoji, emoji)))
      .returning();
    if (removed.length > 0) await tellChat(tx, held.chat, 'MESSAGE_REACTED', messageId);
  });

function demandReactable(held: HeldMessage): void {
  demandWriting(held);
  if (held.message.state !== 'SENT') throw new InvalidState(held.message.state);
}
