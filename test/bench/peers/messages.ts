/**
 * The ordinary stack for messages: Yoga as it comes, Homeroom's schema in SDL, and one Drizzle transaction a message, with a
 * NOTIFY in it. It asks who is signed in and whether they take part, and knows neither replies nor files nor roles.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { and, eq, gt, isNull, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { createSchema, createYoga } from 'graphql-yoga';
import postgres from 'postgres';
import { sessions, users } from '../../../src/accounts/tables.ts';
import { audienceMembers } from '../../../src/audiences/tables.ts';
import { chatMarks, chats } from '../../../src/chats/tables.ts';
import { logEvents } from '../../../src/log/tables.ts';
import { messages } from '../../../src/messages/tables.ts';
import { hostname, port, typeDefs } from './orders.ts';

const db = drizzle({ client: postgres(process.env.DATABASE_URL ?? '', { max: 10, onnotice: () => {} }) });

interface SendMessage {
  readonly chatId: string;
  readonly text: string;
  readonly clientMessageId: string;
}

const globalId = (type: string, id: string) => Buffer.from(`${type}:${id}`).toString('base64');
const rowId = (id: string) => Buffer.from(id, 'base64').toString().split(':')[1] ?? '';

const sendMessage = (token: string, { chatId, text, clientMessageId }: SendMessage) =>
  db.transaction(async (tx) => {
    const tokenHash = createHash('sha256').update(token).digest();
    const [session] = await tx
      .select()
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(eq(sessions.tokenHash, tokenHash), isNull(sessions.endedAt), gt(sessions.expiresAt, sql`now()`)));
    if (!session) throw new Error('UNAUTHENTICATED');
    const userId = session.users.id;
    const [member] = await tx
      .select({ capacity: audienceMembers.capacity })
      .from(audienceMembers)
      .innerJoin(chats, eq(chats.audienceId, audienceMembers.audienceId))
      .where(and(eq(chats.id, rowId(chatId)), eq(audienceMembers.userId, userId), isNull(audienceMembers.until)));
    if (!member) throw new Error('NOT_FOUND');
    const [chat] = await tx
      .select()
      .from(chats)
      .where(eq(chats.id, rowId(chatId)))
      .for('update');
    if (chat?.state !== 'ACTIVE') throw new Error('INVALID_STATE');
    const number = chat.lastNumber + 1;
    const said = { chatId: chat.id, authorId: userId, capacity: member.capacity, text, clientMessageId };
    const [{ id } = { id: randomUUID() }] = await tx
      .insert(messages)
      .values({ ...said, number, sentAt: sql`clock_timestamp()` })
      .returning({ id: messages.id });
    await tx.update(chats).set({ lastNumber: number, place: id }).where(eq(chats.id, chat.id));
    const mark = { readThrough: number, capacity: member.capacity, draft: null };
    await tx
      .insert(chatMarks)
      .values({ chatId: chat.id, userId, ...mark })
      .onConflictDoUpdate({ target: [chatMarks.chatId, chatMarks.userId], set: mark });
    const { audienceId, organizationId } = chat;
    const event = { audienceId, organizationId, kind: 'MESSAGE_SENT', subjectId: id, payload: { placeId: chat.id } };
    await tx.insert(logEvents).values(event);
    await tx.execute(sql`select pg_notify('messages', ${JSON.stringify({ chatId: chat.id, messageId: id })})`);
    const [sent] = await tx
      .select()
      .from(messages)
      .innerJoin(users, eq(users.id, messages.authorId))
      .where(eq(messages.id, id));
    if (!sent) throw new Error('insert returned no row');
    const { familyName, givenName, patronymic } = sent.users;
    return {
      ...sent.messages,
      __typename: 'Message',
      id: globalId('Message', id),
      sentAt: sent.messages.sentAt?.toISOString(),
      author: { displayName: [familyName, givenName, patronymic].filter(Boolean).join(' ') },
    };
  });

const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: typeDefs(),
    resolvers: {
      Mutation: {
        sendMessage: (_root: unknown, { input }: { input: SendMessage }, { request }: { request: Request }) =>
          sendMessage(String(request.headers.get('authorization')).replace(/^Bearer /, ''), input),
      },
    },
  }),
});

createServer(yoga).listen(port, hostname);
