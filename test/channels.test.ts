import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { migrate as migrateFrom } from 'drizzle-orm/postgres-js/migrator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, connect, rows } from '../src/database/connect.ts';
import { migrate } from '../src/database/migrate.ts';
import { globalId, idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { createDatabase } from './support/postgres.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const channelsOf = async (who: Person, school: School, filter: object = {}): Promise<Json[]> =>
  (await who.run('Channels', { organizationId: school.id, first: 100, ...filter })).organization.channels.nodes;
const names = async (who: Person, school: School, filter: object = {}): Promise<string[]> =>
  (await channelsOf(who, school, filter)).map(({ name }) => name).toSorted();
const channelNow = async (who: Person, id: string): Promise<Json> => (await who.run('Channel', { id })).node;

/** A school with a group, and somebody in each part. */
async function openSchool() {
  const { world } = app;
  const school = await world.school();
  const groupId = await world.group(school, { name: 'Bees' });
  const head = await world.head(school);
  const teacher = await world.teacher(school, groupId);
  const employee = await world.member(school, 'EMPLOYEE');
  const guardian = await world.guardian(school, await world.child(school, groupId));
  const { administrator } = school;
  const [community, staff, group] = await Promise.all([
    world.channel(administrator, school, 'COMMUNITY'),
    world.channel(administrator, school, 'STAFF'),
    world.channel(administrator, school, 'GROUP', groupId),
  ]);
  return { school, administrator, groupId, head, teacher, employee, guardian, community, staff, group };
}

/** A further channel. */
async function create(who: Person, school: School, input: object = {}): Promise<Json> {
  return who.does('CreateChannel', {
    input: { organizationId: school.id, kind: 'COMMUNITY', name: 'Kitchen', ...input },
  });
}

describe('channels that are always there', () => {
  test('an organization has one for everybody and one for its staff, a group has its own, and each sees theirs', async () => {
    const { school, administrator, head, teacher, employee, guardian, group, groupId } = await openSchool();
    await app.world.group(school, { name: 'Ants' });
    const all = await channelsOf(administrator, school);
    expect(all.map(({ kind, isSystem, name, group: of }) => ({ kind, isSystem, name, of: of?.id ?? null }))).toEqual([
      { kind: 'GROUP', isSystem: true, name: 'Ants', of: expect.any(String) },
      { kind: 'GROUP', isSystem: true, name: 'Bees', of: groupId },
      { kind: 'STAFF', isSystem: true, name: 'Сотрудники', of: null },
      { kind: 'COMMUNITY', isSystem: true, name: expect.any(String), of: null },
    ]);
    for (const channel of all) expect(channel).toMatchObject({ state: 'ACTIVE', archivedAt: null, commenting: 'OFF' });
    const kinds = async (who: Person) => (await channelsOf(who, school)).map(({ kind }) => kind);
    expect(await kinds(head)).toEqual(['GROUP', 'GROUP', 'STAFF', 'COMMUNITY']);
    expect(await kinds(teacher)).toEqual(['GROUP', 'STAFF', 'COMMUNITY']);
    expect(await kinds(employee)).toEqual(['COMMUNITY']);
    expect(await kinds(guardian)).toEqual(['GROUP', 'COMMUNITY']);
    expect(await channelNow(employee, group)).toBeNull();
    const own = (await guardian.run('ViewerChannels')).viewer.channels.nodes;
    expect(own.map(({ organization }: Json) => organization.id)).toEqual([school.id, school.id]);
    expect((await channelsOf(guardian, school, { kind: 'GROUP' })).map(({ id }) => id)).toEqual([group]);
    expect(await channelsOf(guardian, school, { state: 'ARCHIVED' })).toEqual([]);
    const outsider = await app.world.school('Another');
    expect((await outsider.administrator.run('Channels', { organizationId: school.id })).organization).toBeNull();
    expect(await channelNow(outsider.administrator, group)).toBeNull();
  });

  test('say to each what they may do there', async () => {
    const { administrator, head, teacher, employee, guardian, community, group, staff } = await openSchool();
    const rights = async (who: Person, id: string) => {
      const { viewerCanPublish, viewerCanSuggest, viewerCanUpdate } = await channelNow(who, id);
      return [viewerCanPublish && 'publish', viewerCanSuggest && 'suggest', viewerCanUpdate && 'update'].filter(
        Boolean,
      );
    };
    expect(await rights(administrator, community)).toEqual(['publish', 'update']);
    expect(await rights(head, community)).toEqual(['suggest']);
    expect(await rights(teacher, staff)).toEqual(['suggest']);
    expect(await rights(employee, community)).toEqual([]);
    expect(await rights(guardian, community)).toEqual([]);
    expect(await rights(administrator, group)).toEqual(['publish', 'update']);
    expect(await rights(head, group)).toEqual(['publish']);
    expect(await rights(teacher, group)).toEqual(['publish']);
    expect(await rights(guardian, group)).toEqual([]);
  });

  test('a group’s own follows it: its name, and whether it is in use', async () => {
    const { school, administrator, head, guardian, teacher, group } = await openSchool();
    const { world } = app;
    const groupId = await world.group(school, { name: 'Moles' });
    const own = await world.channel(administrator, school, 'GROUP', groupId);
    const [further, away] = await Promise.all(
      ['Trips', 'Old'].map((name) => create(administrator, school, { kind: 'GROUP', groupId, name })),
    );
    await administrator.does('ArchiveChannel', { channelId: away.id });
    await administrator.does('UpdateGroup', { input: { groupId, name: 'Voles' } });
    expect(await channelNow(administrator, own)).toMatchObject({ name: 'Voles', state: 'ACTIVE' });
    expect(await channelNow(administrator, further.id)).toMatchObject({ name: 'Trips', state: 'ACTIVE' });
    expect(await channelNow(administrator, away.id)).toMatchObject({ name: 'Old', state: 'ARCHIVED' });
    const post = await world.post(administrator, own, 'hello');

    expect((await administrator.does('ArchiveGroup', { groupId })).state).toBe('ARCHIVED');
    for (const id of [own, further.id, away.id])
      expect(await channelNow(head, id)).toMatchObject({
        state: 'ARCHIVED',
        archivedAt: expect.any(String),
        viewerCanPublish: false,
      });
    expect(await channelNow(administrator, group)).toMatchObject({ state: 'ACTIVE' });
    // What was told there is still read, and nothing more is told.
    expect((await head.run('Post', { id: post })).node).toMatchObject({ text: 'hello' });
    const draft = { input: { channelId: own, text: 'more' } };
    expect(await administrator.does('DraftPost', draft)).toMatchObject({
      code: 'INVALID_STATE',
      currentState: 'ARCHIVED',
    });
    expect(await administrator.does('RestoreChannel', { channelId: further.id })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'channelId',
    });
    expect(await administrator.does('UpdateChannel', { input: { channelId: further.id, name: 'No' } })).toMatchObject({
      code: 'INVALID_STATE',
    });
    for (const nobody of [guardian, teacher]) expect(await channelNow(nobody, own)).toBeNull();

    expect((await administrator.does('RestoreGroup', { groupId })).state).toBe('ACTIVE');
    expect(await channelNow(administrator, own)).toMatchObject({
      state: 'ACTIVE',
      archivedAt: null,
      viewerCanPublish: true,
    });
    expect(await channelNow(administrator, away.id)).toMatchObject({ state: 'ARCHIVED' });
    expect((await administrator.does('RestoreChannel', { channelId: further.id })).state).toBe('ACTIVE');
    await world.post(administrator, own, 'again');
  });

  test('a new academic year has new ones, and the old are put away', async () => {
    const { school, administrator, teacher, guardian, group, groupId } = await openSchool();
    await app.world.post(teacher, group, 'last year');
    const rollover = { organizationId: school.id, fromYear: '2026/27', order: { number: '31-у', date: '2026-11-20' } };
    const groups = [{ groupId, outcome: 'CONTINUE', name: 'Big Bees' }];
    const rehearsed = await administrator.does('RolloverAcademicYear', {
      input: { ...rollover, groups, dryRun: true },
    });
    expect(rehearsed.groups).toHaveLength(1);
    expect(await names(administrator, school, { kind: 'GROUP' })).toEqual(['Bees']);
    const done = await administrator.does('RolloverAcademicYear', { input: { ...rollover, groups, dryRun: false } });
    const [{ toGroup }] = done.groups;
    const [fresh] = await channelsOf(guardian, school, { kind: 'GROUP' });
    expect(fresh).toMatchObject({ name: 'Big Bees', group: { id: toGroup.id }, isSystem: true, state: 'ACTIVE' });
    expect(fresh.id).not.toBe(group);
    expect(await channelNow(administrator, group)).toMatchObject({ name: 'Bees', state: 'ARCHIVED' });
    expect(await names(teacher, school, { kind: 'GROUP' })).toEqual(['Big Bees']);
    await app.world.post(teacher, fresh.id, 'this year');
  });
});

describe('further channels', () => {
  test('an administrator adds one for the readers of any kind', async () => {
    const { school, administrator, head, teacher, employee, guardian, groupId } = await openSchool();
    const kitchen = await create(administrator, school, { description: 'What there is to eat', commenting: 'OPEN' });
    expect(kitchen).toMatchObject({
      __typename: 'Channel',
      kind: 'COMMUNITY',
      isSystem: false,
      name: 'Kitchen',
      description: 'What there is to eat',
      commenting: 'OPEN',
      state: 'ACTIVE',
      group: null,
    });
    const union = await create(administrator, school, { kind: 'STAFF', name: 'Union' });
    expect(union).toMatchObject({ kind: 'STAFF', commenting: 'OFF', description: null });
    const trips = await create(administrator, school, { kind: 'GROUP', groupId, name: 'Trips' });
    expect(trips).toMatchObject({ kind: 'GROUP', group: { id: groupId } });
    const seen = async (who: Person) =>
      (await channelsOf(who, school)).filter(({ isSystem }) => !isSystem).map(({ name }) => name);
    expect(await seen(administrator)).toEqual(['Trips', 'Union', 'Kitchen']);
    expect(await seen(head)).toEqual(['Trips', 'Union', 'Kitchen']);
    expect(await seen(teacher)).toEqual(['Trips', 'Union', 'Kitchen']);
    expect(await seen(employee)).toEqual(['Kitchen']);
    expect(await seen(guardian)).toEqual(['Trips', 'Kitchen']);
    // They publish there who publish in the system channel of that kind.
    await app.world.post(teacher, trips.id, 'to the zoo');
    expect((await teacher.does('DraftPost', { input: { channelId: kitchen.id, text: 'soup' } })).state).toBe('DRAFT');
    expect((await guardian.does('DraftPost', { input: { channelId: kitchen.id, text: 'soup' } })).code).toBe(
      'FORBIDDEN',
    );
    expect((await guardian.run('Feed')).viewer.feed.nodes.map(({ text }: Json) => text)).toEqual(['to the zoo']);
  });

  test('a repeat of the same wish returns the first, also of two at once', async () => {
    const { school, administrator, groupId } = await openSchool();
    const wish = { kind: 'GROUP', groupId, name: 'Trips', idempotencyKey: 'trips-2026-27' };
    const [first, second] = await Promise.all([
      create(administrator, school, wish),
      create(administrator, school, wish),
    ]);
    expect(first.__typename).toBe('Channel');
    expect(second.id).toBe(first.id);
    await administrator.does('UpdateChannel', { input: { channelId: first.id, description: 'Where we go' } });
    expect(await create(administrator, school, wish)).toMatchObject({ id: first.id, description: 'Where we go' });
    for (const other of [{ name: 'Others' }, { kind: 'COMMUNITY', groupId: null }])
      expect(await create(administrator, school, { ...wish, ...other })).toMatchObject({
        code: 'INVALID_INPUT',
        field: 'idempotencyKey',
      });
    expect(await names(administrator, school, { kind: 'GROUP' })).toEqual(['Bees', 'Trips']);
    expect(await create(administrator, school, { idempotencyKey: 'short' })).toMatchObject({ field: 'idempotencyKey' });
    const another = await app.world.school('Another');
    expect((await create(another.administrator, another, { idempotencyKey: wish.idempotencyKey })).__typename).toBe(
      'Channel',
    );
  });

  test('a group is named where it must be, and it must be one in use, of the same school', async () => {
    const { school, administrator, groupId } = await openSchool();
    const another = await app.world.school('Another');
    const foreign = await app.world.group(another);
    const archived = await app.world.group(school);
    await administrator.does('ArchiveGroup', { groupId: archived });
    const refusal = async (input: object) => {
      const { code, field } = await create(administrator, school, input);
      return field ? `${code} ${field}` : code;
    };
    expect(await refusal({ kind: 'GROUP' })).toBe('INVALID_INPUT groupId');
    expect(await refusal({ kind: 'COMMUNITY', groupId })).toBe('INVALID_INPUT groupId');
    expect(await refusal({ kind: 'STAFF', groupId })).toBe('INVALID_INPUT groupId');
    expect(await refusal({ kind: 'GROUP', groupId: archived })).toBe('INVALID_INPUT groupId');
    expect(await refusal({ kind: 'GROUP', groupId: school.staffGroupId })).toBe('INVALID_INPUT groupId');
    for (const id of [foreign, school.id, 'x', globalId('Group', crypto.randomUUID())])
      expect(await refusal({ kind: 'GROUP', groupId: id })).toBe('NOT_FOUND');
    expect(await refusal({ name: ' ' })).toBe('INVALID_INPUT name');
    expect(await refusal({ name: 'x'.repeat(101) })).toBe('INVALID_INPUT name');
    expect(await refusal({ description: 'x'.repeat(501) })).toBe('INVALID_INPUT description');
    expect(await channelsOf(administrator, school)).toHaveLength(4);
  });

  test('nobody but an administrator adds, edits, puts away or restores one', async () => {
    const { school, administrator, head, teacher, employee, guardian, community, groupId } = await openSchool();
    const { id: channelId } = await create(administrator, school);
    const { id: away } = await create(administrator, school);
    await administrator.does('ArchiveChannel', { channelId: away });
    const outsider = (await app.world.school('Another')).administrator;
    for (const [who, code] of [
      ...[head, teacher, employee, guardian].map((person) => [person, 'FORBIDDEN'] as const),
      [outsider, 'NOT_FOUND'] as const,
    ]) {
      expect((await create(who, school)).code).toBe(code);
      expect((await create(who, school, { kind: 'GROUP', groupId })).code).toBe(code);
      for (const id of [channelId, community])
        expect((await who.does('UpdateChannel', { input: { channelId: id, name: 'Mine' } })).code).toBe(code);
      expect((await who.does('ArchiveChannel', { channelId })).code).toBe(code);
      expect((await who.does('RestoreChannel', { channelId: away })).code).toBe(code);
    }
    expect(await channelNow(administrator, channelId)).toMatchObject({ name: 'Kitchen', state: 'ACTIVE' });
    expect(await channelNow(administrator, away)).toMatchObject({ state: 'ARCHIVED' });
    const union = await create(administrator, school, { kind: 'STAFF', name: 'Union' });
    // What one does not read is not there.
    expect((await guardian.does('UpdateChannel', { input: { channelId: union.id, name: 'Mine' } })).code).toBe(
      'NOT_FOUND',
    );
    expect((await guardian.does('ArchiveChannel', { channelId: union.id })).code).toBe('NOT_FOUND');
  });

  test('with a group come back the channels that went with it, and not what was put away before', async () => {
    const { world } = app;
    const school = await world.school();
    const { administrator } = school;
    const groupId = await world.group(school, { name: 'Bees' });
    const [walks, trips] = [
      await create(administrator, school, { kind: 'GROUP', groupId, name: 'Walks' }),
      await create(administrator, school, { kind: 'GROUP', groupId, name: 'Trips' }),
    ];
    await administrator.does('ArchiveChannel', { channelId: trips.id });
    await administrator.does('ArchiveGroup', { groupId });
    const states = async () => {
      const found = await channelsOf(administrator, school, { kind: 'GROUP' });
      return Object.fromEntries(found.map(({ name, state }) => [name, state]));
    };
    expect(await states()).toEqual({ Bees: 'ARCHIVED', Walks: 'ARCHIVED', Trips: 'ARCHIVED' });
    expect(await administrator.does('RestoreChannel', { channelId: walks.id })).toMatchObject({ field: 'channelId' });
    await administrator.does('RestoreGroup', { groupId });
    expect(await states()).toEqual({ Bees: 'ACTIVE', Walks: 'ACTIVE', Trips: 'ARCHIVED' });
  });

  test('an edit changes what it names and nothing else', async () => {
    const { school, administrator, community, group } = await openSchool();
    const { id: channelId } = await create(administrator, school, { description: 'Food', commenting: 'MODERATED' });
    const update = (input: object) => administrator.does('UpdateChannel', { input: { channelId, ...input } });
    expect(await update({ name: 'Menu' })).toMatchObject({
      name: 'Menu',
      description: 'Food',
      commenting: 'MODERATED',
    });
    expect(await update({ commenting: 'OPEN' })).toMatchObject({
      name: 'Menu',
      description: 'Food',
      commenting: 'OPEN',
    });
    expect(await update({ description: 'Meals' })).toMatchObject({
      name: 'Menu',
      description: 'Meals',
      commenting: 'OPEN',
    });
    expect(await update({ description: null })).toMatchObject({ name: 'Menu', description: null, commenting: 'OPEN' });
    expect(await update({})).toMatchObject({ name: 'Menu', description: null, commenting: 'OPEN' });
    expect(await update({ name: ' ' })).toMatchObject({ code: 'INVALID_INPUT', field: 'name' });
    expect(await update({ name: null })).toMatchObject({ code: 'INVALID_INPUT', field: 'name' });
    // System channels of an organization may be called otherwise, a group’s own is called as the group.
    expect(await administrator.does('UpdateChannel', { input: { channelId: community, name: 'News' } })).toMatchObject({
      name: 'News',
    });
    const own = (input: object) => administrator.does('UpdateChannel', { input: { channelId: group, ...input } });
    expect(await own({ name: 'Wasps' })).toMatchObject({ code: 'INVALID_INPUT', field: 'name' });
    expect(await own({ description: 'Our group', commenting: 'OPEN' })).toMatchObject({
      name: 'Bees',
      commenting: 'OPEN',
    });
  });

  test('one that was put away is read, tells nothing more, and comes back; system channels stay', async () => {
    const { school, administrator, guardian, community, staff, group } = await openSchool();
    const { id: channelId } = await create(administrator, school);
    await app.world.post(administrator, channelId, 'soup');
    const draft = (await administrator.does('DraftPost', { input: { channelId, text: 'bread' } })).id;
    const archived = await administrator.does('ArchiveChannel', { channelId });
    expect(archived).toMatchObject({ state: 'ARCHIVED', archivedAt: expect.any(String) });
    expect(await administrator.does('ArchiveChannel', { channelId })).toEqual(archived);
    expect((await guardian.run('ChannelPosts', { channelId })).node.posts.nodes).toMatchObject([{ text: 'soup' }]);
    expect(await administrator.does('PublishPost', { postId: draft })).toMatchObject({
      code: 'INVALID_STATE',
      currentState: 'ARCHIVED',
    });
    expect(await administrator.does('UpdateChannel', { input: { channelId, name: 'No' } })).toMatchObject({
      code: 'INVALID_STATE',
      currentState: 'ARCHIVED',
    });
    expect(await names(guardian, school, { state: 'ARCHIVED' })).toEqual(['Kitchen']);
    expect(await administrator.does('RestoreChannel', { channelId })).toMatchObject({
      state: 'ACTIVE',
      archivedAt: null,
    });
    expect((await administrator.does('RestoreChannel', { channelId })).state).toBe('ACTIVE');
    expect((await administrator.does('PublishPost', { postId: draft })).state).toBe('PUBLISHED');
    for (const id of [community, staff, group])
      expect(await administrator.does('ArchiveChannel', { channelId: id })).toMatchObject({
        code: 'INVALID_INPUT',
        field: 'channelId',
      });
  });

  test('their readers hear of them, and nobody else', async () => {
    const { school, administrator, teacher, guardian } = await openSchool();
    const variables = { organizationId: school.id };
    await using teachers = await teacher.subscribe('OrganizationEvents', variables).begun();
    await using guardians = await guardian.subscribe('OrganizationEvents', variables).begun();
    const { id: channelId } = await create(administrator, school, { kind: 'STAFF', name: 'Union' });
    await using there = await teacher.subscribe('ChannelEvents', { channelId }).begun();
    await administrator.does('UpdateChannel', { input: { channelId, name: 'Unions' } });
    await administrator.does('UpdateChannel', { input: { channelId } });
    await administrator.does('ArchiveChannel', { channelId });
    await administrator.does('ArchiveChannel', { channelId });
    await administrator.does('RestoreChannel', { channelId });
    const { id: last } = await create(administrator, school, { name: 'Kitchen' });
    const expected = ['CHANNEL_CREATED', 'CHANNEL_UPDATED', 'CHANNEL_ARCHIVED', 'CHANNEL_RESTORED'];
    for (const kind of expected)
      expect(await teachers.nextOf('ChannelChanged')).toMatchObject({ kind, channel: { id: channelId } });
    for (const kind of expected.slice(1))
      expect(await there.next()).toMatchObject({ kind, channel: { id: channelId } });
    const created = { kind: 'CHANNEL_CREATED', channel: { id: last, name: 'Kitchen' } };
    expect(await teachers.nextOf('ChannelChanged')).toMatchObject(created);
    expect(await guardians.nextOf('ChannelChanged')).toMatchObject(created);
    const refused = guardian.subscribe('ChannelEvents', { channelId });
    await refused.done;
    expect(refused.errors[0].extensions.code).toBe('NOT_FOUND');
  });
});

describe('a quiet channel', () => {
  const day = 86_400_000;
  const inDays = (days: number) => new Date(Date.now() + days * day).toISOString();

  const muted = async (who: Person, channelId: string): Promise<Json> => {
    const query = `query ($id: ID!) { node(id: $id) { ... on Channel { viewerIsMuted viewerMutedUntil } } }`;
    return (await who.send(query, { id: channelId })).data.node;
  };

  test('is muted by each for themself, for a time or until it is unmuted', async () => {
    const { administrator, guardian, community, group } = await openSchool();
    const mute = (until?: string) => guardian.does('MuteChannel', { channelId: community, until });
    expect(await mute()).toMatchObject({ viewerIsMuted: true, viewerMutedUntil: null });
    const until = inDays(7);
    expect(await mute(until)).toMatchObject({ viewerIsMuted: true, viewerMutedUntil: until });
    expect(await muted(guardian, group)).toMatchObject({ viewerIsMuted: false, viewerMutedUntil: null });
    expect((await muted(administrator, community)).viewerIsMuted).toBe(false);
    // It is read all the same, and what is unread is counted.
    await app.world.post(administrator, community, 'hear');
    expect((await guardian.run('Feed')).viewer.feed.nodes).toHaveLength(1);
    expect((await channelNow(guardian, community)).viewerUnreadCount).toBe(1);
    await guardian.does('MarkChannelRead', { channelId: community });
    expect(await muted(guardian, community)).toMatchObject({ viewerIsMuted: true, viewerMutedUntil: until });
    // Its time passes.
    await inDatabase(
      app,
      (sql) =>
        sql`update channel_marks set muted_until = now() - interval '1 second' where channel_id = ${idOf('Channel', community)}`,
    );
    expect(await muted(guardian, community)).toMatchObject({ viewerIsMuted: false, viewerMutedUntil: null });
    await mute();
    expect(await guardian.does('UnmuteChannel', { channelId: community })).toMatchObject({ viewerIsMuted: false });
    expect(await guardian.does('UnmuteChannel', { channelId: community })).toMatchObject({ viewerIsMuted: false });
    expect((await channelNow(guardian, community)).viewerUnreadCount).toBe(0);
  });

  test('is not muted into the past, for longer than a year, or where one does not read', async () => {
    const { guardian, community, staff } = await openSchool();
    for (const until of [inDays(-1), inDays(366), '1970-01-01T00:00:00Z'])
      expect(await guardian.does('MuteChannel', { channelId: community, until })).toMatchObject({
        code: 'INVALID_INPUT',
        field: 'until',
      });
    expect((await muted(guardian, community)).viewerIsMuted).toBe(false);
    expect((await guardian.does('MuteChannel', { channelId: community, until: inDays(364) })).viewerIsMuted).toBe(true);
    for (const act of ['MuteChannel', 'UnmuteChannel'])
      expect((await guardian.does(act, { channelId: staff })).code).toBe('NOT_FOUND');
  });

  test('one’s own other devices hear of it, and nobody else', async () => {
    const { administrator, guardian, community } = await openSchool();
    const other = await app.world.person(undefined, guardian.phone);
    await using phone = await other.subscribe('ViewerEvents').begun();
    await using boss = await administrator.subscribe('ViewerEvents').begun();
    await guardian.does('MuteChannel', { channelId: community });
    await app.world.post(administrator, community);
    const told = { kind: 'CHANNEL_MUTED', channel: { id: community, viewerIsMuted: true } };
    expect(await phone.next()).toMatchObject(told);
    await boss.nextOf('PostPublished');
    expect(boss.delivered.map(({ __typename }) => __typename)).not.toContain('ChannelMarked');
  });
});

describe('a database from before channels of groups', () => {
  const drizzle = fileURLToPath(new URL('../drizzle', import.meta.url));

  /** The migrations up to one, as the version that brought it had them. */
  async function migrationsUpTo(tag: string): Promise<AsyncDisposable & { readonly folder: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'homeroom-migrations-'));
    await cp(drizzle, folder, { recursive: true });
    const file = join(folder, 'meta/_journal.json');
    const journal = JSON.parse(await readFile(file, 'utf8'));
    const last = journal.entries.findIndex((entry: { tag: string }) => entry.tag === tag);
    await writeFile(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, last + 1) }));
    return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  }

  /** A database in which nothing is yet. */
  async function open(): Promise<AsyncDisposable & { readonly connection: Connection }> {
    await using stack = new AsyncDisposableStack();
    const { url } = stack.use(await createDatabase());
    const connection = stack.use(await connect({ databaseUrl: url, dataDirectory: 'memory://', poolSize: 1 }));
    await connection.script('drop schema drizzle cascade; drop schema public cascade; create schema public');
    const kept = stack.move();
    return { connection, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  test('gets a channel for every group, in use as the group is', async () => {
    await using opened = await open();
    const { connection } = opened;
    await using before = await migrationsUpTo('0001_groups_and_children');
    const migrationsFolder = before.folder;
    await connection.exclusively((db) => migrateFrom(db as Parameters<typeof migrateFrom>[0], { migrationsFolder }));
    await connection.script(`
      insert into audiences (id, kind, organization_id) select
        ('00000000-0000-7000-8000-00000000000' || n)::uuid, kind::audience_kind, '00000000-0000-7000-8000-0000000000aa'
      from unnest(array['MEMBERS', 'EMPLOYEES', 'STAFF', 'VERIFIED_STAFF', 'ADMINISTRATORS']) with ordinality a (kind, n);
      insert into organizations (id, kind, name, members_audience_id, employees_audience_id, staff_audience_id,
        verified_staff_audience_id, administrators_audience_id)
      values ('00000000-0000-7000-8000-0000000000aa', 'SCHOOL', 'Old School', '00000000-0000-7000-8000-000000000001',
        '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000004',
        '00000000-0000-7000-8000-000000000005');
      insert into channels (organization_id, kind, name, audience_id)
      values ('00000000-0000-7000-8000-0000000000aa', 'COMMUNITY', 'All', '00000000-0000-7000-8000-000000000001'),
        ('00000000-0000-7000-8000-0000000000aa', 'STAFF', 'Staff', '00000000-0000-7000-8000-000000000003');
      with g as (select * from (values ('Staff', 'STAFF', null, 'ACTIVE'), ('Bees', 'CLASS', '2026/27', 'ACTIVE'),
          ('Old Bees', 'CLASS', '2025/26', 'ARCHIVED')) g (name, kind, year, state)),
        made as (select uuidv7() as id, uuidv7() as audience, uuidv7() as staff, * from g),
        told as (insert into audiences (id, kind, organization_id, subject_id)
          select audience, 'GROUP'::audience_kind, '00000000-0000-7000-8000-0000000000aa'::uuid, id from made
          union all select staff, 'GROUP_STAFF', '00000000-0000-7000-8000-0000000000aa', id from made)
      insert into groups (id, organization_id, kind, name, academic_year, state, audience_id, staff_audience_id, archived_at)
      select id, '00000000-0000-7000-8000-0000000000aa', kind::group_kind, name, year, state::group_state, audience, staff,
        case state when 'ARCHIVED' then now() end from made;`);
    await migrate(connection);
    const found = await rows<Json>(
      connection.db,
      sql`select c.name, c.kind, c.state, c.is_system as "isSystem", c.archived_at is not null as archived,
          c.audience_id = coalesce(g.audience_id, case c.kind when 'STAFF' then o.staff_audience_id else o.members_audience_id end) as readers,
          c.publishers_audience_id = coalesce(g.staff_audience_id, o.administrators_audience_id) as publishers
        from channels c join organizations o on o.id = c.organization_id left join groups g on g.id = c.group_id order by c.name`,
    );
    const common = { isSystem: true, readers: true, publishers: true };
    expect(found).toEqual([
      { ...common, name: 'All', kind: 'COMMUNITY', state: 'ACTIVE', archived: false },
      { ...common, name: 'Bees', kind: 'GROUP', state: 'ACTIVE', archived: false },
      { ...common, name: 'Old Bees', kind: 'GROUP', state: 'ARCHIVED', archived: true },
      { ...common, name: 'Staff', kind: 'STAFF', state: 'ACTIVE', archived: false },
    ]);
  });
});
