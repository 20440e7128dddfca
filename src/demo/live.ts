import { and, eq } from 'drizzle-orm';
import { freshViewer } from '../audiences/queries.ts';
import { joinBroadcast } from '../broadcast-attendance/commands.ts';
import { broadcastAttendances } from '../broadcast-attendance/tables.ts';
import { scheduleBroadcast, setBroadcastRecording } from '../broadcast-planning/commands.ts';
import { endBroadcast, startBroadcast } from '../broadcasts/commands.ts';
import { broadcasts } from '../broadcasts/tables.ts';
import { channels } from '../channels/tables.ts';
import { chats } from '../chats/tables.ts';
import { placeAt } from '../database/columns.ts';
import type { Transaction } from '../database/connect.ts';
import { scheduleMeeting } from '../meeting-planning/commands.ts';
import type { Voices } from './news.ts';

const hourMs = 60 * 60_000;

/** A full hour, so many from now. */
const hourIn = (hours: number): Date => new Date(Math.ceil(Date.now() / hourMs + hours) * hourMs);

const openDay = 'Музыкальный зал, группы и новая площадка — за сорок минут. Запись останется здесь.';

const matinee = 'Прямая трансляция из музыкального зала для тех, кто не сможет прийти. Вопросы — в чате трансляции.';

const agenda = `1. Как прошла адаптация.
2. Утренник: кто помогает.
3. Разное.`;

/** A broadcast that was, one that is to be, and a meeting of parents. */
export async function fillLive(tx: Transaction, organizationId: string, voices: Voices): Promise<void> {
  const { head, educator, parent } = voices;
  const community = and(eq(channels.organizationId, organizationId), eq(channels.kind, 'COMMUNITY'));
  const [channel] = await tx.select().from(channels).where(community);
  const ofGroup = and(eq(chats.organizationId, organizationId), eq(chats.name, 'Пчёлки'));
  const [chat] = await tx.select().from(chats).where(ofGroup);
  const [channelId, chatId] = [channel?.id ?? '', chat?.id ?? ''];

  const past = await scheduleBroadcast(tx, head, { channelId, title: 'День открытых дверей', description: openDay });
  await startBroadcast(tx, head, past.id);
  for (const watcher of [educator, parent]) await joinBroadcast(tx, await freshViewer(tx, watcher), past.id);
  await endBroadcast(tx, head, past.id);
  await setBroadcastRecording(tx, head, past.id, { url: 'https://ryabinka.example/video/open-day' });
  await letItHaveBeenYesterday(tx, past.id);

  await scheduleBroadcast(tx, head, {
    channelId,
    title: 'Осенний утренник',
    description: matinee,
    startsAt: hourIn(24),
    questioning: 'OPEN',
  });
  await scheduleMeeting(tx, educator, {
    chatId,
    title: 'Родительское собрание',
    agenda,
    format: 'HYBRID',
    location: 'Музыкальный зал',
    startsAt: hourIn(72),
    endsAt: hourIn(73),
  });
}

/** Within one transaction no time passes, so a broadcast would have ended as it began. */
async function letItHaveBeenYesterday(tx: Transaction, broadcastId: string): Promise<void> {
  const startedAt = hourIn(-25);
  const endedAt = new Date(startedAt.getTime() + (40 * hourMs) / 60);
  await tx
    .update(broadcasts)
    .set({ startsAt: startedAt, startedAt, endedAt, place: placeAt(startedAt) })
    .where(eq(broadcasts.id, broadcastId));
  await tx
    .update(broadcastAttendances)
    .set({ joinedAt: startedAt, seenAt: endedAt, leftAt: endedAt, watchedSeconds: 40 * 60 })
    .where(eq(broadcastAttendances.broadcastId, broadcastId));
}
