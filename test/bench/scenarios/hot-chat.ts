/**
 * One chat in which many write at once and everybody listens: as fast as they are answered, and at a steady pace. Every listener
 * is to hear every message, by its number, in order.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { operation } from '../../support/operations.ts';
import { type Bench, intruders } from '../bench.ts';
import { now } from '../clock.ts';
import { crowdProgram } from '../contestants/contestant.ts';
import { startHomeroom } from '../contestants/homeroom.ts';
import type { Figure } from '../figures.ts';
import type { CrowdOrders, Party } from '../load/crowd.ts';
import type { SenderOrders } from '../load/sender.ts';
import type { Said } from '../load/talk.ts';
import { problemsOf } from '../load/verdict.ts';
import { Helper } from '../processes/child.ts';
import { problemsOfTalk, seedTalkers, type TalkingSchool } from '../school/talkers.ts';
import { untilHeard } from './hearing.ts';
import { sendMessage } from './messages.ts';
import type { Scenario } from './scenario.ts';

const writers = 16;
const fullMs = 4000;
const pacedMs = 5000;
/** Messages a second, where delays and costs are told: a busy chat that leaves no queue anywhere. */
const pace = 20;
const patienceMs = 60_000;

export const hotChat: Scenario = {
  name: 'hot-chat',
  sizes: [500],
  async run(bench, size, say) {
    const school = await seedTalkers(bench.database, size, 1);
    const start = await bench.log.head();
    await using server = await startHomeroom(bench.database.url);
    await using crowd = new Helper<CrowdOrders>(crowdProgram);
    await using sender = new Helper<SenderOrders>(new URL('../load/sender.ts', import.meta.url));
    for (const party of partiesOf(bench, school, server.url)) await crowd.order('join', party);
    await server.untilAtRest();

    const said: Said[] = [];
    const problems: string[] = [];
    const course = {
      url: server.url,
      mutation: sendMessage,
      people: school.people.slice(0, writers),
      chats: school.chats.map(({ id }) => id),
    };
    /** Has them write, until everybody has heard it all: what was said, and how long that took. */
    const write = async (name: string, forMs: number, perSecond: number | null) => {
      const before = await crowd.order('delivered');
      const cpu = server.cpu();
      const began = now();
      const told = await sender.order('send', { ...course, name, forMs, perSecond });
      said.push(...told.said);
      if (told.failures.length > 0) problems.push(`${told.failures.length} messages failed: ${told.failures[0]}`);
      const deliveries = told.said.length * size;
      const all = await crowd.order('reach', { deliveries: before + deliveries, withinMs: patienceMs });
      if (!all) problems.push('deliveries did not come');
      const took = now() - began;
      await delay(100);
      return { said: told.said, deliveries, took, cpu: (server.cpu() - cpu) / deliveries };
    };

    await write('warm-up', fullMs, null);
    const perSecond: number[] = [];
    const p99: number[] = [];
    const p50: number[] = [];
    const cpu: number[] = [];
    const cpuInFull: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const full = await write(`full-${round}`, fullMs, null);
      perSecond.push((full.deliveries / full.took) * 1000);
      cpuInFull.push(full.cpu);
      await server.untilAtRest();
      const paced = await write(`paced-${round}`, pacedMs, pace);
      cpu.push(paced.cpu);
      const latencies = await crowd.order('latencies', {
        party: 'listeners',
        published: await placesOf(bench, school, paced.said),
      });
      p50.push(latencies.p50);
      p99.push(latencies.p99);
      const [rate, late, cost] = [perSecond, p99, cpu].map((samples) => samples.at(-1)?.toFixed(1));
      say(
        `round ${round + 1}: ${rate} deliveries/s of ${full.said.length} messages; paced p99 ${late} ms, ${cost} µs each`,
      );
    }
    problems.push(...problemsOf(await untilHeard(crowd, await bench.log.expected(start))));
    problems.push(...(await problemsOfTalk(bench.database, school, said)));
    const common = { n: size, problems: [...new Set(problems)] };
    const figures: Figure[] = [
      {
        ...common,
        what: 'deliveries of a hot chat',
        unit: '/s',
        samples: perSecond,
        notes: [
          `${writers} write as fast as they are answered; ${said.length} messages, each checked at each listener`,
        ],
      },
      {
        ...common,
        what: 'a hot chat’s message from its sending to a listener, p99',
        unit: 'ms',
        samples: p99,
        floor: { name: 'p50', samples: p50 },
        notes: [`at ${pace} messages a second`],
      },
      {
        ...common,
        what: 'CPU per delivery of a hot chat, with the sending',
        unit: 'µs',
        samples: cpu,
        floor: { name: 'at full speed', samples: cpuInFull },
      },
    ];
    return figures;
  },
};

function partiesOf(bench: Bench, { people, chats: [chat] }: TalkingSchool, url: string): Party[] {
  if (!chat) throw new Error('there is no chat');
  const common = {
    urls: [url],
    times: 1,
    timed: true,
    query: operation('MessageSent'),
    variables: { chatId: chat.id },
    proof: '"author":{',
  };
  const listening = (all: readonly { readonly token: string }[]) =>
    all.map(({ token }) => ({ token, audiences: [chat.audienceId] }));
  return [
    { ...common, name: 'listeners', allowed: true, numbered: true, people: listening(people) },
    { ...common, name: 'intruders', allowed: false, people: listening(bench.neighbour.people.slice(0, intruders)) },
  ];
}

/** The places in the log of what was said, with when it was asked for. */
async function placesOf(
  { database: { sql } }: Bench,
  { chats }: TalkingSchool,
  said: readonly Said[],
): Promise<[position: number, at: number][]> {
  const places = await sql<{ number: number; position: number }[]>`
    select m.number, e.position from messages m join log_events e on e.subject_id = m.id and e.kind = 'MESSAGE_SENT'
    where m.chat_id = ${chats[0]?.rowId ?? ''} and m.number = any(${said.map(([, number]) => number)}::bigint[])`;
  const positions = new Map(places.map(({ number, position }) => [Number(number), Number(position)]));
  return said.map(([, number, asked]) => [positions.get(number) ?? Number.NaN, asked]);
}
