/** How long others wait while one person asks for the worst that the limits allow, found by search. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { startHomeroom } from '../contestants/homeroom.ts';
import type { Figure } from '../figures.ts';
import { commands } from '../hostile/commands.ts';
import { chance, Wishes, written } from '../hostile/documents.ts';
import type { AskerOrders } from '../load/asker.ts';
import type { AttackerOrders } from '../load/attacker.ts';
import { Helper } from '../processes/child.ts';
import { seedTown, type Town } from '../school/town.ts';
import { percentile } from '../statistics.ts';
import type { Scenario } from './scenario.ts';

const query = '{ viewer { user { id } } }';
const perSecond = 50;
const restMs = 10_000;
const attackMs = 20_000;
const connections = 3;
/** How many documents a generation has, how many of them are kept, and how many generations there are. */
const generation = { size: 40, kept: 8, rounds: 8 };

interface Found {
  readonly body: string;
  readonly ms: number;
}

export const hostile: Scenario = {
  name: 'hostile',
  /** So many others ask in turn: alone, one would soon reach what a person may ask in a minute. */
  sizes: [20],
  async run(bench, size, say) {
    const town = await seedTown(bench.database);
    const seed = Number(process.env.HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 31));
    await using asker = new Helper<AskerOrders>(new URL('../load/asker.ts', import.meta.url));
    await using attacker = new Helper<AttackerOrders>(new URL('../load/attacker.ts', import.meta.url));
    const worst = await search(bench, town, attacker, seed, say);
    const tokens = bench.school.people.slice(0, size).map(({ token }) => token);
    const problems: string[] = [];
    const took = { rest: [] as number[][], attacked: [] as number[][] };
    const counts: string[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      // What one may take is theirs anew with each process.
      await using server = await startHomeroom(bench.database.url, undefined, asItIs);
      const ask = async (forMs: number): Promise<number[]> => {
        await asker.order('begin', { url: server.url, query, tokens, perSecond });
        await delay(forMs);
        const { answers, failures } = await asker.order('end');
        if (failures > 0) problems.push(`${failures} queries of others failed`);
        return answers.map(([due, answered]) => answered - due);
      };
      await ask(restMs / 2);
      took.rest.push(await ask(restMs));
      const bodies = worst.map(({ body }) => body);
      await attacker.order('begin', { url: server.url, token: town.head.token, bodies, connections });
      took.attacked.push(await ask(attackMs));
      const { answered, refused } = await attacker.order('end');
      counts.push(`${answered} answered, ${refused} refused`);
      const [quiet, busy] = [took.rest.at(-1) ?? [], took.attacked.at(-1) ?? []];
      const p = (times: readonly number[]) =>
        [0.5, 0.95, 0.99].map((share) => percentile(times, share).toFixed(1)).join(' / ');
      say(`round ${round + 1}: p50/p95/p99 at rest ${p(quiet)} ms, under attack ${p(busy)} ms; ${counts.at(-1)}`);
    }
    const at = (share: number, all: readonly number[][]) => all.map((times) => percentile(times, share));
    const figure = (share: number, limit?: Figure['limit']): Figure => ({
      what: `p${share * 100} of a query while one person attacks`,
      n: size,
      unit: 'ms',
      samples: at(share, took.attacked),
      floor: { name: 'at rest', samples: at(share, took.rest), ...(limit && { limit }) },
      problems,
      notes: [
        `seed ${seed}; ${connections} connections; ${counts.join('; ')}`,
        ...worst.map(({ body, ms }) => `alone ${ms.toFixed(0)} ms: ${body.slice(0, 160)}`),
      ],
    });
    return [figure(0.5), figure(0.95, { atMost: 5 }), figure(0.99)];
  },
};

/** The limits of an installation, which others of the bench's servers are without. */
const asItIs = { HOMEROOM_RATE_PER_MINUTE: '600', HOMEROOM_SHARE_PERCENT: '10' };

/** The documents that took longest, each alone on a server that limits nobody's share. */
async function search(
  { database }: Bench,
  { head, things }: Town,
  attacker: Helper<AttackerOrders>,
  seed: number,
  say: (progress: string) => void,
): Promise<Found[]> {
  await using server = await startHomeroom(database.url);
  const random = chance(seed);
  const wishes = new Wishes(random, things);
  const took = (body: string) => attacker.order('once', { url: server.url, token: head.token, body });
  let best: (Found & { readonly wish: ReturnType<Wishes['make']> })[] = [];
  let refused = 0;
  for (let round = 0; round < generation.rounds; round++) {
    const changed = best.flatMap(({ wish }) => Array.from({ length: 3 }, () => wishes.change(wish)));
    const fresh = Array.from({ length: generation.size - changed.length }, () => wishes.make());
    for (const wish of [...changed, ...fresh]) {
      const body = JSON.stringify({ query: written(wish) });
      const ms = await took(body);
      if (ms === null) refused++;
      else best.push({ wish, body, ms });
    }
    best = best.sort((one, other) => other.ms - one.ms).slice(0, generation.kept);
    say(
      `search ${round + 1}: the worst take ${best.map(({ ms }) => ms.toFixed(0)).join(', ')} ms; ${refused} refused so far`,
    );
  }
  const written_: Found[] = [];
  for (const body of commands(things)) {
    const ms = await took(body);
    if (ms !== null) written_.push({ body, ms });
  }
  return [...best, ...written_].sort((one, other) => other.ms - one.ms);
}
