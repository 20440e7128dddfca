import { randomUUID } from 'node:crypto';
import { idOf } from '../../src/graphql/ids.ts';
import type { TestApp } from './app.ts';
import type { Json, TestClient } from './client.ts';
import { openNewsroom } from './newsroom.ts';
import { inDatabase } from './sql.ts';
import type { Person, School, World } from './world.ts';

/** A school with somebody in each role, the chat of one of its groups, and that of its staff. */
export async function openTalk(world: World) {
  const room = await openNewsroom(world);
  const [chatId, staffChat, otherChat] = [
    await world.chat(room.teacher, room.school, room.groupId),
    await world.chat(room.teacher, room.school),
    await world.chat(room.otherTeacher, room.school, room.otherGroupId),
  ];
  return { ...room, chatId, staffChat, otherChat };
}

export type Talk = Awaited<ReturnType<typeof openTalk>>;

/** A client's key for one message. */
export const newKey = (): string => `key-${randomUUID()}`;

/** What sending is answered with, also when it is refused. */
export const say = (person: TestClient, chatId: string, text: string | null, input: object = {}): Promise<Json> =>
  person.does('SendMessage', { input: { chatId, text, clientMessageId: newKey(), ...input } });

/** A chat of some people's own, begun by the first. */
export async function ownChat(world: World, school: School, people: readonly Person[], input: object = {}) {
  const [creator, ...others] = people;
  if (!creator) throw new Error('nobody begins the chat');
  const userIds = await Promise.all(others.map((person) => world.userId(person)));
  const made = await creator.does('CreateChat', {
    input: { organizationId: school.id, kind: 'CUSTOM', name: 'Outing', userIds, ...input },
  });
  if (made.__typename !== 'Chat') throw new Error(JSON.stringify(made));
  return String(made.id);
}

/** What somebody reads of a chat, from its beginning; null: they do not see it. */
export async function historyFor(person: TestClient, id: string): Promise<Json[] | null> {
  const { chat } = await person.run('Chat', { id, first: 100 });
  return chat?.messages.nodes.toReversed() ?? null;
}

/** How somebody sees a message; null: not at all. */
export const messageFor = async (person: TestClient, id: string): Promise<Json> =>
  (await person.run('Message', { id })).node;

/** How somebody sees a chat, with their marks. */
export const chatFor = async (person: TestClient, id: string): Promise<Json> =>
  (await person.run('Chat', { id, first: 1 })).chat;

/** The numbers of a chat's messages, its counter last: what the database holds, whoever may see it. */
export const numbersIn = (app: TestApp, chatId: string): Promise<number[]> =>
  inDatabase(app, async (sql) => {
    const id = idOf('Chat', chatId);
    const found = await sql<{ number: string }[]>`
      select number from messages where chat_id = ${id} and number is not null
      union all select last_number from chats where id = ${id} order by number`;
    return found.map(({ number }) => Number(number));
  });

/** The numbers of a chat in which so much was said: each once, and the counter at the last. */
export const gapless = (size: number): number[] => [...Array.from({ length: size }, (_, index) => index + 1), size];

/** Lets a message be as old as this. */
export const age = (app: TestApp, messageId: string, hours: number): Promise<unknown> =>
  inDatabase(
    app,
    (sql) =>
      sql`update messages set sent_at = now() - make_interval(secs => ${hours * 3600}) where id = ${idOf('Message', messageId)}`,
  );
