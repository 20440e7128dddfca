import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { Hub } from '../src/log/hub.ts';
import { text } from '../src/texts.ts';
import { startTestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { Oracle, userIdOf } from './support/log.ts';
import { operation } from './support/operations.ts';
import { RawSocket } from './support/socket.ts';
import { eventually } from './support/waiting.ts';

/** One way of asking: the same document meets the same limits on each. */
interface Transport extends AsyncDisposable {
  ask(query: string, variables?: object): Promise<{ readonly data?: Json; readonly errors?: readonly Json[] }>;
}

async function overHttp(person: TestClient): Promise<Transport> {
  return {
    ask: (query, variables) => person.send(query, variables),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function overSocket(person: TestClient): Promise<Transport> {
  const socket = await RawSocket.open(person.url, person.token);
  return {
    ask: (query, variables) => socket.run(query, variables),
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}

const times = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, at) => part(at)).join(' ');

const deep = (rounds: number): string =>
  rounds === 0 ? 'id' : `id members(first: 1) { nodes { organization { ${deep(rounds - 1)} } } }`;

describe.each([
  { transport: 'HTTP', over: overHttp },
  { transport: 'WebSocket', over: overSocket },
])('over $transport', ({ over }) => {
  test('an operation that is too large in any way is refused, and one that is just allowed is not', async () => {
    await using app = await startTestApp();
    await using asking = await over(await app.world.person());
    const tooLarge: Record<string, string> = {
      depth: `{ organizations { nodes { ${deep(5)} } } }`,
      complexity:
        '{ organizations { nodes { members { nodes { organization { members { nodes { id role state } } } } } } } }',
      breadth: `{ viewer { ${times(45, () => '...F')} } } fragment F on Viewer { ${times(10, () => 'locale')} }`,
      aliases: `{ ${times(16, (at) => `a${at}: __typename`)} viewer { ${times(15, (at) => `b${at}: locale`)} } }`,
      'root fields': `{ ${times(21, () => '__typename')} }`,
      'root fields in a fragment': `{ __typename ...F } fragment F on Query { ${times(20, () => '__typename')} }`,
      'pages of pages': '{ organizations(first: 100) { nodes { members(first: 100) { nodes { id role state } } } } }',
    };
    for (const [limit, query] of Object.entries(tooLarge)) {
      const { data, errors } = await asking.ask(query);
      expect([limit, errors?.[0]?.extensions?.code]).toEqual([limit, 'OPERATION_TOO_LARGE']);
      expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
    }
    const tokens = (count: number) => asking.ask(`{ ${times(count - 2, () => '__typename')} }`);
    expect((await tokens(2_001)).errors?.[0]?.message).toContain('tokens');
    expect((await tokens(2_000)).errors?.[0]?.message).toContain('root fields');
    for (const query of [
      `{ ${times(20, () => '__typename')} }`,
      `{ viewer { ${times(30, (at) => `b${at}: locale`)} } }`,
      `{ organizations { nodes { ${deep(1)} } } }`,
      '{ organizations(first: 10) { nodes { members(first: 100) { nodes { id role state } } } } }',
    ]) {
      expect((await asking.ask(query)).errors).toBeUndefined();
    }
  });

  test('a page of more than a hundred is refused by its argument’s name', async () => {
    await using app = await startTestApp();
    await using asking = await over(await app.world.person());
    const page = (size: string) => asking.ask(`{ viewer { sessions(${size}) { nodes { id } } } }`);
    expect((await page('first: 100')).errors).toBeUndefined();
    for (const size of ['first: 101', 'first: 0', 'first: -1', 'last: 101']) {
      expect((await page(size)).errors).toMatchObject([
        { extensions: { code: 'INVALID_INPUT', field: size.split(':')[0] } },
      ]);
    }
  });

  test('who asks too often is told so and when to come back, and nobody else is', async () => {
    // One is spent when they say who they are.
    await using app = await startTestApp({ config: { ratePerMinute: 31 } });
    const [hasty, other] = [await app.world.person(), await app.world.person()];
    await using asking = await over(hasty);
    const results = await Promise.all(Array.from({ length: 31 }, () => asking.ask('{ viewer { user { id } } }')));
    const refused = results.filter(({ errors }) => errors);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', retryAt: expect.any(String) } }]);
    await using others = await over(other);
    expect((await others.ask('{ viewer { user { id } } }')).errors).toBeUndefined();
  });

  test('who asks too often is refused before their documents are read', async () => {
    await using app = await startTestApp({ config: { ratePerMinute: 20 } });
    await using asking = await over(await app.world.person());
    const documents = ['{', '{ nothing }', '{ viewer { locale } }', 'fragment F on Viewer { locale }'];
    for (let count = 0; count < 20; count++) await asking.ask(documents[count % documents.length] ?? '');
    for (const document of documents) {
      expect((await asking.ask(document)).errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
    }
  });

  test('a failure of ours is masked, and what is asked next is answered', async () => {
    await using app = await startTestApp();
    await using oracle = new Oracle(app);
    await using asking = await over(await app.world.operator());
    await oracle.sql`alter table organizations rename to organizations_away`;
    const { errors } = await asking.ask(operation('Organizations'));
    expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL' } }]);
    expect([text('en', 'INTERNAL'), text('ru', 'INTERNAL')]).toContain(errors?.[0]?.message);
    expect(Object.keys(errors?.[0]?.extensions)).toEqual(['code']);
    expect(JSON.stringify(errors)).not.toMatch(/relation|select|organizations_away|postgres|stack/i);
    await oracle.sql`alter table organizations_away rename to organizations`;
    expect((await asking.ask(operation('Organizations'))).errors).toBeUndefined();
  });

  test('a document that cannot be read is an error, and what is asked next is answered', async () => {
    await using app = await startTestApp();
    await using asking = await over(await app.world.person());
    for (const query of ['{', 'query { viewer ', '{ nothing }', 'fragment F on Viewer { locale }', '']) {
      expect((await asking.ask(query)).errors?.length).toBeGreaterThan(0);
    }
    expect((await asking.ask('{ viewer { locale } }')).errors).toBeUndefined();
  });

  test('a session that has run out asks nothing more', async () => {
    await using app = await startTestApp();
    await using oracle = new Oracle(app);
    const person = await app.world.person();
    await using asking = await over(person);
    await oracle.sql`update sessions set expires_at = now() where user_id = ${await userIdOf(person)}`;
    const { errors } = await asking.ask(operation('Organizations'));
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    await using refused = new RawSocket(app.url);
    await refused.opened();
    refused.send({ type: 'connection_init', payload: { authorization: person.token } });
    expect(await refused.closed).toMatchObject({ code: 4403 });
  });
});

test('a subscription that is too large is refused before it opens', async () => {
  const opened = vi.spyOn(Hub.prototype, 'enter');
  try {
    await using app = await startTestApp();
    const { id, administrator } = await app.world.school();
    const query = `subscription { organizationEvents(organizationId: "${id}") {
      ... on OrganizationChanged { organization { ${deep(4)} } } } }`;
    await using socket = await RawSocket.open(app.url, administrator.token);
    expect((await socket.run(query)).errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_LARGE' } }]);
    const posted = await administrator.send(query, {}, { accept: 'application/json, text/event-stream' });
    expect(posted.errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_LARGE' } }]);
    expect(opened).not.toHaveBeenCalled();
  } finally {
    opened.mockRestore();
  }
});

test('a stranger’s few lines in which each fragment names the next one twice are refused before anybody follows them all', async () => {
  await using app = await startTestApp();
  const fragment = (level: number) => `fragment F${level} on ViewerEvent { ...F${level + 1} ...F${level + 1} }`;
  const query = `subscription { viewerEvents { ...F0 } } ${times(40, fragment)} fragment F40 on ViewerEvent { __typename }`;
  const { errors } = await app.world.anonymous().send(query, {}, { accept: 'application/json, text/event-stream' });
  expect(errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_LARGE' } }]);
});

test('too large a body is refused with 413, too large a message closes its socket with 1009', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  const post = (bytes: number) =>
    fetch(app.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }', variables: { filler: 'x'.repeat(bytes) } }),
    });
  expect((await post(1023 * 1024)).status).toBe(200);
  expect((await post(1025 * 1024)).status).toBe(413);
  await using socket = await RawSocket.open(app.url, person.token);
  expect((await socket.run('{ __typename }', { filler: 'x'.repeat(63 * 1024) })).errors).toBeUndefined();
  socket.subscribe('large', '{ __typename }', { filler: 'x'.repeat(65 * 1024) });
  expect(await socket.closed).toMatchObject({ code: 1009 });
});

test('strangers who ask too often are counted by their address', async () => {
  await using app = await startTestApp({ config: { ratePerMinute: 10 } });
  const results = await Promise.all(Array.from({ length: 11 }, () => app.world.anonymous().send('{ __typename }')));
  const refused = results.filter(({ errors }) => errors);
  expect(refused).toMatchObject([{ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED' } }] }]);
});

test('a person has twenty sockets at most, and those that were given up do not count', async () => {
  await using app = await startTestApp();
  await using stack = new AsyncDisposableStack();
  const person = await app.world.person();
  const init = { type: 'connection_init', payload: { authorization: person.token } };
  for (let turn = 0; turn < 30; turn++) {
    const hasty = new RawSocket(app.url);
    await hasty.opened();
    hasty.send(init);
    // Gone while the server still asks who it is.
    hasty.socket.terminate();
  }
  const sockets = await eventually(async () => {
    const opened = await Promise.all(Array.from({ length: 20 }, () => RawSocket.open(app.url, person.token)));
    for (const socket of opened) stack.use(socket);
    return opened;
  });
  const oneTooMany = stack.use(new RawSocket(app.url));
  await oneTooMany.opened();
  oneTooMany.send(init);
  expect(await oneTooMany.closed).toEqual({ code: 1013, reason: 'Too many sockets' });
  sockets[0]?.socket.close();
  await sockets[0]?.closed;
  stack.use(await eventually(() => RawSocket.open(app.url, person.token)));
});

test('a socket carries fifty operations at once', async () => {
  await using app = await startTestApp();
  await using socket = await RawSocket.open(app.url, (await app.world.person()).token);
  const query = 'subscription { viewerEvents { __typename } }';
  for (let id = 0; id < 50; id++) socket.subscribe(`stream-${id}`, query);
  expect((await socket.run('{ __typename }')).errors).toMatchObject([{ extensions: { code: 'TOO_MANY_OPERATIONS' } }]);
  socket.send({ id: 'stream-7', type: 'complete' });
  expect((await socket.run('{ __typename }')).data).toEqual({ __typename: 'Query' });
});

test('whoever breaks the protocol is sent away by a code that says how', async () => {
  await using app = await startTestApp();
  const { token } = await app.world.person();
  const init = { type: 'connection_init', payload: { authorization: `Bearer ${token}` } };
  const subscribe = { id: '1', type: 'subscribe', payload: { query: 'subscription { viewerEvents { __typename } }' } };
  const say = async (...messages: (object | string)[]) => {
    await using socket = new RawSocket(app.url);
    await socket.opened();
    for (const message of messages) {
      socket.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      if (message === init) await socket.message(({ type }) => type === 'connection_ack');
    }
    return (await socket.closed).code;
  };
  expect(
    await Promise.all([
      say(), // nothing, in three seconds
      say(subscribe),
      say(init, init),
      say(init, subscribe, subscribe),
      say('{'),
      say('{"type":"unheard of"}'),
      say({ type: 'connection_init' }),
      say({ type: 'connection_init', payload: { authorization: 'nobody’s' } }),
      say({ type: 'connection_init', payload: { authorization: 7 } }),
    ]),
  ).toEqual([4408, 4401, 4429, 4409, 4400, 4400, 4401, 4403, 4401]);

  const upgrade = async (path: string, options: WebSocket.ClientOptions, protocol: string) => {
    const socket = new WebSocket(app.url.replace('http', 'ws').replace('/graphql', path), protocol, options);
    const [error] = await once(socket, 'error');
    return String(error.message);
  };
  expect(await upgrade('/graphql', { origin: 'https://evil.example' }, 'graphql-transport-ws')).toContain('403');
  expect(await upgrade('/elsewhere', {}, 'graphql-transport-ws')).toContain('404');
  expect(await upgrade('/graphql', {}, 'graphql-ws')).toContain('subprotocol');
});

test('a socket that cannot be let in just now is told to try again, without a word of why', async () => {
  await using app = await startTestApp();
  await using oracle = new Oracle(app);
  const { token } = await app.world.person();
  await using socket = await RawSocket.open(app.url, token);
  await oracle.sql`alter table sessions rename to sessions_away`;
  await using refused = new RawSocket(app.url);
  await refused.opened();
  refused.send({ type: 'connection_init', payload: { authorization: token } });
  expect(await refused.closed).toEqual({ code: 1013, reason: 'Try again' });
  const { errors } = await socket.run('{ viewer { locale } }');
  expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL' }, message: text('ru', 'INTERNAL') }]);
  await oracle.sql`alter table sessions_away rename to sessions`;
  expect((await socket.run('{ viewer { locale } }')).errors).toBeUndefined();
});
