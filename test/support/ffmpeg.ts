import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const needed = 'There is no ffmpeg: install it (Debian: apt-get install ffmpeg).';

const picture = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10'];
const sound = ['-f', 'lavfi', '-i', 'sine=sample_rate=22050'];
// A key frame each second.
const packed = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '10', '-pix_fmt', 'yuv420p'];

/** Somebody's program that sends a test picture until it is stopped, or told to go. */
export class Sender implements AsyncDisposable {
  /** Its exit code, and what it complained of. */
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
  readonly #process: ChildProcess;

  private constructor(program: ChildProcess & { stderr: NodeJS.ReadableStream }) {
    this.#process = program;
    const end = () => void program.kill('SIGKILL');
    process.once('exit', end);
    const said = text(program.stderr);
    this.ended = once(program, 'exit').then(async ([code]) => {
      process.off('exit', end);
      return { code, said: await said };
    });
  }

  static async start({ url, streamKey }: { url: string; streamKey: string }): Promise<Sender> {
    const to = ['-c:a', 'aac', '-f', 'flv', `${url}/${streamKey}`];
    const program = spawn('ffmpeg', ['-v', 'error', ...picture, ...sound, ...packed, ...to], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await spawned(program);
    return new Sender(program);
  }

  /** The host ends it in their program. */
  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}

/** What a player sees at an address: the sizes of the first frames, or why there are none. */
export async function framesAt(url: string): Promise<{ readonly frames: readonly string[]; readonly said: string }> {
  const shown = [
    '-select_streams',
    'v',
    '-read_intervals',
    '%+#10',
    '-show_entries',
    'frame=width,height',
    '-of',
    'json',
  ];
  const program = spawn('ffprobe', ['-v', 'error', ...shown, url], { stdio: ['ignore', 'pipe', 'pipe'] });
  await spawned(program);
  const [out, said] = await Promise.all([text(program.stdout), text(program.stderr), once(program, 'exit')]);
  // Other versions tell more of a frame than was asked for, and nothing at all where there is none.
  const { frames = [] }: { frames?: { width: number; height: number }[] } = JSON.parse(out || '{}');
  return { frames: frames.map(({ width, height }) => `${width} × ${height}`), said };
}

const spawned = (program: ChildProcess) =>
  once(program, 'spawn').catch((cause: unknown) => {
    throw new Error(needed, { cause });
  });
