import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import { integer, pgTable, uuid } from 'drizzle-orm/pg-core';
import { type Connection, rows } from '../../src/database/connect.ts';
import { prepare, prepareRaw } from '../../src/database/statements.ts';
import { anyMoment } from './waiting.ts';

/** Whoever writes a key writes both of its halves in one transaction: one half alone is a transaction torn apart. */
export const halves = pgTable('halves', { key: uuid('key').notNull(), half: integer('half').notNull() });

export const halfOf = prepare((db) =>
  db
    .select({ half: halves.half })
    .from(halves)
    .where(eq(halves.key, sql.placeholder('key'))),
);

export const halvesOf = prepareRaw<{ half: number }>(
  sql`select half from ${halves} where key = any(${sql.placeholder('keys')}) order by half`,
);

export async function createHalves({ db }: Connection): Promise<void> {
  await db.execute(sql`create table halves (
    key uuid not null,
    half integer not null constraint halves_half_check check (half in (1, 2)),
    constraint halves_key_half_unique unique (key, half)
  )`);
}

/** Keeps asking until told to stop; remembers what went wrong and what was acknowledged. */
export class Load {
  readonly errors: unknown[] = [];
  readonly acknowledged: string[] = [];
  answered = 0;
  readonly #workers: Promise<void>[];
  #stopping = false;

  constructor({ db }: Connection, workers: number) {
    const work = [
      () => rows(db, sql`select ${randomUUID()}::uuid, pg_sleep(0.001)`),
      () => halfOf(db, { key: randomUUID() }),
      () => halvesOf(db, { keys: [randomUUID(), randomUUID()] }),
      () => this.#insertBoth((key) => insertHalves(db, key)),
      () => this.#insertBoth((key) => insertHalvesAtOnce(db, key)),
    ];
    this.#workers = Array.from({ length: workers }, (_, worker) => this.#run(work, worker));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
  }

  async #run(work: (() => Promise<unknown>)[], worker: number): Promise<void> {
    for (let turn = worker; !this.#stopping; turn++) {
      try {
        await work[turn % work.length]?.();
        this.answered++;
      } catch (error) {
        this.errors.push(error);
        // A server that is down refuses at once.
        await nextTurn();
      }
    }
  }

  async #insertBoth(insert: (key: string) => Promise<void>): Promise<void> {
    const key = randomUUID();
    await insert(key);
    this.acknowledged.push(key);
  }
}

export async function insertHalves(db: Connection['db'], key: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.insert(halves).values({ key, half: 1 });
    // Also long enough for the loss to come between two statements, when nothing waits for an answer.
    await halfOf(tx, { key });
    await anyMoment(5);
    await tx.insert(halves).values({ key, half: 2 });
  });
}

async function insertHalvesAtOnce(db: Connection['db'], key: string): Promise<void> {
  await db.transaction(async (tx) => {
    await Promise.all([1, 2].map((half) => tx.insert(halves).values({ key, half })));
  });
}

/** Collects what would end the process. */
export function watchProcess(): Disposable & { readonly fatal: unknown[] } {
  const fatal: unknown[] = [];
  const collect = (error: unknown): void => {
    fatal.push(error);
  };
  process.on('uncaughtException', collect).on('unhandledRejection', collect);
  return {
    fatal,
    [Symbol.dispose]: () => process.off('uncaughtException', collect).off('unhandledRejection', collect),
  };
}
