import { sql } from 'drizzle-orm';
import { expect, test, vi } from 'vitest';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { append, transact } from '../src/log/append.ts';
import { encodeCursor } from '../src/log/cursor.ts';
import type { Ending, Interval, Reader, Topic } from '../src/log/follower.ts';
import { headOf, type LoggedEvent, trimLog } from '../src/log/history.ts';
import { Hub } from '../src/log/hub.ts';
import { Tail } from '../src/log/tail.ts';
import { startTestApp } from './support/app.ts';
import { cursorOf, Oracle } from './support/log.ts';
import { operation } from './support/operations.ts';
import { createDatabase } from './support/postgres.ts';
import { RawSocket } from './support/socket.ts';

const [school, stranger, userId, sessionId] = Array.from({ length: 4 }, () => crypto.randomUUID()) as [
  string,
  string,
  string,
  string,
];
const topic: Topic = { anchor: school, scope: 'ANCHOR', organizationId: null, kinds: null };

/** Somebody who is in the school's audience for these intervals. */
const reader = (...intervals: Omit<Interval, 'audienceId'>[]): Reader => ({
  userId,
  sessionId,
  access: async () => intervals.map((interval) => ({ ...interval, audienceId: school })),
});
const always = { since: 0, until: Number.POSITIVE_INFINITY };

/** A process's log without the rest of the process. */
async function openProcess(databaseUrl: string) {
  await using stack = new AsyncDisposableStack();
  const connection = stack.use(await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 4 }));
  const failures: unknown[] = [];
  const heard: number[] = [];
  let hub: Hub | null = null;
  const tail = stack.use(
    await Tail.start(connection, {
      retentionDays: 7,
      onEvents: (events) => {
        heard.push(...events.map(({ position }) => position));
        hub?.dispatch(events);
      },
      onRestart: (head) => hub?.restart(head),
      onFailure: (error) => failures.push(error),
    }),
  );
  hub = new Hub(connection.db, {
    epoch: tail.epoch,
    position: tail.position,
    trimmedThrough: () => tail.trimmedThrough,
    settled: () => tail.settled(),
  });
  const running = stack.move();
  return { connection, tail, hub, heard, failures, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function openLog() {
  await using stack = new AsyncDisposableStack();
  const { url } = stack.use(await createDatabase());
  const { connection, ...rest } = stack.use(await openProcess(url));
  const running = stack.move();
  return { ...rest, url, connection, db: connection.db, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Every third of these is the school's. */
const write = ({ db }: Pick<Connection, 'db'>, count: number) =>
  transact(db, (tx) =>
    tx.execute(sql`insert into log_events (audience_id, kind, subject_id)
      select case when n % 3 = 0 then ${school} else ${stranger} end::uuid, 'HAPPENED', gen_random_uuid()
      from generate_series(1, ${count}::int) n`),
  );

const placesOf = async ({ db }: Pick<Connection, 'db'>, after: number) =>
  (
    await rows<{ position: number }>(
      db,
      sql`select position from log_events where audience_id = ${school} and kind = 'HAPPENED' and position > ${after}
        order by position`,
    )
  ).map(({ position }) => position);

const caughtUp = ({ tail, db }: { tail: Tail } & Pick<Connection, 'db'>) =>
  vi.waitFor(
    async () => {
      const [log] = await rows<{ waiting: number; last: number }>(
        db,
        sql`select count(*) filter (where position is null) as waiting, coalesce(max(position), 0) as last from log_events`,
      );
      expect(log).toEqual({ waiting: 0, last: tail.position });
    },
    { timeout: 10_000, interval: 10 },
  );

type Stream = AsyncIterator<LoggedEvent | Ending>;

async function take(stream: Stream, count: number): Promise<number[]> {
  const places: number[] = [];
  while (places.length < count) {
    const { value, done } = await stream.next();
    if (done) break;
    places.push(value.position);
  }
  return places;
}

test('who was away longer than memory reaches gets all of it once and in order, while more is written', async () => {
  await using log = await openLog();
  for (let page = 0; page < 10; page++) await write(log, 1_200);
  await caughtUp(log);
  const missed = await placesOf(log, 0);
  const middle = missed[1_500] ?? 0;
  const streams = await Promise.all(
    [0, middle, missed.at(-10) ?? 0].map((after) =>
      log.hub.follow(topic, reader(always), encodeCursor(log.hub.epoch, after)),
    ),
  );
  const writing = (async () => {
    for (let page = 0; page < 20; page++) await write(log, 300);
  })();
  const delivered = await Promise.all(streams.map((stream, turn) => take(stream, [6_000, 4_499, 2_009][turn] ?? 0)));
  await writing;
  const all = await placesOf(log, 0);
  expect(all).toHaveLength(6_000);
  expect(delivered[0]).toEqual(all);
  expect(delivered[1]).toEqual(all.slice(1_501));
  expect(delivered[2]).toEqual(all.slice(3_991));
  await Promise.all(streams.map((stream) => stream.return?.()));
  expect(log.hub.size).toBe(0);
});

test('a reader who lags far behind loses nothing, and is told of the end at once when access ends meanwhile', async () => {
  await using log = await openLog();
  const stream = await log.hub.follow(topic, reader(always), null);
  await write(log, 30);
  const first = await take(stream, 1);
  for (let page = 0; page < 3; page++) await write(log, 3_900);
  await caughtUp(log);
  const all = await placesOf(log, 0);
  expect([...first, ...(await take(stream, 1_999))]).toEqual(all.slice(0, 2_000));

  // Again behind, and now the audience closes to them.
  for (let page = 0; page < 3; page++) await write(log, 3_900);
  await transact(log.db, (tx) =>
    append(tx, {
      kind: 'ACCESS_ENDED',
      audienceId: school,
      subjectId: userId,
      payload: { userId, last: true, reason: 'ORGANIZATION_SUSPENDED' },
    }),
  );
  await write(log, 30);
  await caughtUp(log);
  const rest: (LoggedEvent | Ending)[] = [];
  for await (const event of { [Symbol.asyncIterator]: () => stream }) rest.push(event);
  const last = rest.at(-2) ?? { position: all[1_999] };
  // Its cursor stands where delivery stood: who may come back some day has missed nothing.
  expect(rest.at(-1)).toEqual({
    ending: 'ACCESS_ENDED',
    reason: 'ORGANIZATION_SUSPENDED',
    position: last.position,
  });
  const places = rest.slice(0, -1).map(({ position }) => position);
  expect([...all.slice(0, 2_000), ...places]).toEqual((await placesOf(log, 0)).slice(0, 2_000 + places.length));
  expect(log.hub.size).toBe(0);
});

test('what somebody could not see then, they are not told later either', async () => {
  await using log = await openLog();
  await write(log, 300);
  await caughtUp(log);
  const all = await placesOf(log, 0);
  const [left, returned] = [all[20] ?? 0, all[60] ?? 0];
  const stream = await log.hub.follow(
    topic,
    reader({ since: all[4] ?? 0, until: left }, { since: returned, until: Number.POSITIVE_INFINITY }),
    encodeCursor(log.hub.epoch, 0),
  );
  expect(await take(stream, 15 + 39)).toEqual([...all.slice(5, 20), ...all.slice(61)]);
  await stream.return?.();
});

test('access that changes while a subscription opens counts from its place', async () => {
  await using log = await openLog();
  const hub = new Hub(log.db, { epoch: log.hub.epoch, position: 0, trimmedThrough: () => 0, settled: async () => {} });
  const [gained, lost] = [crypto.randomUUID(), crypto.randomUUID()];
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const viewer: Reader = {
    userId,
    sessionId,
    access: async () => {
      await asked;
      return [userId, lost].map((audienceId) => ({ ...always, audienceId }));
    },
  };
  let position = 0;
  const happen = (kind: string, audienceId: string) =>
    hub.dispatch([
      {
        id: ++position,
        position,
        audienceId,
        organizationId: null,
        kind,
        subjectId: userId,
        payload: { userId, last: true },
        createdAt: new Date(),
      },
    ]);
  const everything: Topic = { anchor: userId, scope: 'VIEWER', organizationId: null, kinds: null };
  const opening = hub.follow(everything, viewer, null);
  happen('HAPPENED', lost);
  happen('HAPPENED', gained);
  happen('ACCESS_BEGAN', gained);
  happen('HAPPENED', gained);
  happen('ACCESS_ENDED', lost);
  happen('HAPPENED', lost);
  answer();
  const stream = await opening;
  happen('HAPPENED', gained);
  happen('HAPPENED', lost);
  happen('HAPPENED', userId);
  expect(await take(stream, 4)).toEqual([1, 4, 7, 9]);
  happen('SESSION_ENDED', stranger); // another person's
  hub.expire(new Set([sessionId]));
  expect(await stream.next()).toMatchObject({ value: { ending: 'ACCESS_ENDED', reason: 'SESSION_EXPIRED' } });
});

test('a cursor from a process that has read further is followed from its place, one from a lost future is refused', async () => {
  await using log = await openLog();
  await write(log, 30);
  await caughtUp(log);
  const events = await rows<LoggedEvent>(
    log.db,
    sql`select id, position, audience_id as "audienceId", kind, subject_id as "subjectId", payload from log_events order by position`,
  );
  // This process has read none of it yet.
  const behind = new Hub(log.db, {
    epoch: log.hub.epoch,
    position: 0,
    trimmedThrough: () => 0,
    settled: async () => {},
  });
  const all = await placesOf(log, 0);
  const stream = await behind.follow(topic, reader(always), encodeCursor(behind.epoch, all[4] ?? 0));
  const taken = take(stream, 5);
  behind.dispatch(events.slice(0, 10));
  behind.dispatch(events.slice(10));
  expect(await taken).toEqual(all.slice(5));
  const lost = await behind.follow(topic, reader(always), encodeCursor(behind.epoch, 1_000_000));
  expect((await lost.next()).value).toEqual({ ending: 'RESYNC_REQUIRED', position: 30 });
  expect((await lost.next()).done).toBe(true);
});

test('what another process forgot is not passed over in silence', async () => {
  await using log = await openLog();
  await write(log, 3_000);
  await caughtUp(log);
  await using late = await openProcess(log.url);
  const after = encodeCursor(late.hub.epoch, 10);
  const slow = await late.hub.follow(topic, reader(always), after);
  expect((await slow.next()).value).toMatchObject({ kind: 'HAPPENED' });
  await log.db.execute(sql`update log_events set created_at = now() - interval '8 days' where position <= 1500`);
  await trimLog(log.db, 7);
  const stream = await late.hub.follow(topic, reader(always), after);
  expect((await stream.next()).value).toEqual({ ending: 'RESYNC_REQUIRED', position: 3_000 });
  expect((await stream.next()).done).toBe(true);
  expect(late.hub.size).toBeGreaterThan(0); // the slow one has its page
  await slow.return?.();
  expect(late.hub.size).toBe(0);
});

test('a tail that lost its ear catches up when it hears again, and asks whether it is the same history', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] }); // no poll comes to its help
  try {
    await using log = await openLog();
    const stream = await log.hub.follow(topic, reader(always), null);
    const deafen = () =>
      log.db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query ilike 'listen%'`);
    await deafen();
    // Another process's: placed already, and its notification lost.
    await log.db.execute(sql`insert into log_events (audience_id, kind, subject_id, position)
      values (${school}, 'HAPPENED', ${school}, nextval('log_position'))`);
    expect(await take(stream, 1)).toEqual(await placesOf(log, 0));

    const before = log.hub.epoch;
    await log.db.execute(sql`update log_state set cluster = 'the one that was restored'`);
    await deafen();
    expect((await stream.next()).value).toMatchObject({ ending: 'RESYNC_REQUIRED' });
    expect((await stream.next()).done).toBe(true);
    expect(log.hub.epoch).toBe((await headOf(log.db)).epoch);
    expect(log.hub.epoch).not.toBe(before);
    const again = await log.hub.follow(topic, reader(always), encodeCursor(before, 0));
    expect((await again.next()).value).toMatchObject({ ending: 'RESYNC_REQUIRED' });
  } finally {
    vi.useRealTimers();
  }
});

test('two processes with sixteen writers agree on one order, in which nobody waits long and nothing comes late', async () => {
  await using log = await openLog();
  await using other = await openProcess(log.url);
  await log.db.execute(sql`create table counters (id int primary key, last int not null default 0)`);
  await log.db.execute(sql`insert into counters (id) values (1), (2)`);
  const writeInto = async ({ connection }: { connection: Connection }, chat: number) => {
    for (let turn = 0; turn < 40; turn++) {
      await transact(connection.db, async (tx) => {
        await append(tx, { kind: 'BEFORE', audienceId: stranger, subjectId: stranger });
        const [counted] = await rows<{ last: number }>(
          tx,
          sql`update counters set last = last + 1 where id = ${chat} returning last`,
        );
        const payload = { chat, number: counted?.last ?? 0 };
        await append(tx, { kind: 'SAID', audienceId: school, subjectId: school, payload });
      });
    }
  };
  await Promise.all(
    Array.from({ length: 16 }, (_, writer) => writeInto(writer % 2 ? log : other, writer % 4 < 2 ? 1 : 2)),
  );
  await vi.waitFor(() => expect([log.heard.length, other.heard.length]).toEqual([1_280, 1_280]), {
    timeout: 5_000,
    interval: 1,
  });
  const order = await rows<{ position: number; chat: number | null; number: number }>(
    log.db,
    sql`select position, (payload->>'chat')::int as chat, (payload->>'number')::int as number from log_events order by position`,
  );
  expect(log.heard).toEqual(order.map(({ position }) => position));
  expect(other.heard).toEqual(log.heard);
  for (const chat of [1, 2]) {
    const said = order.filter((event) => event.chat === chat).map(({ number }) => number);
    expect(said).toEqual(Array.from({ length: 320 }, (_, index) => index + 1));
  }
  expect([...log.failures, ...other.failures]).toEqual([]);
});

test('a client with an old cursor is told to read anew, one with a broken one that it is broken', async () => {
  await using app = await startTestApp();
  await using oracle = new Oracle(app);
  const person = await app.world.person();
  const after = await cursorOf(person);
  for (let turn = 0; turn < 3; turn++) await person.does('UpdateProfile', { input: { givenName: 'Anna' } });
  await oracle.everythingPlaced();

  const demandResync = async (url: string, cursor: string) => {
    await using socket = await RawSocket.open(url, person.token);
    socket.subscribe('stream', operation('ViewerEvents'), { after: cursor });
    await socket.message(({ type }) => type === 'complete');
    const told = socket.messages.filter(({ type }) => type === 'next').map(({ payload }) => payload.data.viewerEvents);
    expect(told).toMatchObject([{ __typename: 'ResyncRequired' }]);
    socket.subscribe('again', operation('ViewerEvents'), { after: told[0].cursor });
    await socket.run('{ __typename }');
    await person.does('UpdateProfile', { input: { givenName: 'Olga' } });
    const { payload } = await socket.message(({ id, type }) => id === 'again' && type === 'next');
    expect(payload.data.viewerEvents.__typename).toBe('ProfileUpdated');
    return payload.data.viewerEvents.cursor;
  };
  await oracle.sql`update log_events set created_at = now() - interval '8 days'`;
  await using second = await startTestApp({ databaseUrl: app.databaseUrl ?? '' }); // forgets what is old at its start
  const fresh = await demandResync(second.url, after);
  await oracle.sql`update log_state set epoch = gen_random_uuid()`;
  await using third = await startTestApp({ databaseUrl: app.databaseUrl ?? '' });
  await demandResync(third.url, fresh);

  for (const cursor of ['', 'x', 'not a cursor', encodeCursor(crypto.randomUUID(), -1), 'A'.repeat(100_000 / 2)]) {
    const stream = person.subscribe('ViewerEvents', { after: cursor });
    await stream.done;
    expect(stream.delivered).toEqual([null].slice(0, stream.delivered.length));
    expect(stream.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', field: 'after' } }]);
  }
});

test('a thousand subscriptions that come and go, politely or not, leave nothing behind', async () => {
  const attached = vi.spyOn(Hub.prototype, 'enter');
  try {
    await using app = await startTestApp();
    const person = await app.world.person();
    const query = 'subscription { viewerEvents { __typename } }';
    for (let round = 0; round < 20; round++) {
      await using socket = await RawSocket.open(app.url, person.token);
      for (let id = 0; id < 50; id++) {
        socket.subscribe(String(id), query);
        // Some while they are still opening, some later, and some with their socket.
        if (id % 3 === 0) socket.send({ id: String(id), type: 'complete' });
      }
      if (round % 2) await socket.run('{ __typename }').catch(() => {});
      for (let id = 1; id < 50; id += 3) socket.send({ id: String(id), type: 'complete' });
    }
    const hub = attached.mock.contexts[0];
    if (!(hub instanceof Hub)) throw new Error('nobody subscribed');
    await vi.waitFor(() => expect(hub.size).toBe(0), 5_000);
    expect(attached.mock.calls.length).toBeGreaterThan(500);
  } finally {
    attached.mockRestore();
  }
});
