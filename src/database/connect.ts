import type { SQL } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

/** A database as domains see it. A {@link Transaction} is one too, so what only reads or writes rows accepts both. */
export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

/** What `db.transaction(async (tx) => …)` passes. Ask for it where a statement makes sense only beside others. */
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

/** Whatever can run a statement. */
export type Executor = Database | Transaction;

/** An open database. Disposing closes it, after at most 5 seconds. */
export interface Connection extends AsyncDisposable {
  readonly db: Database;

  /**
   * Hears NOTIFY on a channel, also after lost connections, until the result is disposed. `onListening` is called at the
   * first and at every later LISTEN: what was sent in between is lost, so catch up then. Resolves once listening.
   */
  listen(channel: string, onNotify: (payload: string) => void, onListening: () => void): Promise<AsyncDisposable>;

  /** Runs statements that come as one text, without parameters, as one transaction. Answers with the rows of them all. */
  script(text: string): Promise<unknown[]>;

  /** Rejects unless the database answers. */
  ping(): Promise<void>;

  /**
   * Runs maintenance (migrations) on a connection of its own, while no other process is inside. What it does may take as long as
   * it takes, but not wait for a table for more than 2 seconds.
   */
  exclusively<T>(work: (db: Database) => Promise<T>): Promise<T>;
}

export interface ConnectOptions {
  /** `postgres://…`, or null for the embedded database. */
  readonly databaseUrl: string | null;
  /** Where the embedded database lives; `memory://` keeps nothing. Unused with a `databaseUrl`. */
  readonly dataDirectory: string;
  /** Connections at most, without the one that listens and the one that migrates. */
  readonly poolSize?: number;
  /** Makes all tables, in what an embedded database of version 0.1 is brought over from, and to. */
  readonly makeTables?: (connection: Connection) => Promise<void>;
  /** Hears that the embedded database ended by itself, and its last words. It is begun again. */
  readonly onTrouble?: (lastWords: string) => void;
}

/**
 * Opens the database: Postgres when there is an URL, else the embedded one.
 * @throws whatever {@link isUnavailable} accepts when Postgres does not answer; of the embedded one DirectoryInUse when the
 * data directory is open in another process, DirectoryIncomplete.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  // Loaded on demand: both need this file.
  if (options.databaseUrl === null) return (await import('./embedded.ts')).openEmbedded(options);
  return (await import('./postgres.ts')).openPostgres(options.databaseUrl, options.poolSize);
}

/**
 * Runs a raw statement and returns its rows as plain objects, the same from either driver: bigint as a number (as a
 * BigInt beyond 2^53), numeric and timestamps as text, bytea as bytes, arrays of built-in types as arrays. Write an array
 * parameter as `any(${sql.param(ids)})`: a bare `${ids}` becomes a list of parameters.
 */
export async function rows<T>(db: Executor, query: SQL): Promise<T[]> {
  return rowsOf<T>(await db.execute(query));
}

/** The rows in a driver's answer. The one place where the caller's row type is taken at its word. */
export function rowsOf<T>(answer: unknown): T[] {
  // postgres.js answers with an array that carries more properties, PGlite with an object.
  if (Array.isArray(answer)) return [...answer];
  if (typeof answer === 'object' && answer !== null && 'rows' in answer && Array.isArray(answer.rows))
    return answer.rows;
  throw new TypeError('A driver answered with neither an array nor rows.');
}
