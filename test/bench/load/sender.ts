/** A process that is people who write in chats through the API. */
import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../clock.ts';
import { obey } from '../processes/orders.ts';
import { type Talk, type Told, talk, textOf } from './talk.ts';
import { Wire } from './wire.ts';

interface Sending extends Talk<{ readonly token: string }> {
  readonly url: string;
  readonly mutation: string;
  /** All of them together; null: as fast as they are answered. */
  readonly perSecond: number | null;
}

const number = /"number":(\d+)/;

const orders = {
  async send({ url, mutation, perSecond, ...course }: Sending): Promise<Told> {
    const began = now();
    const people = course.people.map(({ token }, index) => ({ wire: new Wire(url, token), index }));
    try {
      return await talk({ ...course, people }, async ({ wire, index }, chatId, clientMessageId, turn) => {
        const due = perSecond === null ? 0 : began + ((turn * people.length + index) * 1000) / perSecond;
        if (due > now()) await delay(due - now());
        const input = { chatId, text: textOf(clientMessageId), clientMessageId };
        const answer = await wire.ask(JSON.stringify({ query: mutation, variables: { input } }));
        const found = number.exec(answer);
        if (!found) throw new Error(answer.slice(0, 300));
        return Number(found[1]);
      });
    } finally {
      for (const { wire } of people) wire.close();
    }
  },
};

export type SenderOrders = typeof orders;

obey(orders);
