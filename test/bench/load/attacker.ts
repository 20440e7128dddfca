/** A process that is one person who asks for the most, on some connections: on each the next as soon as one is answered. */
import { now } from '../clock.ts';
import { obey } from '../processes/orders.ts';
import { Wire } from './wire.ts';

interface Attack {
  readonly url: string;
  readonly token: string;
  readonly bodies: readonly string[];
  readonly connections: number;
}

let isOver = false;
let asking: Promise<unknown> = Promise.resolve();
const counts = { answered: 0, refused: 0 };

async function attack({ url, token, bodies, connections }: Attack): Promise<void> {
  let next = 0;
  const wires = Array.from({ length: connections }, () => new Wire(url, token));
  const byOne = async (wire: Wire) => {
    while (!isOver) {
      const answer = await wire.ask(bodies[next++ % bodies.length] ?? '').catch(() => '"errors"');
      if (answer.includes('"errors"')) counts.refused++;
      else counts.answered++;
    }
    wire.close();
  };
  await Promise.all(wires.map(byOne));
}

const orders = {
  begin(course: Attack): void {
    isOver = false;
    Object.assign(counts, { answered: 0, refused: 0 });
    asking = attack(course);
  },

  async end(): Promise<typeof counts> {
    isOver = true;
    await asking;
    return counts;
  },

  /** How long one body takes to be answered; null: it is refused. */
  async once({ url, token, body }: { url: string; token: string; body: string }): Promise<number | null> {
    const wire = new Wire(url, token);
    const began = now();
    try {
      const answer = await wire.ask(body);
      return answer.includes('OPERATION_TOO_LARGE') || answer.includes('GRAPHQL_VALIDATION_FAILED')
        ? null
        : now() - began;
    } catch {
      return null;
    } finally {
      wire.close();
    }
  },
};

export type AttackerOrders = typeof orders;

obey(orders);
