import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { watchProcess } from './support/halves.ts';
import { RawSocket } from './support/socket.ts';
import { passingTime } from './support/time.ts';
import { eventually } from './support/waiting.ts';

const upgradeRequest = [
  'GET /graphql HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
  `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
  '\r\n',
].join('\r\n');

/** A connection on which an upgrade was asked for. */
const upgrade = ({ url }: TestApp, path = '/graphql', { allowHalfOpen = false } = {}): Socket => {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), allowHalfOpen });
  socket.on('error', () => {}).write(upgradeRequest.replace('/graphql', path));
  return socket;
};

const answer = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

test('who is reset while they are refused harms nobody', async () => {
  using observed = watchProcess();
  await using app = await startTestApp();
  for (let count = 0; count < 40; count++) {
    const socket = upgrade(app, '/elsewhere', { allowHalfOpen: true });
    await (count % 2 ? once(socket, 'connect') : answer(socket));
    socket.resetAndDestroy();
  }
  expect((await fetch(app.url.replace('graphql', 'health'))).status).toBe(200);
  expect(observed.fatal).toEqual([]);
});

test('who is refused and stays on the line does not hold up a stop', async () => {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await startTestApp());
  const staying = upgrade(app, '/elsewhere', { allowHalfOpen: true });
  expect(await answer(staying)).toContain('404');
  try {
    await stack.disposeAsync();
  } finally {
    staying.destroy();
  }
});

test('who says nothing holds up those who come after them for a few seconds at most, and is sent away', async () => {
  using time = passingTime();
  await using app = await startTestApp();
  const person = await app.world.person();
  await using early = await RawSocket.open(app.url, person.token);
  const silent = Array.from({ length: 1_000 }, () => new RawSocket(app.url));
  await Promise.all(silent.map((socket) => socket.opened()));
  expect(await answer(upgrade(app))).toMatch(/^HTTP\/1.1 503 .*\r\nRetry-After: \d+\r\n/);
  expect((await early.run('{ __typename }')).errors).toBeUndefined();
  time.pass(3_500);
  // Looked at once: who does not answer the goodbye by the next time is cut off.
  vi.advanceTimersByTime(1_000);
  const codes = await Promise.all(silent.map(async ({ closed }) => (await closed).code));
  await using _late = await RawSocket.open(app.url, person.token);
  expect(new Set(codes)).toEqual(new Set([4408]));
});

test('who says nothing, not even goodbye when they are sent away, holds up nobody for longer', async () => {
  using time = passingTime();
  await using app = await startTestApp();
  const person = await app.world.person();
  const deaf = Array.from({ length: 1_000 }, () => upgrade(app));
  try {
    await Promise.all(deaf.map(answer));
    expect(await answer(upgrade(app))).toContain('503');
    time.pass(3_500);
    await using _late = await eventually(() => {
      vi.advanceTimersByTime(1_000);
      return RawSocket.open(app.url, person.token);
    });
  } finally {
    for (const socket of deaf) socket.destroy();
  }
});
