/** A process that is some people who change their addresses as fast as they are answered: each waits for the answer to the last. */
import { now } from '../clock.ts';
import { obey } from '../processes/orders.ts';
import { ask } from './http.ts';

interface Writing {
  readonly url: string;
  readonly mutation: string;
  readonly tokens: readonly string[];
  readonly forMs: number;
}

export interface Written {
  readonly perSecond: number;
  readonly count: number;
  readonly failures: number;
}

const orders = {
  async write({ url, mutation, tokens, forMs }: Writing): Promise<Written> {
    const began = now();
    let count = 0;
    let failures = 0;
    const people = tokens.map(async (token, person) => {
      for (let turn = 0; now() - began < forMs; turn++) {
        const variables = { input: { email: `person-${person}-${turn}@example.org` } };
        if (await ask({ url, token, query: mutation, variables })) count++;
        else failures++;
      }
    });
    await Promise.all(people);
    return { count, failures, perSecond: (count / (now() - began)) * 1000 };
  },
};

export type WriterOrders = typeof orders;

obey(orders);
