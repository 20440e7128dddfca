import { once } from 'node:events';
import { createServer } from 'node:net';
import { sql } from 'drizzle-orm';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import type { NatsServers } from '../src/config-values.ts';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { append, transact } from '../src/log/append.ts';
import { decodeCursor } from '../src/log/cursor.ts';
import { Tail } from '../src/log/tail.ts';
import { throughPostgres, type WakeUp } from '../src/log/wake-up.ts';
import { throughNats } from '../src/log/wake-up-nats.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { cursorOf, Oracle } from './support/log.ts';
import { Nats } from './support/nats.ts';
import { createDatabase } from './support/postgres.ts';
import { ResumingStream } from './support/socket.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

const whom = crypto.randomUUID();

/** What the log of one process says, and how it hears of others. */
async function openProcess(databaseUrl: string, wakeUpOf: (connection: Connection) => WakeUp | Promise<WakeUp>) {
  await using stack = new AsyncDisposableStack();
  const connection = stack.use(await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 8 }));
  const heard: number[] = [];
  const tail = stack.use(
    await Tail.start(connection, await wakeUpOf(connection), {
      onEvents: (events) => heard.push(...events.map(({ position }) => position)),
      onFailure: () => {}, // its next turn tries again
    }),
  );
  const kept = stack.move();
  return { db: connection.db, tail, heard, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

type Process = Awaited<ReturnType<typeof openProcess>>;

const say = ({ db }: Pick<Process, 'db'>) =>
  transact(db, (tx) => append(tx, { kind: 'SAID', audienceId: whom, subjectId: whom }));

/** Lets so many write at one process, for as long as `meanwhile` takes; answers how much they wrote. */
async function writing(process: Process, writers: number, meanwhile: () => Promise<void>): Promise<number> {
  let stopped = false;
  let written = 0;
  const work = Array.from({ length: writers }, async () => {
    while (!stopped) await say(process).then(() => written++);
  });
  try {
    await meanwhile();
  } finally {
    stopped = true;
    await Promise.all(work);
  }
  return written;
}

/** Keeps every poll from coming to the help. */
async function withoutPolls(work: () => Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  try {
    await work();
  } finally {
    vi.useRealTimers();
  }
}

/** Lets a person write at their server and hear of it at the stream's; answers how long that took, as a rule. */
async function usualDelay(person: Person, stream: ResumingStream): Promise<number> {
  const delays: number[] = [];
  for (let turn = 0; turn < 15; turn++) {
    const before = stream.delivered.length;
    const started = performance.now();
    await person.does('UpdateProfile', { input: { givenName: 'Anna' } });
    await eventually(() => expect(stream.delivered.length).toBeGreaterThan(before));
    delays.push(performance.now() - started);
  }
  return delays.sort((one, other) => one - other)[7] ?? Infinity;
}

/** Two servers on one database, a person at the first, and what they hear at the second. */
async function openTwoServers(nats: NatsServers) {
  await using stack = new AsyncDisposableStack();
  const first = stack.use(await startTestApp({ config: { nats } }));
  const second = stack.use(await startTestApp({ config: { nats }, databaseUrl: first.databaseUrl ?? '' }));
  const oracle = stack.use(new Oracle(first));
  const person = await first.world.person();
  const after = await cursorOf(person);
  const stream = stack.use(new ResumingStream([second.url], person, 'ViewerEvents', { after }));
  await eventually(() => expect(stream.opened).toBe(1));
  const everything = () => oracle.places(person, decodeCursor(after).position);
  const kept = stack.move();
  return { first, person, stream, everything, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What Postgres tells of the log while something happens. */
async function notifiedDuring(app: TestApp, work: () => Promise<void>): Promise<string[]> {
  const told: string[] = [];
  await inDatabase(app, async (sql) => {
    await sql.listen('homeroom_log', (payload) => void told.push(payload));
    await work();
    // In order, so with its own word everything before it has arrived.
    await sql.notify('homeroom_log', 'the end');
    await eventually(() => expect(told.at(-1)).toBe('the end'));
  });
  return told.slice(0, -1);
}

test('through NATS one server hears at once what another placed, and Postgres tells nobody', async () => {
  await using nats = await Nats.start();
  await withoutPolls(async () => {
    await using servers = await openTwoServers(nats.servers);
    const { first, person, stream } = servers;
    const notified = await notifiedDuring(first, async () => {
      expect(await usualDelay(person, stream)).toBeLessThan(1000);
    });
    expect(notified).toEqual([]);
  });
});

test('through Postgres alone, it is Postgres that tells', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  const notified = await notifiedDuring(app, async () => {
    await person.does('UpdateProfile', { input: { givenName: 'Anna' } });
    await cursorOf(person);
  });
  expect(notified.length).toBeGreaterThan(0);
});

test('a NATS that is killed costs time and no event, and once it is back others hear at once again', async () => {
  await using nats = await Nats.start();
  await using servers = await openTwoServers(nats.servers);
  const { person, stream, everything } = servers;
  const update = () => person.does('UpdateProfile', { input: { givenName: 'Anna' } });
  for (let turn = 0; turn < 20; turn++) {
    if (turn === 10) await nats.kill();
    await update();
  }
  await eventually(async () => expect(stream.places).toEqual(await everything()));
  await nats.start();
  await eventually(async () => expect(await usualDelay(person, stream)).toBeLessThan(250));
  await eventually(async () => expect(stream.places).toEqual(await everything()));
  expect(stream.places.length).toBeGreaterThan(20);
  expect(stream.opened).toBe(1);
});

test('a server starts while NATS is down, hears by its poll, and finds NATS when it comes', async () => {
  await using nats = await Nats.prepare();
  await using servers = await openTwoServers(nats.servers);
  const { person, stream, everything } = servers;
  await person.does('UpdateProfile', { input: { givenName: 'Anna' } });
  await eventually(() => expect(stream.delivered).toHaveLength(1));
  await nats.start();
  await eventually(async () => expect(await usualDelay(person, stream)).toBeLessThan(250));
  expect(stream.places).toEqual(await everything());
});

/** Stands where NATS should, and hangs up on whoever calls. */
async function standIn({ port }: Nats) {
  let calls = 0;
  const server = createServer((socket) => {
    calls++;
    socket.destroy();
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    calls: () => calls,
    [Symbol.asyncDispose]: async () => {
      await once(server.close(), 'close');
    },
  };
}

/** A process's ear for NATS alone: what it hears, how often it began to, and what it writes to the log meanwhile. */
async function openEar(databaseUrl: string, { servers }: Nats) {
  await using stack = new AsyncDisposableStack();
  const connection = stack.use(await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 1 }));
  const warnings: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const wakeUp = await throughNats(connection, servers, logger);
  const heard: number[] = [];
  const ear = { wakeUp, warnings, heard, began: 0 };
  stack.use(
    await wakeUp.hear(
      (position) => heard.push(position),
      () => ear.began++,
    ),
  );
  const kept = stack.move();
  return Object.assign(ear, { [Symbol.asyncDispose]: () => kept.disposeAsync() });
}

test('an outage of NATS is one warning, without the password, and after each the log is read again', async () => {
  await using nats = await Nats.prepare(
    'homeroom:pass%2Fword@',
    'authorization { user: homeroom, password: "pass/word" }',
  );
  await using database = await createDatabase();
  await using ear = await openEar(database.url, nats);
  await using other = await openEar(database.url, nats);
  for (const outage of [1, 2, 3]) {
    {
      await using nobody = await standIn(nats);
      await eventually(() => expect(nobody.calls()).toBeGreaterThan(3));
      ear.wakeUp.tell(1); // to nobody, and nothing is thrown
      expect(ear.warnings).toHaveLength(outage);
    }
    await nats.start();
    await eventually(() => expect([ear.began, other.began]).toEqual([outage, outage]));
    ear.wakeUp.tell(10 + outage);
    await eventually(() => expect(other.heard.at(-1)).toBe(10 + outage));
    await nats.kill();
  }
  expect(ear.heard).not.toContain(11); // its own
  expect(ear.warnings.join()).not.toMatch(/pass.{1,3}word/);
});

test('a NATS that lets nobody in, or lets nobody tell, is an outage too', async () => {
  await using database = await createDatabase();
  await using closed = await Nats.start('', 'authorization { token: secret }');
  await using stranger = await openEar(database.url, closed);
  await eventually(() => expect(stranger.warnings.join()).toMatch(/authorization violation/i));

  await using mute = await Nats.start(
    'homeroom:secret@',
    'authorization { users: [{ user: homeroom, password: secret, permissions: { publish: { deny: ">" } } }] }',
  );
  await using ear = await openEar(database.url, mute);
  await eventually(() => expect(ear.warnings.join()).toMatch(/permissions violation/i));
  expect([stranger.began, ear.began]).toEqual([0, 0]);
});

test('two installations on one NATS do not wake each other', async () => {
  await using nats = await Nats.start();
  await using database = await createDatabase();
  await using another = await createDatabase();
  await using ear = await openEar(database.url, nats);
  await using same = await openEar(database.url, nats);
  await using stranger = await openEar(another.url, nats);
  await eventually(() => expect([ear.began, same.began, stranger.began]).toEqual([1, 1, 1]));
  stranger.wakeUp.tell(1);
  ear.wakeUp.tell(2);
  await eventually(() => expect(same.heard).toContain(2));
  expect([...same.heard, ...ear.heard]).not.toContain(1);
  expect(stranger.heard).not.toContain(2);
});

test('an ear that Postgres cuts off while eight people write misses nothing, although no poll helps it', async () => {
  await using database = await createDatabase();
  await withoutPolls(async () => {
    await using writer = await openProcess(database.url, throughPostgres);
    await using listener = await openProcess(database.url, throughPostgres);
    const written = await writing(writer, 8, async () => {
      for (let cut = 0; cut < 5; cut++) {
        const before = listener.heard.length;
        await eventually(() => expect(listener.heard.length).toBeGreaterThan(before + 50));
        await writer.db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and query ilike 'listen%'`);
      }
    });
    await eventually(() => expect([writer.heard.length, listener.heard.length]).toEqual([written, written]));
    const order = await rows<{ position: number }>(
      writer.db,
      sql`select position from log_events where kind = 'SAID' order by position`,
    );
    expect(listener.heard).toEqual(order.map(({ position }) => position));
    expect(writer.heard).toEqual(listener.heard);
  });
});

test('who asks for the place behind their own write is answered while others write without a pause', async () => {
  await using database = await createDatabase();
  await using process = await openProcess(database.url, throughPostgres);
  await writing(process, 16, async () => {
    for (let turn = 0; turn < 10; turn++) {
      const before = process.heard.length;
      await eventually(() => expect(process.heard.length).toBeGreaterThan(before));
      const [mine] = await transact(process.db, (tx) =>
        rows<{ id: number }>(
          tx,
          sql`insert into log_events (audience_id, kind, subject_id) values (${whom}, 'MINE', ${whom}) returning id`,
        ),
      );
      await process.tail.settled();
      const [placed] = await rows<{ position: number }>(
        process.db,
        sql`select position from log_events where id = ${mine?.id}`,
      );
      expect(process.heard).toContain(placed?.position);
    }
  });
});

test('a database that became another under a running process is noticed, although its ear heard nothing of it', async () => {
  await using nats = await Nats.prepare();
  await using database = await createDatabase();
  await using process = await openProcess(database.url, (connection) =>
    throughNats(connection, nats.servers, pino({ level: 'silent' })),
  );
  const { epoch } = process.tail;
  await process.db.execute(sql`update log_state set cluster = 'the one that was restored'`);
  await eventually(() => expect(process.tail.epoch).not.toBe(epoch));
});
