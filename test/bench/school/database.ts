/** A Postgres of the bench's own, migrated, and a way in for the bench that is told apart from the servers'. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { type Connection, connect } from '../../../src/database/connect.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { type Cluster, startCluster } from '../../support/postgres-cluster.ts';

/** What the bench reads by hand. */
export type Sql = postgres.Sql<{ bigint: number }>;

export interface BenchDatabase extends AsyncDisposable {
  readonly cluster: Cluster;
  /** For servers, who come as `postgres`. */
  readonly url: string;
  /** For what the bench publishes: another process of Homeroom's, as it were, who comes as `bench`. */
  readonly connection: Connection;
  readonly sql: Sql;
}

/** Starts a cluster with a migrated database. */
export async function startDatabase(): Promise<BenchDatabase> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster());
  const url = Object.assign(new URL(cluster.url), { pathname: '/homeroom' }).href;
  const password = randomBytes(16).toString('hex');
  await asSuperuser(
    cluster.url,
    'create database homeroom',
    `create role bench superuser login password '${password}'`,
  );
  const ownUrl = Object.assign(new URL(url), { username: 'bench', password }).href;
  const connection = stack.use(await connect({ databaseUrl: ownUrl, dataDirectory: 'memory://', poolSize: 4 }));
  await migrate(connection);
  const sql: Sql = postgres(ownUrl, {
    max: 2,
    onnotice: () => {},
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
  });
  stack.defer(() => sql.end({ timeout: 1 }));
  const running = stack.move();
  return { cluster, url, connection, sql, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Runs statements that need no transaction around them. */
export async function asSuperuser(url: string, ...statements: string[]): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    for (const statement of statements) await client.unsafe(statement);
  } finally {
    await client.end({ timeout: 1 });
  }
}
