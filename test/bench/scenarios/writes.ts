/**
 * What it costs writers to be heard: people who change their names, with nobody listening to one process, and with all of
 * them listening on two. And how much later the second process tells.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { operation } from '../../support/operations.ts';
import type { Bench } from '../bench.ts';
import { crowdProgram } from '../contestants/contestant.ts';
import { startHomeroom } from '../contestants/homeroom.ts';
import { followingThemselves } from '../contestants/parties.ts';
import type { Figure } from '../figures.ts';
import type { AskerOrders } from '../load/asker.ts';
import type { CrowdOrders } from '../load/crowd.ts';
import { problemsOf } from '../load/verdict.ts';
import type { WriterOrders } from '../load/writer.ts';
import { Helper } from '../processes/child.ts';
import type { Server } from '../processes/server.ts';
import { untilHeard } from './hearing.ts';
import type { Scenario } from './scenario.ts';

const warmUpMs = 3000;
const writeMs = 6000;
/** Writes a second, where the second process is timed. */
const pace = 50;

export const writes: Scenario = {
  name: 'writes',
  sizes: [64],
  async run(bench, size, say) {
    const alone: number[] = [];
    const heard: number[] = [];
    const lags: number[] = [];
    const problems: string[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const unheard = async () => {
        await using server = await startHomeroom(bench.database.url);
        alone.push(await write(bench, size, server, problems));
      };
      const listening = async () => {
        const { perSecond, lag, wrong } = await writeHeard(bench, size);
        heard.push(perSecond);
        lags.push(lag);
        problems.push(...wrong);
      };
      for (const turn of round % 2 ? [listening, unheard] : [unheard, listening]) await turn();
      const [one, two, lag] = [alone, heard, lags].map((samples) => samples.at(-1)?.toFixed(1));
      say(`round ${round + 1}: ${one}/s unheard, ${two}/s heard on two processes, the second ${lag} ms behind`);
    }
    const throughput: Figure = {
      what: 'writes heard on two processes',
      n: size,
      unit: '/s',
      samples: heard,
      floor: { name: 'unheard', samples: alone, limit: { atLeast: 0.9 } },
      problems,
    };
    const behind: Figure = {
      what: 'other process behind the same one, p50',
      n: size,
      unit: 'ms',
      samples: lags,
      limit: { atMost: 3 },
      problems,
      notes: [`at ${pace} writes a second`],
    };
    return [throughput, behind];
  },
};

async function write(bench: Bench, size: number, server: Server, problems: string[]): Promise<number> {
  await using writer = new Helper<WriterOrders>(new URL('../load/writer.ts', import.meta.url));
  const tokens = bench.school.people.slice(0, size).map(({ token }) => token);
  const writing = { url: server.url, mutation: operation('UpdateProfile'), tokens };
  await writer.order('write', { ...writing, forMs: warmUpMs });
  const { perSecond, failures } = await writer.order('write', { ...writing, forMs: writeMs });
  if (failures > 0) problems.push(`${failures} writes failed`);
  return perSecond;
}

async function writeHeard(bench: Bench, size: number): Promise<{ perSecond: number; lag: number; wrong: string[] }> {
  await using here = await startHomeroom(bench.database.url);
  await using there = await startHomeroom(bench.database.url);
  await using crowd = new Helper<CrowdOrders>(crowdProgram);
  const start = await bench.log.head();
  const people = bench.school.people.slice(0, size);
  await crowd.order('join', followingThemselves('here', bench.school, people, here.url));
  await crowd.order('join', followingThemselves('there', bench.school, people, there.url));
  await here.untilAtRest();
  await there.untilAtRest();
  const wrong: string[] = [];
  const perSecond = await write(bench, size, here, wrong);
  await untilHeard(crowd, await bench.log.expected(start));
  const paced = await bench.log.head();
  await writeAtPace(bench, size, here, wrong);
  wrong.push(...problemsOf(await untilHeard(crowd, await bench.log.expected(start))));
  const positions = Object.values(await bench.log.expected(paced)).flat();
  const { p50 } = await crowd.order('lag', { of: 'there', behind: 'here', positions });
  return { perSecond, lag: p50, wrong };
}

/** At a rate that leaves no queue anywhere: one that is full tells how long the queue is, not how far away the other is. */
async function writeAtPace(bench: Bench, size: number, server: Server, problems: string[]): Promise<void> {
  await using asker = new Helper<AskerOrders>(new URL('../load/asker.ts', import.meta.url));
  const tokens = bench.school.people.slice(0, size).map(({ token }) => token);
  const variables = { input: { email: 'at-a-pace@example.org' } };
  await asker.order('begin', {
    url: server.url,
    query: operation('UpdateProfile'),
    variables,
    tokens,
    perSecond: pace,
  });
  await delay(writeMs);
  const { failures } = await asker.order('end');
  if (failures > 0) problems.push(`${failures} writes failed`);
}
