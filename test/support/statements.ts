import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import { vi } from 'vitest';
import type { Json } from './client.ts';

/**
 * What a request is answered, and the statements that it took at the least: what the server does by itself meanwhile, as its
 * jobs do, makes them more, never fewer.
 */
export async function fewestStatements(
  request: () => Promise<Json>,
  atMost: number,
): Promise<{ data: Json; statements: string[] }> {
  const sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
  try {
    let fewest: string[] | null = null;
    let data: Json = null;
    for (let time = 0; time < 50 && (fewest === null || fewest.length > atMost); time++) {
      sent.mockClear();
      data = await request();
      const statements = sent.mock.contexts.map((query) => String(Object(query).queryString));
      if (fewest === null || statements.length < fewest.length) fewest = statements;
    }
    return { data, statements: fewest ?? [] };
  } finally {
    sent.mockRestore();
  }
}
