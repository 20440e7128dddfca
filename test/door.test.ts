import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { bodies as body, marker } from './support/bodies.ts';
import type { Json, TestClient } from './support/client.ts';
import { RawSocket } from './support/socket.ts';

let app: TestApp;
let person: TestClient;
beforeAll(async () => {
  app = await startTestApp();
  person = await app.world.person();
});
afterAll(() => app[Symbol.asyncDispose]());

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
const keys = (count: number) => Object.fromEntries(times(count, (at) => [`k${at}`, 1]));

/** What a stranger sends, and what comes back. */
async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(app.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, text: await response.text() };
}
const ask = (query: unknown, variables?: unknown) =>
  post(JSON.stringify({ query, variables })).then(({ text }): Json => JSON.parse(text));
const codeOf = (answer: Json): string => answer.errors[0].extensions.code;

const signIn = 'mutation ($a: SignInInput!) { signIn(input: $a) { __typename } }';

describe('what strangers send is bounded before it is understood', () => {
  test.each([1_000, 4_000, 20_000, 60_000])('an input with %i unknown keys is one short error', async (count) => {
    const answer = await ask(signIn, { a: keys(count) });
    expect(answer.errors).toHaveLength(1);
    expect(['BAD_USER_INPUT', 'BAD_REQUEST']).toContain(codeOf(answer));
    expect(JSON.stringify(answer).length).toBeLessThan(300);
  });

  test.each([
    ['texts', times(180_000, () => 'a')],
    ['numbers', times(400_000, () => 1)],
    ['nulls', times(180_000, () => null)],
  ])('a list of hundreds of thousands of %s is one short error', async (_what, a) => {
    for (const query of ['query ($a: [ID!]!) { nodes(ids: $a) { id } }', 'query ($a: [Int!]!) { __typename }']) {
      const answer = await ask(query, { a });
      expect(answer.errors).toHaveLength(1);
      expect(JSON.stringify(answer).length).toBeLessThan(300);
    }
  });

  test('a document with hundreds of faults is one error, and nothing is suggested', async () => {
    const answer = await ask(`{ __typename ${times(500, (at) => `@d${at}`).join(' ')} }`);
    expect(answer.errors).toHaveLength(1);
    expect(codeOf(answer)).toBe('OPERATION_TOO_LARGE');
    const unknown = await ask(`{ ${times(20, (at) => `viewe${at}`).join(' ')} }`);
    expect(unknown.errors).toEqual([
      {
        message: 'The type has no field of this name.',
        locations: [{ line: 1, column: 3 }],
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ]);
  });

  test.each([
    ['asks for one thing again and again', `{ viewer { ${'user { id } '.repeat(300)} } }`],
    [
      'spreads fragments that spread fragments',
      `{ viewer { ...F0 } } ${times(30, (at) => `fragment F${at} on Viewer { ${times(29 - at, (on) => `...F${at + on + 1}`).join(' ')} locale }`).join(' ')}`,
    ],
    [
      'asks for one thing in fragment after fragment',
      `{ viewer { ${times(20, (at) => `...F${at}`).join(' ')} } } ${times(20, (at) => `fragment F${at} on Viewer { ${'user { id } '.repeat(5)} }`).join(' ')}`,
    ],
    [
      'names hundreds of fragments',
      `{ viewer { ...F0 } } ${times(60, (at) => `fragment F${at} on Viewer { locale ...F${at + 1} }`).join(' ')}`,
    ],
    ['has a text of a hundred thousand characters', `{ node(id: "${'\\n'.repeat(100_000)}") { id } }`],
    ['is mostly blanks', `{ __typename }${' '.repeat(100_000)}`],
  ])('a document that %s is refused before it is validated', async (_what, query) => {
    expect(codeOf(await ask(query))).toBe('OPERATION_TOO_LARGE');
  });

  test('what is wrong is told by the schema’s own names', async () => {
    const wrong = async (variables: object) => (await ask(signIn, variables)).errors[0].extensions;
    const field = Object.keys((await introspected('SignInInput')).inputFields)[0];
    expect(await wrong({ a: { [field ?? '']: { deep: 1 } } })).toMatchObject({
      code: 'BAD_USER_INPUT',
      variable: 0,
      field,
    });
    expect(await wrong({})).toMatchObject({ code: 'BAD_USER_INPUT', variable: 0, field: null });
    expect(codeOf(await ask('query A { __typename } query B { __typename }'))).toBe('OPERATION_NOT_FOUND');
  });

  test('too deep, or no object at all, is told as such', async () => {
    const sentences = await Promise.all(
      [
        '[1]',
        '1',
        'null',
        '"text"',
        '{',
        '{"query":1}',
        `{"query":"{x}","variables":${'['.repeat(40)}${']'.repeat(40)}}`,
      ].map(async (body) => {
        const { status, text } = await post(body);
        return [status, JSON.parse(text).errors[0].extensions.code];
      }),
    );
    expect(new Set(sentences.map(String))).toEqual(new Set(['400,BAD_REQUEST']));
  });

  test('on a socket, too: nothing that is sent closes the process', async () => {
    await using socket = await RawSocket.open(app.url, person.token);
    const id = 'i'.repeat(500);
    socket.subscribe(id, 'subscription { viewerEvents { __typename } }');
    socket.subscribe(id, 'subscription { viewerEvents { __typename } }');
    expect(await socket.closed).toEqual({ code: 4409, reason: 'Subscriber already exists' });
    await using other = await RawSocket.open(app.url, person.token);
    expect((await other.run(signIn, { a: keys(4_000) })).errors).toHaveLength(1);
    expect((await other.run('{ __typename }')).data).toEqual({ __typename: 'Query' });
  });
});

async function introspected(name: string): Promise<{ inputFields: Record<string, unknown> }> {
  const { data } = await ask(`{ __type(name: "${name}") { inputFields { name } } }`);
  return { inputFields: Object.fromEntries(data.__type.inputFields.map((one: Json) => [one.name, one])) };
}

/** What of an answer may not repeat the request: all but data, and the names by which the request itself wanted its fields called. */
function told(text: string): string {
  const answer: Json = JSON.parse(text);
  return JSON.stringify({
    ...answer,
    data: null,
    errors: answer.errors?.map(({ path: _path, ...rest }: Json) => rest),
  });
}

const seed = Number(process.env.HOMEROOM_FUZZ_SEED ?? 20_261_201);

test('ten thousand bodies of any shape are answered, none of them with a failure of ours or its own words', async () => {
  const bodies = fc.sample(body, { numRuns: Number(process.env.HOMEROOM_FUZZ_RUNS ?? 10_000), seed });
  const wrong: unknown[] = [];
  let next = 0;
  const send = async () => {
    for (let at = next++; at < bodies.length; at = next++) {
      const sent = bodies[at] ?? '';
      const headers = at % 2 === 0 ? { authorization: `Bearer ${person.token}` } : undefined;
      const { status, text } = await post(sent, headers);
      const answered = told(text);
      if (status < 500 && !answered.includes(marker) && !answered.includes('INTERNAL')) continue;
      wrong.push({ status, sent: sent.slice(0, 2_000), answered: answered.slice(0, 500) });
    }
  };
  await Promise.all(times(16, send));
  expect(wrong.slice(0, 3)).toEqual([]);
  expect(bodies.length).toBeGreaterThan(0);
});

test('the same on a socket: it answers on, or closes by a code of the protocol', async () => {
  for (const sent of fc.sample(body, { numRuns: 200, seed })) {
    await using socket = await RawSocket.open(app.url, person.token);
    socket.socket.send(`{"type":"subscribe","id":"one","payload":${sent}}`);
    const outcome = await Promise.race([socket.run('{ __typename }'), socket.closed]);
    expect(outcome).toSatisfy(({ data, code }: Json) => data?.__typename === 'Query' || [1009, 4400].includes(code));
    const refused = socket.messages.filter(({ type }) => type === 'error').map(({ payload }) => payload);
    expect(JSON.stringify(refused)).not.toMatch(new RegExp(`${marker}|INTERNAL`));
  }
});
