import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { deleteFilesOf } from '../attachments/commands.ts';
import { audit } from '../audit/commands.ts';
import { canKeepChat } from '../chats/policy.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { forget } from '../forgetting/commands.ts';
import { prose, valid } from '../input.ts';
import { changeMessage, demandWriting, type HeldMessage, setMessage } from '../messages/commands.ts';
import { canDeleteMessage, canEditMessage, editHours } from '../messages/policy.ts';
import { maxLength, messageRevisions } from '../messages/tables.ts';
import type { Viewer } from '../viewer.ts';

const EditMessage = z.object({ text: prose(maxLength).transform((text) => text ?? '') });

/** Changes what one has said, within 24 hours; what it said before is kept. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function editMessage(db: Database, viewer: Viewer, messageId: string, input: unknown): Promise<string> {
  const { text } = valid(EditMessage, input);
  return changeMessage(db, viewer, messageId, async (tx, held) => {
    const { message, own, chat, viewer: fresh } = held;
    if (message.authorId !== fresh.userId) throw new Forbidden('FORBIDDEN_AUTHOR');
    demandWriting(held);
    if (message.state !== 'SENT') throw new InvalidState(message.state);
    if (!canEditMessage(fresh, message, own, chat, new Date()))
      throw new Forbidden('FORBIDDEN_TOO_LATE', { hours: editHours });
    if (message.text === text) return;
    if (!text && message.files.length === 0) throw new InvalidInput('text', 'INVALID_EMPTY_MESSAGE');
    if (await isPoll(tx, message.id)) throw new InvalidInput('messageId', 'INVALID_POLL_MESSAGE');
    const replaced = { messageId: message.id, text: message.text, replacedBy: fresh.userId };
    await tx.insert(messageRevisions).values(replaced);
    await setMessage(tx, held, { text, editedAt: sql`now()` }, 'MESSAGE_EDITED');
  });
}

/** What a poll asks stays as those read it who have voted. */
async function isPoll(tx: Transaction, messageId: string): Promise<boolean> {
  return (await rows(tx, sql`select from polls where message_id = ${messageId}`)).length > 0;
}

/**
 * Deletes a message for good, with its files and all that it ever said; a tombstone stays in its place. Repeating it changes
 * nothing. @throws NotFound, Forbidden, InvalidState
 */
export const deleteMessage = (db: Database, viewer: Viewer, messageId: string): Promise<string> =>
  changeMessage(db, viewer, messageId, async (tx, held) => {
    const { message, own, chat, viewer: fresh } = held;
    const managed = { ...chat, ...own };
    if (!canDeleteMessage(fresh, message, own, managed, canKeepChat(fresh, managed, own)))
      throw new Forbidden(own.capacities.length > 0 ? 'FORBIDDEN_AUTHOR' : 'FORBIDDEN_LEFT_CHAT');
    if (message.state === 'DELETED') return;
    if (message.state !== 'SENT') throw new InvalidState(message.state);
    const { organizationId } = chat;
    await deleteFilesOf(tx, { kind: 'MESSAGE', id: messageId });
    await forget(tx, fresh.userId, { type: 'Message', id: messageId, organizationId });
    const gone = { pinnedAt: null, deletedAt: sql`now()`, deletedBy: fresh.userId };
    await setMessage(tx, held, { ...gone, state: 'DELETED' }, 'MESSAGE_DELETED');
    if (message.authorId === fresh.userId) return;
    const target = { type: 'Message', id: messageId };
    await audit(tx, fresh.userId, { action: 'message.delete', target, organizationId });
  });

/** Keeps a message at hand for all who take part. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const pinMessage = (db: Database, viewer: Viewer, messageId: string): Promise<string> =>
  keep(db, viewer, messageId, async (tx, held) => {
    if (held.message.pinnedAt) return;
    if (held.message.state !== 'SENT') throw new InvalidState(held.message.state);
    await setMessage(tx, held, { pinnedAt: sql`now()` }, 'MESSAGE_PINNED');
  });

/** Lets a message stand where it was said. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const unpinMessage = (db: Database, viewer: Viewer, messageId: string): Promise<string> =>
  keep(db, viewer, messageId, async (tx, held) => {
    if (held.message.pinnedAt) await setMessage(tx, held, { pinnedAt: null }, 'MESSAGE_UNPINNED');
  });

const keep = (
  db: Database,
  viewer: Viewer,
  messageId: string,
  make: (tx: Transaction, held: HeldMessage) => Promise<void>,
): Promise<string> =>
  changeMessage(db, viewer, messageId, async (tx, held) => {
    demandWriting(held);
    const { viewer: fresh, chat, own } = held;
    if (!canKeepChat(fresh, { ...chat, ...own }, own)) throw new Forbidden('FORBIDDEN_CHAT_STAFF');
    await make(tx, held);
  });
