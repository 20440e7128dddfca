import { vi } from 'vitest';

/** Lets the process believe that time has passed, beyond what `advanceTimersByTime` tells its intervals. */
export function passingTime() {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const now = performance.now.bind(performance);
  let passed = 0;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + passed);
  return {
    pass(milliseconds: number) {
      passed += milliseconds;
    },
    [Symbol.dispose]() {
      spy.mockRestore();
      vi.useRealTimers();
    },
  };
}

/** Lets the process believe that no time passes. */
export function standingStill(): Disposable {
  const now = performance.now();
  const spy = vi.spyOn(performance, 'now').mockReturnValue(now);
  return { [Symbol.dispose]: () => void spy.mockRestore() };
}
