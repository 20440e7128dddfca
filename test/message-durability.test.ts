import { expect, test } from 'vitest';
import { type Json, TestClient } from './support/client.ts';
import { cursorOf } from './support/log.ts';
import { databaseOf, openSchool, Server, unlessAnswered } from './support/mortal-server.ts';
import { ResumingStream } from './support/socket.ts';
import { newKey } from './support/talk.ts';
import { anyMoment, eventually } from './support/waiting.ts';

/** Says one thing after the other until the server is gone; remembers what it was told of, by the key. */
async function sayUntilKilled(person: TestClient, chatId: string, acknowledged: Map<string, Json>) {
  for (;;) {
    const clientMessageId = newKey();
    const input = { chatId, text: clientMessageId, clientMessageId };
    const sent = await person.does('SendMessage', { input }).catch(unlessAnswered);
    if (!sent) return;
    acknowledged.set(clientMessageId, sent);
  }
}

test('what was said is not lost by kill -9: no number is missing, and who comes back hears each message once', {
  timeout: 180_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const environment = await databaseOf('Postgres', stack);
  let server = stack.use(await Server.start(environment));
  const { token, organizationId } = await openSchool(server);
  const begin = new TestClient(server.url, token);
  const chats: string[] = [];
  for (const name of ['One', 'Two']) {
    const made = await begin.does('CreateChat', { input: { organizationId, kind: 'CUSTOM', name, userIds: [] } });
    expect(made).toMatchObject({ __typename: 'Chat' });
    chats.push(made.id);
  }
  const after = await cursorOf(begin);
  const urls = [server.url];
  const listeners = chats.map((chatId) =>
    stack.use(new ResumingStream(urls, { token }, 'MessageSent', { chatId, after })),
  );
  const everything = stack.use(new ResumingStream(urls, { token }, 'ViewerEvents', { after }));
  const acknowledged = new Map<string, Json>();

  for (let round = 0; round < 3; round++) {
    const before = acknowledged.size;
    const person = new TestClient(server.url, token);
    const speaking = Promise.all(
      [0, 1, 0, 1, 0].map((chat) => sayUntilKilled(person, chats[chat] ?? '', acknowledged)),
    );
    await eventually(() => expect(acknowledged.size).toBeGreaterThan(before + 20));
    await anyMoment(10);
    await server.kill();
    await speaking;
    server = stack.use(await Server.start(environment));
    urls[0] = server.url;
  }

  const person = new TestClient(server.url, token);
  const kept = new Map<string, Json>();
  for (const [index, chatId] of chats.entries()) {
    const numbers: number[] = [];
    for (let page: Json = { hasNextPage: true, endCursor: null }; page.hasNextPage; ) {
      const { chat } = await person.run('Chat', { id: chatId, first: 100, after: page.endCursor });
      for (const message of chat.messages.nodes) {
        numbers.unshift(message.number);
        kept.set(message.text, message);
      }
      page = chat.messages.pageInfo;
      expect(chat.lastNumber).toBe(numbers.at(-1));
    }
    const all = numbers.map((_, place) => place + 1);
    expect(numbers).toEqual(all);
    const heard = () => listeners[index]?.delivered.map(({ message }) => message.number);
    await eventually(() => expect(heard()).toEqual(all));
  }
  expect(new Set(acknowledged.keys()).difference(new Set(kept.keys()))).toEqual(new Set());
  for (const [key, { id, number }] of acknowledged) expect(kept.get(key)).toMatchObject({ id, number });
  const told = () => everything.delivered.map(({ messageId }) => messageId);
  await eventually(() => expect(told().toSorted()).toEqual([...kept.values()].map(({ id }) => id).toSorted()));
  // Who was not answered asks again, and has said it once.
  const [clientMessageId = '', first] = [...acknowledged].at(-1) ?? [];
  const input = { chatId: chats[0], text: 'Again', clientMessageId };
  const second = await person.does('SendMessage', { input });
  const elsewhere = await person.does('SendMessage', { input: { ...input, chatId: chats[1] } });
  expect([second.id, elsewhere.id]).toContain(first.id);
});
