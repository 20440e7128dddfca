import { and, eq } from 'drizzle-orm';
import { createChat } from '../chat-members/commands.ts';
import { chats } from '../chats/tables.ts';
import type { Transaction } from '../database/connect.ts';
import { addMessageReaction } from '../message-reactions/commands.ts';
import { sendMessage } from '../sending/commands.ts';
import type { Viewer } from '../viewer.ts';
import type { Voices } from './news.ts';

/** What has been said so far: in a group's chat, among the staff, and between two. */
export async function fillTalk(tx: Transaction, organizationId: string, voices: Voices): Promise<void> {
  const { administrator, head, educator, parent } = voices;
  let said = 0;
  const say = async (who: Viewer, chatId: string, text: string, more: object = {}): Promise<string> => {
    const clientMessageId = `demo-message-${++said}`;
    return (await sendMessage(tx, who, { chatId, text, clientMessageId, ...more })).id;
  };
  const chat = async (kind: 'HEAD_STAFF' | 'GROUP_GUARDIANS', name?: string) => {
    const named = name === undefined ? undefined : eq(chats.name, name);
    const [found] = await tx
      .select()
      .from(chats)
      .where(and(eq(chats.organizationId, organizationId), eq(chats.kind, kind), named));
    return found?.id ?? '';
  };

  const group = await chat('GROUP_GUARDIANS', 'Пчёлки');
  await say(educator, group, 'Доброе утро! Завтра у нас прогулка в парк, возьмите сменные варежки.');
  const asked = await say(parent, group, 'Доброе утро! Мы завтра придём к девяти, можно?');
  await say(educator, group, 'Конечно, ждём.', { replyToId: asked });
  const note = await say(educator, group, 'В пятницу фотограф. Пожалуйста, отметьте, что прочитали.', {
    priority: 'IMPORTANT',
    acknowledgementRequired: true,
  });
  await addMessageReaction(tx, parent, note, '👍');

  await say(head, await chat('HEAD_STAFF'), 'Коллеги, планёрка сегодня в 13:30, в методическом кабинете.');

  const between = (one: Viewer, other: Viewer) =>
    createChat(tx, one, { organizationId, kind: 'DIRECT', userIds: [other.userId] });
  await say(educator, await between(educator, parent), 'Вера Борисовна, вы забыли шапку, она в шкафчике.');

  const matinee = { organizationId, kind: 'CUSTOM', name: 'Осенний утренник', userIds: [educator.userId, head.userId] };
  await say(administrator, await createChat(tx, administrator, matinee), 'Кто ведёт утренник в этом году?');
}
