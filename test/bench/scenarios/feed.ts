/**
 * What a page of the feed costs somebody who reads sixty channels full of posts: the first beside the hundredth, and both
 * beside one statement written by hand.
 */
import { isDeepStrictEqual } from 'node:util';
import { operation } from '../../support/operations.ts';
import { now } from '../clock.ts';
import { startHomeroom } from '../contestants/homeroom.ts';
import type { Figure } from '../figures.ts';
import { ask } from '../load/http.ts';
import { Server } from '../processes/server.ts';
import { seedNewsroom } from '../school/newsroom.ts';
import { percentile } from '../statistics.ts';
import { rotated, type Scenario } from './scenario.ts';

const byHand = new URL('../peers/feed.ts', import.meta.url);
const pageSize = 20;
const warmUp = 300;
/** Requests a round, one after the other. */
const requests = 300;

/** What one server is asked, round by round. */
interface Course {
  readonly server: Server;
  readonly after: string | null;
  readonly p50: number[];
  readonly cpu: number[];
}

export const feed: Scenario = {
  name: 'feed',
  sizes: [15_000],
  async run(bench, size, say) {
    const { token } = await seedNewsroom(bench.database, size);
    await using homeroom = await startHomeroom(bench.database.url);
    await using hand = await Server.start(byHand, { DATABASE_URL: bench.database.url });
    const query = operation('Feed');
    const problems: string[] = [];

    const answerOf = async ({ url }: Server, first: number, after: string | null) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const body = JSON.stringify({ query, variables: { first, after } });
      return (await fetch(url, { method: 'POST', headers, body })).json();
    };
    let after: string | null = null;
    for (let page = 1; page < 100; page++)
      after = (await answerOf(hand, pageSize, after)).data.viewer.feed.pageInfo.endCursor;
    for (const cursor of [null, after]) {
      const [one, other] = [await answerOf(homeroom, pageSize, cursor), await answerOf(hand, pageSize, cursor)];
      if (one.data?.viewer.feed.nodes.length !== pageSize) problems.push(`a page was not full: ${JSON.stringify(one)}`);
      if (!isDeepStrictEqual(one, other)) problems.push('the statement by hand answers something else');
    }

    const course = (server: Server, behind: string | null): Course => ({ server, after: behind, p50: [], cpu: [] });
    const first = course(homeroom, null);
    const last = course(homeroom, after);
    const firstByHand = course(hand, null);
    const lastByHand = course(hand, after);
    const courses = [first, firstByHand, last, lastByHand];
    const run = async ({ server, after: behind }: Course, count: number): Promise<number[]> => {
      const took: number[] = [];
      for (let turn = 0; turn < count; turn++) {
        const began = now();
        const variables = { first: pageSize, after: behind };
        if (!(await ask({ url: server.url, token, query, variables }))) problems.push('a request failed');
        took.push(now() - began);
      }
      return took;
    };
    for (const one of courses) await run(one, warmUp);
    for (let round = 0; round < bench.rounds; round++) {
      for (const one of rotated(courses, round)) {
        const before = one.server.cpu();
        one.p50.push(percentile(await run(one, requests), 0.5));
        one.cpu.push((one.server.cpu() - before) / requests);
      }
      const said = courses.map(({ p50, cpu }) => `${p50.at(-1)?.toFixed(2)} ms ${cpu.at(-1)?.toFixed(0)} µs`);
      say(`round ${round + 1}: first ${said[0]}, by hand ${said[1]}; hundredth ${said[2]}, by hand ${said[3]}`);
    }
    const common = { n: size, problems: [...new Set(problems)] };
    const notes = [`pages of ${pageSize} posts of 62 channels; one request at a time`];
    const figures: Figure[] = [
      {
        ...common,
        what: 'hundredth page of a feed, p50',
        unit: 'ms',
        samples: last.p50,
        floor: { name: 'first page', samples: first.p50, limit: { atMost: 1.2 } },
        notes,
      },
      ...(
        [
          ['first', first, firstByHand],
          ['hundredth', last, lastByHand],
        ] as const
      ).flatMap(([which, own, other]): Figure[] => [
        {
          ...common,
          what: `${which} page of a feed beside one statement, p50`,
          unit: 'ms',
          samples: own.p50,
          floor: { name: 'by hand', samples: other.p50 },
        },
        {
          ...common,
          what: `server’s CPU for the ${which} page of a feed`,
          unit: 'µs',
          samples: own.cpu,
          floor: { name: 'by hand', samples: other.cpu },
        },
      ]),
    ];
    return figures;
  },
};
