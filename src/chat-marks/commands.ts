import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { missedSince } from '../calls/queries.ts';
import { tellChat, visitChat } from '../chats/commands.ts';
import { type Asker, askerOf } from '../chats/queries.ts';
import { type ChatMarks, chatMarks } from '../chats/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import { InvalidInput } from '../errors.ts';
import { demandComingYear, prose, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import type { Viewer } from '../viewer.ts';

/**
 * Marks a chat as read, up to a number or to the last message, and its missed calls as seen. A mark never goes back. One's own
 * devices hear of it, of a DIRECT chat what was read also the other. @throws NotFound, InvalidInput
 */
export const markChatRead = (db: Database, viewer: Viewer, chatId: string, upTo: number | null): Promise<void> =>
  transact(db, async (tx) => {
    const { chat, own, viewer: fresh } = await visitChat(tx, viewer, chatId);
    if (upTo !== null && (upTo < 0 || upTo > own.lastNumber)) throw new InvalidInput('upTo', 'INVALID_MESSAGE_NUMBER');
    const readThrough = upTo ?? own.lastNumber;
    const hasRead = readThrough > own.readThrough && (await readOn(tx, { chatId, userId: viewer.userId, readThrough }));
    const [seen] = await seeCalls(tx, { ...askerOf(fresh), chatId });
    if (!hasRead && !seen) return;
    const isForBoth = hasRead && chat.kind === 'DIRECT' && own.capacities.length > 0;
    await tellChat(tx, isForBoth ? chat : { ...chat, audienceId: viewer.userId }, 'CHAT_READ');
  });

/** Whether the mark has moved: on another device it may have, and further. */
async function readOn(
  tx: Transaction,
  mark: Required<Pick<ChatMarks, 'chatId' | 'userId' | 'readThrough'>>,
): Promise<boolean> {
  const { readThrough } = mark;
  const moved = await tx
    .insert(chatMarks)
    .values(mark)
    .onConflictDoUpdate({
      target: [chatMarks.chatId, chatMarks.userId],
      set: { readThrough },
      setWhere: sql`${chatMarks.readThrough} < ${readThrough}`,
    })
    .returning();
  return moved.length > 0;
}

/** Not as of now: a call that is just being missed comes to be known afterwards. */
const seeCalls = prepareRaw<{ chatId: string }, Asker & { chatId: string }>(sql`
  insert into chat_marks (chat_id, user_id, calls_seen_at)
  select c.id, ${sql.placeholder('userId')}::uuid, max(l.ended_at)
  from chats c join calls l on l.chat_id = c.id
  left join participations p on p.room_id = l.id and p.user_id = ${sql.placeholder('userId')}::uuid
  left join chat_marks k on k.chat_id = c.id and k.user_id = ${sql.placeholder('userId')}::uuid
  where c.id = ${sql.placeholder('chatId')}::uuid and ${missedSince(sql`k.calls_seen_at`)}
  group by c.id
  on conflict (chat_id, user_id) do update set calls_seen_at = excluded.calls_seen_at
    where coalesce(chat_marks.calls_seen_at < excluded.calls_seen_at, true)
  returning chat_id as "chatId"`);

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
