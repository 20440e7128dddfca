/**
 * Messages a second: people who write in many chats through Homeroom, beside a loop of the same one statement with nothing
 * around it, and beside an ordinary stack. All three write into the same chats.
 */
import { isDeepStrictEqual } from 'node:util';
import { isUnavailable } from '../../../src/database/failures.ts';
import { placeEvents } from '../../support/placing.ts';
import type { Bench } from '../bench.ts';
import { startHomeroom } from '../contestants/homeroom.ts';
import type { Figure } from '../figures.ts';
import type { SenderOrders } from '../load/sender.ts';
import type { StaterOrders } from '../load/stater.ts';
import type { Said, Told } from '../load/talk.ts';
import { Helper } from '../processes/child.ts';
import { Server } from '../processes/server.ts';
import { problemsOfTalk, seedTalkers } from '../school/talkers.ts';
import { rotated, type Scenario } from './scenario.ts';

const stack = new URL('../peers/messages.ts', import.meta.url);
const chatCount = 200;
/** As many as Homeroom and the ordinary stack have. */
const connections = 10;
const warmUpMs = 3000;
const writeMs = 6000;

export const sendMessage = `
  mutation SendMessage($input: SendMessageInput!) {
    sendMessage(input: $input) {
      __typename
      ... on Message { id number text sentAt author { displayName } }
      ... on Error { code }
    }
  }`;

type Way = 'homeroom' | 'loop' | 'stack';
const ways: readonly Way[] = ['homeroom', 'loop', 'stack'];

export const messages: Scenario = {
  name: 'messages',
  sizes: [64],
  async run(bench, size, say) {
    const school = await seedTalkers(bench.database, size, chatCount);
    const perSecond: Record<Way, number[]> = { homeroom: [], loop: [], stack: [] };
    const cpu: Record<'homeroom' | 'stack', number[]> = { homeroom: [], stack: [] };
    const said: Said[] = [];
    const problems: string[] = [];
    const answers: unknown[] = [];
    const { people } = school;
    const databaseUrl = bench.database.url;

    const take = ({ said: heard, failures, perSecond: rate }: Told): number => {
      said.push(...heard);
      if (failures.length > 0) problems.push(`${failures.length} messages failed: ${failures[0]}`);
      return rate;
    };
    const overHttp = async (way: 'homeroom' | 'stack', name: string): Promise<number> => {
      await using server =
        way === 'homeroom'
          ? await startHomeroom(databaseUrl)
          : await Server.start(stack, { DATABASE_URL: databaseUrl });
      await using sender = new Helper<SenderOrders>(new URL('../load/sender.ts', import.meta.url));
      const course = { url: server.url, mutation: sendMessage, perSecond: null, people };
      const chats = school.chats.map(({ id }) => id);
      take(await sender.order('send', { ...course, chats, name: `${name}-warm`, forMs: warmUpMs }));
      const before = server.cpu();
      const told = await sender.order('send', { ...course, chats, name, forMs: writeMs });
      cpu[way].push((server.cpu() - before) / told.said.length);
      if (answers.length < 2) answers.push(await oneAnswer(server, `${name}-one`));
      return take(told);
    };
    const oneAnswer = async ({ url }: Server, clientMessageId: string): Promise<unknown> => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${people[0]?.token}` };
      const input = { chatId: school.chats[0]?.id, text: 'What do you answer?', clientMessageId };
      const body = JSON.stringify({ query: sendMessage, variables: { input } });
      const answer = await (await fetch(url, { method: 'POST', headers, body })).json();
      const { id, number, sentAt, ...rest } = answer.data?.sendMessage ?? {};
      said.push([clientMessageId, number, 0]);
      return { ...rest, id: String(id).length, sentAt: String(sentAt).length };
    };
    const inLoop = async (name: string): Promise<number> => {
      await using stater = new Helper<StaterOrders>(new URL('../load/stater.ts', import.meta.url));
      const course = {
        databaseUrl,
        connections,
        perSecond: null,
        people,
        chats: school.chats.map(({ rowId }) => rowId),
      };
      take(await stater.order('state', { ...course, name: `${name}-warm`, forMs: warmUpMs }));
      return take(await stater.order('state', { ...course, name, forMs: writeMs }));
    };

    for (let round = 0; round < bench.rounds; round++) {
      for (const way of rotated(ways, round)) {
        const name = `${way}-${round}`;
        perSecond[way].push(way === 'loop' ? await inLoop(name) : await overHttp(way, name));
        await settle(bench);
      }
      const rates = ways.map((way) => `${way} ${perSecond[way].at(-1)?.toFixed(0)}/s`).join(', ');
      say(`round ${round + 1}: ${rates}; µs ${cpu.homeroom.at(-1)?.toFixed(0)}, stack ${cpu.stack.at(-1)?.toFixed(0)}`);
    }
    if (!isDeepStrictEqual(answers[0], answers[1])) problems.push(`answers differ: ${JSON.stringify(answers)}`);
    problems.push(...(await problemsOfTalk(bench.database, school, said)));
    const common = { n: size, problems: [...new Set(problems)] };
    const figures: Figure[] = [
      {
        ...common,
        what: 'messages sent',
        unit: '/s',
        samples: perSecond.homeroom,
        floor: { name: 'statement', samples: perSecond.loop, limit: { atLeast: 0.6 } },
        stock: { name: 'stock', samples: perSecond.stack, limit: { atLeast: 3 } },
        notes: [`in ${chatCount} chats; ${said.length} messages checked`],
      },
      {
        ...common,
        what: 'server’s CPU for a message sent',
        unit: 'µs',
        samples: cpu.homeroom,
        stock: { name: 'stock', samples: cpu.stack },
      },
    ];
    return figures;
  },
};

/** Places what nobody placed, and puts the tables in order, so that each begins with the same. */
async function settle({ database }: Bench): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await placeEvents(database.connection);
      break;
    } catch (error) {
      // A machine that others use may take longer than any statement of Homeroom's is given.
      if (attempt === 5 || !isUnavailable(error)) throw error;
    }
  }
  await database.sql`vacuum analyze chats, messages, chat_marks, log_events`;
  await database.sql`checkpoint`;
}
