import type { Hub } from './hub.ts';

const checkMs = 60_000;

/** Marks the sessions of whoever is connected as used, and ends what belongs to those whose time has run out. */
export function watchSessions(
  hub: Hub,
  keep: (sessionIds: readonly string[]) => Promise<ReadonlySet<string>>,
): Disposable {
  const check = async () => {
    const here = hub.sessions();
    const good = await keep([...here]).catch(() => here);
    hub.expire(here.difference(good));
  };
  const timer = setInterval(() => void check(), checkMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
