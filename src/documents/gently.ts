import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

/** Characters that are kept of what was made, with those of what it was made of. */
const keptCharacters = 4 * 1024 * 1024;
/** How long one turn of the event loop may go to this. */
const sliceMs = 5;

let spentMs = 0;

/**
 * Makes something of texts that may take a while for some: once for each text while it is remembered, and never so many in one
 * turn of the event loop that others wait.
 */
export function gently(make: (text: string) => string): (text: string) => Promise<string> {
  const made = new LRUCache<string, string>({
    maxSize: keptCharacters,
    sizeCalculation: (result, text) => result.length + text.length + 1,
  });
  return async (text) => {
    for (;;) {
      const known = made.get(text);
      if (known !== undefined) return known;
      if (spentMs < sliceMs) break;
      await nextTurn();
    }
    const began = performance.now();
    const result = make(text);
    if (spentMs === 0) setImmediate(() => (spentMs = 0));
    spentMs += performance.now() - began;
    made.set(text, result);
    return result;
  };
}
