import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { arrayLiteral } from '../src/database/arrays.ts';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { fillFeeds } from './support/full-feeds.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

const groupCount = 60;
const sizes = { community: 3000, staff: 1500, eachGroup: 175 };
const postCount = sizes.community + sizes.staff + groupCount * sizes.eachGroup;
const pageSize = 20;

let app: TestApp;
let school: School;
/** Who reads all channels; COMMUNITY, STAFF and one group's; COMMUNITY and those of two groups. */
let readers: Record<'head' | 'teacher' | 'guardian', Person>;
const channelCounts = { head: groupCount + 2, teacher: 3, guardian: 3 };
let childId: string;

/** Everything that the server sends to Postgres, as it begins. */
let sent: MockInstance<PostgresJsPreparedQuery<never>['execute']>;

/** 15,000 posts in 62 channels of one school, and as many in three others, so that indexes matter. */
beforeAll(async () => {
  app = await startTestApp();
  const { world } = app;
  school = await world.school();
  const groups: string[] = [];
  for (let number = 0; number < groupCount; number++) groups.push(await world.group(school));
  const [first = '', second = ''] = groups;
  const head = await world.head(school);
  const teacher = await world.teacher(school, first);
  childId = await world.child(school, first);
  const guardian = await world.guardian(school, childId);
  await world.guardian(school, await world.child(school, second), guardian);
  readers = { head, teacher, guardian };
  const others = [await world.school('A'), await world.school('B'), await world.school('C')];
  for (const other of others) await world.group(other);
  const people = await Promise.all([head, teacher, guardian].map((person) => person.run('Viewer')));
  await inDatabase(app, async (sql) => {
    const readers = people.map(({ viewer }) => idOf('User', viewer.user.id));
    const organizationId = idOf('Organization', school.id);
    await fillFeeds(sql, { organizationId, ...sizes, word: 'родной', readers });
    for (const { id } of others) {
      const much = { community: 3000, staff: 500, eachGroup: 1500, word: 'бассейн', readers: [] };
      await fillFeeds(sql, { organizationId: idOf('Organization', id), ...much });
    }
    await sql`
      insert into posts (organization_id, channel_id, author_id, state, text, commenting)
      select organization_id, channel_id, author_id, case when n % 2 = 0 then 'SUGGESTED' else 'DRAFT' end::post_state, 'новое', 'OFF'
      from (select *, row_number() over (order by place desc) as n from posts where organization_id = ${organizationId} limit 100) p`;
    // Done by autovacuum elsewhere.
    await sql`vacuum analyze`;
  });
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(() => {
  sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
});
afterEach(() => sent.mockRestore());

interface Statement {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** What somebody is answered, and the statements that it took at the least. */
async function ask(
  who: Person,
  request: () => Promise<Json>,
  atMost: number,
): Promise<{ data: Json; statements: Statement[] }> {
  let fewest: Statement[] | null = null;
  let data: Json = null;
  let seen = 0;
  // What the server does by itself meanwhile, as its jobs do, makes them more, never fewer.
  for (let time = 0; time < 50 && (seen < 4 || fewest === null || fewest.length > atMost); time++) {
    sent.mockClear();
    data = await request();
    const statements = sent.mock.contexts.map((query) => ({
      text: String(Object(query).queryString),
      parameters: Object(query).params as unknown[], // as Drizzle keeps them
    }));
    if (fewest === null || statements.length < fewest.length) {
      fewest = statements;
      seen = 0;
    }
    if (statements.length === fewest.length) seen++;
  }
  expect(fewest?.length, `${who.phone}: ${fewest?.map(({ text }) => text).join('\n')}`).toBeLessThanOrEqual(atMost);
  return { data, statements: fewest ?? [] };
}

const askFor = (who: Person, name: string, variables: object = {}) => ask(who, () => who.run(name, variables), 4);

/** Those that read a page of posts, with all that stands around them. */
const pagesAmong = (statements: readonly Statement[]): Statement[] =>
  statements.filter(({ text }) => text.includes('json_agg') && text.includes('from comments'));

function onlyPage(statements: readonly Statement[]): Statement {
  const [page, ...more] = pagesAmong(statements);
  if (!page || more.length > 0) throw new Error(`${more.length + 1} pages were read`);
  return page;
}

interface Plan {
  readonly buffers: number;
  /** Tables that are read from one end to the other. */
  readonly scanned: readonly string[];
  readonly indexes: ReadonlySet<string>;
  /** Rows of `posts` that were looked at, whatever became of them. */
  readonly postsRead: number;
}

function read(node: Json): Plan {
  const nodes = (one: Json): Json[] => [one, ...(one.Plans ?? []).flatMap(nodes)];
  const all = nodes(node);
  const looked = all.filter((one) => one['Relation Name'] === 'posts');
  return {
    buffers: node['Shared Hit Blocks'] + node['Shared Read Blocks'],
    scanned: all.filter((one) => one['Node Type'] === 'Seq Scan').map((one) => one['Relation Name']),
    indexes: new Set(all.flatMap((one) => one['Index Name'] ?? [])),
    // Each is an average of its loops.
    postsRead: looked
      .flatMap((one) =>
        ['Actual Rows', 'Rows Removed by Filter', 'Rows Removed by Index Recheck'].map((rows) =>
          Math.round(one['Actual Loops'] * (one[rows] ?? 0)),
        ),
      )
      .reduce((total, rows) => total + rows, 0),
  };
}

type Mode = 'force_custom_plan' | 'force_generic_plan' | 'auto';

/** How Postgres runs a prepared statement at last, when a session has run it so often. */
async function explain({ text, parameters }: Statement, mode: Mode = 'auto', times = 8): Promise<Plan> {
  const literal = (value: unknown) =>
    `'${(Array.isArray(value) ? arrayLiteral(value) : String(value)).replaceAll("'", "''")}'`;
  return inDatabase(app, async (sql) => {
    await sql.unsafe(`set plan_cache_mode = ${mode}`);
    await sql.unsafe(`prepare page as ${text}`);
    let rows: postgres.Row[] = [];
    for (let time = 0; time < times; time++)
      rows = await sql.unsafe(`explain (analyze, buffers, format json) execute page (${parameters.map(literal)})`);
    return read(rows[0]?.['QUERY PLAN'][0].Plan);
  });
}

/** Every plan that a process may come to use for a statement; what must hold, must hold of each. */
async function plansOf(statement: Statement): Promise<Plan[]> {
  return [
    await explain(statement, 'force_custom_plan', 2),
    await explain(statement, 'force_generic_plan', 2),
    await explain(statement),
  ];
}

/** The cursor behind so many posts of a feed. */
async function behind(who: Person, count: number): Promise<string> {
  const query = `query ($first: Int, $after: String) { viewer { feed(first: $first, after: $after) { pageInfo { endCursor } } } }`;
  let after: string | null = null;
  for (let left = count; left > 0; left -= 100) {
    const { data } = await who.send(query, { first: Math.min(left, 100), after });
    after = data.viewer.feed.pageInfo.endCursor;
  }
  return after ?? '';
}

describe.each(['head', 'teacher', 'guardian'] as const)('the feed of a %s', (role) => {
  test('takes at most four statements, and the hundredth page costs what the first does', async () => {
    const who = readers[role];
    const first = await askFor(who, 'Feed', { first: pageSize });
    const last = await askFor(who, 'Feed', { first: pageSize, after: await behind(who, 99 * pageSize) });
    for (const { data } of [first, last]) expect(data.viewer.feed.nodes).toHaveLength(pageSize);
    const ids = [first, last].flatMap(({ data }) => data.viewer.feed.nodes.map(({ id }: Json) => id));
    expect(new Set(ids).size).toBe(2 * pageSize);
    expect(last.statements).toHaveLength(first.statements.length);

    const plans = await plansOf(onlyPage(first.statements));
    const later = await plansOf(onlyPage(last.statements));
    for (const plan of [...plans, ...later]) {
      expect(plan.scanned).not.toContain('posts');
      expect(plan.indexes).toContain('posts_place_key');
      // One more than a page of each channel, and the page itself.
      expect(plan.postsRead).toBeLessThanOrEqual((channelCounts[role] + 1) * (pageSize + 1));
    }
    const costs = [...plans, ...later].map(({ buffers }) => buffers);
    expect(Math.max(...costs) / Math.min(...costs)).toBeLessThan(1.2);
  });

  test('asks only its own index for what is to be acknowledged', async () => {
    const who = readers[role];
    const { data: all } = await who.send('{ viewer { feed(unacknowledgedOnly: true) { totalCount } } }');
    const asked: number = all.viewer.feed.totalCount;
    expect(asked).toBeGreaterThan(pageSize);
    const { data, statements } = await askFor(who, 'Feed', { first: pageSize, unacknowledgedOnly: true });
    expect(data.viewer.feed.nodes).toHaveLength(pageSize);
    for (const post of data.viewer.feed.nodes) expect(post).toMatchObject({ viewerMustAcknowledge: true });
    for (const plan of await plansOf(onlyPage(statements))) {
      expect(plan.scanned).not.toContain('posts');
      expect(plan.indexes).toContain('posts_required_index');
      expect(plan.postsRead).toBeLessThanOrEqual(asked + pageSize + 1);
    }
  });

  test('finds words by their index, and in no other channels', async () => {
    const who = readers[role];
    const { data } = await who.send('{ viewer { feed { totalCount } own: feed(search: "утренники") { totalCount } } }');
    const { feed, own } = data.viewer;
    const found = { собрания: feed.totalCount, утренники: own.totalCount, бассейны: 0, '"новый утренник" бассейн': 0 };
    expect(own.totalCount).toBeGreaterThan(300);
    for (const [search, count] of Object.entries(found)) {
      const { data, statements } = await askFor(who, 'Feed', { first: pageSize, search });
      expect(data.viewer.feed.nodes).toHaveLength(Math.min(count, pageSize));
      for (const plan of await plansOf(onlyPage(statements))) {
        expect(plan.scanned).not.toContain('posts');
        // Where a word is in nearly every post, the latest of each channel are found faster without.
        if (!plan.indexes.has('posts_place_key')) expect(plan.indexes).toContain('posts_search_index');
        // What other schools write is not looked at: of 15,000 with the word, none.
        expect(plan.postsRead).toBeLessThanOrEqual(Math.min(count, feed.totalCount) + pageSize + 1);
      }
    }
  });
});

test('the largest page that there is costs no statement more', async () => {
  const { data } = await askFor(readers.guardian, 'Feed', { first: 100 });
  expect(data.viewer.feed.nodes).toHaveLength(100);
});

test('a rare word costs little, however many channels and posts there are', async () => {
  const { data, statements } = await askFor(readers.head, 'Feed', { first: pageSize, search: 'динозавры' });
  expect(data.viewer.feed.nodes).toHaveLength(3);
  for (const plan of await plansOf(onlyPage(statements))) {
    expect(plan.indexes).toContain('posts_search_index');
    expect(plan.postsRead).toBeLessThanOrEqual(6);
    expect(plan.buffers).toBeLessThan(500);
  }
});

test('a feed says how long it is by one statement more', async () => {
  const query = `query ($first: Int) { viewer { feed(first: $first) { totalCount nodes { id } } } }`;
  const expected = {
    head: postCount,
    teacher: sizes.community + sizes.staff + sizes.eachGroup,
    guardian: sizes.community + 2 * sizes.eachGroup,
  };
  for (const role of ['head', 'teacher', 'guardian'] as const) {
    const who = readers[role];
    const { data, statements } = await ask(who, async () => (await who.send(query, { first: 5 })).data, 3);
    expect(data.viewer.feed.totalCount).toBe(expected[role]);
    const [counting] = statements.filter(({ text }) => text.includes('count(*)::int as size'));
    if (!counting) throw new Error('nothing was counted');
    for (const plan of await plansOf(counting)) {
      // Of all posts, half are in the head's channels.
      if (role !== 'head') expect(plan.scanned).not.toContain('posts');
      expect(plan.buffers).toBeLessThan(6000);
    }
  }
});

test('what concerns one child is read by four statements, without looking at other channels', async () => {
  const { data, statements } = await askFor(readers.guardian, 'Feed', { first: pageSize, childId });
  for (const { channel, viewerChildren } of data.viewer.feed.nodes) {
    expect(['COMMUNITY', 'GROUP']).toContain(channel.kind);
    expect(viewerChildren.map(({ id }: Json) => id)).toContain(childId);
  }
  for (const plan of await plansOf(onlyPage(statements))) {
    expect(plan.scanned).not.toContain('posts');
    expect(plan.postsRead).toBeLessThanOrEqual(3 * (pageSize + 1));
  }
});

test('a page of one channel costs the same wherever it is', async () => {
  const channelId = await app.world.channel(readers.head, school, 'COMMUNITY');
  const query = `query ($id: ID!, $after: String) {
    node(id: $id) { ... on Channel { posts(first: 100, after: $after) { pageInfo { endCursor } } } } }`;
  let after: string | null = null;
  for (let page = 0; page < 20; page++) {
    const { data } = await readers.guardian.send(query, { id: channelId, after });
    after = data.node.posts.pageInfo.endCursor;
  }
  const first = await askFor(readers.guardian, 'ChannelPosts', { channelId, first: pageSize });
  const last = await askFor(readers.guardian, 'ChannelPosts', { channelId, first: pageSize, after });
  expect(last.statements).toHaveLength(first.statements.length);
  const plans = [...(await plansOf(onlyPage(first.statements))), ...(await plansOf(onlyPage(last.statements)))];
  for (const plan of plans) {
    expect(plan.scanned).not.toContain('posts');
    expect(plan.postsRead).toBeLessThanOrEqual(2 * (pageSize + 1));
  }
  const costs = plans.map(({ buffers }) => buffers);
  expect(Math.max(...costs) / Math.min(...costs)).toBeLessThan(1.3);
});

test('the posts of ten channels at once, and how many there are, are one statement each', async () => {
  const query = `query ($id: ID!) {
    organization(id: $id) { channels(kind: GROUP, first: 10) { nodes { posts(first: 5) { totalCount nodes { id channel { id } } } id } } } }`;
  const { head } = readers;
  const { data, statements } = await ask(head, async () => (await head.send(query, { id: school.id })).data, 5);
  const channels = data.organization.channels.nodes;
  expect(channels).toHaveLength(10);
  for (const { id, posts } of channels) {
    expect(posts.totalCount).toBe(sizes.eachGroup);
    expect(posts.nodes.map(({ channel }: Json) => channel.id)).toEqual(Array(5).fill(id));
  }
  for (const plan of await plansOf(onlyPage(statements))) {
    expect(plan.scanned).not.toContain('posts');
    expect(plan.postsRead).toBeLessThanOrEqual(2 * 10 * 6);
  }
});

test('the queue of suggestions is read by four statements, also how long it is', async () => {
  const variables = { organizationId: school.id, state: 'SUGGESTED', first: pageSize };
  const { data, statements } = await askFor(school.administrator, 'OrganizationPosts', variables);
  expect(data.organization.posts).toMatchObject({ totalCount: 50, nodes: { length: pageSize } });
  for (const plan of await plansOf(onlyPage(statements))) {
    expect(plan.scanned).not.toContain('posts');
    expect(plan.postsRead).toBeLessThanOrEqual(100);
  }
});

test('somebody’s own drafts are found among everybody’s', async () => {
  const { data, statements } = await askFor(readers.head, 'ViewerPosts', { state: 'DRAFT', first: pageSize });
  expect(data.viewer.posts.totalCount).toBe(0);
  for (const plan of await plansOf(onlyPage(statements))) {
    expect(plan.scanned).not.toContain('posts');
    expect(plan.postsRead).toBeLessThanOrEqual(100);
  }
});

test('all of a feed is read page by page, nothing twice and nothing left out', async () => {
  const query = `query ($after: String) {
    viewer { feed(first: 100, after: $after) { nodes { id publishedAt } pageInfo { endCursor hasNextPage } } } }`;
  const found: Json[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { feed }: Json = (await readers.head.send(query, { after })).data.viewer;
    found.push(...feed.nodes);
    ({ endCursor: after, hasNextPage: more } = feed.pageInfo);
  }
  expect(new Set(found.map(({ id }) => id)).size).toBe(postCount);
  const times = found.map(({ publishedAt }) => publishedAt);
  expect(times).toEqual(times.toSorted().reverse());
});

test('the list of channels says what is unread of each by one statement more', async () => {
  for (const role of ['head', 'guardian'] as const) {
    const { data } = await askFor(readers[role], 'ViewerChannels', { first: 100 });
    expect(data.viewer.channels.nodes).toHaveLength(channelCounts[role]);
  }
});
