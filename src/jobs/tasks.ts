import { randomUUID } from 'node:crypto';
import type { SendOptions } from 'pg-boss';
import type { Database, Transaction } from '../database/connect.ts';
import { bossWithin } from './boss.ts';

/**
 * Work for one moment: a later publication, a reminder. It runs at least once, also after a crash in its midst, so `run` asks
 * what is still to be done. `data` travels as JSON and holds ids, never content. A name, once used, stays: tasks of that name may
 * be waiting.
 */
export interface TaskKind<Data extends object = object> {
  readonly name: string;
  /** When it fails it is tried again, after ever longer pauses of up to 15 minutes, for a day. */
  run(db: Database, data: Data): Promise<void>;
}

/** A kind of task as those name it who add one: what it runs may take more than they have. */
export type TaskName<Data extends object = object> = Pick<TaskKind<Data>, 'name'>;

const day = 24 * 60 * 60;

const patience: SendOptions = {
  retryLimit: 100,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 15 * 60,
  heartbeatSeconds: 10,
  // Who was away for so long is not served any more.
  retentionSeconds: 90 * day,
  deleteAfterSeconds: day,
};

/**
 * Adds a task to a command's transaction: it exists if and only if that commits. While one of the same `key` waits, this one
 * is not added; a key is made of letters, digits and `_-./`.
 */
export async function enqueue<Data extends object>(
  tx: Transaction,
  kind: TaskName<Data>,
  data: Data,
  { at, key = randomUUID() }: { readonly at: Date; readonly key?: string },
): Promise<void> {
  await bossWithin(tx).send(kind.name, data, { ...patience, startAfter: at, singletonKey: key });
}

/** As `enqueue`, in place of the waiting task of that key; `at` null: there is none any more. */
export async function reschedule<Data extends object>(
  tx: Transaction,
  kind: TaskName<Data>,
  data: Data,
  { at, key }: { readonly at: Date | null; readonly key: string },
): Promise<void> {
  await cancel(tx, kind, key);
  if (at) await enqueue(tx, kind, data, { at, key });
}

/** Takes a waiting task back, once the transaction commits. One that has begun runs on. */
export async function cancel(tx: Transaction, kind: TaskName, key: string): Promise<void> {
  const boss = bossWithin(tx);
  const waiting = await boss.findJobs(kind.name, { key, queued: true });
  for (const { id } of waiting) await boss.cancel(kind.name, id);
}

/** So many minutes before a moment, for a reminder; null: there is none, or it would be too late. */
export function minutesBefore(moment: Date, minutes: number | null): Date | null {
  const at = minutes === null ? null : new Date(moment.getTime() - minutes * 60_000);
  return at && at > new Date() ? at : null;
}
