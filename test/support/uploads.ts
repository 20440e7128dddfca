import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Upload {
  readonly path: string;
  readonly name: string;
  readonly previewPath: string;
}

/** A folder for files as they come in, stored under names of the server's own. */
export interface Uploads extends AsyncDisposable {
  readonly folder: string;
  add(name: string, content: Buffer | string): Promise<Upload>;
}

export async function startUploads(): Promise<Uploads> {
  const folder = await mkdtemp(join(tmpdir(), 'uploads-'));
  let count = 0;
  return {
    folder,
    add: async (name, content) => {
      const path = join(folder, `${count++}.upload`);
      await writeFile(path, content);
      return { path, name, previewPath: `${path}.preview` };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
