import { and, count, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { attach, deleteFilesOf } from '../attachments/commands.ts';
import { viewerOf } from '../audiences/queries.ts';
import { visitChat } from '../chats/commands.ts';
import { canDisturb, canStress, canWriteIn, takesPart } from '../chats/policy.ts';
import { chatWithin } from '../chats/queries.ts';
import { chats } from '../chats/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { forget } from '../forgetting/commands.ts';
import { demandComingYear, valid } from '../input.ts';
import { cancel, enqueue, type TaskKind } from '../jobs/tasks.ts';
import { append, transact } from '../log/append.ts';
import { changeMessage, takeNumber, tellSent } from '../messages/commands.ts';
import { type MessageRow, maxFiles, messageColumns, messages } from '../messages/tables.ts';
import { lockOrganization } from '../organizations/commands.ts';
import { capacityFor, content, demandContent, firstOf, isStressed, refuseWish, sayOnce } from '../sending/commands.ts';
import type { Viewer } from '../viewer.ts';

/** How many messages of one person may wait. */
const maxScheduled = 100;

const ScheduleMessage = content.extend({ chatId: z.string(), sendAt: z.date() });

/**
 * Has a message sent at a time, within a year, if its author may still write there then. A repeat with the same
 * `clientMessageId` answers with the first. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function scheduleMessage(db: Database, viewer: Viewer, input: unknown): Promise<string> {
  const said = valid(ScheduleMessage, input);
  demandContent(said);
  return sayOnce(db, async (tx) => {
    // One after the other: many at once would pass the limit together, and a repeat must find the first.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`scheduled ${viewer.userId}`}, 0))`);
    const visit = await visitChat(tx, viewer, said.chatId);
    const first = await firstOf(tx, viewer, said);
    if (first) return first.id;
    demandComingYear('sendAt', said.sendAt);
    await refuseWish(tx, visit, said);
    await demandRoom(tx, viewer);
    const { chatId, text, clientMessageId, replyToId, priority, acknowledgementRequired, sendAt } = said;
    const [message] = await tx
      .insert(messages)
      .values({
        chatId,
        text,
        clientMessageId,
        replyToId,
        priority,
        acknowledgementRequired,
        sendAt,
        mentions: said.mentionedIds,
        authorId: viewer.userId,
        capacity: capacityFor(visit.own, said),
        state: 'SCHEDULED',
      })
      .returning(messageColumns);
    if (!message) throw new Error('insert returned no row');
    const { id: messageId } = message;
    const owner = { kind: 'MESSAGE', id: messageId, organizationId: visit.chat.organizationId } as const;
    await attach(tx, owner, said.fileIds, viewer, { field: 'fileIds', max: maxFiles });
    await enqueue(tx, scheduledMessage, { messageId }, { at: sendAt, key: messageId });
    await tellAuthor(tx, message, visit.chat.organizationId, 'MESSAGE_SCHEDULED');
    return messageId;
  });
}

async function demandRoom(tx: Transaction, { userId }: Viewer): Promise<void> {
  const waiting = and(eq(messages.authorId, userId), isNull(messages.number), eq(messages.state, 'SCHEDULED'));
  const [counted] = await tx.select({ size: count() }).from(messages).where(waiting);
  if (counted && counted.size >= maxScheduled)
    throw new InvalidInput('sendAt', 'TOO_MANY_SCHEDULED', { max: maxScheduled });
}

const tellAuthor = (
  tx: Transaction,
  { id, authorId, chatId }: Pick<MessageRow, 'id' | 'authorId' | 'chatId'>,
  organizationId: string,
  kind: string,
): Promise<void> =>
  append(tx, { kind, organizationId, audienceId: authorId, subjectId: id, payload: { placeId: chatId } });

/** Takes back what was to be sent. Repeating it changes nothing. @throws NotFound, InvalidState */
export const cancelScheduledMessage = (db: Database, viewer: Viewer, messageId: string): Promise<string> =>
  changeMessage(db, viewer, messageId, async (tx, { message, chat }) => {
    if (message.authorId !== viewer.userId) throw new Forbidden('FORBIDDEN_AUTHOR');
    if (message.state === 'CANCELLED') return;
    if (message.state !== 'SCHEDULED' && message.state !== 'FAILED') throw new InvalidState(message.state);
    await cancel(tx, scheduledMessage, messageId);
    await deleteFilesOf(tx, { kind: 'MESSAGE', id: messageId });
    const { organizationId } = chat;
    await forget(tx, viewer.userId, { type: 'Message', id: messageId, organizationId });
    await tx.update(messages).set({ state: 'CANCELLED', failure: null }).where(eq(messages.id, messageId));
    await tellAuthor(tx, message, organizationId, 'MESSAGE_CANCELLED');
  });

/** Sends what was scheduled, if its time has come and its author may still say it there. */
export const scheduledMessage: TaskKind<{ readonly messageId: string }> = {
  name: 'scheduled-message',
  run: (db, { messageId }) =>
    transact(db, async (tx) => {
      const [known] = await tx
        .select({ organizationId: chats.organizationId })
        .from(messages)
        .innerJoin(chats, eq(chats.id, messages.chatId))
        .where(eq(messages.id, messageId));
      if (!known) return;
      await lockOrganization(tx, known.organizationId, 'share');
      const [message] = await tx
        .select({ ...messageColumns, isDue: sql<boolean>`${messages.sendAt} <= clock_timestamp()` })
        .from(messages)
        .where(eq(messages.id, messageId))
        .for('update');
      if (message?.state !== 'SCHEDULED' || !message.isDue) return;
      const failure = await obstacleTo(tx, message);
      if (failure) await fail(tx, message, known.organizationId, failure);
      else await send(tx, message);
    }),
};

/** Why its author may not say it any more; null: they may. */
async function obstacleTo(tx: Transaction, message: MessageRow): Promise<MessageRow['failure']> {
  const author = await viewerOf(tx, message.authorId);
  const chat = await chatWithin(tx, author, message.chatId);
  if (!chat || !takesPart(chat.own) || !chat.own.capacities.some((as) => as === message.capacity)) return 'ACCESS_LOST';
  if (!canWriteIn(chat.own, chat)) return 'CHAT_CLOSED';
  if (isStressed(message) && !canStress(chat.own)) return 'ACCESS_LOST';
  return message.priority === 'URGENT' && !canDisturb(author, chat, chat.own) ? 'ACCESS_LOST' : null;
}

async function fail(
  tx: Transaction,
  message: MessageRow,
  organizationId: string,
  failure: NonNullable<MessageRow['failure']>,
): Promise<void> {
  await tx.update(messages).set({ state: 'FAILED', failure }).where(eq(messages.id, message.id));
  await tellAuthor(tx, message, organizationId, 'MESSAGE_FAILED');
}

async function send(tx: Transaction, message: MessageRow): Promise<void> {
  const [chat] = await tx.select().from(chats).where(eq(chats.id, message.chatId));
  if (!chat) throw new NotFound();
  const number = await takeNumber(tx, chat.id);
  await tx
    .update(messages)
    .set({ state: 'SENT', number, sentAt: sql`clock_timestamp()` })
    .where(eq(messages.id, message.id));
  await tellSent(tx, chat, { ...message, number });
}
