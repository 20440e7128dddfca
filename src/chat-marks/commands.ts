import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { tellChat, visitChat } from '../chats/commands.ts';
import { type ChatMarks, chatMarks } from '../chats/tables.ts';
import type { Database } from '../database/connect.ts';
import { InvalidInput } from '../errors.ts';
import { demandComingYear, prose, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import type { Viewer } from '../viewer.ts';

/**
 * Marks a chat as read, up to a number or to the last message. A mark never goes back. One's own devices hear of it, of a DIRECT
 * chat also the other. @throws NotFound, InvalidInput
 */
export const markChatRead = (db: Database, viewer: Viewer, chatId: string, upTo: number | null): Promise<void> =>
  transact(db, async (tx) => {
    const { chat, own } = await visitChat(tx, viewer, chatId);
    if (upTo !== null && (upTo < 0 || upTo > own.lastNumber)) throw new InvalidInput('upTo', 'INVALID_MESSAGE_NUMBER');
    const readThrough = upTo ?? own.lastNumber;
    if (readThrough <= own.readThrough) return;
    const moved = await tx
      .insert(chatMarks)
      .values({ chatId, userId: viewer.userId, readThrough })
      .onConflictDoUpdate({
        target: [chatMarks.chatId, chatMarks.userId],
        set: { readThrough },
        setWhere: sql`${chatMarks.readThrough} < ${readThrough}`,
      })
      .returning();
    if (moved.length === 0) return;
    const isDirect = chat.kind === 'DIRECT' && own.capacities.length > 0;
    await tellChat(tx, isDirect ? chat : { ...chat, audienceId: viewer.userId }, 'CHAT_READ');
  });

/** Keeps a chat quiet for oneself, until a time or until `unmuteChat`. @throws NotFound, InvalidInput */
export async function muteChat(db: Database, viewer: Viewer, chatId: string, until: Date | null): Promise<void> {
  demandComingYear('until', until);
  await mark(db, viewer, chatId, 'CHAT_MUTED', { mutedAt: sql`now()`, mutedUntil: until });
}

/** Hears of a chat again. @throws NotFound */
export const unmuteChat = (db: Database, viewer: Viewer, chatId: string): Promise<void> =>
  mark(db, viewer, chatId, 'CHAT_MUTED', { mutedAt: null, mutedUntil: null });

const Draft = z.object({ text: prose(4_000) });

/** Keeps what somebody has begun to write, for their other devices; null or empty: nothing. @throws NotFound, InvalidInput */
export const saveChatDraft = (db: Database, viewer: Viewer, chatId: string, input: unknown): Promise<void> =>
  mark(db, viewer, chatId, 'CHAT_DRAFT_SAVED', { draft: valid(Draft, input).text });

type Marks = { readonly [Name in keyof ChatMarks]?: ChatMarks[Name] | SQL };

async function mark(db: Database, viewer: Viewer, chatId: string, kind: string, marks: Marks): Promise<void> {
  await transact(db, async (tx) => {
    const { chat } = await visitChat(tx, viewer, chatId);
    await tx
      .insert(chatMarks)
      .values({ ...(marks as Partial<ChatMarks>), chatId, userId: viewer.userId }) // Drizzle takes an expression for a value
      .onConflictDoUpdate({ target: [chatMarks.chatId, chatMarks.userId], set: marks });
    await tellChat(tx, { ...chat, audienceId: viewer.userId }, kind);
  });
}
