import { access, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, makeCluster, startCluster } from './cluster.ts';
import type { Connection, ConnectOptions } from './connect.ts';
import { lockDirectory } from './directory-lock.ts';
import { openPostgres } from './postgres.ts';

/** What lies in the data directory is not a whole database; nothing is begun over it. */
export class DirectoryIncomplete extends Error {
  constructor(directory: string, missing: string) {
    super(
      `The data directory ${directory} holds a database of which ${missing} is missing: bring the whole directory back from ` +
        'a backup. To begin anew, without what was there, give another directory.',
    );
    this.name = 'DirectoryIncomplete';
  }
}

/** In the data directory: the cluster; what says that there is one, whatever becomes of it; and what 0.1 had in its place. */
const names = { cluster: 'database', marker: 'database.json', pglite: 'postgres' };
const whole = ['PG_VERSION', 'global/pg_control'];

/**
 * Opens the embedded database: a Postgres of this process's own, whose files lie in a data directory, which is made where
 * missing. `memory://` is a directory of its own that goes in the end.
 * @throws DirectoryInUse, DirectoryIncomplete
 */
export async function openEmbedded(options: ConnectOptions): Promise<Connection> {
  const { dataDirectory, poolSize } = options;
  await using stack = new AsyncDisposableStack();
  const isKept = !dataDirectory.startsWith('memory://');
  if (isKept) await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const data = await realpath(isKept ? dataDirectory : await mkdtemp(join(tmpdir(), 'homeroom-database-')));
  if (!isKept) stack.defer(() => rm(data, { recursive: true, force: true, maxRetries: 5 }));
  stack.use(await lockDirectory(data));
  const cluster = stack.use(await openCluster(data, isKept, options));
  const connection = stack.use(await openPostgres(cluster.url, poolSize));
  const kept = stack.move();
  return { ...connection, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function openCluster(data: string, isDurable: boolean, options: ConnectOptions): Promise<Cluster> {
  const directory = join(data, names.cluster);
  // The pool, who listens, who migrates, and whoever looks in from outside.
  const connections = (options.poolSize ?? 10) + 10;
  const cluster = { directory, connections, isDurable, onTrouble: options.onTrouble };
  if (!(await isThere(data))) {
    // Beside its place first: what stands there is whole.
    const unfinished = { ...cluster, directory: `${directory}.unfinished` };
    await makeCluster(unfinished);
    const pglite = join(data, names.pglite);
    if (await exists(pglite)) {
      if (!options.makeTables) throw new Error('Nobody says which tables a database of version 0.1 is to have.');
      await using begun = await startCluster(unfinished);
      const { bringOver } = await import('./from-pglite.ts');
      await bringOver(pglite, begun.url, options.makeTables);
    }
    await rename(`${unfinished.directory}.password`, `${directory}.password`);
    await rename(unfinished.directory, directory);
  }
  const started = await startCluster(cluster);
  await writeFile(join(data, names.marker), '{ "database": "database" }\n');
  return started;
}

/** Whether there is a cluster to start. @throws DirectoryIncomplete where there was one, or one of 0.1 */
async function isThere(data: string): Promise<boolean> {
  const { cluster, marker, pglite } = names;
  const isBegun = (await exists(join(data, marker))) || (await exists(join(data, cluster)));
  const wanted = isBegun ? [...within(cluster), `${cluster}.password`] : within(pglite);
  const isWanted = isBegun || (await exists(join(data, pglite)));
  for (const name of isWanted ? wanted : []) {
    if (!(await exists(join(data, name)))) throw new DirectoryIncomplete(data, name);
  }
  return isBegun;
}

const within = (directory: string): string[] => whole.map((name) => join(directory, name));

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
