/**
 * What the latest fifty messages of a chat cost, with who said them, reactions, files and who has read them: by Homeroom, by
 * PostGraphile over views of the same tables, and by Mercurius with its JIT over loaders written by hand. All answer the same
 * bytes, to a viewer who is asked for their session with every request.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { startHomeroom } from '../contestants/homeroom.ts';
import type { Figure, Limit, Reference } from '../figures.ts';
import type { ReaderOrders } from '../load/reader.ts';
import { Helper } from '../processes/child.ts';
import { Server } from '../processes/server.ts';
import { seedClassrooms } from '../school/classroom.ts';
import { asSuperuser } from '../school/database.ts';
import { between, countStatements, statementCounts, statementsEach, stopCounting } from '../school/statements.ts';
import { rotated, type Scenario } from './scenario.ts';

const peers = new URL('../peers/', import.meta.url);
const pageSize = 50;
const chatCount = 20;
const inFlight = 16;
const warmUpMs = 3000;
const countMs = 1000;
const aloneMs = 3000;
const manyMs = 5000;
const mostStatements = 5;

interface Dialect {
  readonly id: string;
  readonly messages: string;
  readonly reactions: string;
  readonly attachments: string;
}

const documentIn = ({ id, messages, reactions, attachments }: Dialect): string => `
  query History($id: ${id}, $first: Int!) {
    chat(id: $id) {
      id name viewerReadThrough viewerUnreadCount
      messages(first: $first${messages}) {
        pageInfo { hasNextPage }
        nodes {
          id number text sentAt readCount
          author { id displayName }
          reactions${reactions} { emoji count }
          attachments${attachments} { id name mediaType size }
        }
      }
    }
  }`;

const ours = documentIn({ id: 'ID!', messages: '', reactions: '', attachments: '' });
/** PostGraphile is told the order that Homeroom knows. */
const postGraphiles = documentIn({
  id: 'String!',
  messages: ', orderBy: [PLACE_DESC]',
  reactions: '(orderBy: [COUNT_DESC, EMOJI_ASC])',
  attachments: '(orderBy: [POSITION_ASC])',
});

interface Contestant {
  readonly name: 'homeroom' | 'postgraphile' | 'mercurius';
  readonly server: Server;
  readonly body: string;
  readonly p50: number[];
  readonly perSecond: number[];
  readonly cpu: number[];
}

export const history: Scenario = {
  name: 'history',
  sizes: [600],
  async run(bench, size, say) {
    const { database } = bench;
    await countStatements(database);
    const { chatId, guardians } = await seedClassrooms(database, chatCount, size);
    await asSuperuser(database.url, readFileSync(new URL('postgraphile/views.sql', peers), 'utf8'));
    const env = { DATABASE_URL: database.url };
    await using homeroom = await startHomeroom(database.url);
    await using postgraphile = await Server.start(new URL('postgraphile/server.ts', peers), env);
    await using mercurius = await Server.start(new URL('mercurius/history.ts', peers), env);
    await using reader = new Helper<ReaderOrders>(new URL('../load/reader.ts', import.meta.url));
    const contestant = (name: Contestant['name'], server: Server, query: string): Contestant => ({
      ...{ name, server, body: JSON.stringify({ query, variables: { id: chatId, first: pageSize } }) },
      ...{ p50: [], perSecond: [], cpu: [] },
    });
    const own = contestant('homeroom', homeroom, ours);
    const pg = contestant('postgraphile', postgraphile, postGraphiles);
    const jit = contestant('mercurius', mercurius, ours);
    const all = [own, pg, jit];
    const problems: string[] = [];

    const tokens = guardians.map(({ token }) => token);
    const answerOf = async ({ server, body }: Contestant, token: string): Promise<string> => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      return (await fetch(server.url, { method: 'POST', headers, body })).text();
    };
    const compare = async (): Promise<number> => {
      let shortest = Number.POSITIVE_INFINITY;
      for (const token of tokens.slice(0, 5)) {
        const [first = '', ...others] = await Promise.all(all.map((one) => answerOf(one, token)));
        if (JSON.parse(first).data?.chat.messages.nodes.length !== pageSize)
          problems.push(`no page: ${first.slice(0, 300)}`);
        others.forEach((other, index) => {
          if (!isDeepStrictEqual(JSON.parse(other), JSON.parse(first)))
            problems.push(`${all[index + 1]?.name} answers something else`);
        });
        shortest = Math.min(shortest, Buffer.byteLength(first));
      }
      return shortest;
    };
    const length = await compare();

    const read = async ({ server, body }: Contestant, many: number, forMs: number) => {
      const found = await reader.order('read', { url: server.url, body, tokens, inFlight: many, forMs, length });
      problems.push(...found.failures);
      return found;
    };
    for (const one of all) await read(one, inFlight, warmUpMs);
    const before = await statementCounts(database);
    const { count } = await read(own, 1, countMs);
    const statements = statementsEach(between(before, await statementCounts(database)), count);
    await stopCounting(database);
    if (!(statements.each <= mostStatements)) problems.push(`${statements.each} statements a request`);
    for (let round = 0; round < bench.rounds; round++) {
      for (const one of rotated(all, round)) {
        one.p50.push((await read(one, 1, aloneMs)).p50);
        const cpu = one.server.cpu();
        const many = await read(one, inFlight, manyMs);
        one.cpu.push((one.server.cpu() - cpu) / many.count);
        one.perSecond.push(many.perSecond);
      }
      const figures = all.map(
        ({ name, p50, perSecond, cpu }) =>
          `${name} ${p50.at(-1)?.toFixed(2)} ms, ${perSecond.at(-1)?.toFixed(0)}/s, ${cpu.at(-1)?.toFixed(0)} µs`,
      );
      say(`round ${round + 1}: ${figures.join('; ')}`);
    }
    await compare();

    const common = { n: size, problems: [...new Set(problems)] };
    const beside = (samples: 'p50' | 'perSecond' | 'cpu', limit?: Limit): Pick<Figure, 'floor' | 'mercurius'> => {
      const reference = (name: string, other: Contestant): Reference => ({
        ...{ name, samples: other[samples] },
        ...(limit ? { limit } : {}),
      });
      return { floor: reference('PostGraphile', pg), mercurius: reference('Mercurius', jit) };
    };
    const figures: Figure[] = [
      {
        ...common,
        what: 'history of a chat, p50',
        unit: 'ms',
        samples: own.p50,
        ...beside('p50', { atMost: 1 }),
        notes: [
          `${pageSize} messages, ${length} bytes; one request at a time`,
          `Homeroom’s statements a request, by pg_stat_statements: ${statements.which.join('; ')}`,
        ],
      },
      {
        ...common,
        what: 'history of a chat, requests a second',
        unit: '/s',
        samples: own.perSecond,
        ...beside('perSecond', { atLeast: 1 }),
        notes: [`${inFlight} in flight`],
      },
      { ...common, what: 'server’s CPU for the history of a chat', unit: 'µs', samples: own.cpu, ...beside('cpu') },
    ];
    return figures;
  },
};
