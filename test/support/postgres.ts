import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** What global-setup.ts started: the cluster's maintenance database and the migrated one to clone. */
    readonly postgres: { readonly url: string; readonly template: string };
  }
}

/** Servers of one database share it. */
export const testSecret = 'a secret of nobody but these tests';

/** A migrated database of one's own; dropped when disposed, whoever is still connected. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Clones the migrated template: one for each test file, since it takes a few tenths of a second. */
export async function createDatabase(): Promise<TestDatabase> {
  const { url, template } = inject('postgres');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  // To copy the files takes half the time of writing each page to the log, which is safe here: nobody writes to the template.
  await administer(url, `create database ${name} template ${template} strategy file_copy`);
  return {
    url: databaseIn(url, name),
    [Symbol.asyncDispose]: () => administer(url, `drop database if exists ${name} with (force)`),
  };
}

/** The URL of another database of the same cluster. */
export function databaseIn(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

/** Runs one statement that Postgres refuses to run in a transaction, as the superuser. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    await client.unsafe(statement);
  } finally {
    await client.end({ timeout: 1 });
  }
}
