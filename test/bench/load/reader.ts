/** A process that asks the same of a server again and again: so many at a time, each as soon as the one before is answered. */
import { now } from '../clock.ts';
import { obey } from '../processes/orders.ts';
import { percentile } from '../statistics.ts';
import { Wire } from './wire.ts';

interface Reading {
  readonly url: string;
  readonly body: string;
  /** One for each that is under way, in turn. */
  readonly tokens: readonly string[];
  readonly inFlight: number;
  readonly forMs: number;
  /** In every answer, and the end of each: what shows that it is whole. */
  readonly length: number;
}

export interface Read {
  readonly count: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly failures: readonly string[];
}

const orders = {
  async read({ url, body, tokens, inFlight, forMs, length }: Reading): Promise<Read> {
    const took: number[] = [];
    const failures: string[] = [];
    const began = now();
    const readers = Array.from({ length: inFlight }, async (_, index) => {
      const wire = new Wire(url, tokens[index % tokens.length] ?? '');
      while (now() - began < forMs) {
        const asked = now();
        const answer = await wire.ask(body).catch((error: unknown) => String(error));
        took.push(now() - asked);
        if (answer.length < length * 0.95) failures.push(answer.slice(0, 300));
      }
      wire.close();
    });
    await Promise.all(readers);
    const perSecond = (took.length / (now() - began)) * 1000;
    return { count: took.length, perSecond, p50: percentile(took, 0.5), failures: [...new Set(failures)] };
  },
};

export type ReaderOrders = typeof orders;

obey(orders);
