import { eq } from 'drizzle-orm';
import { audit, type Deed } from '../audit/commands.ts';
import { tellChat, type Visit, visitChat } from '../chats/commands.ts';
import { canManageChat } from '../chats/policy.ts';
import { type ChatRow, chats } from '../chats/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { transact } from '../log/append.ts';
import type { Viewer } from '../viewer.ts';

/** Changes a CUSTOM chat that the viewer manages, while nobody else does. @throws NotFound, Forbidden, InvalidInput */
export const manageChat = (
  db: Database,
  viewer: Viewer,
  chatId: string,
  make: (tx: Transaction, visit: Visit) => Promise<void>,
): Promise<void> =>
  transact(db, async (tx) => {
    const visit = await visitChat(tx, viewer, chatId, 'no key update');
    if (!canManageChat(visit.viewer, { ...visit.chat, ...visit.own }, visit.own))
      throw visit.chat.kind === 'CUSTOM'
        ? new Forbidden('FORBIDDEN_CHAT_MANAGERS')
        : new InvalidInput('chatId', 'INVALID_DERIVED_CHAT');
    await make(tx, visit);
  });

/** Writes down what was done with a chat. */
export const recordChat = (
  tx: Transaction,
  { userId }: Viewer,
  { id, organizationId }: ChatRow,
  deed: string,
  said: Pick<Deed, 'before' | 'after'>,
): Promise<void> =>
  audit(tx, userId, { ...said, action: `chat.${deed}`, target: { type: 'Chat', id }, organizationId });

/** Freezes a CUSTOM chat: it is read, not written. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const makeChatReadOnly = (db: Database, viewer: Viewer, chatId: string) =>
  become(db, viewer, chatId, 'READ_ONLY', 'makeReadOnly');

/** Lets people write in a frozen chat again. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const reopenChat = (db: Database, viewer: Viewer, chatId: string) =>
  become(db, viewer, chatId, 'ACTIVE', 'reopen');

/** Puts a CUSTOM chat away for good. Repeating it changes nothing. @throws NotFound, Forbidden */
export const archiveChat = (db: Database, viewer: Viewer, chatId: string) =>
  become(db, viewer, chatId, 'ARCHIVED', 'archive');

const become = (db: Database, viewer: Viewer, chatId: string, state: ChatRow['state'], deed: string) =>
  manageChat(db, viewer, chatId, async (tx, { chat }) => {
    if (chat.state === state) return;
    if (chat.state === 'ARCHIVED') throw new InvalidState(chat.state);
    await tx.update(chats).set({ state }).where(eq(chats.id, chatId));
    await tellChat(tx, chat, 'CHAT_UPDATED');
    await recordChat(tx, viewer, chat, deed, { before: { state: chat.state }, after: { state } });
  });
