import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { copyFiles } from '../attachments/commands.ts';
import { visitChat } from '../chats/commands.ts';
import { chatWithin } from '../chats/queries.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { valid } from '../input.ts';
import { pastOf } from '../message-pasts/queries.ts';
import { demandWriting, placeMessage } from '../messages/commands.ts';
import { canSeeMessage } from '../messages/policy.ts';
import { type Message, messageById } from '../messages/queries.ts';
import { messages } from '../messages/tables.ts';
import { capacityFor, clientMessageId, firstOf, sayOnce } from '../sending/commands.ts';
import type { Viewer } from '../viewer.ts';

const ForwardMessage = z.object({
  messageId: z.string(),
  chatId: z.string(),
  capacity: z
    .enum(['EMPLOYEE', 'GUARDIAN', 'STUDENT'])
    .nullish()
    .transform((capacity) => capacity ?? null),
  clientMessageId,
});
type Wish = z.output<typeof ForwardMessage>;

/**
 * Says in a chat what was said in another one of the same organization, with its files. A repeat with the same `clientMessageId`
 * answers with the first. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function forwardMessage(db: Database, viewer: Viewer, input: unknown): Promise<string> {
  const wish = valid(ForwardMessage, input);
  return sayOnce(db, (tx) => forwardOnce(tx, viewer, wish));
}

async function forwardOnce(tx: Transaction, viewer: Viewer, wish: Wish): Promise<string> {
  const visit = await visitChat(tx, viewer, wish.chatId);
  const first = await firstOf(tx, viewer, wish);
  if (first) return first.id;
  const source = await sourceOf(tx, visit.viewer, wish.messageId);
  if (source.state !== 'SENT' || source.organizationId !== visit.chat.organizationId)
    throw new InvalidInput('messageId', 'INVALID_FORWARD');
  demandWriting(visit);
  const id = await placeMessage(tx, visit.chat, {
    authorId: viewer.userId,
    capacity: capacityFor(visit.own, wish),
    text: source.text,
    clientMessageId: wish.clientMessageId,
    forwardedFromId: source.id,
  });
  const copies = { kind: 'MESSAGE', id, organizationId: visit.chat.organizationId } as const;
  await copyFiles(tx, { kind: 'MESSAGE', id: source.id }, copies, viewer);
  return id;
}

/** @throws NotFound */
async function sourceOf(tx: Transaction, viewer: Viewer, messageId: string): Promise<Message> {
  // Who deletes it meanwhile waits: else its words would be said without its files.
  await tx.select({ id: messages.id }).from(messages).where(eq(messages.id, messageId)).for('share');
  const [source] = await messageById(tx, [messageId], () => viewer);
  const chat = source ? await chatWithin(tx, viewer, source.chatId) : null;
  if (!source || !chat || !canSeeMessage(viewer, source, chat.own)) throw new NotFound();
  const { leftAt } = chat.own;
  const [past] = leftAt ? await pastOf(tx, [{ id: source.id, leftAt }], () => viewer) : [];
  return { ...source, text: past?.text ?? source.text };
}
