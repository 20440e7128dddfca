/** Counts the statements that servers send to Postgres, by Postgres itself. */
import { asSuperuser, type BenchDatabase } from './database.ts';

/** How often each statement ran. */
export type Counts = ReadonlyMap<string, number>;

/** Turns counting on, for which Postgres must be started anew; nobody may be connected who minds. */
export async function countStatements({ cluster, url }: BenchDatabase): Promise<void> {
  await asSuperuser(
    url,
    `alter system set shared_preload_libraries = 'pg_stat_statements'`,
    `alter system reset "pg_stat_statements.track"`,
  );
  await cluster.restart('fast');
  await asSuperuser(url, 'create extension if not exists pg_stat_statements');
}

/** Turns counting off, so that it costs nobody anything. */
export const stopCounting = ({ url }: BenchDatabase): Promise<void> =>
  asSuperuser(url, `alter system set "pg_stat_statements.track" = 'none'`, 'select pg_reload_conf()');

/** What servers have sent so far: they come as another role than the bench does. */
export async function statementCounts({ sql }: BenchDatabase): Promise<Counts> {
  const found = await sql<{ query: string; calls: string }[]>`
    select query, sum(calls)::bigint as calls from pg_stat_statements
    where userid = (select oid from pg_roles where rolname = 'postgres') group by query`;
  return new Map(found.map(({ query, calls }) => [query, Number(calls)]));
}

/** What came in between. */
export const between = (before: Counts, after: Counts): Counts =>
  new Map([...after].map(([query, calls]) => [query, calls - (before.get(query) ?? 0)]));

/** How many statements each of some requests took: those that came at least with every second one. */
export function statementsEach(
  counts: Counts,
  requests: number,
): { readonly each: number; readonly which: readonly string[] } {
  const often = [...counts].filter(([, calls]) => calls * 2 >= requests);
  return {
    each: often.reduce((total, [, calls]) => total + calls, 0) / requests,
    which: often.map(
      ([query, calls]) => `${(calls / requests).toFixed(2)} × ${query.replace(/\s+/g, ' ').slice(0, 60)}`,
    ),
  };
}

/** The more of two, statement by statement: how often the same work is done varies. */
export const more = (one: Counts, other: Counts): Counts =>
  new Map([...one, ...other].map(([query]) => [query, Math.max(one.get(query) ?? 0, other.get(query) ?? 0)]));

/**
 * What one period had more than another, statement by statement. Where it had less, that is not set off against the rest: a
 * busy server reads its log less often, and would pay for its clients' statements with that.
 */
export function surplus(counts: Counts, base: Counts): { readonly total: number; readonly most: readonly string[] } {
  const exceeding = [...counts]
    .map(([query, calls]) => ({ query, calls: calls - (base.get(query) ?? 0) }))
    .filter(({ calls }) => calls > 0)
    .sort((one, other) => other.calls - one.calls);
  const most = exceeding.slice(0, 5).map(({ query, calls }) => `${calls} × ${query.replace(/\s+/g, ' ').slice(0, 90)}`);
  return { total: exceeding.reduce((total, { calls }) => total + calls, 0), most };
}
