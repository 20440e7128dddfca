import { execFile } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { extensionOf, isAllowed, type MediaType } from './allowed.ts';
import { Refused, refusals } from './refusal.ts';

/** What a file turned out to be. */
export interface Inspected {
  readonly mediaType: MediaType;
  /** In pixels, as it is shown; null for everything but images. */
  readonly width: number | null;
  readonly height: number | null;
  /** Whether a preview was written to `previewPath`: a WebP that fits into 800 × 800. */
  readonly hasPreview: boolean;
}

export interface Inspector extends AsyncDisposable {
  /**
   * What a file is by its content, never by what it is called: the name's extension only has to agree, and tells text from what
   * looks like it. What a picture or recording tells of its place and makers is overwritten in it. A picture is decoded, an archive is unpacked into nothing; PDF, sound and video are known by their beginning
   * alone. Takes some 0.2 s, at most the time limit once its turn has come.
   * @throws Refused, Busy
   */
  inspect(file: { readonly path: string; readonly name: string; readonly previewPath: string }): Promise<Inspected>;
}

/** Too many files wait for their inspection, or the server stops; to be tried again later. */
export class Busy extends Error {
  constructor() {
    super('No file can be inspected now.');
    this.name = new.target.name;
  }
}

const maxProcesses = 2;
const maxWaiting = 64;

const run = promisify(execFile);
const program = fileURLToPath(new URL('./inspection.ts', import.meta.url));

/** What the process may do: read files, write the file and its preview, and start the thread that watches it; no further processes. */
const permissions = (...written: readonly string[]): string[] => [
  '--permission',
  '--allow-fs-read=*',
  ...written.map((path) => `--allow-fs-write=${path}`),
  '--allow-addons',
  '--allow-worker',
  // Of JavaScript alone; the watchdog bounds the whole.
  '--max-old-space-size=192',
  '--no-warnings',
];

const answers = z.union([
  z.strictObject({ refusal: z.enum(refusals) }),
  z.strictObject({
    mediaType: z.custom<MediaType>((value) => typeof value === 'string' && isAllowed(value)),
    width: z.int().positive().nullable(),
    height: z.int().positive().nullable(),
    hasPreview: z.boolean(),
  }),
]);

/**
 * Inspects each file in a process of its own, two at a time: parsers of hostile bytes may hang, swell or crash, and then that one
 * file is refused. The process has no environment, a low priority, `timeoutMs` from its start, and 768 MB; it is killed at its
 * limits, and when the server is gone.
 */
export function startInspector({ timeoutMs = 20_000 }: { readonly timeoutMs?: number } = {}): Inspector {
  const going = new Set<Promise<unknown>>();
  const kills = new Set<() => void>();
  const waiting: { resolve(): void; reject(error: Busy): void }[] = [];
  let processes = 0;
  let stopped = false;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (processes === maxProcesses) {
      if (waiting.length === maxWaiting) throw new Busy();
      await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    } else processes += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next.resolve();
      else processes -= 1;
    }
  }

  /** What the process says about the file. @throws Busy, Refused with what became of the process, or why none could be started */
  async function ask(path: string, extension: string, previewPath: string): Promise<z.infer<typeof answers>> {
    if (stopped) throw new Busy();
    const argv = [...permissions(path, previewPath), program, String(process.pid), path, extension, previewPath];
    const running = run(process.execPath, argv, { env: {}, timeout: timeoutMs, killSignal: 'SIGKILL' });
    const kill = () => running.child.kill('SIGKILL');
    kills.add(kill);
    try {
      return answers.parse(JSON.parse((await running).stdout));
    } catch (cause) {
      if (stopped) throw new Busy();
      if (running.child.pid === undefined) throw cause;
      throw new Refused('UNREADABLE', { cause });
    } finally {
      kills.delete(kill);
    }
  }

  async function inspect({ path, name, previewPath }: Parameters<Inspector['inspect']>[0]): Promise<Inspected> {
    if ((await stat(path)).size === 0) throw new Refused('EMPTY');
    try {
      const answer = await inTurn(() => ask(path, extensionOf(name), previewPath));
      if ('refusal' in answer) throw new Refused(answer.refusal);
      return answer;
    } catch (error) {
      // A process that was killed may have left half of one.
      await rm(previewPath, { force: true });
      throw error;
    }
  }

  return {
    inspect: (file) => {
      const inspection = inspect(file);
      going.add(inspection);
      return inspection.finally(() => going.delete(inspection));
    },
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      for (const { reject } of waiting.splice(0)) reject(new Busy());
      for (const kill of kills) kill();
      await Promise.allSettled(going);
    },
  };
}
