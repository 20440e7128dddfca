import { setTimeout as delay } from 'node:timers/promises';
import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import { expect, test, vi } from 'vitest';
import { decodeCursor } from '../src/log/cursor.ts';
import { Hub } from '../src/log/hub.ts';
import { startTestApp } from './support/app.ts';
import type { TestClient } from './support/client.ts';
import { Ear, openSchool, publish, withServerSide } from './support/crowd.ts';
import { userIdOf, Writers } from './support/log.ts';
import { operation } from './support/operations.ts';
import { startProgram } from './support/program.ts';
import { RawSocket, ResumingStream } from './support/socket.ts';
import { passingTime } from './support/time.ts';
import { eventually } from './support/waiting.ts';

/** How often each statement was sent, by the queries that were executed; the job queue asks by the clock, whoever comes. */
const countsOf = (queries: readonly unknown[]): Map<string, number> => {
  const sent = queries.map((query) => String(Object(query).queryString)).filter((text) => !text.includes('jobs.'));
  const texts = Map.groupBy(sent, (text) => text);
  return new Map([...texts].map(([text, { length }]) => [text, length]));
};

test('three hundred who are cut off at once while events go on come back by two statements for all who come within 50 ms, and miss nothing', async () => {
  const sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
  try {
    await using opened = await openSchool(300);
    const { app, school, crowd, after, tell, told } = opened;
    await using stack = new AsyncDisposableStack();
    const place = { organizationId: school.id, after };
    const streams = crowd.map((one) => stack.use(new ResumingStream([app.url], one, 'OrganizationEvents', place)));
    const heard = async () => {
      const places = await told();
      await eventually(() => expect(streams.every((one) => one.places.length >= places.length)).toBe(true));
      return places;
    };
    await tell();
    await heard();
    /** What is sent while so many events are told. */
    const during = async (events: number) => {
      sent.mockClear();
      for (let count = 0; count < events; count++) {
        await tell();
        await delay(20);
      }
      await heard();
      return countsOf(sent.mock.contexts);
    };
    // More of them than in the storm, so that what is sent for the events alone is surely no less.
    const calm = await during(80);
    const cutAt = performance.now();
    for (const stream of streams) stream.cut();
    const back = eventually(() => expect(streams.every((one) => one.opened === 2)).toBe(true));
    const backAfter = back.then(() => performance.now() - cutAt);
    const stormy = [...(await during(40))];
    const gaps = Math.ceil((await backAfter) / 50);
    const places = await heard();
    for (const stream of streams) expect(stream.places).toEqual(places);
    for (const { opened, closes, errors } of streams)
      expect({ opened, closes, errors }).toEqual({ opened: 2, closes: [], errors: [] });
    // Who they are, and what they may see; and once or twice that the other processes are told of it. The slower the machine, the
    // more gaps their arrivals are spread over.
    const added = stormy.reduce((sum, [text, count]) => sum + Math.max(0, count - (calm.get(text) ?? 0)), 0);
    expect(added).toBeLessThanOrEqual(2 * (gaps + 2));
  } finally {
    sent.mockRestore();
  }
});

test('who stops reading costs the server little and nobody else anything, and gets all of it, or is told to come back', async () => {
  using time = passingTime();
  await using opened = await openSchool(52);
  const { app, oracle, school, crowd, after, tell, told } = opened;
  await oracle.sql`update organizations set name = ${'x'.repeat(30_000)}`;
  await using stack = new AsyncDisposableStack();
  const [first, second, ...others] = crowd;
  if (!first || !second) throw new Error('the crowd is too small');
  const [deaf, deafSide] = await withServerSide(() => Ear.open(first, school.id, after));
  const [lost, lostSide] = await withServerSide(() => Ear.open(second, school.id, after));
  const healthy = await Promise.all(others.map((one) => Ear.open(one, school.id, after)));
  const all = [deaf, lost, ...healthy];
  for (const ear of all) stack.use(ear);
  const heardBy = (ears: readonly Ear[], count: number) =>
    eventually(() => expect(ears.every(({ places }) => places.length === count)).toBe(true));
  // They are asked whether they are still there, and answer.
  vi.advanceTimersByTime(12_000);
  await tell();
  await heardBy(all, 1);

  for (const { socket } of [deaf, lost]) socket.pause();
  const pending: number[] = [];
  const written: number[] = [];
  for (let count = 1; count < 241; ) {
    await tell(16);
    count += 16;
    await heardBy(healthy, count);
    pending.push(deafSide.writableLength, lostSide.writableLength);
    written.push(deafSide.bytesWritten);
  }
  expect(Math.max(...pending)).toBeGreaterThan(100_000);
  expect(Math.max(...pending)).toBeLessThan(400_000);
  expect(written.at(-1)).toBe(written.at(-3));
  const places = await told();
  expect(deaf.places).toHaveLength(1);
  deaf.socket.resume();
  await eventually(() => expect(deaf.places).toEqual(places));

  time.pass(21_000);
  vi.advanceTimersByTime(12_000);
  lost.socket.resume();
  expect(await lost.closed).toBe(1013);
  expect(lost.places.length).toBeLessThan(places.length);
  const place = { organizationId: school.id, after: lost.cursor };
  await using back = new ResumingStream([app.url], second, 'OrganizationEvents', place);
  await eventually(() => expect([...lost.places, ...back.places]).toEqual(places));
  await tell();
  await heardBy([deaf, ...healthy], places.length + 1);
});

test.each([
  'in this process',
  'in a process of its own',
])('a server %s that stops hands its clients over: nothing is lost or comes twice', async (which) => {
  await using opened = await openSchool(0);
  const { app, oracle, school, after } = opened;
  const databaseUrl = app.databaseUrl ?? '';
  await using stopping = await (which === 'in this process'
    ? startTestApp({ databaseUrl })
    : startProgram(databaseUrl));
  const urls = [stopping.url, app.url];
  await using stack = new AsyncDisposableStack();
  const { administrator } = school;
  const follow = (name: string, variables: object) =>
    Array.from({ length: 10 }, () => stack.use(new ResumingStream(urls, administrator, name, { after, ...variables })));
  const inSchool = follow('OrganizationEvents', { organizationId: school.id });
  const everywhere = follow('ViewerEvents', {});
  const streams = [...inSchool, ...everywhere];
  await using writers = new Writers(school, await Promise.all(Array.from({ length: 8 }, () => app.world.person())));
  await eventually(() => expect(streams.every(({ places }) => places.length > 20)).toBe(true));

  const stopped = 'stop' in stopping ? stopping.stop() : stopping[Symbol.asyncDispose]().then(() => 0);
  await eventually(() => expect(streams.map(({ closes }) => closes)).toEqual(streams.map(() => [1012])));
  expect(await stopped).toBe(0);
  const heard = Math.max(...streams.map(({ places }) => places.length));
  await eventually(() => expect(streams.every(({ places }) => places.length > heard + 20)).toBe(true));
  await writers.stop();
  const from = decodeCursor(after).position;
  for (const [some, places] of [
    [inSchool, await oracle.places(administrator, from, school)],
    [everywhere, await oracle.places(administrator, from)],
  ] as const)
    for (const stream of some) await eventually(() => expect(stream.places).toEqual(places));
  expect(streams.flatMap(({ errors }) => errors)).toEqual([]);
});

test('what is told at once is written at once, on each socket and whatever it follows', async () => {
  await using opened = await openSchool(2);
  const { school, crowd, after, tell } = opened;
  await using stack = new AsyncDisposableStack();
  const open = async (person: TestClient | undefined, subscriptions: number) => {
    if (!person) throw new Error('the crowd is too small');
    const [ear, side] = await withServerSide(() => Ear.open(person, school.id, after, subscriptions));
    const [one, many] = [vi.spyOn(side, '_write'), vi.spyOn(side, '_writev')];
    return { ear: stack.use(ear), subscriptions, writes: () => one.mock.calls.length + many.mock.calls.length };
  };
  const ears = [await open(crowd[0], 1), await open(crowd[1], 2)];
  const heard = (count: number) =>
    Promise.all(
      ears.map(({ ear, subscriptions }) => eventually(() => expect(ear.places).toHaveLength(subscriptions * count))),
    );
  await tell();
  await heard(1);
  const before = ears.map(({ writes }) => writes());
  await tell();
  await heard(2);
  expect(ears.map(({ writes }, index) => writes() - Number(before[index]))).toEqual([1, 1]);
  await tell(10);
  await heard(12);
  expect(ears.map(({ writes }, index) => writes() - Number(before[index]))).toEqual([2, 2]);
});

test('whose session ends while an event is on its way to all hears that, and nothing more, and all others hear on', async () => {
  await using opened = await openSchool(51);
  const { oracle, school, crowd, after, tell, told } = opened;
  const { sql } = oracle;
  await using stack = new AsyncDisposableStack();
  const [ending, ...staying] = crowd;
  if (!ending) throw new Error('the crowd is too small');
  const userId = await userIdOf(ending);
  const leaver = stack.use(await Ear.open(ending, school.id, after));
  const others = await Promise.all(staying.map((one) => Ear.open(one, school.id, after)));
  for (const ear of others) stack.use(ear);
  await tell();
  const before = await told();
  await eventually(() => expect([leaver, ...others].every(({ places }) => places.length === 1)).toBe(true));

  // What the event is about cannot be read until this is over.
  const away = await sql.reserve();
  await away`begin`;
  await away`lock table organizations`;
  try {
    await tell();
    await eventually(async () =>
      expect(await sql`select from pg_locks where relation = 'organizations'::regclass and not granted`).toHaveLength(
        1,
      ),
    );
    await sql`update sessions set ended_at = now(), ended_by = 'SIGNED_OUT' where user_id = ${userId}`;
    await publish(sql, sql`select user_id, 'SESSION_ENDED', id from sessions where user_id = ${userId}`);
    await tell(10);
    await eventually(() => expect(leaver.reason).toBe('SIGNED_OUT'));
    expect(others.every(({ places }) => places.length === 1)).toBe(true);
  } finally {
    await away`rollback`;
    away.release();
  }
  expect(await leaver.closed).toBe(4403);
  expect(leaver.places).toEqual(before);
  const places = await oracle.places(staying[0] ?? ending, decodeCursor(after).position, school);
  expect(places).toHaveLength(12);
  for (const ear of others) await eventually(() => expect(ear.places).toEqual(places));
  expect(others.every(({ reason }) => reason === null)).toBe(true);
});

test('who subscribes and completes as fast as they can leaves nothing behind, and holds up nobody', async () => {
  const entered = vi.spyOn(Hub.prototype, 'enter');
  try {
    await using opened = await openSchool(2);
    const { app, school, crowd, after, tell, told } = opened;
    const [hasty, calm] = crowd;
    if (!hasty || !calm) throw new Error('the crowd is too small');
    await using ear = await Ear.open(calm, school.id, after);
    await tell();
    await eventually(() => expect(ear.places).toHaveLength(1));
    const [hub] = entered.mock.contexts as Hub[];
    const userId = await userIdOf(hasty);
    await using socket = await RawSocket.open(app.url, hasty.token);
    const size = hub?.size;
    const query = operation('OrganizationEvents');
    let done = false;
    const asking = (async () => {
      let answered = 0;
      for (; !done; answered++) expect((await calm.send('{ viewer { locale } }')).errors).toBeUndefined();
      return answered;
    })();
    // More often than anybody may follow at once; half of them wait until they hear what happens, half do not wait at all.
    for (let round = 0; round < 60; round++) {
      const ids = Array.from({ length: 25 }, (_, index) => `${round}-${index}`);
      for (const id of ids) {
        socket.subscribe(id, query, { organizationId: school.id });
        if (round % 2) socket.send({ id, type: 'complete' });
      }
      await socket.run('{ __typename }');
      if (round % 20 === 0) await tell();
      if (round % 2 === 0) for (const id of ids) socket.send({ id, type: 'complete' });
    }
    done = true;
    expect(await asking).toBeGreaterThan(10);
    await eventually(() => expect(hub?.reader(userId)?.watchers).toEqual([]));
    expect(hub?.size).toBe(size);
    await eventually(async () => expect(ear.places).toEqual(await told()));
    expect(socket.messages.filter(({ type, payload }) => type === 'error' || payload?.errors)).toEqual([]);
    // What has been completed does not speak again.
    socket.messages.length = 0;
    socket.subscribe('last', query, { organizationId: school.id });
    await socket.run('{ __typename }');
    await tell();
    await socket.message(({ payload }) => payload?.data?.organizationEvents);
    await socket.run('{ __typename }');
    expect(socket.messages.filter(({ id }) => !id.startsWith('run-')).map(({ id }) => id)).toEqual(['last']);
  } finally {
    entered.mockRestore();
  }
});

test('a name that was used for a subscription may be used anew as soon as that is completed', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  await using socket = await RawSocket.open(app.url, person.token);
  const query = operation('ViewerEvents');
  socket.subscribe('stream', query);
  await socket.run('{ __typename }');
  for (let turn = 0; turn < 3; turn++) {
    socket.send({ id: 'stream', type: 'complete' });
    socket.subscribe('stream', query);
  }
  await socket.run('{ __typename }');
  await person.does('UpdateProfile', { input: { givenName: 'Anna' } });
  await socket.message(({ id, type }) => id === 'stream' && type === 'next');
  await socket.run('{ __typename }');
  const said = socket.messages.filter(({ id }) => id === 'stream').map(({ type }) => type);
  expect(said).toEqual(['next']);
});
