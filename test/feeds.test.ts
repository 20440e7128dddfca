import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import type { Person } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const feedOf = async (who: Person, variables: object = {}): Promise<Json> =>
  (await who.run('Feed', variables)).viewer.feed;
const textsOf = async (who: Person, variables: object = {}): Promise<string[]> =>
  (await feedOf(who, variables)).nodes.map(({ text }: Json) => text);

/** A page in either direction. */
const pageQuery = `query ($first: Int, $last: Int, $after: String, $before: String) {
  viewer {
    feed(first: $first, last: $last, after: $after, before: $before) {
      totalCount nodes { id text } edges { cursor } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
    }
  }
}`;
const pageOf = async (who: Person, variables: object): Promise<Json> =>
  (await who.send(pageQuery, variables)).data.viewer.feed;
const words = ({ nodes }: Json): string[] => nodes.map(({ text }: Json) => text);

/** A school with one group, its teacher and a guardian. */
async function openSchool(world = app.world) {
  const school = await world.school();
  const groupId = await world.group(school);
  const teacher = await world.teacher(school, groupId);
  const childId = await world.child(school, groupId);
  const guardian = await world.guardian(school, childId);
  const { administrator } = school;
  const [community, staff, group] = await Promise.all([
    world.channel(administrator, school, 'COMMUNITY'),
    world.channel(administrator, school, 'STAFF'),
    world.channel(administrator, school, 'GROUP', groupId),
  ]);
  return { school, administrator, groupId, teacher, childId, guardian, community, staff, group };
}

describe('paging', () => {
  test('a feed is read forwards and backwards, also while posts are published', async () => {
    const { administrator, teacher, guardian, community, group } = await openSchool();
    for (let number = 1; number <= 9; number++)
      await app.world.post(number % 2 ? administrator : teacher, number % 2 ? community : group, `${number}`);

    const first = await pageOf(guardian, { first: 4 });
    expect(words(first)).toEqual(['9', '8', '7', '6']);
    expect(first).toMatchObject({ totalCount: 9, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    await app.world.post(administrator, community, '10');
    const second = await pageOf(guardian, { first: 4, after: first.pageInfo.endCursor });
    expect(words(second)).toEqual(['5', '4', '3', '2']);
    await app.world.post(teacher, group, '11');
    const third = await pageOf(guardian, { first: 4, after: second.pageInfo.endCursor });
    expect(words(third)).toEqual(['1']);
    expect(third.pageInfo.hasNextPage).toBe(false);

    const back = await pageOf(guardian, { last: 4, before: third.pageInfo.startCursor });
    expect(words(back)).toEqual(['5', '4', '3', '2']);
    expect(back.pageInfo).toMatchObject({ hasPreviousPage: true });
    const newer = await pageOf(guardian, { last: 10, before: first.pageInfo.startCursor });
    expect(words(newer)).toEqual(['11', '10']);
    expect(newer.pageInfo.hasPreviousPage).toBe(false);
    expect(words(await pageOf(guardian, { last: 2 }))).toEqual(['2', '1']);
    const [, , inner] = first.edges;
    expect(words(await pageOf(guardian, { first: 1, after: inner.cursor }))).toEqual(['6']);
    expect(
      words(await pageOf(guardian, { after: second.pageInfo.endCursor, before: third.pageInfo.endCursor })),
    ).toEqual([]);
  });

  test('of what eight people publish in the same instant nothing is lost and nothing comes twice', async () => {
    const { world } = app;
    const { school, administrator, groupId, guardian, community, group } = await openSchool();
    const writers = await Promise.all(Array.from({ length: 8 }, () => world.teacher(school, groupId)));
    const query = `query ($id: ID!, $before: String) { node(id: $id) { ... on Channel {
      posts(last: 100, before: $before) { nodes { id } pageInfo { startCursor } } } } }`;
    const seen: string[] = [];
    let before: string | null = null;
    /** Asks for what is newer than the newest so far, as a client does that comes back. */
    const look = async () => {
      const { posts } = (await guardian.send(query, { id: group, before })).data.node;
      seen.unshift(...posts.nodes.map(({ id }: Json) => id));
      before = posts.pageInfo.startCursor ?? before;
    };
    let writing = true;
    const reading = (async () => {
      while (writing) await look();
    })();
    const published = await Promise.all(
      writers.map(async (writer, number) => {
        const own: string[] = [];
        for (let turn = 0; turn < 5; turn++) own.push(await world.post(writer, group, `${number} ${turn}`));
        return own;
      }),
    );
    const elsewhere = Promise.all([1, 2, 3].map((turn) => world.post(administrator, community, `all ${turn}`)));
    await elsewhere;
    writing = false;
    await reading;
    await look();
    const all = published.flat();
    expect(seen.toSorted()).toEqual(all.toSorted());
    // Everybody's own are in their order.
    for (const own of published) expect(seen.filter((id) => own.includes(id))).toEqual(own.toReversed());

    const walked: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const page: Json = await pageOf(guardian, { first: 7, after });
      walked.push(...page.nodes.map(({ id }: Json) => id));
      ({ endCursor: after, hasNextPage: more } = page.pageInfo);
    }
    expect(walked.toSorted()).toEqual([...all, ...(await elsewhere)].toSorted());
    expect(walked.filter((id) => all.includes(id))).toEqual(seen);
  });

  test('a post takes its place by its publication, however long ago it was written', async () => {
    const { administrator, teacher, guardian, community } = await openSchool();
    const draft = async (who: Person, text: string) =>
      (await who.does('DraftPost', { input: { channelId: community, text } })).id;
    const suggested = await draft(teacher, 'suggested');
    const scheduled = await draft(administrator, 'scheduled');
    const draftedFirst = await draft(administrator, 'drafted first');
    await teacher.does('SuggestPost', { postId: suggested });
    const publishAt = new Date(Date.now() + 3_600_000).toISOString();
    expect((await administrator.does('SchedulePost', { postId: scheduled, publishAt })).state).toBe('SCHEDULED');
    await app.world.post(administrator, community, 'meanwhile');
    expect(await textsOf(guardian)).toEqual(['meanwhile']);

    await administrator.does('ApproveSuggestion', { postId: suggested });
    expect(await textsOf(guardian)).toEqual(['meanwhile']);
    expect((await administrator.does('PublishPost', { postId: suggested })).state).toBe('PUBLISHED');
    expect((await administrator.does('PublishPost', { postId: draftedFirst })).state).toBe('PUBLISHED');
    expect((await administrator.does('PublishPost', { postId: scheduled })).state).toBe('PUBLISHED');
    expect(await textsOf(guardian)).toEqual(['scheduled', 'drafted first', 'suggested', 'meanwhile']);

    // Put back, it stands where it stood.
    await administrator.does('ArchivePost', { postId: draftedFirst });
    expect(await textsOf(guardian)).toEqual(['scheduled', 'suggested', 'meanwhile']);
    await administrator.does('RestorePost', { postId: draftedFirst });
    expect(await textsOf(guardian)).toEqual(['scheduled', 'drafted first', 'suggested', 'meanwhile']);
  });

  test('cursors that are not from here and pages of another size are refused by name', async () => {
    const { guardian } = await openSchool();
    const refusal = async (variables: object) => (await guardian.send(pageQuery, variables)).errors?.[0]?.extensions;
    for (const cursor of [
      'x',
      '1',
      "' or 1=1 --",
      '0197f0a2-1234-7abc-8def-0123456789aG',
      '0197F0A2-1234-7ABC-8DEF-0123456789AB',
    ]) {
      expect(await refusal({ after: cursor })).toMatchObject({ code: 'INVALID_INPUT', field: 'after' });
      expect(await refusal({ before: cursor })).toMatchObject({ code: 'INVALID_INPUT', field: 'before' });
    }
    for (const size of [0, -1, 101]) {
      expect(await refusal({ first: size })).toMatchObject({ code: 'INVALID_INPUT', field: 'first' });
      expect(await refusal({ last: size })).toMatchObject({ code: 'INVALID_INPUT', field: 'last' });
    }
    expect((await pageOf(guardian, { first: 100, after: '0197f0a2-1234-7abc-8def-0123456789ab' })).nodes).toEqual([]);
  });
});

describe('search', () => {
  let opened: Awaited<ReturnType<typeof openSchool>>;
  const texts = {
    matinee: 'в пятницу утренник, все дети в костюмах',
    matinees: 'расписание: утренники и занятия на декабрь',
    tree: 'привезли ёлку, будем наряжать; зелёный мяч нашёлся',
    english: 'parents meeting: running shoes are needed',
    mixed: 'завтра meeting с родителями о питании',
    staff: 'педсовет для сотрудников: утренник готовят все',
    other: 'утренника не будет: карантин',
  };

  beforeAll(async () => {
    opened = await openSchool(app.world);
    const { administrator, teacher, community, staff, group } = opened;
    for (const name of ['matinee', 'tree', 'mixed'] as const)
      await app.world.post(administrator, community, texts[name]);
    for (const name of ['matinees', 'english'] as const) await app.world.post(teacher, group, texts[name]);
    await app.world.post(administrator, staff, texts.staff);
    const otherGroup = await app.world.group(opened.school);
    const channelId = await app.world.channel(administrator, opened.school, 'GROUP', otherGroup);
    await app.world.post(administrator, channelId, texts.other);
  });

  /** Which of the texts somebody finds. */
  const find = async (search: string, who: Person = opened.guardian): Promise<string[]> => {
    const found = await textsOf(who, { search });
    return Object.entries(texts).flatMap(([name, text]) => (found.includes(text) ? [name] : []));
  };

  test('words are found in any form, in Russian and in English, and both together', async () => {
    for (const form of ['утренник', 'утренники', 'утренника', 'утренниками'])
      expect(await find(form), form).toEqual(['matinee', 'matinees']);
    for (const form of ['ёлка', 'елка', 'елку', 'ёлкой', 'зеленый', 'зелёные', 'нашёлся', 'нашелся'])
      expect(await find(form), form).toEqual(['tree']);
    for (const form of ['run', 'runs', 'running']) expect(await find(form), form).toEqual(['english']);
    for (const form of ['meeting', 'meetings']) expect(await find(form), form).toEqual(['english', 'mixed']);
    expect(await find('meetings родители')).toEqual(['mixed']);
    expect(await find('утренник ёлка')).toEqual([]);
  });

  test('quotes, or and minus narrow and widen', async () => {
    expect(await find('"утренники и занятия"')).toEqual(['matinees']);
    expect(await find('"занятия утренники"')).toEqual([]);
    expect(await find('занятия утренники')).toEqual(['matinees']);
    expect(await find('утренник or ёлка')).toEqual(['matinee', 'matinees', 'tree']);
    expect(await find('утренник -занятие')).toEqual(['matinee']);
    expect(await find('-утренник')).toEqual(['tree', 'english', 'mixed']);
    expect(await find('"parents meeting" -питание')).toEqual(['english']);
  });

  test('words that stand everywhere find nothing, nothing at all finds everything', async () => {
    for (const search of ['и', 'в на', 'the', 'the or и', '-и']) expect(await find(search), search).toEqual([]);
    for (const search of ['', '   '])
      expect(await find(search)).toEqual(['matinee', 'matinees', 'tree', 'english', 'mixed']);
    const query = `{ viewer { feed(search: "и") { totalCount } } }`;
    expect((await opened.guardian.send(query)).data.viewer.feed.totalCount).toBe(0);
  });

  test('punctuation and what looks like a query are words like others', async () => {
    const tricks = [
      "утренник'",
      "'утренник'",
      'утренник | ',
      'утренник & ',
      '!утренник',
      'утренник:*',
      'утренник\\',
      '(утренник',
      "утренник'); drop table posts; --",
      'утренник <->',
      '"утренник',
      "утренник' | 'x",
    ]; // prettier-ignore
    for (const search of tricks) {
      const found = await find(search);
      for (const name of found) expect(['matinee', 'matinees'], search).toContain(name);
    }
    expect(await find('утренник:*')).toEqual(['matinee', 'matinees']);
    // A part of a word is none.
    expect(await find('утрен')).toEqual([]);
    for (const search of ["'", '|', '&', '!', ':*', '\\', "' | & ! :* \\", '"', '-', '--', '🎉']) {
      const answer = await opened.guardian.send(pageOfSearch, { search });
      const { code, field } = answer.errors?.[0]?.extensions ?? {};
      expect({ code, field }, search).toEqual({ code: 'INVALID_INPUT', field: 'search' });
    }
    // Of channels as words nobody can tell.
    const channel = idOf('Channel', opened.staff);
    expect(await find(channel)).toEqual([]);
    expect(await find(`утренник or ${channel}`)).toEqual(['matinee', 'matinees']);
  });

  test('up to 200 characters are sought, and more refused by name', async () => {
    const answer = await opened.guardian.send(pageOfSearch, { search: 'у'.repeat(201) });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'search' });
    expect(await find('у'.repeat(200))).toEqual([]);
    expect(await find(`утренник${' '.repeat(300)}`)).toEqual(['matinee', 'matinees']);
    const inChannel = await opened.guardian.send(
      'query ($id: ID!, $search: String) { node(id: $id) { ... on Channel { posts(search: $search) { nodes { id } } } } }',
      { id: opened.community, search: 'у'.repeat(201) },
    );
    expect(inChannel.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'search' });
  });

  test('nobody finds what they do not read', async () => {
    expect(await find('утренник', opened.guardian)).toEqual(['matinee', 'matinees']);
    expect(await find('утренник', opened.teacher)).toEqual(['matinee', 'matinees', 'staff']);
    expect(await find('утренник', opened.administrator)).toEqual(['matinee', 'matinees', 'staff', 'other']);
    const another = await app.world.school('Another');
    expect(await find('утренник', another.administrator)).toEqual([]);
    // A post that names another channel is not found there.
    const { administrator, community, staff } = opened;
    await app.world.post(administrator, staff, `секретно ${idOf('Channel', community)}`);
    expect(await textsOf(opened.guardian, { search: 'секретно' })).toEqual([]);
    expect(await textsOf(opened.guardian, { search: '-утренник' })).toHaveLength(3);
    expect(await textsOf(opened.teacher, { search: 'секретно' })).toHaveLength(1);
  });

  test('drafts and what is put away or deleted are not found; a channel and an organization are searched alike', async () => {
    const { administrator, guardian, community, school } = opened;
    await administrator.does('DraftPost', { input: { channelId: community, text: 'черновик про жирафа' } });
    const gone = await app.world.post(administrator, community, 'жираф приедет');
    expect(await textsOf(guardian, { search: 'жирафы' })).toEqual(['жираф приедет']);
    expect(await textsOf(administrator, { search: 'жирафы' })).toEqual(['жираф приедет']);
    const inChannel = (await guardian.run('ChannelPosts', { channelId: community, search: 'жирафу' })).node.posts;
    expect(words(inChannel)).toEqual(['жираф приедет']);
    const inAll = (await guardian.run('OrganizationPosts', { organizationId: school.id, search: 'жирафу' }))
      .organization.posts;
    expect(inAll).toMatchObject({ totalCount: 1, nodes: [{ text: 'жираф приедет' }] });
    await administrator.does('UpdatePost', { input: { postId: gone, text: 'верблюд приедет' } });
    expect(await textsOf(guardian, { search: 'жираф' })).toEqual([]);
    expect(await textsOf(guardian, { search: 'верблюды' })).toHaveLength(1);
    await administrator.does('DeletePost', { postId: gone });
    expect(await textsOf(guardian, { search: 'верблюды' })).toEqual([]);
  });

  test('capital letters are as small ones', async () => {
    const { administrator, community } = opened;
    await app.world.post(administrator, community, 'Объявлен День Открытых Дверей. Open Day');
    for (const search of ['дверь', 'ДВЕРИ', 'Двери', 'открытые двери', 'open day', 'OPEN', 'дверь OR жираф'])
      expect(await textsOf(opened.guardian, { search }), search).toHaveLength(1);
  });
});

const pageOfSearch = `query ($search: String) { viewer { feed(search: $search) { nodes { id text } } } }`;

describe('what is unread', () => {
  const unread = async (who: Person, channelId: string): Promise<number> =>
    (await who.run('Channel', { id: channelId })).node.viewerUnreadCount;
  const mark = (who: Person, channelId: string, postId?: string) => who.does('MarkChannelRead', { channelId, postId });

  test('counts what others have published since one came', async () => {
    const { world } = app;
    const { school, administrator, childId, guardian, teacher, community, group } = await openSchool();
    for (const text of ['one', 'two']) await world.post(administrator, community, text);
    await world.post(teacher, group, 'three');
    expect(await unread(guardian, community)).toBe(2);
    expect(await unread(guardian, group)).toBe(1);
    expect(await unread(teacher, group)).toBe(0);
    expect(await unread(administrator, community)).toBe(0);

    const late = await world.guardian(school, childId);
    expect(await unread(late, community)).toBe(0);
    expect(await textsOf(late)).toEqual(['three', 'two', 'one']);
    await world.post(administrator, community, 'four');
    expect(await unread(late, community)).toBe(1);
    expect(await unread(guardian, community)).toBe(3);
    const { nodes } = (await guardian.run('ViewerChannels')).viewer.channels;
    expect(Object.fromEntries(nodes.map(({ id, viewerUnreadCount }: Json) => [id, viewerUnreadCount]))).toEqual({
      [community]: 3,
      [group]: 1,
    });
  });

  test('goes down as one reads, up to a post or to the latest, and never up again', async () => {
    const { world } = app;
    const { administrator, guardian, community, group } = await openSchool();
    const posts: string[] = [];
    for (let number = 0; number < 5; number++) posts.push(await world.post(administrator, community));
    const [, second, third, fourth] = posts;
    expect((await mark(guardian, community, third)).viewerUnreadCount).toBe(2);
    expect((await mark(guardian, community, second)).viewerUnreadCount).toBe(2);
    // What is put away or deleted waits for nobody.
    await administrator.does('ArchivePost', { postId: fourth });
    expect(await unread(guardian, community)).toBe(1);
    await administrator.does('RestorePost', { postId: fourth });
    expect(await unread(guardian, community)).toBe(2);
    await administrator.does('DeletePost', { postId: fourth });
    expect(await unread(guardian, community)).toBe(1);
    expect((await mark(guardian, community)).viewerUnreadCount).toBe(0);
    await world.post(administrator, community);
    expect(await unread(guardian, community)).toBe(1);

    const elsewhere = await world.post(administrator, group);
    const draft = (await administrator.does('DraftPost', { input: { channelId: community, text: 'draft' } })).id;
    for (const postId of [elsewhere, draft]) {
      expect((await mark(guardian, community, postId)).code).toBe('NOT_FOUND');
      expect((await mark(administrator, community, postId)).code).toBe('NOT_FOUND');
    }
    expect(await unread(guardian, community)).toBe(1);
  });

  test('stays with the device that is further when two mark at once', async () => {
    const { world } = app;
    const { administrator, guardian, community } = await openSchool();
    const other = await world.person(undefined, guardian.phone);
    for (let turn = 0; turn < 10; turn++) {
      const older = await world.post(administrator, community);
      const newer = await world.post(administrator, community);
      await Promise.all([
        mark(guardian, community, newer),
        mark(other, community, older),
        mark(guardian, community, older),
      ]);
      expect(await unread(guardian, community)).toBe(0);
    }
  });

  test('is counted to a hundred', async () => {
    const { administrator, guardian, community } = await openSchool();
    const fill = (count: number) =>
      inDatabase(
        app,
        (sql) => sql`
          insert into posts (organization_id, channel_id, author_id, state, text, commenting, published_at, published_by)
          select organization_id, id, u.user_id, 'PUBLISHED', 'post', 'OFF', clock_timestamp(), u.user_id
          from channels, (select ${idOf('User', me.viewer.user.id)}::uuid as user_id) u, generate_series(1, ${count}::int)
          where id = ${idOf('Channel', community)}`,
      );
    const me = await administrator.run('Viewer');
    await fill(99);
    expect(await unread(guardian, community)).toBe(99);
    await fill(30);
    expect(await unread(guardian, community)).toBe(100);
    expect(await unread(administrator, community)).toBe(0);
    expect((await mark(guardian, community)).viewerUnreadCount).toBe(0);
  });

  test('is told to one’s own other devices alone, and only when it has moved', async () => {
    const { world } = app;
    const { administrator, teacher, guardian, community } = await openSchool();
    const other = await world.person(undefined, guardian.phone);
    const post = await world.post(administrator, community);
    await using phone = await other.subscribe('ViewerEvents').begun();
    await using stranger = await teacher.subscribe('ViewerEvents').begun();
    await using boss = await administrator.subscribe('ViewerEvents').begun();
    await using channel = await administrator.subscribe('ChannelEvents', { channelId: community }).begun();
    expect((await mark(guardian, community, post)).viewerUnreadCount).toBe(0);
    await mark(guardian, community, post);
    await mark(guardian, community);
    await world.post(administrator, community, 'the last');
    const heard = {
      __typename: 'ChannelMarked',
      kind: 'CHANNEL_READ',
      channel: { id: community, viewerUnreadCount: 0 },
    };
    expect(await phone.next()).toMatchObject(heard);
    // Only when it had moved: next comes the post.
    expect(await phone.next()).toMatchObject({
      __typename: 'PostPublished',
      post: { text: 'the last', channel: { viewerUnreadCount: 1 } },
    });
    expect(await stranger.next()).toMatchObject({ __typename: 'PostPublished', post: { text: 'the last' } });
    for (const stream of [boss, channel]) {
      expect((await stream.nextOf('PostPublished')).post.text).toBe('the last');
      expect(stream.delivered.map(({ __typename }) => __typename)).not.toContain('ChannelMarked');
    }
  });

  test('cannot be marked where one does not read', async () => {
    const { teacher, guardian, staff, group } = await openSchool();
    const outsider = (await openSchool()).guardian;
    expect((await mark(guardian, staff)).code).toBe('NOT_FOUND');
    expect((await mark(outsider, group)).code).toBe('NOT_FOUND');
    // Of nothing, everything has been read.
    expect(await mark(teacher, staff)).toMatchObject({ __typename: 'Channel', viewerUnreadCount: 0 });
  });
});

describe('whom it concerns', () => {
  const concerned = async (who: Person): Promise<Record<string, string[]>> => {
    const { nodes } = await feedOf(who);
    return Object.fromEntries(
      nodes.map(({ text, viewerChildren }: Json) => [text, viewerChildren.map(({ id }: Json) => id).toSorted()]),
    );
  };

  test('a feed says which of one’s children each post concerns', async () => {
    const { world } = app;
    const { school, administrator, teacher, childId, guardian, community, staff, group } = await openSchool();
    const otherGroup = await world.group(school);
    const sibling = await world.child(school, otherGroup);
    await world.guardian(school, sibling, guardian);
    await world.guardian(school, sibling, teacher);
    const otherChannel = await world.channel(administrator, school, 'GROUP', otherGroup);
    await world.post(administrator, community, 'all');
    await world.post(administrator, staff, 'staff');
    await world.post(teacher, group, 'group');
    await world.post(administrator, otherChannel, 'other group');
    const both = [childId, sibling].toSorted();
    expect(await concerned(guardian)).toEqual({ all: both, group: [childId], 'other group': [sibling] });
    // Works in one group and has a child in another.
    expect(await concerned(teacher)).toEqual({ all: [sibling], staff: [], group: [], 'other group': [sibling] });
    expect(await concerned(administrator)).toEqual({ all: [], staff: [], group: [], 'other group': [] });

    expect(await textsOf(guardian, { childId })).toEqual(['group', 'all']);
    expect(await textsOf(guardian, { childId: sibling })).toEqual(['other group', 'all']);
    expect(await textsOf(teacher, { childId: sibling })).toEqual(['other group', 'all']);
    expect(await textsOf(teacher, { childId })).toEqual([]);
    expect(await textsOf(administrator, { childId })).toEqual([]);
    expect(await textsOf(guardian, { channelKind: 'GROUP' })).toEqual(['other group', 'group']);
    expect(await textsOf(teacher, { channelKind: 'STAFF' })).toEqual(['staff']);
    for (const nothing of ['x', community]) expect(await textsOf(guardian, { childId: nothing })).toEqual([]);
  });

  test('families of two schools read both in one feed, or each alone', async () => {
    const { world } = app;
    const here = await openSchool();
    const there = await openSchool();
    await world.guardian(there.school, await world.child(there.school, there.groupId), here.guardian);
    await world.post(here.administrator, here.community, 'here');
    await world.post(there.teacher, there.group, 'there');
    expect(await textsOf(here.guardian)).toEqual(['there', 'here']);
    expect(await textsOf(here.guardian, { organizationId: here.school.id })).toEqual(['here']);
    expect(await textsOf(here.guardian, { organizationId: there.school.id })).toEqual(['there']);
    expect(await textsOf(here.guardian, { childId: here.childId })).toEqual(['here']);
    expect(await textsOf(there.guardian, { organizationId: here.school.id })).toEqual([]);
  });

  test('whoever is removed reads nothing from then on', async () => {
    const { world } = app;
    const { administrator, teacher, guardian, community, group, school } = await openSchool();
    await world.post(administrator, community, 'all');
    await world.post(teacher, group, 'group');
    expect(await textsOf(guardian)).toEqual(['group', 'all']);
    const { membershipId } = guardian as typeof guardian & { membershipId: string };
    const ended = await administrator.does('EndMembership', { membershipId, reason: 'Moved away' });
    expect(ended.state).toBe('ENDED');
    expect(await feedOf(guardian)).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false } });
    expect((await pageOf(guardian, {})).totalCount).toBe(0);
    expect(await textsOf(guardian, { search: 'group' })).toEqual([]);
    expect((await guardian.run('ViewerChannels')).viewer.channels.nodes).toEqual([]);
    expect((await guardian.run('ChannelPosts', { channelId: community })).node).toBeNull();
    expect((await guardian.run('OrganizationPosts', { organizationId: school.id })).organization).toBeNull();
    expect(await textsOf(teacher)).toEqual(['group', 'all']);
  });

  test('what is to be acknowledged stands in the feed until one has', async () => {
    const { world } = app;
    const { administrator, guardian, teacher, community } = await openSchool();
    await world.post(administrator, community, 'plain');
    const postId = await world.post(administrator, community, 'read this', { acknowledgementRequired: true });
    expect(await textsOf(guardian, { unacknowledgedOnly: true })).toEqual(['read this']);
    expect(await textsOf(administrator, { unacknowledgedOnly: true })).toEqual([]);
    await guardian.does('AcknowledgePost', { postId });
    expect(await textsOf(guardian, { unacknowledgedOnly: true })).toEqual([]);
    expect(await textsOf(guardian)).toEqual(['read this', 'plain']);
    expect(await textsOf(teacher, { unacknowledgedOnly: true })).toEqual(['read this']);
  });
});
