import { setTimeout as delay } from 'node:timers/promises';
import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { type Json, TestClient } from './support/client.ts';
import { openSchool } from './support/crowd.ts';
import { EventSource } from './support/event-source.ts';
import { Nats } from './support/nats.ts';
import { operation } from './support/operations.ts';
import { startProgram } from './support/program.ts';
import { RawSocket } from './support/socket.ts';
import { inDatabase } from './support/sql.ts';
import { standingStill } from './support/time.ts';
import { eventually } from './support/waiting.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

interface Told {
  readonly delivered: Json[];
}

/** What somebody knows of others by what they were told so far: their names with what they do. */
function known({ delivered }: Told): Record<string, string> {
  const people = new Map<string, string>();
  for (const { __typename, startsAnew, people: told } of delivered) {
    if (__typename !== 'ChatPresence') continue;
    if (startsAnew) people.clear();
    for (const { user, isOnline, isTyping } of told) {
      people.delete(user.displayName);
      const does = [...(isOnline ? ['online'] : []), ...(isTyping ? ['typing'] : [])].join();
      if (does) people.set(user.displayName, does);
    }
  }
  return Object.fromEntries(people);
}

const look = (person: TestClient, chatId: string) => person.subscribe('ChatPresence', { chatId });
const type = (person: TestClient, chatId: string) => person.does('StartTyping', { chatId });

async function named<Somebody extends Person & { membershipId: string }>(
  { administrator }: School,
  person: Somebody,
  familyName: string,
): Promise<Somebody> {
  await administrator.does('RenameMember', { membershipId: person.membershipId, familyName, givenName: 'X' });
  return person;
}

/** A group's chat with its teacher and the parents of two children; and a chat of the teacher's own with both mothers. */
async function openChat({ world }: TestApp) {
  const school = await world.school();
  const groupId = await world.group(school);
  const childId = await world.child(school, groupId);
  const teacher = await named(school, await world.teacher(school, groupId), 'Teacher');
  const mother = await named(school, await world.guardian(school, childId), 'Mother');
  const father = await named(school, await world.guardian(school, childId), 'Father');
  const neighbour = await named(school, await world.guardian(school, await world.child(school, groupId)), 'Neighbour');
  const chatId = await world.chat(teacher, school, groupId);
  const made = await teacher.does('CreateChat', {
    input: {
      organizationId: school.id,
      kind: 'CUSTOM',
      name: 'Excursion',
      userIds: await Promise.all([mother, neighbour].map((one) => world.userId(one))),
    },
  });
  return { school, groupId, chatId, customId: String(made.id), teacher, mother, father, neighbour };
}

const eventsIn = (server: TestApp): Promise<number> =>
  inDatabase(server, async (sql) => Number((await sql`select count(*) from log_events`)[0]?.count));

describe.each([
  ['Postgres', false],
  ['NATS', true],
])('with processes that tell each other through %s', (_way, throughNats) => {
  test('others see that somebody writes, and that they no longer do, over WebSocket and SSE, there and at another process', async () => {
    await using stack = new AsyncDisposableStack();
    const nats = throughNats ? stack.use(await Nats.start()).servers : null;
    const here = stack.use(await startTestApp({ config: { nats } }));
    const there = stack.use(await startTestApp({ config: { nats }, databaseUrl: here.databaseUrl ?? '' }));
    const { chatId, teacher, mother, father, neighbour } = await openChat(here);
    const streams = [
      stack.use(look(mother, chatId)),
      stack.use(new EventSource([here.url], father, 'ChatPresence', { chatId })),
      stack.use(look(new TestClient(there.url, neighbour.token), chatId)),
      stack.use(new EventSource([there.url], father, 'ChatPresence', { chatId })),
    ];
    const others = ['Mother X', 'Father X', 'Neighbour X'];
    const own = ['Mother X', 'Father X', 'Neighbour X', 'Father X'];
    const seen = (teacherDoes: string | null) =>
      own.map((name) =>
        Object.fromEntries([
          ...others.filter((other) => other !== name).map((other) => [other, 'online']),
          ...(teacherDoes ? [['Teacher X', teacherDoes]] : []),
        ]),
      );
    await eventually(() => expect(streams.map(known)).toEqual(seen(null)));
    const before = await eventsIn(here);
    // Whatever ends from here on, it is not because time has passed.
    using _time = standingStill();
    expect(await type(teacher, chatId)).toMatchObject({ __typename: 'Chat', id: chatId });
    await eventually(() => expect(streams.map(known)).toEqual(seen('typing')));
    expect(await teacher.does('StopTyping', { chatId })).toMatchObject({ __typename: 'Chat', id: chatId });
    await eventually(() => expect(streams.map(known)).toEqual(seen(null)));
    // Begun at one process, given up at the other.
    await type(new TestClient(there.url, teacher.token), chatId);
    await eventually(() => expect(streams.map(known)).toEqual(seen('typing')));
    await teacher.does('StopTyping', { chatId });
    await eventually(() => expect(streams.map(known)).toEqual(seen(null)));
    expect(await eventsIn(here)).toBe(before);
  });
});

// They wait most of their time, so they wait together.
describe.concurrent('over seconds', () => {
  test('who says nothing more has ceased to write after six seconds, and who says so again has not', async () => {
    const { chatId, teacher, mother, father } = await openChat(app);
    await using stream = look(mother, chatId);
    await stream.begun();
    const began = performance.now();
    await Promise.all([type(teacher, chatId), type(father, chatId)]);
    await eventually(() => expect(known(stream)).toEqual({ 'Teacher X': 'typing', 'Father X': 'typing' }));
    await eventually(() => expect(performance.now() - began).toBeGreaterThan(3_500));
    await type(father, chatId);
    await eventually(() => expect(known(stream)).toEqual({ 'Father X': 'typing' }));
    expect(performance.now() - began).toBeGreaterThan(5_900);
    await eventually(() => expect(known(stream)).toEqual({}));
    expect(performance.now() - began).toBeGreaterThan(9_400);
    // Once each, however often it was said.
    expect(stream.delivered.flatMap(({ people }) => people).filter(({ isTyping }) => isTyping)).toHaveLength(2);
  });

  test('whoever has gone is offline after some seconds, and one who comes back meanwhile never was', async () => {
    const { chatId, teacher, mother, father } = await openChat(app);
    await using stream = look(mother, chatId);
    await stream.begun();
    const [first, lasting] = [look(teacher, chatId), look(father, chatId)];
    await eventually(() => expect(known(stream)).toEqual({ 'Teacher X': 'online', 'Father X': 'online' }));
    const left = performance.now();
    await Promise.all([first.client.dispose(), lasting.client.dispose()]);
    await using again = await look(father, chatId).begun();
    await eventually(() => expect(known(stream)).toEqual({ 'Father X': 'online' }));
    expect(performance.now() - left).toBeGreaterThan(4_900);
    const ofFather = stream.delivered
      .flatMap(({ people }) => people)
      .filter(({ user }) => user.displayName === 'Father X');
    expect(ofFather).toHaveLength(1);
    expect(again.delivered.flatMap(({ people }) => people).map(({ user }) => user.displayName)).not.toContain(
      'Father X',
    );
  });

  test('whoever says again and again that they write is told of once, and stopped when it is too much', async () => {
    await using server = await startTestApp();
    const { chatId, teacher, mother } = await openChat(server);
    await using stream = await look(mother, chatId).begun();
    const began = performance.now();
    const said = await saidDuring(server, async () => {
      for (let turn = 0; turn < 20; turn++) {
        expect(await type(teacher, chatId)).toMatchObject({ id: chatId });
        await delay(100);
      }
      expect(known(stream)).toEqual({ 'Teacher X': 'typing' });
    });
    // It is told anew every three seconds, which the twenty take on a slow machine.
    const told = said.filter((payload) => payload.includes('TYPING')).length;
    expect(told).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 3_000));
    const answers: Json[] = [];
    for (let turn = 0; turn < 20; turn++) {
      answers.push(await teacher.does('StopTyping', { chatId }), await type(teacher, chatId));
    }
    expect(answers.filter(({ id }) => id !== chatId)).toEqual([]);
    expect(await type(teacher, chatId)).toMatchObject({ __typename: 'RateLimited', code: 'RATE_LIMITED' });
    expect(await teacher.does('StopTyping', { chatId })).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await type(mother, chatId)).toMatchObject({ id: chatId });
  });

  test('a process that has just begun soon knows who is at the others, and one that stops says that its people have gone', async () => {
    await using server = await startTestApp();
    const { chatId, teacher, mother } = await openChat(server);
    await using stream = look(teacher, chatId);
    await saidDuring(server, async (said) => {
      await stream.begun();
      await eventually(() => expect(said.join()).toContain('ONLINE'));
    });
    const other = await startTestApp({ databaseUrl: server.databaseUrl ?? '' });
    await using there = look(new TestClient(other.url, mother.token), chatId);
    await eventually(() => expect(known(there)).toEqual({ 'Teacher X': 'online' }));
    const online = async () =>
      (await teacher.run('ChatMembers', { id: chatId })).chat.members.nodes.filter(({ isOnline }: Json) => isOnline)
        .length;
    await eventually(async () => expect(await online()).toBe(2));
    await other[Symbol.asyncDispose]();
    await eventually(async () => expect(await online()).toBe(1));
  });
});

test('a stranger finds no such chat, who has left hears nothing of it, and nobody writes in one that is frozen', async () => {
  const { customId, teacher, mother, father } = await openChat(app);
  for (const stranger of [father, await app.world.person()]) {
    await using stream = look(stranger, customId);
    await stream.done;
    expect(stream.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(stream.delivered).toEqual([]);
    expect(await type(stranger, customId)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await stranger.does('StopTyping', { chatId: customId })).toMatchObject({ code: 'NOT_FOUND' });
  }
  await mother.does('LeaveChat', { chatId: customId });
  await using stream = look(mother, customId);
  await stream.done;
  expect(stream.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect(await type(mother, customId)).toMatchObject({ code: 'FORBIDDEN' });
  await teacher.does('MakeChatReadOnly', { chatId: customId });
  expect(await type(teacher, customId)).toMatchObject({ code: 'INVALID_STATE' });
});

/** Who is kept from a chat, by whatever happens, hears that and nothing after it; the others know them no longer. */
async function expectEnd(
  { customId, teacher, mother, neighbour }: Awaited<ReturnType<typeof openChat>>,
  happens: () => Promise<unknown>,
  reason: string,
) {
  await using ws = look(mother, customId);
  await using sse = new EventSource([app.url], mother, 'ChatPresence', { chatId: customId });
  await using other = look(neighbour, customId);
  await using _teacher = look(teacher, customId);
  const others = { 'Teacher X': 'online', 'Neighbour X': 'online' };
  await eventually(() => expect([known(ws), known(sse)]).toEqual([others, others]));
  await eventually(() => expect(known(other)).toEqual({ 'Teacher X': 'online', 'Mother X': 'online' }));
  await happens();
  // At once, and before anybody could have been told.
  const typed = await type(teacher, customId);
  if (typed.__typename === 'Chat') {
    await eventually(() => expect(known(other)).toMatchObject({ 'Teacher X': 'online,typing' }));
    await teacher.does('StopTyping', { chatId: customId });
    await eventually(() => expect(known(other)).toMatchObject({ 'Teacher X': 'online' }));
  }
  for (const { delivered } of [ws, sse]) {
    await eventually(() => expect(delivered.at(-1)).toEqual({ __typename: 'AccessEnded', reason }));
    expect(JSON.stringify(delivered)).not.toContain('"isTyping":true');
  }
  await ws.done;
  return { other };
}

test('who is taken out hears that it ends and nothing more, and those who stay are told anew who is there', async () => {
  const chat = await openChat(app);
  const userId = await app.world.userId(chat.mother);
  await using again = look(chat.neighbour, chat.customId);
  await expectEnd(
    chat,
    () => chat.teacher.does('RemoveChatMember', { chatId: chat.customId, userId }),
    'MEMBERSHIP_CHANGED',
  );
  await eventually(() => expect(Object.keys(known(again))).not.toContain('Mother X'));
  expect(await type(chat.mother, chat.customId)).toMatchObject({ code: 'FORBIDDEN' });
  await using elsewhere = await look(chat.mother, chat.chatId).begun();
  await eventually(() => expect(known(elsewhere)).toMatchObject({ 'Neighbour X': 'online' }));
  expect(Object.keys(known(again))).not.toContain('Mother X');
});

test('who signs out, and whose organization is suspended, hears that it ends and nothing more', async () => {
  const chat = await openChat(app);
  await expectEnd(chat, () => chat.mother.run('SignOut'), 'SIGNED_OUT');
  const another = await openChat(app);
  const operator = await app.world.operator();
  const suspend = { organizationId: another.school.id, reason: 'Licence withdrawn' };
  await expectEnd(another, () => operator.does('SuspendOrganization', suspend), 'ORGANIZATION_SUSPENDED');
});

test('a socket that still closes after its session has ended says nothing of anybody', async () => {
  const { customId, teacher, mother, neighbour } = await openChat(app);
  await using raw = await RawSocket.open(app.url, mother.token);
  raw.subscribe('presence', operation('ChatPresence'), { chatId: customId });
  await raw.message(({ type }) => type === 'next');
  await using other = await look(neighbour, customId).begun();
  await mother.run('SignOut');
  await type(teacher, customId);
  await eventually(() => expect(known(other)).toMatchObject({ 'Teacher X': 'typing' }));
  await raw.closed;
  const last = raw.messages.findIndex(({ payload }) => payload?.data?.chatPresence.__typename === 'AccessEnded');
  expect(raw.messages.slice(last + 1)).toEqual([{ id: 'presence', type: 'complete' }]);
});

test('whose access ended at one process hears nothing more at another', async () => {
  await using other = await startTestApp({ databaseUrl: app.databaseUrl ?? '' });
  const { customId, teacher, mother } = await openChat(app);
  await using there = look(new TestClient(other.url, mother.token), customId);
  await eventually(() => expect(there.delivered).toHaveLength(1));
  await teacher.does('RemoveChatMember', { chatId: customId, userId: await app.world.userId(mother) });
  await type(teacher, customId);
  await there.done;
  expect(there.delivered).toEqual([
    { __typename: 'ChatPresence', startsAnew: true, people: [] },
    { __typename: 'AccessEnded', reason: 'MEMBERSHIP_CHANGED' },
  ]);
});

test('a LIMITED guardian is told of to who keeps their child’s record, and to no other family (§4.11)', async () => {
  const { school, chatId, teacher, mother, father, neighbour } = await openChat(app);
  const { administrator } = school;
  expect((await type(administrator, chatId)).code).toBe('NOT_FOUND');
  await using early = look(neighbour, chatId);
  await using atWork = look(teacher, chatId);
  await using ofFather = look(father, chatId);
  await eventually(() => expect(known(early)).toMatchObject({ 'Father X': 'online' }));
  await father.does('SetGuardianContactVisibility', { guardianLinkId: father.linkId, contactVisibility: 'LIMITED' });
  await eventually(() => expect(known(early)).toEqual({ 'Teacher X': 'online' }));
  await using late = look(mother, chatId);
  const families = { 'Teacher X': 'online', 'Neighbour X': 'online' };
  await eventually(() => expect(known(late)).toEqual(families));
  await type(father, chatId);
  await eventually(() => expect(known(atWork)).toMatchObject({ 'Father X': 'online,typing' }));
  // They themselves meet the others as before.
  expect(known(ofFather)).toEqual({ ...families, 'Mother X': 'online' });
  await type(teacher, chatId);
  await eventually(() => expect(known(late)).toMatchObject({ 'Teacher X': 'online,typing' }));
  expect(JSON.stringify(late.delivered)).not.toContain('Father');
  const { chat } = await neighbour.run('ChatMembers', { id: chatId });
  const online = chat.members.nodes.map(({ user, isOnline }: Json) => [user.displayName, isOnline]);
  expect(Object.fromEntries(online)).toEqual({ 'Teacher X': true, 'Mother X': true, 'Neighbour X': true });
});

test('of two who talk each sees whether the other is there, and nobody else does', async () => {
  const { world } = app;
  const school = await world.school();
  const [one, other] = [
    await named(school, await world.staff(school), 'One'),
    await named(school, await world.staff(school), 'Other'),
  ];
  const begun = await one.does('CreateChat', {
    input: { organizationId: school.id, kind: 'DIRECT', userIds: [await world.userId(other)] },
  });
  const online = async () =>
    (await one.run('CounterpartsOnline')).viewer.chats.nodes.map((chat: Json) => [
      chat.counterpart.displayName,
      chat.viewerCounterpartIsOnline,
    ]);
  expect(await online()).toEqual([['Other X', false]]);
  await using _there = await other.subscribe('ViewerEvents').begun();
  expect(await online()).toEqual([['Other X', true]]);
  await using stream = look(one, begun.id);
  await eventually(() => expect(known(stream)).toEqual({ 'Other X': 'online' }));
  const staffChat = await world.chat(one, school);
  const { chat } = await one.run('ChatMembers', { id: staffChat });
  expect(chat.members.nodes.find(({ user }: Json) => user.displayName === 'Other X')).toMatchObject({ isOnline: true });
  const query = 'query ($id: ID!) { node(id: $id) { ... on Chat { viewerCounterpartIsOnline } } }';
  expect((await one.send(query, { id: staffChat })).data.node).toEqual({ viewerCounterpartIsOnline: null });
  await school.administrator.does('EndMembership', { membershipId: other.membershipId, reason: 'RESIGNED' });
  expect(await online()).toEqual([]);
});

/** What the processes tell each other by Postgres while something happens. */
async function saidDuring(server: TestApp, work: (said: readonly string[]) => Promise<void>): Promise<string[]> {
  const said: string[] = [];
  await inDatabase(server, async (sql) => {
    await sql.listen('homeroom_signals', (payload) => void said.push(payload));
    await work(said);
  });
  return said;
}

test('the people of a process that was killed are online for no longer than it could be waited for', async () => {
  await using server = await startTestApp();
  const { chatId, teacher, mother, father } = await openChat(server);
  await using stream = look(mother, chatId);
  await using _father = look(father, chatId);
  const program = await startProgram(server.databaseUrl ?? '');
  const there = new TestClient(program.url, teacher.token);
  await using _there = await look(there, chatId).begun();
  await eventually(() => expect(known(stream)).toEqual({ 'Teacher X': 'online', 'Father X': 'online' }));
  await program[Symbol.asyncDispose]();
  const now = performance.now.bind(performance);
  let later = 60_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now() + later);
  try {
    await server.world.person();
    expect((await mother.run('ChatMembers', { id: chatId })).chat.members.nodes).toContainEqual(
      expect.objectContaining({ isOnline: true, user: expect.objectContaining({ displayName: 'Teacher X' }) }),
    );
    later = 76_000;
    await eventually(() => expect(known(stream)).toEqual({ 'Father X': 'online' }));
  } finally {
    vi.mocked(performance.now).mockRestore();
  }
});

/** The school's members as those who take part in one chat. */
async function gather(server: TestApp, school: School): Promise<string> {
  const chatId = await server.world.chat(await server.world.head(school), school);
  await inDatabase(
    server,
    (sql) => sql`update chats set audience_id = (
      select id from audiences a where a.kind = 'MEMBERS' and a.organization_id = chats.organization_id) where kind = 'HEAD_STAFF'`,
  );
  return chatId;
}

test('what two hundred are told of twenty who write costs a few statements, whoever listens', async () => {
  await using opened = await openSchool(200);
  const { app: server, school, crowd } = opened;
  const chatId = await gather(server, school);
  await using stack = new AsyncDisposableStack();
  const streams = crowd.map((one) => stack.use(look(one, chatId)));
  const writing = ({ delivered }: Told): number => {
    const told = delivered.flatMap(({ people }) => people);
    return new Map(told.map(({ user, isTyping }) => [user.id, isTyping])).values().filter(Boolean).toArray().length;
  };
  await eventually(() => expect(streams.every(({ delivered }) => delivered.length > 0)).toBe(true));
  const sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
  try {
    const began = performance.now();
    const expected = streams.map((_, at) => (at < 20 ? 19 : 20));
    const writers = crowd.slice(0, 20);
    for (let round = 0; round < 4; round++) {
      await Promise.all(writers.map((one) => type(one, chatId)));
      await eventually(() => expect(streams.map(writing)).toEqual(expected));
      await Promise.all(writers.map((one) => one.does('StopTyping', { chatId })));
      await eventually(() => expect(streams.map(writing)).toEqual(streams.map(() => 0)));
    }
    // Who writes asks who they are, and for the chat; for all who are told there is one statement in two seconds.
    const texts = sent.mock.contexts.map((query) => String(Object(query).queryString));
    const ofPeople = texts.filter((text) => text.includes('with hidden as'));
    expect(ofPeople.length).toBeLessThanOrEqual(2 + (performance.now() - began) / 2_000);
  } finally {
    sent.mockRestore();
  }
});
