import postgres from 'postgres';
import type { TestApp } from './app.ts';

/** Looks into, or changes, what no client can reach: clocks, hashes, states of later features. */
export async function inDatabase<Result>(
  app: Pick<TestApp, 'databaseUrl'>,
  work: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = postgres(app.databaseUrl ?? '', { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
