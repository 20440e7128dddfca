import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, {
  type Options,
  type ParameterOrJSON,
  type PendingQuery,
  type PostgresType,
  type Row,
  type Sql,
  type TransactionSql,
} from 'postgres';
import * as allowance from './allowance.ts';
import { arrayLiteral, arrayParser } from './arrays.ts';
import { type Connection, type Database, rowsOf } from './connect.ts';
import { DeadlineExceeded, withDeadline } from './failures.ts';

/** Any fixed number: the key of the advisory lock under which one process at a time does maintenance. */
const maintenanceLock = 7_066_513;
/** How long maintenance waits for a table, and everybody who comes after it. */
const maintenanceLockMs = 2_000;

/** Opens a pool of connections to Postgres and proves that it answers. @throws what isUnavailable accepts */
export async function openPostgres(url: string, poolSize = 10): Promise<Connection> {
  const client = postgres(url, {
    ...common,
    max: poolSize,
    answer_timeout: 9,
    connection: {
      application_name: 'homeroom',
      // Instants travel as text and are read as UTC.
      TimeZone: 'UTC',
      // The most telling limit strikes first: a lock's, a statement's, the connection's, the caller's.
      lock_timeout: 5_000,
      statement_timeout: 8_000,
      idle_in_transaction_session_timeout: 10_000,
    },
  });
  if (!('answer_timeout' in client.options)) {
    throw new Error(
      'The postgres package lacks patches/postgres+3.4.9.patch and cannot be trusted: run npx patch-package.',
    );
  }
  const db: Database = drizzle({ client: guarded(client) });
  const connection: Connection = {
    db,
    listen: (channel, onNotify, onListening) => listen(client, channel, onNotify, onListening),
    // An array of rows for each statement, or the rows alone of a single one.
    script: async (text) => rowsOf(await db.execute(sql.raw(text))).flat(),
    ping: async () => {
      await db.execute(sql`select 1`);
    },
    exclusively: (work) => exclusively(url, work),
    // postgres.js can wait forever for a connection that was lost; five seconds are for statements still running.
    [Symbol.asyncDispose]: () => client.end({ timeout: 5 }),
  };
  try {
    await connection.ping();
  } catch (error) {
    await client.end({ timeout: 0 });
    throw error;
  }
  return connection;
}

const common = {
  connect_timeout: 3,
  // The default waits up to 20 seconds, because a live connection that is reset counts as a failed attempt.
  backoff: () => 0.1 + Math.random() * 0.4,
  keep_alive: 15,
  onnotice: () => {},
  // Costs a round trip for each connection, and fails unhandled when that connection is lost meanwhile.
  fetch_types: false,
  types: {
    int8: { to: 20, from: [20], serialize: String, parse: integer },
    ...arrayTypes(),
  },
} satisfies Options<Record<string, PostgresType>>;

/** A bigint as PGlite reads it, too. */
function integer(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function arrayTypes(): Record<string, PostgresType> {
  const elements: Record<number, (text: string) => unknown> = {
    1000: (text) => text === 't', // boolean[]
    1005: Number, // smallint[]
    1007: Number, // integer[]
    1016: integer, // bigint[]
    1009: String, // text[]
    1015: String, // varchar[]
    2951: String, // uuid[]
  };
  return Object.fromEntries(
    Object.entries(elements).map(([oid, parse]) => [
      `array${oid}`,
      { to: Number(oid), from: [Number(oid)], serialize: String, parse: arrayParser(parse) },
    ]),
  );
}

/** What Drizzle's driver does with a statement: awaits its rows as objects, or as arrays of values. */
interface Statement extends PromiseLike<unknown> {
  values(): Promise<unknown>;
}

type Unsafe = (text: string, parameters: unknown[], options?: { prepare?: boolean }) => Statement;

/**
 * The client as Drizzle's driver uses it (and it uses no more of it), with what postgres.js lacks: a deadline for every
 * statement and for the wait for a connection, and parameters that need no look at their types.
 */
function guarded(client: Sql): Sql {
  const unsafe: Unsafe = (text, parameters, options) => {
    const query = send(client, text, parameters, options);
    // Not sent yet: take it out of the queue. Once sent, it ends by the server's timeout or with its connection.
    const abandon = () => {
      if (query.state === null) query.cancel();
    };
    return statement(query, allowance.send, abandon);
  };
  const beginNow = (work: (tx: TransactionSql) => Promise<unknown>): Promise<unknown> => {
    let late = false;
    let begun = (): void => {};
    const waited = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const done = client.begin((tx) => {
      begun();
      // A connection came free only now, and nobody waits for the outcome any more.
      if (late) throw new DeadlineExceeded();
      return work(guardedTransaction(tx));
    });
    const started = withDeadline(Promise.race([waited, done]), () => {
      late = true;
    });
    return Promise.all([done, started]).then(([result]) => result);
  };
  const begin: typeof beginNow = (work) => allowance.begin(() => beginNow(work));
  // Boundary: stands in for the whole client where Drizzle's driver uses these three of its members.
  return { options: client.options, unsafe, begin } as unknown as Sql;
}

function guardedTransaction(tx: TransactionSql): TransactionSql {
  // Never taken out of the transaction's queue: postgres.js would wait there for its answer. A rollback follows it.
  const unsafe: Unsafe = (text, parameters, options) =>
    statement(send(tx, text, parameters, options), allowance.sendWithin, () => {});
  const savepoint = (work: (tx: TransactionSql) => Promise<unknown>): Promise<unknown> =>
    tx.savepoint((inner) => work(guardedTransaction(inner)));
  // Boundary: as in guarded().
  return { unsafe, savepoint } as unknown as TransactionSql;
}

/** A statement that postgres.js has not begun to send; `state` is null until it has. */
type Query = PendingQuery<Row[]> & { readonly state: object | null };

function send(client: Sql | TransactionSql, text: string, parameters: unknown[], { prepare = false } = {}): Query {
  // `simple`: without parameters postgres.js would choose the simple protocol, which prepares nothing.
  const options = prepare ? { prepare, simple: false } : { prepare };
  // Boundary: `state` is missing in the published types.
  return client.unsafe(text, parameters.map(encoded), options) as Query;
}

function statement(query: Query, counted: typeof allowance.send, abandon: () => void): Statement {
  return {
    // biome-ignore lint/suspicious/noThenProperty: awaiting is what sends a statement, as in postgres.js itself.
    then: (resolve, reject) => counted<unknown>(() => withDeadline(query, abandon)).then(resolve, reject),
    values: async () => counted(() => withDeadline(query.values(), abandon)),
  };
}

/** Drizzle turns off the driver's own encoding of instants, so those in raw statements are written here, as arrays are. */
function encoded(parameter: unknown): ParameterOrJSON<never> {
  if (Array.isArray(parameter)) return arrayLiteral(parameter);
  if (parameter instanceof Date) return parameter.toISOString();
  // Boundary: Drizzle's parameters are unknown; what postgres.js cannot encode it refuses.
  return parameter as ParameterOrJSON<never>;
}

async function listen(
  client: Sql,
  channel: string,
  onNotify: (payload: string) => void,
  onListening: () => void,
): Promise<AsyncDisposable> {
  let heard = true;
  // Later than the driver's own work: it would take an error thrown here for a broken message from the server.
  const unless = (act: () => void): void => queueMicrotask(() => heard && act());
  try {
    // Re-listens by itself when its connection is lost, for as long as it takes, and says so each time.
    await client.listen(
      channel,
      (payload) => unless(() => onNotify(payload)),
      () => unless(onListening),
    );
  } catch (error) {
    heard = false;
    throw error;
  }
  return {
    // Not UNLISTEN: postgres.js forgets whose listener it was at the first reconnect. A channel lives as long as the pool.
    [Symbol.asyncDispose]: async () => {
      heard = false;
    },
  };
}

async function exclusively<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  const client = postgres(url, {
    ...common,
    max: 1,
    max_lifetime: null,
    connection: { application_name: 'homeroom maintenance', TimeZone: 'UTC' },
  });
  try {
    // The server's own settings may limit them.
    await client.unsafe('set statement_timeout = 0; set lock_timeout = 0');
    // Held by the session, so released with it however this ends.
    await client`select pg_advisory_lock(${maintenanceLock})`;
    // Whoever asks for a table after us waits behind us.
    await client.unsafe(`set lock_timeout = ${maintenanceLockMs}`);
    return await work(drizzle({ client }));
  } finally {
    await client.end({ timeout: 5 });
  }
}
