/** What the worst of ten thousand bodies that strangers may send costs the server before it is turned away. */
import fc from 'fast-check';
import { bodies } from '../../support/bodies.ts';
import { startHomeroom } from '../contestants/homeroom.ts';
import type { Figure } from '../figures.ts';
import type { Scenario } from './scenario.ts';

const seed = 20_261_201;
/** Those that took longest are sent again so often: a collection of garbage or a turn of another process is not the body's. */
const again = 5;
const slowest = 20;

export const door: Scenario = {
  name: 'door',
  sizes: [10_000],
  async run(bench, size, say) {
    const sent = fc.sample(bodies, { numRuns: size, seed });
    const longest: number[] = [];
    const grown: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      await using server = await startHomeroom(bench.database.url);
      const token = bench.school.people[round]?.token ?? '';
      const ask = (body: string) => post(server.url, token, body);
      // What a server needs once, whatever it is asked.
      for (const body of sent.slice(0, 500)) await ask(body);
      await server.untilAtRest();
      const before = await server.memory();
      const taken: { readonly body: string; readonly ms: number }[] = [];
      for (const body of sent) taken.push({ body, ms: await ask(body) });
      grown.push(Math.max(0, (await server.memory()) - before) / 1024 / 1024);
      const worst = taken.sort((one, other) => other.ms - one.ms).slice(0, slowest);
      const least: number[] = [];
      for (const { body } of worst) {
        const times: number[] = [];
        for (let time = 0; time < again; time++) times.push(await ask(body));
        least.push(Math.min(...times));
      }
      longest.push(Math.max(...least));
      say(`round ${round + 1}: ${longest.at(-1)?.toFixed(1)} ms, ${grown.at(-1)?.toFixed(0)} MB`);
    }
    const figure = { n: size, problems: [] };
    return [
      {
        ...figure,
        what: 'the longest that a stranger’s body takes until it is answered, so no longer holds the loop',
        unit: 'ms',
        samples: longest,
        limit: { atMost: 50 },
      },
      { ...figure, what: 'memory that all of them leave behind', unit: 'MB', samples: grown, limit: { atMost: 64 } },
    ] satisfies Figure[];
  },
};

async function post(url: string, token: string, body: string): Promise<number> {
  const begun = performance.now();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return performance.now() - begun;
}
