import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { type Database, type Executor, rowsOf } from './connect.ts';

/** A select as Drizzle's query builder leaves it, ready to be prepared. */
interface Preparable<Rows> {
  prepare(name: string): { execute(values?: Record<string, unknown>): Promise<Rows> };
}

/**
 * A read that is built once per driver and prepared once per connection on the server, in a transaction too. Its values
 * are `sql.placeholder(name)`; those of lists are compared with `any`, never expanded, so that one text serves all:
 *
 * ```ts
 * const postsOf = prepare((db) =>
 *   db.select().from(posts).where(sql`${posts.channelId} = any(${sql.placeholder('channelIds')})`),
 * );
 * const found = await postsOf(db, { channelIds: [first, second] });
 * ```
 */
export function prepare<Rows, Values extends Record<string, unknown> = Record<string, unknown>>(
  build: (db: Database) => Preparable<Rows>,
): (db: Executor, values: Values) => Promise<Rows> {
  const built = new Map<unknown, ReturnType<Preparable<Rows>['prepare']>>();
  return (db, values) => {
    const session = db._.session;
    // One class of session for each driver; a statement differs in nothing else.
    const driver = session.constructor;
    let statement = built.get(driver);
    if (statement === undefined) {
      // Drizzle tells postgres.js to prepare what has a name; the name itself goes nowhere.
      statement = build(db).prepare('hot');
      built.set(driver, statement);
    }
    // Drizzle ties a statement to the client that it was built on and offers no other way to run it in a transaction
    // than to build it again, at many times the cost of the rest.
    const bound: typeof statement = Object.create(statement, { client: { value: Reflect.get(session, 'client') } });
    return bound.execute(values);
  };
}

const dialect = new PgDialect();

/**
 * As {@link prepare}, for one raw statement (a CTE that writes, say), with rows as `rows()` in connect.ts gives them:
 *
 * ```ts
 * const bump = prepareRaw<{ value: number }, { id: string }>(
 *   sql`update counters set value = value + 1 where id = ${sql.placeholder('id')} returning value`,
 * );
 * ```
 */
export function prepareRaw<Row, Values extends Record<string, unknown> = Record<string, unknown>>(
  statement: SQL,
): (db: Executor, values: Values) => Promise<Row[]> {
  const query = dialect.sqlToQuery(statement);
  return async (db, values) => rowsOf(await db._.session.prepareQuery(query, undefined, 'hot', false).execute(values));
}

/**
 * A placeholder whose value the planner does not see. Where it sees values, Postgres may plan a prepared statement anew for each
 * execution, because a plan for just these looks a little cheaper; of a large statement that takes ten times as long as running it.
 * Look at `plans` in pg_stat_statements (track_planning): of a hot statement they must not grow with its calls.
 */
export const unseen = (name: string, type: string): SQL =>
  sql`(select ${sql.placeholder(name)}::${sql.raw(type)})::${sql.raw(type)}`;
