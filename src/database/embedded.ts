import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite, type Transaction } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pglite';
import * as allowance from './allowance.ts';
import type { Connection, Database } from './connect.ts';
import { lockDirectory } from './directory-lock.ts';
import { DeadlineExceeded, withDeadline } from './failures.ts';

/**
 * Opens the embedded database in a data directory, which is made where missing; `memory://` keeps nothing.
 *
 * It has one connection: a transaction keeps everybody else waiting, and a statement keeps the whole process waiting,
 * since it runs in this thread and Postgres' own timeouts cannot interrupt it. It does not flush to disk: what was
 * acknowledged survives the death of the process, not that of the machine.
 * @throws DirectoryInUse
 */
export async function openEmbedded(dataDirectory: string): Promise<Connection> {
  if (dataDirectory.startsWith('memory://')) return connectionTo(await PGlite.create(dataDirectory));

  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const lock = await lockDirectory(dataDirectory);
  try {
    return connectionTo(await openCluster(join(dataDirectory, 'postgres')), lock);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens PGlite's files, or makes them first: beside their place, since it can never open those of a start cut short. */
async function openCluster(path: string): Promise<PGlite> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    const unfinished = `${path}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await (await PGlite.create(unfinished)).close();
    await rename(unfinished, path);
  }
  return PGlite.create(path);
}

function connectionTo(client: PGlite, lock?: AsyncDisposable): Connection {
  const db: Database = drizzle({ client: guarded(client) });
  return {
    kind: 'embedded',
    db,
    listen: async (channel, onNotify, onListening) => {
      const unlisten = await client.listen(channel, onNotify);
      onListening();
      return { [Symbol.asyncDispose]: () => unlisten() };
    },
    script: async (text) => (await withDeadline(client.exec(text))).flatMap(({ rows }) => rows),
    ping: async () => {
      await db.execute(sql`select 1`);
    },
    // The lock on the directory keeps other processes out.
    exclusively: (work) => work(drizzle({ client })),
    [Symbol.asyncDispose]: async () => {
      if (!client.closed) await client.close();
      await lock?.[Symbol.asyncDispose]();
    },
  };
}

/**
 * PGlite as Drizzle's driver uses it, with a deadline for the wait for the one connection: a transaction that asks the
 * database beside itself would wait for ever.
 */
function guarded(client: PGlite): PGlite {
  const query: PGlite['query'] = async (...statement) => allowance.send(() => withDeadline(client.query(...statement)));
  const transaction: PGlite['transaction'] = (work) => allowance.begin(() => transactionNow(work));
  const transactionNow: PGlite['transaction'] = (work) => {
    let late = false;
    let begun = (): void => {};
    const waited = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const done = client.transaction(async (tx: Transaction) => {
      begun();
      if (late) throw new DeadlineExceeded();
      return work(guardedTransaction(tx));
    });
    const started = withDeadline(Promise.race([waited, done]), () => {
      late = true;
    });
    return Promise.all([done, started]).then(([result]) => result);
  };
  // Boundary: stands in for the whole client where Drizzle's driver uses these two of its members.
  return { query, transaction } as unknown as PGlite;
}

function guardedTransaction(tx: Transaction): Transaction {
  const query: Transaction['query'] = async (...statement) => allowance.sendWithin(() => tx.query(...statement));
  return Object.create(tx, { query: { value: query } });
}
