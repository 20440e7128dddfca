import { pino } from 'pino';
import { connect } from '../../src/database/connect.ts';
import { startJobs } from '../../src/jobs/queue.ts';

/** A process that says when it has begun the job `test.endless`, and never ends it. */
const connection = await connect({ databaseUrl: process.argv[2] ?? '', dataDirectory: 'memory://' });
const endless = {
  name: 'test.endless',
  cron: '0 0 29 2 *',
  run: () => {
    process.stdout.write('begun\n');
    return new Promise<never>(() => {});
  },
};
const jobs = await startJobs(connection, { recurring: [endless], tasks: [] }, pino({ level: 'silent' }));
await jobs.runNow(endless.name);
