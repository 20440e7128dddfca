import { forEverybody } from '../database/allowance.ts';
import { inserts } from '../database/chunks.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { errorCode } from '../database/failures.ts';
import { logEvents } from './tables.ts';

/** A fact for the log. `kind` is one of the closed lists that the domains keep; the payload is small and holds no personal data. */
export interface NewEvent {
  /** Given only where another row must name the event; else the log numbers it. */
  readonly id?: number | null;
  readonly audienceId: string;
  readonly organizationId?: string | null;
  readonly kind: string;
  readonly subjectId: string;
  readonly payload?: Readonly<Record<string, string | number | boolean>>;
}

/** Adds events to the log, in this order, as part of the transaction. They get their place once it has committed. */
export async function append(tx: Transaction, ...events: readonly NewEvent[]): Promise<void> {
  for (const some of inserts(events))
    await tx.insert(logEvents).values(some.map((event) => ({ ...event, id: event.id ?? undefined })));
}

const committed = new WeakMap<Database, () => void>();

/** Registers what to wake after each committed command of this process. One listener a database: its sequencer. */
export function onCommit(db: Database, wake: () => void): void {
  committed.set(db, wake);
}

/** Two commands waited for each other: neither did anything wrong, and one of them only has to begin again. */
const collided = new Set(['40001', '40P01']);
const maxAttempts = 3;

/** Runs a command's transaction, then wakes the sequencer. Every write that appends goes through here, or through `atOnce`. */
export const transact = <Result>(db: Database, command: (tx: Transaction) => Promise<Result>): Promise<Result> =>
  atOnce(db, () => db.transaction(command));

/** Runs a command that is one statement, which appends by itself, then wakes the sequencer. */
export async function atOnce<Result>(db: Database, command: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await command();
      forEverybody(() => committed.get(db)?.());
      return result;
    } catch (error) {
      if (attempt === maxAttempts || !collided.has(errorCode(error))) throw error;
    }
  }
}

/** Carries what a rehearsed command returned out of the transaction that it undoes. */
class Rehearsed<Result> extends Error {
  readonly result: Result;
  constructor(result: Result) {
    super('rehearsed');
    this.result = result;
  }
}

/** Runs a command's transaction and undoes all of it: what it would do, told by itself. */
export async function rehearse<Result>(db: Database, command: (tx: Transaction) => Promise<Result>): Promise<Result> {
  try {
    return await transact(db, async (tx) => {
      throw new Rehearsed(await command(tx));
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.result;
    throw error;
  }
}
