/** A process that is people who write in chats through the API. */
import { obey } from '../processes/orders.ts';
import { type Talk, type Told, talk, textOf } from './talk.ts';
import { Wire } from './wire.ts';

interface Sending extends Talk<{ readonly token: string }> {
  readonly url: string;
  readonly mutation: string;
}

const number = /"number":(\d+)/;

const orders = {
  async send({ url, mutation, ...course }: Sending): Promise<Told> {
    const people = course.people.map(({ token }) => new Wire(url, token));
    try {
      return await talk({ ...course, people }, async (wire, chatId, clientMessageId) => {
        const input = { chatId, text: textOf(clientMessageId), clientMessageId };
        const answer = await wire.ask(JSON.stringify({ query: mutation, variables: { input } }));
        const found = number.exec(answer);
        if (!found) throw new Error(answer.slice(0, 300));
        return Number(found[1]);
      });
    } finally {
      for (const wire of people) wire.close();
    }
  },
};

export type SenderOrders = typeof orders;

obey(orders);
