import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'homeroom-uploads-';

/** Room for one file and its preview, until it is disposed. */
export interface Place extends AsyncDisposable {
  readonly path: string;
  readonly previewPath: string;
}

/** Where files lie while they come in: a directory of this process' own, in the system's for temporary files (`TMPDIR`). */
export class Desk implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Clears away what processes have left that were killed. */
  static async open(): Promise<Desk> {
    const parent = tmpdir();
    for (const name of await readdir(parent)) {
      const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]);
      // Who cannot remove somebody else's cannot have left it.
      if (pid && !lives(pid)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
    }
    return new Desk(await mkdtemp(join(parent, `${prefix}${process.pid}-`)));
  }

  async place(): Promise<Place> {
    const directory = join(this.#directory, randomUUID());
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return {
      path: join(directory, 'file'),
      previewPath: join(directory, 'preview'),
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
