import { eq, sql } from 'drizzle-orm';
import { tellChat, type Visit, visitChat } from '../chats/commands.ts';
import { obstacleTo } from '../chats/policy.ts';
import { type ChatRow, chatMarks, chats } from '../chats/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidState, NotFound } from '../errors.ts';
import { transact } from '../log/append.ts';
import type { Viewer } from '../viewer.ts';
import { canSeeMessage } from './policy.ts';
import { type Message, messageById } from './queries.ts';
import { type MessageRow, messages } from './tables.ts';

/** A message as commands hold it: locked, in its chat, before whoever does something with it. */
export interface HeldMessage extends Visit {
  readonly message: Message;
}

/**
 * Does something with a message that the viewer sees, while nobody else does and nobody's rights change; answers with its id.
 * @throws NotFound
 */
export const changeMessage = (
  db: Database,
  viewer: Viewer,
  messageId: string,
  make: (tx: Transaction, held: HeldMessage) => Promise<void>,
): Promise<string> =>
  transact(db, async (tx) => {
    const [known] = await tx.select({ chatId: messages.chatId }).from(messages).where(eq(messages.id, messageId));
    if (!known) throw new NotFound();
    const visit = await visitChat(tx, viewer, known.chatId);
    await tx.select({ id: messages.id }).from(messages).where(eq(messages.id, messageId)).for('update');
    const [message] = await messageById(tx, [messageId], () => visit.viewer);
    if (!message || !canSeeMessage(visit.viewer, message, visit.own)) throw new NotFound();
    await make(tx, { ...visit, message });
    return messageId;
  });

/** Refuses who may not write in a chat that they read. @throws Forbidden, InvalidState */
export function demandWriting({ own, chat }: Pick<Visit, 'own' | 'chat'>): void {
  const obstacle = obstacleTo(own, chat);
  if (obstacle === 'LEFT') throw new Forbidden('FORBIDDEN_LEFT_CHAT');
  if (obstacle) throw new InvalidState(obstacle);
}

/** Changes a message and tells all who take part. */
export async function setMessage(
  tx: Transaction,
  { message, chat }: HeldMessage,
  changes: Parameters<ReturnType<typeof tx.update<typeof messages>>['set']>[0],
  kind: string,
): Promise<void> {
  await tx.update(messages).set(changes).where(eq(messages.id, message.id));
  await tellChat(tx, chat, kind, message.id);
}

/** The next number of a chat, which is its author's alone until the transaction ends. */
export async function takeNumber(tx: Transaction, chatId: string): Promise<number> {
  const [counted] = await tx
    .update(chats)
    .set({ lastNumber: sql`${chats.lastNumber} + 1`, place: sql`uuidv7()` })
    .where(eq(chats.id, chatId))
    .returning({ number: chats.lastNumber });
  if (!counted) throw new NotFound();
  return counted.number;
}

/** What follows from a message being said: its author has read as far, and all who take part hear of it. */
export async function tellSent(
  tx: Transaction,
  chat: Pick<ChatRow, 'id' | 'organizationId' | 'audienceId'>,
  { id, authorId: userId, number, capacity }: Pick<MessageRow, 'id' | 'authorId' | 'number' | 'capacity'>,
): Promise<void> {
  const marks = { readThrough: number ?? 0, capacity };
  await tx
    .insert(chatMarks)
    .values({ chatId: chat.id, userId, ...marks })
    .onConflictDoUpdate({ target: [chatMarks.chatId, chatMarks.userId], set: marks });
  await tellChat(tx, chat, 'MESSAGE_SENT', id);
}
