import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator';
import { type Connection, rows } from './connect.ts';
import { errorCode } from './failures.ts';

const lockNotAvailable = '55P03';
const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** How long it lets those pass who came after it, before it tries again. */
const pauseMs = 1_000;

/**
 * Applies what is missing of `drizzle/`. Any number of processes may do so at once: the others wait for the first. Where somebody
 * holds a table that is to change it gives way and tries again, however long that takes: who asks for the table meanwhile
 * would wait behind it. `onBlocked` hears of each time.
 */
export async function migrate(connection: Connection, onBlocked: () => void = () => {}): Promise<void> {
  await connection.exclusively(async (db) => {
    // Boundary: the migrator is the same for every driver, but each driver's module types it for its own database.
    const apply = () => migratePostgres(db as Parameters<typeof migratePostgres>[0], { migrationsFolder });
    for (;;) {
      try {
        return await apply();
      } catch (error) {
        if (errorCode(error) !== lockNotAvailable) throw error;
      }
      onBlocked();
      await delay(pauseMs);
    }
  });
}

let expected: string[] | undefined;

/** Whether everything in `drizzle/` has been applied; one small read. A database that is ahead of it counts as migrated. */
export async function isMigrated(connection: Connection): Promise<boolean> {
  expected ??= readMigrationFiles({ migrationsFolder }).map((migration) => migration.hash);
  try {
    const applied = await rows<{ hash: string }>(connection.db, sql`select hash from drizzle.__drizzle_migrations`);
    const hashes = new Set(applied.map((migration) => migration.hash));
    return expected.every((hash) => hashes.has(hash));
  } catch (error) {
    // undefined_table, invalid_schema_name: nothing was ever migrated.
    if (['42P01', '3F000'].includes(errorCode(error))) return false;
    throw error;
  }
}
