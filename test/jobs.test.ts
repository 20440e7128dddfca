import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { pino } from 'pino';
import { expect, inject, test } from 'vitest';
import { type Connection, connect, type Database, rows } from '../src/database/connect.ts';
import { type RecurringJob, startJobs } from '../src/jobs/queue.ts';
import { cancel, enqueue, type TaskKind } from '../src/jobs/tasks.ts';
import type { Json } from './support/client.ts';
import { administer, createDatabase, databaseIn } from './support/postgres.ts';
import { eventually } from './support/waiting.ts';

/** Due once in four years. */
const never = '0 0 29 2 *';
/** As many processes as asked for, all on one database, and what they log. */
async function openPlace() {
  await using stack = new AsyncDisposableStack();
  const databaseUrl = stack.use(await createDatabase()).url;
  const lines: Json[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) });
  const kept = stack.move();
  const join = async (...recurring: RecurringJob[]) => start({ recurring, tasks: [] });
  const start = async (work: { recurring: RecurringJob[]; tasks: TaskKind[] }) => {
    const connection = kept.use(await connect({ databaseUrl, dataDirectory: 'memory://' }));
    const jobs = kept.use(await startJobs(connection, work, logger));
    return { db: connection.db, runNow: jobs.runNow, stop: () => jobs[Symbol.asyncDispose]() };
  };
  return { databaseUrl, lines, join, start, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A job or task that fails so many times, and remembers with what it ran. */
function remembered(name: string, cron = never, failures = 0) {
  const runs: { turn?: number }[] = [];
  const run = async (_db: Database, data: object) => {
    runs.push(data);
    if (runs.length <= failures) throw new Error('not yet');
  };
  return { name, cron, runs, run };
}

const turns = ({ runs }: ReturnType<typeof remembered>) => new Set(runs.map(({ turn }) => turn));

const inQueue = ({ db }: Pick<Connection, 'db'>, name: string) =>
  rows<{ state: string; output: unknown; minute: string }>(
    db,
    sql`select state, output, date_trunc('minute', created_on) as minute from jobs.job where name = ${name}`,
  );

test.concurrent(`a job that fails says so and is tried again`, async () => {
  await using place = await openPlace();
  const job = remembered('test.shaky', never, 1);
  const process = await place.join(job);
  await expect(process.runNow(job.name)).rejects.toThrow('test.shaky has failed');
  await eventually(() => expect(job.runs).toHaveLength(2));
  await process.runNow(job.name);
  expect(job.runs).toHaveLength(3);
  expect(place.lines).toMatchObject([
    { level: 40, job: 'test.shaky', err: { message: 'not yet' }, msg: 'a job has failed' },
  ]);
  expect((await inQueue(process, job.name)).map(({ state }) => state)).toEqual(['completed', 'completed']);
});

test.concurrent(`a task runs at its time, if its command commits`, async () => {
  await using place = await openPlace();
  const late: number[] = [];
  const publish: TaskKind<{ at: number }> = {
    name: 'test.publish',
    run: async (_db, { at }) => void late.push(Date.now() - at),
  };
  const remind = remembered('test.remind', never, 1);
  const { db } = await place.start({ recurring: [], tasks: [publish, remind] });
  const at = Date.now() + 1_500;
  const undone = db.transaction(async (tx) => {
    await enqueue(tx, publish, { at }, { at: new Date(at) });
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  await db.transaction(async (tx) => {
    for (let turn = 0; turn < 6; turn++) await enqueue(tx, publish, { at }, { at: new Date(at) });
    // Waits for no clock: what is past is due.
    for (const turn of [1, 2]) await enqueue(tx, remind, { turn }, { at: new Date(0), key: 'meeting-1' });
    for (const turn of [3, 4]) await enqueue(tx, remind, { turn }, { at: new Date(0), key: `meeting-${turn}` });
  });
  await eventually(() => expect(late).toHaveLength(6));
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  await eventually(() => expect(remind.runs).toHaveLength(4));
  expect(turns(remind)).toEqual(new Set([1, 3, 4]));
  expect(await inQueue({ db }, publish.name)).toHaveLength(6);
});

test.concurrent(`a task that is taken back does not run`, async () => {
  await using place = await openPlace();
  const task = remembered('test.recall');
  const { db } = await place.start({ recurring: [], tasks: [task] });
  const at = new Date(Date.now() + 1_000);
  await db.transaction(async (tx) => {
    await enqueue(tx, task, { turn: 1 }, { at, key: 'post-1' });
    await enqueue(tx, task, { turn: 2 }, { at, key: 'post-2' });
  });
  const undone = db.transaction(async (tx) => {
    await cancel(tx, task, 'post-2');
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  await db.transaction(async (tx) => {
    await cancel(tx, task, 'post-1');
    await cancel(tx, task, 'post-1');
    // Its key is free again.
    await enqueue(tx, task, { turn: 3 }, { at, key: 'post-1' });
  });
  await eventually(() => expect(task.runs).toHaveLength(2));
  expect(turns(task)).toEqual(new Set([2, 3]));
});

// The slowest first: they run side by side, a few at a time.
test.concurrent('what a killed process was at is taken over by another', async () => {
  await using place = await openPlace();
  const program = fileURLToPath(new URL('support/job-runner.ts', import.meta.url));
  const child = spawn(process.execPath, [program, place.databaseUrl], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    const job = remembered('test.endless');
    const { db } = await place.join(job);
    child.kill('SIGKILL');
    await exited;
    expect(job.runs).toEqual([]);
    await db.execute(sql`update jobs.job set heartbeat_on = now() - interval '11 seconds'`);
    await db.execute(sql`update jobs.queue set monitor_claim_on = null, monitor_on = null`);
    await eventually(() => expect(job.runs).toHaveLength(1));
  } finally {
    child.kill('SIGKILL');
  }
});

test.concurrent('a job that is due runs once, however many processes there are', async () => {
  await using place = await openPlace();
  const job = remembered('test.due', '* * * * *');
  const [process] = await Promise.all([place.join(job), place.join(job)]);
  await eventually(() => expect(job.runs).not.toEqual([]));
  const queued = await inQueue(process, job.name);
  expect(new Set(queued.map(({ minute }) => minute)).size).toBe(queued.length);
  expect(job.runs.length).toBeLessThanOrEqual(queued.length);
});

test.concurrent('of several processes one is at a job at a time', async () => {
  await using place = await openPlace();
  let running = 0;
  let runs = 0;
  const job: RecurringJob = {
    name: 'test.alone',
    cron: never,
    run: async () => {
      running++;
      runs++;
      await delay(20);
      expect(running).toBe(1);
      running--;
    },
  };
  const processes = await Promise.all([place.join(job), place.join(job)]);
  await Promise.all(processes.map(({ runNow }) => runNow(job.name)));
  expect(runs).toBe(2);
  expect(place.lines).toEqual([]);
});

test.concurrent('what came due while no process ran is made up for once, soon after the start', async () => {
  await using place = await openPlace();
  const tenMinutesAgo = new Date(Date.now() - 10 * 60_000).getUTCMinutes();
  const job = remembered('test.missed', `${tenMinutesAgo} * * * *`);
  const before = await place.join(job);
  await eventually(async () =>
    expect(await rows(before.db, sql`select from jobs.version where cron_on is not null`)).toHaveLength(1),
  );
  await before.stop();
  expect(job.runs).toEqual([]);
  await before.db.execute(sql`update jobs.version set cron_on = now() - interval '5 hours'`);
  await before.db.execute(sql`update jobs.schedule set created_on = now() - interval '1 day'`);
  const after = await place.join(job);
  await eventually(() => expect(job.runs).toHaveLength(1));
  expect(await inQueue(after, job.name)).toHaveLength(1);
});

test.concurrent('a process that stops does not wait for a job without end, and what it leaves goes to another', async () => {
  await using place = await openPlace();
  const deaf = { ...remembered('test.deaf'), run: () => new Promise<never>(() => {}) };
  const stopping = await place.join(deaf);
  const running = stopping.runNow(deaf.name);
  await Promise.all([
    expect(running).rejects.toThrow('test.deaf has failed'),
    eventually(async () => expect(await inQueue(stopping, deaf.name)).toMatchObject([{ state: 'active' }])).then(
      async () => {
        await stopping.stop();
      },
    ),
  ]);
  const job = remembered('test.deaf');
  await place.join(job);
  await eventually(() => expect(job.runs).toHaveLength(1));
});

test.concurrent('any number of processes may start at once on a database without a queue', async () => {
  const { url } = inject('postgres');
  const name = `test_jobs_${process.pid}`;
  await administer(url, `create database ${name}`);
  try {
    await using stack = new AsyncDisposableStack();
    const job = remembered('test.first');
    const starting = [1, 2, 3].map(async () => {
      const connection = await connect({ databaseUrl: databaseIn(url, name), dataDirectory: 'memory://' });
      stack.use(connection);
      return stack.use(await startJobs(connection, { recurring: [job], tasks: [] }, pino({ level: 'silent' })));
    });
    for (const jobs of await Promise.all(starting)) await jobs.runNow(job.name);
    expect(job.runs).toHaveLength(3);
  } finally {
    await administer(url, `drop database ${name} with (force)`);
  }
});
