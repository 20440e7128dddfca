import DataLoader from 'dataloader';
import { forEverybody } from './allowance.ts';
import type { Database } from './connect.ts';

/** The most that is asked at once. */
const maxBatch = 500;

/**
 * Answers many askers with one read at a time: whoever asks while one is under way, or less than `gapMs` after it began,
 * waits for the next. It begins after they asked, so it sees what was committed before. Nothing is kept.
 */
export function together<Key, Value>(
  read: (keys: readonly Key[]) => Promise<readonly (Value | Error)[]>,
  gapMs = 0,
): (key: Key) => Promise<Value> {
  let busy = false;
  let next: (() => void)[] = [];
  const rest = () => {
    busy = false;
    const due = next;
    next = [];
    for (const dispatch of due) dispatch();
  };
  const loader = new DataLoader<Key, Value>(
    async (keys) => {
      busy = true;
      const began = performance.now();
      try {
        return await forEverybody(() => read(keys));
      } finally {
        const left = gapMs - (performance.now() - began);
        if (left > 0) setTimeout(rest, left).unref();
        else rest();
      }
    },
    {
      cache: false,
      maxBatchSize: maxBatch,
      batchScheduleFn: (dispatch) => {
        if (busy) next.push(dispatch);
        else setImmediate(dispatch);
      },
    },
  );
  return (key) => loader.load(key);
}

/**
 * As {@link together}, for all requests of a process: what thousands ask at the same moment is read once. `read` gets each key once.
 * Nobody is told less than what was committed before they asked; for that they may wait for `gapMs`.
 */
export function shared<Value>(
  read: (db: Database, keys: readonly string[]) => Promise<readonly Value[]>,
  gapMs = 0,
): (db: Database, key: string) => Promise<Value> {
  const askers = new WeakMap<Database, (key: string) => Promise<Value>>();
  return (db, key) => {
    let ask = askers.get(db);
    if (!ask) {
      ask = together<string, Value>(async (keys) => {
        const distinct = [...new Set(keys)];
        const found = await read(db, distinct);
        const values = new Map(distinct.map((one, index) => [one, found[index] as Value])); // one for each key
        return keys.map((one) => values.get(one) as Value);
      }, gapMs);
      askers.set(db, ask);
    }
    return ask(key);
  };
}
