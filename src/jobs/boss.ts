import { DrizzleQueryError, type SQL, sql } from 'drizzle-orm';
import { type ConstructorOptions, type Db, fromDrizzle, PgBoss } from 'pg-boss';
import { type Connection, type Executor, rows, type Transaction } from '../database/connect.ts';

/** pg-boss keeps its tables in a Postgres schema of its own, which it makes and migrates itself, under a lock of its own. */
const options: ConstructorOptions = {
  schema: 'jobs',
  // How soon the dead's work is taken over: when their heartbeat has been missing, and somebody's pass comes by. A pass is
  // skipped while another's is younger than the second figure.
  superviseIntervalSeconds: 10,
  monitorIntervalSeconds: 5,
  // How late a recurring job may be: both of these, and its own poll.
  cronMonitorIntervalSeconds: 10,
  cronWorkerIntervalSeconds: 2,
  // What nothing here uses costs statements all the time.
  flowIntervalSeconds: 60 * 60,
  registerInstance: false,
  openTelemetry: { enabled: false },
  // These tables stay small, and a rebuilding that meets the statements' time limit leaves half an index.
  reindex: false,
  monitorVacuum: false,
};

/** pg-boss on our connections: it opens none itself. */
export function bossOver(connection: Connection): PgBoss {
  const one = statements(connection.db);
  const several: Db['executeSql'] = async (text) => ({ rows: await connection.script(withoutBrackets(text)) });
  return boss((text, values = []) => (values.length > 0 ? one(text, values) : several(text)));
}

/** pg-boss within a transaction: what it sends exists if and only if that commits. Only to send and cancel, never to start. */
export function bossWithin(tx: Transaction): PgBoss {
  return boss(statements(tx));
}

function statements(db: Executor): Db['executeSql'] {
  // Boundary: what comes in was made by `sql`.
  return fromDrizzle({ execute: (query) => rows(db, query as SQL) }, sql).executeSql;
}

function boss(execute: Db['executeSql']): PgBoss {
  const executeSql: Db['executeSql'] = async (text, values) => {
    try {
      return await execute(text, values?.map(encoded));
    } catch (error) {
      // pg-boss reads what the database said, which Drizzle wraps in words of its own.
      throw error instanceof DrizzleQueryError && error.cause ? error.cause : error;
    }
  };
  return new PgBoss({ ...options, db: { executeSql } });
}

/** What the driver that pg-boss knows would do with an object; Drizzle leaves it to its caller. */
const encoded = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
    ? JSON.stringify(value)
    : value;

/** Several statements in one text are one transaction anyway, and a pooled connection must not be left within another. */
const withoutBrackets = (text: string): string => text.replace(/^\s*BEGIN;/, '').replace(/COMMIT;\s*$/, '');
