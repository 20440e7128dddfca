import { setTimeout as sleep } from 'node:timers/promises';
import type { JobResult, PgBoss, SendOptions } from 'pg-boss';
import type { Logger } from 'pino';
import type { Connection, Database } from '../database/connect.ts';
import { errorCode } from '../database/failures.ts';
import { bossOver } from './boss.ts';
import type { TaskKind } from './tasks.ts';

/** Work that comes again by the clock, done by one process at a time, whichever is free. */
export interface RecurringJob {
  readonly name: string;
  /** Five fields, in UTC: `15 * * * *` is a quarter past every hour. What was missed while nobody ran is made up for, once. */
  readonly cron: string;
  /**
   * When it fails it is tried again, after ever longer pauses. It may find its work half done, and, should the process that
   * was at it have only seemed dead, another beside itself. `stop` tells that the process ends: reject then, and the rest
   * goes to another.
   */
  run(db: Database, stop: AbortSignal): Promise<void>;
}

export interface Jobs extends AsyncDisposable {
  /** Runs a recurring job now, in some process, after a run that goes on already. @throws when that run fails */
  runNow(name: string): Promise<void>;
}

const hour = 60 * 60;

const patience: SendOptions = {
  retryLimit: 10,
  retryDelay: 1,
  retryBackoff: true,
  heartbeatSeconds: 10,
  expireInSeconds: 24 * hour,
  deleteAfterSeconds: hour,
};

/** How long jobs under way may take to end; then they are given up, for others to take, and a moment later all waiting ends. */
const stopMs = 4_000;
const goneMs = 5_000;
const quietMs = 60_000;

/** Begins to run what is due, and makes the queue's tables where they are missing. Any number of processes may do so at once. */
export async function startJobs(
  connection: Connection,
  { recurring, tasks }: { readonly recurring: readonly RecurringJob[]; readonly tasks: readonly TaskKind[] },
  logger: Logger,
): Promise<Jobs> {
  const { db } = connection;
  await using stack = new AsyncDisposableStack();
  const stop = new AbortController();
  const boss = bossOver(connection);
  report(boss, stop.signal, logger);
  stack.defer(async () => {
    stop.abort();
    await end(boss, logger);
  });

  const outcome = async (name: string, id: string, run: () => Promise<void>): Promise<JobResult> => {
    try {
      await run();
      return { id, status: 'completed' };
    } catch (error) {
      if (!stop.signal.aborted) logger.warn({ err: error, job: name }, 'a job has failed');
      // Stays in the database: no more than a code, since messages quote people's data.
      return { id, status: 'failed', output: { code: errorCode(error) } };
    }
  };

  await boss.start();
  const known = new Set((await boss.getQueues()).map(({ name }) => name));
  const workers = new Map<string, string>();
  // One after another: all at once would open a connection for each.
  for (const job of recurring) {
    const { name } = job;
    // At most one waits and one runs.
    if (!known.has(name)) await boss.createQueue(name, { policy: 'stately' });
    await boss.schedule(name, job.cron, {}, { ...patience, missed: 'once' });
    const worker = await boss.work(name, { pollingIntervalSeconds: 5, perJobResults: true }, (runs) =>
      Promise.all(runs.map(({ id }) => outcome(name, id, () => job.run(db, stop.signal)))),
    );
    workers.set(name, worker);
  }
  await makeQueues(boss, tasks);
  for (const kind of tasks) {
    const { name } = kind;
    // Any number run, a few at a time in each process, so that requests find a connection too.
    const polling = { pollingIntervalSeconds: 1, batchSize: 4, burstWhenBatchFull: true, perJobResults: true } as const;
    await boss.work<object>(name, polling, (due) =>
      Promise.all(due.map(({ id, data }) => outcome(name, id, () => kind.run(db, data)))),
    );
  }

  const running = stack.move();
  return {
    runNow: async (name) => {
      const id = await sendNow(boss, name);
      boss.notifyWorker(workers.get(name) ?? '');
      await succeeded(boss, name, id);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Makes the queue's tables, and the queues of tasks, for commands that run before {@link startJobs}. */
export async function prepareTasks(connection: Connection, tasks: readonly TaskKind[], logger: Logger): Promise<void> {
  const boss = bossOver(connection);
  const stop = new AbortController();
  report(boss, stop.signal, logger);
  await boss.start();
  try {
    await makeQueues(boss, tasks);
  } finally {
    stop.abort();
    await end(boss, logger);
  }
}

async function makeQueues(boss: PgBoss, tasks: readonly TaskKind[]): Promise<void> {
  const known = new Set((await boss.getQueues()).map(({ name }) => name));
  // One of a key waits.
  for (const { name } of tasks) if (!known.has(name)) await boss.createQueue(name, { policy: 'short' });
}

async function end(boss: PgBoss, logger: Logger): Promise<void> {
  const ended = new AbortController();
  const ending = boss.stop({ close: false, timeout: stopMs }).catch((error: unknown) => {
    logger.warn({ err: error }, 'the job queue does not stop in order');
  });
  await Promise.race([ending, sleep(goneMs, undefined, { signal: ended.signal }).catch(() => {})]);
  ended.abort();
}

/** While the database is away every poll fails: that is said once a minute. */
function report(boss: PgBoss, stop: AbortSignal, logger: Logger): void {
  let quietUntil = 0;
  boss.on('error', (error) => {
    if (stop.aborted || Date.now() < quietUntil) return;
    quietUntil = Date.now() + quietMs;
    // Some come as plain objects.
    logger.warn({ err: Object.assign(new Error(error.message), error) }, 'the job queue does not get on');
  });
  boss.on('warning', ({ message }) => logger.warn(message));
}

async function sendNow(boss: PgBoss, name: string): Promise<string> {
  for (;;) {
    const id = await boss.send(name, {}, patience);
    if (id !== null) return id;
    // Another waits already, and may begin before what the caller just wrote can be seen.
    await sleep(20);
  }
}

async function succeeded(boss: PgBoss, name: string, id: string): Promise<void> {
  for (;;) {
    const [job] = await boss.findJobs(name, { id });
    if (job?.state === 'completed') return;
    if (job?.state !== 'created' && job?.state !== 'active') throw new Error(`${name} has failed; the log says why`);
    await sleep(20);
  }
}
