/** A process that is people who each join a broadcast: so many at a time, the next as soon as one is answered. And then they play it. */
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

interface Playing {
  readonly url: string;
  readonly secret: string;
  readonly atOnce: number;
  /** The broadcast's row. */
  readonly broadcastId: string;
}

/** What those who joined last are to show where they play. */
let tickets: string[] = [];
const ticket = /"url":"[^"]*\/([^/"]+)\/index\.m3u8"/;

const orders = {
  async join({ url, body, tokens, atOnce, proof }: Joining): Promise<Done> {
    tickets = [];
    const wires = Array.from({ length: atOnce }, () => new Wire(url, ''));
    try {
      return await inFlight(tokens, wires, async (wire, token) => {
        const answer = await wire.ask(body, token);
        if (!answer.includes(proof)) throw new Error(answer.slice(0, 300));
        tickets.push(ticket.exec(answer)?.[1] ?? '');
      });
    } finally {
      for (const wire of wires) wire.close();
    }
  },

  /** The media server asks about everybody who has joined. */
  async play({ url, secret, atOnce, broadcastId }: Playing): Promise<Done> {
    const wires = Array.from({ length: atOnce }, () => new Wire(url, ''));
    try {
      return await inFlight(tickets, wires, async (wire, shown) => {
        const answer = await wire.get('/media/play', { Authorization: `Bearer ${secret}`, 'X-Playback-Token': shown });
        if (!answer.includes(broadcastId)) throw new Error(answer.slice(0, 300));
      });
    } finally {
      for (const wire of wires) wire.close();
    }
  },
};

export type JoinerOrders = typeof orders;

obey(orders);
