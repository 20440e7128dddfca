import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createConnection } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { sessionCookie } from '../src/graphql/asking.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { TestClient } from './support/client.ts';
import { operation } from './support/operations.ts';
import { RawSocket } from './support/socket.ts';
import { eventually } from './support/waiting.ts';

const school = 'https://app.school.example';
const stranger = 'https://stranger.example';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ config: { allowedOrigins: [school] } });
});
afterAll(() => app[Symbol.asyncDispose]());

const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(app.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

const asks = JSON.stringify({ query: '{ __typename }' });

/** The upgrade's answer when it is refused; null when it is granted. */
function refusedUpgrade(url: string, headers: Record<string, string>): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
  socket.once('unexpected-response', (_request, response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  socket.once('open', () => {
    socket.terminate();
    resolve(null);
  });
  socket.once('error', reject);
  return promise;
}

describe('GraphiQL’s page', () => {
  const page = (headers: Record<string, string> = {}, url = app.url) =>
    fetch(url, { headers: { accept: 'text/html,*/*;q=0.8', ...headers }, redirect: 'manual' });

  test.each(['br', 'gzip'])('comes compressed with %s, and only once', async (encoding) => {
    const response = await page({ 'accept-encoding': encoding });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-encoding')).toBe(encoding);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).toContain('<title>Homeroom</title>');

    const etag = response.headers.get('etag') ?? '';
    const again = await page({ 'accept-encoding': encoding, 'if-none-match': etag });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  test('may ask no other host, and stands in no other page', async () => {
    const policy = (await page()).headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:|\*/);
  });

  test('is where the root leads, and nothing else is anywhere', async () => {
    const root = await page({}, new URL('/', app.url).href);
    expect([root.status, root.headers.get('location')]).toEqual([302, '/graphql']);
    expect((await fetch(new URL('/etc/passwd', app.url))).status).toBe(404);
  });
});

describe('a GET', () => {
  const get = (query: string) => fetch(`${app.url}?query=${encodeURIComponent(query)}`);

  test('answers a query to whoever does not want a page', async () => {
    const response = await get('{ __typename }');
    expect(response.headers.get('content-type')).toContain('json');
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('changes nothing: a mutation is refused', async () => {
    const response = await get('mutation { signOut }');
    expect(response.status).toBe(405);
    expect(await response.json()).not.toHaveProperty('data');
  });
});

describe('a page of another origin', () => {
  test('is refused, also with the browser’s session, on every way in', async () => {
    const refused = await post(asks, { origin: stranger });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'ORIGIN_NOT_ALLOWED' } }] });
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect((await post(asks, { origin: 'null' })).status).toBe(403);
    expect((await post(asks, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await fetch(`${app.url}?query={__typename}`, { headers: { origin: stranger } })).status).toBe(403);

    const preflight = await fetch(app.url, { method: 'OPTIONS', headers: { origin: stranger } });
    expect(preflight.status).toBe(403);
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();

    expect(await refusedUpgrade(app.url, { origin: stranger })).toBe(403);
    expect(await refusedUpgrade(new URL('/other', app.url).href, {})).toBe(404);
  });

  test('may use the session when its origin is configured', async () => {
    const preflight = await fetch(app.url, { method: 'OPTIONS', headers: { origin: school } });
    expect(preflight.status).toBe(204);
    for (const response of [preflight, await post(asks, { origin: school })]) {
      expect(response.ok).toBe(true);
      expect(response.headers.get('access-control-allow-origin')).toBe(school);
      expect(response.headers.get('access-control-allow-credentials')).toBe('true');
      expect(response.headers.get('vary')).toContain('origin');
    }
    expect(await refusedUpgrade(app.url, { origin: school })).toBeNull();
    expect((await post(asks, { origin: new URL(app.url).origin })).status).toBe(200);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ])('cannot send what needs no preflight: %s', async (contentType) => {
    const response = await post(asks, { 'content-type': contentType });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'CONTENT_TYPE_NOT_JSON' } }] });
  });
});

describe('the session’s cookie', () => {
  test('signs a browser in on HTTP and WebSocket, is readable by no script, and goes when it signs out', async () => {
    const origin = new URL(app.url).origin;
    const visitor = app.world.anonymous();
    const phone = '+79160007001';
    const { challengeId } = await visitor.does('RequestSignInCode', { phone });
    const signed = await visitor.send(operation('SignIn'), { challengeId, code: app.codeFor(phone) }, { origin });
    const [given = ''] = signed.headers.getSetCookie();
    expect(given).toMatch(/^homeroom_session=[\w-]{20,}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    const cookie = given.split(';')[0] ?? '';

    const viewer = await visitor.send(operation('Viewer'), {}, { origin, cookie: `other=1; ${cookie}` });
    expect(viewer.data.viewer.contact.phone).toBe(phone);
    await using socket = new RawSocket(app.url, { headers: { origin, cookie } });
    await socket.opened();
    socket.send({ type: 'connection_init' });
    await socket.message(({ type }) => type === 'connection_ack');

    const left = await visitor.send(operation('SignOut'), {}, { origin, cookie });
    expect(left.headers.getSetCookie()).toEqual([expect.stringMatching(/^homeroom_session=; .*Max-Age=0$/)]);
    expect((await visitor.send(operation('Viewer'), {}, { origin, cookie })).data?.viewer ?? null).toBeNull();
  });

  test('is not given to programs, which keep the token', async () => {
    const visitor = app.world.anonymous();
    const phone = '+79160007002';
    const { challengeId } = await visitor.does('RequestSignInCode', { phone });
    const signed = await visitor.send(operation('SignIn'), { challengeId, code: app.codeFor(phone) });
    expect(signed.headers.getSetCookie()).toEqual([]);
  });

  test('travels only encrypted in production', () => {
    expect(sessionCookie('token', { secure: true, days: 1 })).toMatch(/; Secure$/);
    expect(sessionCookie(null, { secure: true, days: 1 })).toMatch(/; Secure$/);
  });
});

describe('what cannot be understood', () => {
  test.each([
    ['JSON that is none', '{"query": "{ __typename'],
    ['no query', '{}'],
    ['a list', '[]'],
    ['a document with a syntax error', JSON.stringify({ query: '{ viewer {' })],
    ['a field that is not there', JSON.stringify({ query: '{ password }' })],
    ['variables that are no object', JSON.stringify({ query: '{ __typename }', variables: 'x' })],
  ])('%s is refused with 400, without internals', async (_what, body) => {
    const response = await post(body, { accept: 'application/graphql-response+json' });
    const text = await response.text();
    expect(response.status, text).toBe(400);
    expect(JSON.parse(text).errors[0].message).toEqual(expect.any(String));
    expect(text).not.toMatch(/node_modules|\.ts\b|stack|originalError/);
  });

  test('a body over 1 MB is refused with 413, whether or not it tells its size', async () => {
    const large = JSON.stringify({ query: '{ __typename }', variables: { x: 'x'.repeat(1024 * 1024) } });
    expect((await post(large)).status).toBe(413);

    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const untold = request(app.url, { method: 'POST', headers: { 'content-type': 'application/json' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    untold.once('error', reject);
    untold.write(large.slice(0, 100_000));
    untold.end(large.slice(100_000));
    expect(await promise).toBe(413);
  });
});

test('the server tells whether it lives and whether it can answer, and no browser may guess at types', async () => {
  for (const [path, status] of [
    ['/health', 'alive'],
    ['/ready', 'ready'],
  ]) {
    const response = await fetch(new URL(path ?? '', app.url));
    expect([response.status, await response.json()]).toEqual([200, { status }]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  }
  expect((await post(asks)).headers.get('x-content-type-options')).toBe('nosniff');
});

test('without GraphiQL there is no page, and without introspection no schema, on HTTP as on WebSocket', async () => {
  await using closed = await startTestApp({ config: { graphiql: false, introspection: false } });
  const { url, world } = closed;
  const page = await fetch(`${url}?query={__typename}`, { headers: { accept: 'text/html' } });
  expect([page.status, await page.text()]).toEqual([406, '']);
  expect((await fetch(new URL('/', url), { redirect: 'manual' })).status).toBe(404);

  const introspects = '{ __schema { description } }';
  const refusal = expect.stringContaining('introspection');
  expect((await new TestClient(url).send(introspects)).errors).toMatchObject([{ message: refusal }]);
  const { token } = await world.person();
  await using socket = await RawSocket.open(url, token);
  expect(await socket.run(introspects)).toMatchObject({ errors: [{ message: refusal }] });
});

test('in the end who has asked nothing is sent away at once, and who is being answered is told that it was the last time', async () => {
  const own = await startTestApp();
  const { hostname, port } = new URL(own.url);
  const silent = createConnection(Number(port), hostname);
  await once(silent, 'connect');
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(asks) };
  const asking = request(own.url, { method: 'POST', agent: new Agent({ keepAlive: true }), headers });
  asking.write(asks.slice(0, 5));
  await eventually(() => expect(asking.socket?.connecting).toBe(false));
  // Answered on the same way in, after whatever came before: the server has begun to read.
  expect(
    (await fetch(own.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: asks })).status,
  ).toBe(200);
  const ended = own[Symbol.asyncDispose]();
  await once(silent, 'close');
  asking.end(asks.slice(5));
  const [response] = await once(asking, 'response');
  expect(response.headers.connection).toBe('close');
  expect(await json(response)).toEqual({ data: { __typename: 'Query' } });
  await ended;
});
