import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator';
import { type Connection, rows } from './connect.ts';
import { errorCode } from './failures.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Applies what is missing of `drizzle/`. Any number of processes may do so at once: the others wait for the first. */
export async function migrate(connection: Connection): Promise<void> {
  // Boundary: the migrator is the same for every driver, but each driver's module types it for its own database.
  await connection.exclusively((db) =>
    migratePostgres(db as Parameters<typeof migratePostgres>[0], { migrationsFolder }),
  );
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
