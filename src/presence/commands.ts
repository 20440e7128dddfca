import { canWriteIn, obstacleTo } from '../chats/policy.ts';
import { type Chat, chatWithin } from '../chats/queries.ts';
import type { Database } from '../database/connect.ts';
import { Forbidden, InvalidState, NotFound } from '../errors.ts';
import type { Limiter } from '../graphql/rates.ts';
import type { Board } from '../signals/board.ts';
import { typing } from '../signals/rooms.ts';
import type { Signals } from '../signals/signals.ts';
import type { Viewer } from '../viewer.ts';

/** How long somebody writes who does not say so again; and for how long to say so again tells nothing new. */
const typingMs = 6_000;
const toldMs = 3_000;

/** What carries it: around the log, and nothing of it is kept. */
export interface Means {
  readonly signals: Signals;
  readonly board: Board;
  /** How often one person may say so in one chat. */
  readonly limit: Limiter;
}

/**
 * Tells those in a chat that somebody writes there, for 6 seconds. To say so again within 3 changes nothing. @throws NotFound,
 * Forbidden, InvalidState, RateLimited
 */
export async function startTyping(db: Database, viewer: Viewer, chatId: string, means: Means): Promise<Chat> {
  const chat = await visited(db, viewer, chatId, means);
  if (!canWriteIn(chat.own, chat)) {
    if (obstacleTo(chat.own, chat) === 'LEFT') throw new Forbidden('FORBIDDEN_LEFT_CHAT');
    throw new InvalidState(chat.state);
  }
  const isNews = means.board.leftMs(typing, chatId, viewer.userId) <= typingMs - toldMs;
  if (isNews) means.signals.publish({ kind: typing, placeId: chatId, userId: viewer.userId, forMs: typingMs });
  return chat;
}

/** Tells that somebody writes no longer; of who does not it changes nothing. @throws NotFound, RateLimited */
export async function stopTyping(db: Database, viewer: Viewer, chatId: string, means: Means): Promise<Chat> {
  const chat = await visited(db, viewer, chatId, means);
  const isNews = means.board.holds(typing, chatId, viewer.userId);
  if (isNews) means.signals.publish({ kind: typing, placeId: chatId, userId: viewer.userId, forMs: 0 });
  return chat;
}

/** The chat as it is now, without a lock: what is told of it is over in seconds. */
async function visited(db: Database, viewer: Viewer, chatId: string, { limit }: Means) {
  await limit(`${viewer.userId} ${chatId}`);
  const chat = await chatWithin(db, viewer, chatId);
  if (!chat) throw new NotFound();
  return chat;
}
