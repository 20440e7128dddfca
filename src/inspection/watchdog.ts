import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/**
 * The thread that ends its process when that takes too much memory, native memory included, or when the server is gone. A thread,
 * because the parser it watches may keep the main thread busy for ever; it looks every 25 ms, so the limit may be exceeded by what
 * can be filled in that time.
 */
const { server, maxBytes } = workerData as { readonly server: number; readonly maxBytes: number }; // Boundary: what inspection.ts hands over.

setInterval(() => {
  const exceeded = process.memoryUsage.rss() > maxBytes;
  if (exceeded) writeSync(2, `more than ${maxBytes} bytes of memory\n`);
  // Who has lost its parent is given another.
  if (exceeded || process.ppid !== server) process.kill(process.pid, 'SIGKILL');
}, 25);
