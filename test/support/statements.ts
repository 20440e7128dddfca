import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import { vi } from 'vitest';
import type { Json } from './client.ts';

/**
 * What a request is answered, and the statements that it takes: those that were sent each time that it was made, until they
 * are no more than expected. What the server does by itself meanwhile, as its jobs do, does not come with every request.
 */
export async function fewestStatements(
  request: () => Promise<Json>,
  atMost: number,
  times = 50,
): Promise<{ data: Json; statements: string[] }> {
  const sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
  try {
    let common: string[] = [];
    let data: Json = null;
    for (let time = 0; time < times && (time === 0 || common.length > atMost); time++) {
      sent.mockClear();
      data = await request();
      const left = sent.mock.contexts.map((query) => String(Object(query).queryString));
      common = time === 0 ? left : common.filter((text) => left.includes(text) && left.splice(left.indexOf(text), 1));
    }
    return { data, statements: common };
  } finally {
    sent.mockRestore();
  }
}
