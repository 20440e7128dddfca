/** What a process costs, from the operating system alone: nanoseconds that its threads ran, pages that it holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** CPU time of all threads so far, in microseconds. Exact while the process sleeps; a running thread lags by a tick. */
export function cpuOf(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1000;
}

/** Resident memory in bytes. From `smaps_rollup`, which counts pages; `status` and `statm` estimate on newer kernels. */
export function memoryOf(pid: number): number {
  const kilobytes = /^Rss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

const sampleMs = 50;
/** A server with nothing to do still polls and keeps its timers: less than this much of a core. */
const restShare = 0.06;
const restSamples = 6;

/** Waits until a process has nothing to do; what it does once a second does not count. */
export async function untilAtRest(pid: number, withinMs = 120_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (let quiet = 0, before = cpuOf(pid); quiet < restSamples; ) {
    if (performance.now() > deadline) throw new Error(`process ${pid} does not come to rest`);
    await delay(sampleMs);
    const after = cpuOf(pid);
    quiet = after - before < sampleMs * 1000 * restShare ? quiet + 1 : 0;
    before = after;
  }
}
