import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { RateLimited } from '../errors.ts';

/** Counts uses of a key. @throws RateLimited beyond the limit */
export type Limiter = (key: string, points?: number) => Promise<void>;

/** A limiter over one of rate-limiter-flexible's stores. */
export function limiter(store: { consume(key: string, points?: number): Promise<RateLimiterRes> }): Limiter {
  return async (key, points = 1) => {
    try {
      await store.consume(key, points);
    } catch (refused) {
      if (refused instanceof RateLimiterRes) throw new RateLimited(new Date(Date.now() + refused.msBeforeNext));
      throw refused;
    }
  };
}

/** A limit that each process counts for itself. */
export const limitInMemory = (points: number, seconds: number): Limiter =>
  limiter(new RateLimiterMemory({ points, duration: seconds }));
