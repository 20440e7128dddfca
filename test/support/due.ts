import { parseGlobalId } from '../../src/graphql/ids.ts';
import type { TestApp } from './app.ts';
import { inDatabase } from './sql.ts';

/** Where it is written for when something was put off; of what is not among these only reminders are. */
const moments: Partial<Record<string, readonly [table: string, column: string]>> = {
  Post: ['posts', 'publish_at'],
  Message: ['messages', 'send_at'],
  Poll: ['polls', 'closes_at'],
};

/** Lets the moment come now for which these were put off: who waited for it would race with the machine. */
export const comeDue = (app: Pick<TestApp, 'databaseUrl'>, ...ids: readonly string[]): Promise<void> =>
  inDatabase(app, async (sql) => {
    for (const globalId of ids) {
      const { typename = '', id = '' } = parseGlobalId(globalId) ?? {};
      const [table, column] = moments[typename] ?? [];
      await sql.begin(async (tx) => {
        if (table && column)
          await tx`update ${tx(table)} set ${tx(column)} = date_trunc('milliseconds', now())
            where id = ${id} and ${tx(column)} is not null`;
        await tx`update jobs.job set start_after = now() where state = 'created' and data::text like ${`%${id}%`}`;
      });
    }
  });
