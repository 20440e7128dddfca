/** People who write in chats, by whatever way: each waits for the answer to the last, and it is kept what was answered. */
import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../clock.ts';

export interface Talk<Person> {
  /** Sets this turn's messages apart from all others. */
  readonly name: string;
  readonly people: readonly Person[];
  readonly chats: readonly string[];
  readonly forMs: number;
  /** All of them together; null: as fast as they are answered. */
  readonly perSecond: number | null;
}

/** What was said under which key, what number it was answered to have, and when it was asked for. */
export type Said = readonly [clientMessageId: string, number: number, asked: number];

export interface Told {
  readonly perSecond: number;
  readonly said: readonly Said[];
  readonly failures: readonly string[];
}

export const textOf = (clientMessageId: string): string =>
  `${clientMessageId}: is there swimming tomorrow, and at what time?`;

/** Has everybody write for a time, one after the other in many of the chats; `sayIn` answers with the message's number. */
export async function talk<Person>(
  { name, people, chats, forMs, perSecond }: Talk<Person>,
  sayIn: (person: Person, chatId: string, clientMessageId: string) => Promise<number>,
): Promise<Told> {
  const said: Said[] = [];
  const failures: string[] = [];
  const began = now();
  const talking = people.map(async (person, index) => {
    for (let turn = 0; now() - began < forMs; turn++) {
      const chatId = chats[(index * 31 + turn * 77) % chats.length] ?? '';
      const clientMessageId = `${name}-${index}-${turn}`;
      const due = perSecond === null ? 0 : began + ((turn * people.length + index) * 1000) / perSecond;
      if (due > now()) await delay(due - now());
      const asked = now();
      try {
        said.push([clientMessageId, await sayIn(person, chatId, clientMessageId), asked]);
      } catch (error) {
        failures.push(String(error));
      }
    }
  });
  await Promise.all(talking);
  return { said, failures, perSecond: (said.length / (now() - began)) * 1000 };
}
