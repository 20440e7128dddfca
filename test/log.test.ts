import { sql } from 'drizzle-orm';
import { expect, test, vi } from 'vitest';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { append, transact } from '../src/log/append.ts';
import { encodeCursor } from '../src/log/cursor.ts';
import { headOf, type LoggedEvent } from '../src/log/history.ts';
import { Hub, type Stay } from '../src/log/hub.ts';
import { trimLog } from '../src/log/retention.ts';
import { startTestApp } from './support/app.ts';
import { cursorOf, Oracle } from './support/log.ts';
import {
  accessBegan,
  accessEnded,
  arrive,
  caughtUp,
  hubAtStart,
  Listener,
  openLog,
  openProcess,
  placesOf,
  school,
  stay,
  stranger,
  tell,
  write,
} from './support/log-followers.ts';
import { operation } from './support/operations.ts';
import { RawSocket } from './support/socket.ts';
import { eventually } from './support/waiting.ts';

test('who was away longer than memory reaches gets all of it once and in order, while more is written', async () => {
  await using log = await openLog();
  for (let page = 0; page < 10; page++) await write(log, 1_200);
  await caughtUp(log);
  const missed = await placesOf(log);
  const middle = missed[1_500] ?? 0;
  const person = await arrive(log.hub);
  const feeds = await Promise.all([0, middle, missed.at(-10) ?? 0].map((after) => person.follow({ after })));
  const writing = (async () => {
    for (let page = 0; page < 20; page++) await write(log, 300);
  })();
  const delivered = await Promise.all(feeds.map((feed, turn) => feed.take([6_000, 4_499, 2_009][turn] ?? 0)));
  await writing;
  const all = await placesOf(log);
  expect(all).toHaveLength(6_000);
  expect(delivered[0]).toEqual(all);
  expect(delivered[1]).toEqual(all.slice(1_501));
  expect(delivered[2]).toEqual(all.slice(3_991));
  for (const feed of feeds) feed.close();
  person.leave();
  expect(log.hub.size).toBe(0);
});

test('a reader who lags far behind loses nothing, and is told of the end behind all that was before it', async () => {
  await using log = await openLog();
  const person = await arrive(log.hub);
  const feed = await person.follow({ capacity: 5 });
  await write(log, 30);
  const first = await feed.take(1);
  for (let page = 0; page < 3; page++) await write(log, 3_900);
  await caughtUp(log);
  const all = await placesOf(log);
  expect(log.hub.window.reaches(all[10] ?? 0)).toBe(false);
  expect(feed.sent).toHaveLength(6);
  expect([...first, ...(await feed.take(1_999))]).toEqual(all.slice(0, 2_000));

  // Again behind, and now the audience closes to them.
  for (let page = 0; page < 3; page++) await write(log, 3_900);
  await transact(log.db, (tx) =>
    append(tx, {
      kind: 'ACCESS_ENDED',
      audienceId: school,
      subjectId: person.userId,
      payload: { userId: person.userId, audience: 'GROUP', last: true, reason: 'ORGANIZATION_SUSPENDED' },
    }),
  );
  await write(log, 30);
  await caughtUp(log);
  const rest = await feed.rest();
  const [end] = await rows<{ position: number }>(
    log.db,
    sql`select position from log_events where kind = 'ACCESS_ENDED'`,
  );
  // Its cursor stands where access ended: who may come back some day has missed nothing.
  expect(rest.at(-1)).toEqual({ ending: 'ACCESS_ENDED', reason: 'ORGANIZATION_SUSPENDED', ...end });
  const before = (await placesOf(log)).filter((place) => place < (end?.position ?? 0));
  expect(before).toHaveLength(7_810);
  expect(feed.places.slice(0, -1)).toEqual(before);
  person.leave();
  expect(log.hub.size).toBe(0);
});

test('what somebody could not see then, they are not told later either', async () => {
  let all: number[] = [];
  await using log = await openLog(async () => [
    stay(school, { since: all[4] ?? 0, until: all[20] ?? 0 }),
    stay(school, { since: all[60] ?? 0 }),
  ]);
  await write(log, 300);
  await caughtUp(log);
  all = await placesOf(log);
  const feed = await (await arrive(log.hub)).follow({ after: 0 });
  expect(await feed.take(15 + 39)).toEqual([...all.slice(5, 20), ...all.slice(61)]);
});

test('access that changes while it is read counts from its place', async () => {
  await using log = await openLog();
  const [gained, lost] = [crypto.randomUUID(), crypto.randomUUID()];
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<Stay[]>()];
  const hub = hubAtStart(log, () => {
    asked.resolve();
    return answer.promise;
  });
  const person = new Listener(hub);
  const { userId, sessionId } = person;
  const arriving = person.arrive();
  await asked.promise;
  tell(hub, { audienceId: lost }, { audienceId: gained }, accessBegan(userId, gained), { audienceId: gained });
  tell(hub, accessEnded(userId, lost), { audienceId: lost });
  answer.resolve([stay(lost)]);
  await arriving;
  const feed = await person.follow({ anchor: userId, scope: 'READER', after: 0 });
  tell(hub, { audienceId: gained }, { audienceId: lost }, { audienceId: userId });
  expect(await feed.take(4)).toEqual([1, 4, 7, 9]);
  tell(hub, { kind: 'SESSION_ENDED', audienceId: stranger, subjectId: sessionId }); // another person's
  hub.expire(new Set([sessionId]));
  expect(await feed.next()).toMatchObject({ ending: 'ACCESS_ENDED', reason: 'SESSION_EXPIRED' });
  expect(await feed.next()).toBe(null);
  expect(person.sessionEnds).toBe(1);
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
  const behind = hubAtStart(log);
  const person = await arrive(behind);
  const all = await placesOf(log);
  const feed = await person.follow({ after: all[4] ?? 0 });
  await eventually(() => expect(behind.size).toBe(3)); // it waits for what happens, and is not to hear what it knows
  behind.dispatch(events.slice(0, 10));
  behind.dispatch(events.slice(10));
  expect(await feed.take(5)).toEqual(all.slice(5));
  const lost = await person.follow({ after: 1_000_000 });
  expect(await lost.rest()).toEqual([{ ending: 'RESYNC_REQUIRED', position: 30 }]);
});

test('what another process forgot is not passed over in silence', async () => {
  await using log = await openLog();
  await write(log, 3_000);
  await caughtUp(log);
  await using late = await openProcess(log.url);
  const person = await arrive(late.hub);
  const slow = await person.follow({ after: 10, capacity: 1 });
  expect(await slow.next()).toMatchObject({ kind: 'HAPPENED' });
  await log.db.execute(sql`update log_events set created_at = now() - interval '8 days' where position <= 1500`);
  await trimLog(log.db, 7);
  const feed = await person.follow({ after: 10 });
  expect(await feed.rest()).toEqual([{ ending: 'RESYNC_REQUIRED', position: 3_000 }]);
  expect((await slow.take(900)).length).toBe(900); // it had its page
  slow.close();
  person.leave();
  expect(late.hub.size).toBe(0);
});

test('a tail that lost its ear catches up when it hears again, and asks whether it is the same history', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] }); // no poll comes to its help
  try {
    await using log = await openLog();
    const person = await arrive(log.hub);
    const feed = await person.follow();
    const deafen = () =>
      log.db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query ilike 'listen%'`);
    await deafen();
    // Another process's: placed already, and its notification lost.
    await log.db.execute(sql`insert into log_events (audience_id, kind, subject_id, position)
      values (${school}, 'HAPPENED', ${school}, nextval('log_position'))`);
    expect(await feed.take(1)).toEqual(await placesOf(log));

    const before = log.hub.epoch;
    await log.db.execute(sql`update log_state set cluster = 'the one that was restored'`);
    await deafen();
    expect(await feed.rest()).toMatchObject([{ ending: 'RESYNC_REQUIRED' }]);
    expect(log.hub.epoch).toBe((await headOf(log.db)).epoch);
    expect(log.hub.epoch).not.toBe(before);
    const again = await person.follow({ after: encodeCursor(before, 0) });
    expect(await again.next()).toMatchObject({ ending: 'RESYNC_REQUIRED' });
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
  await eventually(() => expect([log.heard.length, other.heard.length]).toEqual([1_280, 1_280]));
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
  await using connection = await connect({ databaseUrl: app.databaseUrl, dataDirectory: 'memory://' });
  await trimLog(connection.db, 7);
  expect(await oracle.sql`select from log_events`).toEqual([]);
  await using second = await startTestApp({ databaseUrl: app.databaseUrl ?? '' });
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
    await eventually(() => expect(hub.size).toBe(0));
    expect(attached.mock.calls.length).toBeGreaterThan(300);
  } finally {
    attached.mockRestore();
  }
});
