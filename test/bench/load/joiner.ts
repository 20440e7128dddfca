/** A process that is people who each ask the same once: so many at a time, the next as soon as one is answered. */
import { obey } from '../processes/orders.ts';
import { type Done, inFlight } from './once.ts';
import { Wire } from './wire.ts';

interface Joining {
  readonly url: string;
  readonly body: string;
  readonly tokens: readonly string[];
  readonly atOnce: number;
  /** In every right answer. */
  readonly proof: string;
}

const orders = {
  async join({ url, body, tokens, atOnce, proof }: Joining): Promise<Done> {
    const wires = Array.from({ length: atOnce }, () => new Wire(url, ''));
    try {
      return await inFlight(tokens, wires, async (wire, token) => {
        const answer = await wire.ask(body, token);
        if (!answer.includes(proof)) throw new Error(answer.slice(0, 300));
      });
    } finally {
      for (const wire of wires) wire.close();
    }
  },
};

export type JoinerOrders = typeof orders;

obey(orders);
