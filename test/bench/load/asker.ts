/**
 * A process that asks at a fixed rate, whether or not it was answered (an open loop): a server that stalls is asked no less,
 * and what waits is counted from when it was due.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../clock.ts';
import { obey } from '../processes/orders.ts';
import { ask } from './http.ts';

interface Course {
  readonly url: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly tokens: readonly string[];
  readonly perSecond: number;
}

/** When it was due, and when it was answered. */
export type Answered = readonly [due: number, answered: number];

let asking: Promise<void> = Promise.resolve();
let stopping = false;
let answers: Answered[] = [];
let failures = 0;

async function run({ url, query, variables, tokens, perSecond }: Course): Promise<void> {
  const began = now();
  const open = new Set<Promise<void>>();
  for (let count = 0; !stopping; count++) {
    const due = began + (count * 1000) / perSecond;
    if (due > now()) await delay(due - now());
    const one = ask({ url, query, variables, token: tokens[count % tokens.length] ?? '' }).then((well) => {
      if (well) answers.push([due, now()]);
      else failures++;
      open.delete(one);
    });
    open.add(one);
  }
  await Promise.all(open);
}

const orders = {
  begin(course: Course): void {
    stopping = false;
    answers = [];
    failures = 0;
    asking = run(course);
  },

  async end(): Promise<{ answers: readonly Answered[]; failures: number }> {
    stopping = true;
    await asking;
    return { answers, failures };
  },
};

export type AskerOrders = typeof orders;

obey(orders);
