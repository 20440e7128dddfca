/**
 * Preloaded (`--import`) into every measured server alike, under `--expose-gc`: collects all garbage when it is told to, so
 * that memory is compared and not the collector's mood. Does nothing else.
 */
import { collected, collectOrder } from './collecting.ts';

process.on('message', (message) => {
  if (message !== collectOrder) return;
  // The plain collection keeps emptied pages for later: what a server needed to start would hide thousands of subscribers.
  for (let times = 0; times < 2; times++) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  process.send?.(collected);
});
