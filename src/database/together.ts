import DataLoader from 'dataloader';

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
        return await read(keys);
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
