import { and, eq } from 'drizzle-orm';
import { canSeePerson } from '../audiences/policy.ts';
import { tellThoseWhoMeet } from '../chats/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { InvalidInput, InvalidState } from '../errors.ts';
import { changeMessage, demandWriting, type HeldMessage } from '../messages/commands.ts';
import { reactionsMet } from '../messages/policy.ts';
import { messageReactions } from '../messages/tables.ts';
import { demandEmoji, maxEmojis } from '../reactions/commands.ts';
import type { Viewer } from '../viewer.ts';

/** Reacts to a message with an emoji. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const addMessageReaction = (db: Database, viewer: Viewer, messageId: string, emoji: string): Promise<string> =>
  changeMessage(db, viewer, messageId, async (tx, held) => {
    demandReactable(held);
    demandEmoji(emoji);
    const reactionCounts = reactionsMet(held.message, (person) => canSeePerson(held.viewer, person));
    if (reactionCounts.length >= maxEmojis && !reactionCounts.some((one) => one.emoji === emoji))
      throw new InvalidInput('emoji', 'TOO_MANY_REACTIONS', { max: maxEmojis });
    const added = await tx
      .insert(messageReactions)
      .values({ messageId, emoji, userId: viewer.userId })
      .onConflictDoNothing()
      .returning();
    if (added.length > 0) await tellReacted(tx, held);
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
    if (removed.length > 0) await tellReacted(tx, held);
  });

const tellReacted = (tx: Transaction, { chat, message, viewer }: HeldMessage): Promise<void> =>
  tellThoseWhoMeet(tx, chat, [viewer.userId], 'MESSAGE_REACTED', message.id);

function demandReactable(held: HeldMessage): void {
  demandWriting(held);
  if (held.message.state !== 'SENT') throw new InvalidState(held.message.state);
}
