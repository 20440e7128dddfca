import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { connect } from '../../src/database/connect.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startJobs } from '../../src/jobs/queue.ts';
import { administer, databaseIn } from './postgres.ts';
import { startCluster } from './postgres-cluster.ts';

const template = 'homeroom_template';

/** One Postgres for the whole run, with one migrated database that every test file clones. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const cluster = await startCluster();
  const stop = async (): Promise<void> => cluster[Symbol.asyncDispose]();
  try {
    await administer(cluster.url, `create database ${template}`);
    await migrateTemplate(databaseIn(cluster.url, template));
    // Planned once a connection: on a few rows most statements take longer to plan than to run.
    await administer(cluster.url, 'alter role current_user set plan_cache_mode = force_generic_plan');
  } catch (error) {
    await stop();
    throw error;
  }
  provide('postgres', { url: cluster.url, template });
  return stop;
}

async function migrateTemplate(databaseUrl: string): Promise<void> {
  // Closed before the first clone: Postgres copies no database that somebody uses.
  await using connection = await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 1 });
  await migrate(connection);
  // The job queue makes its own tables.
  await using _jobs = await startJobs(connection, { recurring: [], tasks: [] }, pino({ level: 'silent' }));
}
