import { describe, expect, test, vi } from 'vitest';
import { decodeCursor } from '../src/log/cursor.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { type Json, TestClient } from './support/client.ts';
import { cursorOf, Oracle, userIdOf, Writers } from './support/log.ts';
import { operation } from './support/operations.ts';
import { placeOf, RawSocket, ResumingStream } from './support/socket.ts';
import { anyMoment, eventually } from './support/waiting.ts';
import type { World } from './support/world.ts';

const peopleOf = (world: World, count: number) => Promise.all(Array.from({ length: count }, () => world.person()));

/** A second server on the same database. */
const besides = (app: TestApp) => startTestApp({ databaseUrl: app.databaseUrl ?? '' });

/** The same person, speaking to another server. */
const at = (app: TestApp, { token }: TestClient) => new TestClient(app.url, token);

test.each([
  1, 2,
])('cut off again and again while eight people write, with %i servers to come back to, one misses nothing and hears nothing twice', async (servers) => {
  await using app = await startTestApp();
  await using other = servers === 2 ? await besides(app) : null;
  await using oracle = new Oracle(app);
  const urls = other ? [app.url, other.url] : [app.url];
  const school = await app.world.school();
  const { administrator } = school;
  const after = await cursorOf(administrator);
  const organizationId = school.id;
  await using organization = new ResumingStream(urls, administrator, 'OrganizationEvents', { organizationId, after });
  await using viewer = new ResumingStream(urls, administrator, 'ViewerEvents', { after });
  await using writers = new Writers(school, await peopleOf(app.world, 8));

  const goesOn = () => organization.opened + viewer.opened <= 40;
  const cutting = (async () => {
    while (goesOn()) {
      await anyMoment(100);
      (Math.random() < 0.5 ? organization : viewer).cut();
    }
  })();
  while (goesOn()) {
    await administrator.does('UpdateProfile', { input: { locale: 'ru' } });
    await app.world.invite(school);
  }
  await Promise.all([cutting, writers.stop()]);

  const from = decodeCursor(after).position;
  const inSchool = await oracle.places(administrator, from, school);
  const everywhere = await oracle.places(administrator, from);
  expect(everywhere.length).toBeGreaterThan(inSchool.length);
  await eventually(() => expect(organization.places).toEqual(inSchool));
  await eventually(() => expect(viewer.places).toEqual(everywhere));
  expect([...organization.errors, ...viewer.errors]).toEqual([]);
});

describe.each(['the same server', 'another server'])('when it happens on %s', (where) => {
  async function open() {
    await using stack = new AsyncDisposableStack();
    const app = stack.use(await startTestApp());
    const other = where === 'another server' ? stack.use(await besides(app)) : app;
    const oracle = stack.use(new Oracle(app));
    const school = await app.world.school();
    const writing = await peopleOf(app.world, 4);
    const kept = stack.move();
    return { app, other, oracle, school, writing, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  test('an administrator who is removed hears that it ends, and nothing after it', async () => {
    await using opened = await open();
    const { app, other, oracle, school } = opened;
    const second = await app.world.secondAdministrator(school);
    const after = await cursorOf(second);
    const from = decodeCursor(after).position;
    const place = { organizationId: school.id, after };
    await using requests = new ResumingStream([app.url], second, 'JoinRequestSubmitted', place);
    await using organization = new ResumingStream([app.url], second, 'OrganizationEvents', place);
    await using viewer = new ResumingStream([app.url], second, 'ViewerEvents', { after });
    await using writers = new Writers(school, opened.writing);
    await eventually(() => expect(requests.delivered.length).toBeGreaterThan(10));

    const { membershipId } = second;
    const ended = await at(other, school.administrator).does('EndMembership', { membershipId, reason: 'Left' });
    expect(ended.state).toBe('ENDED');
    const written = writers.written;
    await eventually(() => expect([requests.over, organization.over]).toEqual([true, true]));
    await eventually(() => expect(writers.written).toBeGreaterThan(written + 20));
    await writers.stop();

    for (const { delivered } of [requests, organization]) {
      expect(delivered.at(-1)).toMatchObject({ __typename: 'AccessEnded', reason: 'MEMBERSHIP_CHANGED' });
    }
    expect(organization.places.slice(0, -1)).toEqual(await oracle.places(second, from, school));
    const lastPlace = await oracle.placeOf('ACCESS_ENDED', await userIdOf(second));
    expect(requests.places.every((position) => position <= lastPlace)).toBe(true);
    // The person's own stream goes on, without the organization.
    await second.does('UpdateProfile', { input: { locale: 'ru' } });
    const everywhere = await oracle.places(second, from);
    await eventually(() => expect(viewer.places).toEqual(everywhere));
    expect(viewer.delivered.at(-1).__typename).toBe('ProfileUpdated');
    // And whoever comes back with the last cursor is told no more than anybody.
    const again = second.subscribe('OrganizationEvents', { organizationId: school.id, after: organization.cursor });
    await again.done;
    expect(again.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  test('everybody hears why it ends when the organization is suspended, and nothing after it', async () => {
    await using opened = await open();
    const { app, other, oracle, school } = opened;
    const { administrator } = school;
    const guardian = await app.world.member(school, 'GUARDIAN');
    const after = await cursorOf(administrator);
    const from = decodeCursor(after).position;
    const place = { organizationId: school.id, after };
    await using requests = new ResumingStream([app.url], administrator, 'JoinRequestSubmitted', place);
    await using organization = new ResumingStream([app.url], administrator, 'OrganizationEvents', place);
    await using members = new ResumingStream([app.url], guardian, 'OrganizationEvents', place);
    const operator = await app.world.operator();
    await using _writers = new Writers(school, opened.writing);
    await eventually(() => expect(requests.delivered.length).toBeGreaterThan(10));

    const suspended = await at(other, operator).does('SuspendOrganization', {
      organizationId: school.id,
      reason: 'Licence withdrawn',
    });
    expect(suspended.state).toBe('SUSPENDED');
    for (const stream of [requests, organization, members]) {
      await eventually(() => expect(stream.over).toBe(true));
      expect(stream.delivered.at(-1)).toMatchObject({ __typename: 'AccessEnded', reason: 'ORGANIZATION_SUSPENDED' });
    }
    expect(organization.places.slice(0, -1)).toEqual(await oracle.places(administrator, from, school));
    expect(members.places.slice(0, -1)).toEqual(await oracle.places(guardian, from, school));
    expect(members.delivered.map(({ __typename }) => __typename)).toEqual(['OrganizationChanged', 'AccessEnded']);
  });

  test('whose session ends, by signing out or from another device, hears it, and the socket closes', async () => {
    await using opened = await open();
    const { app, other, oracle, school } = opened;
    const { administrator, id: organizationId } = school;
    const phone = administrator.phone;
    const lost = await app.world.person(undefined, phone);
    const after = await cursorOf(lost);
    const streams = ['ViewerEvents', 'OrganizationEvents', 'JoinRequestSubmitted'].map((name) =>
      lost.subscribe(name, name === 'ViewerEvents' ? { after } : { organizationId, after }),
    );
    await using idle = await RawSocket.open(app.url, lost.token);
    const kept = administrator.subscribe('ViewerEvents', { after });
    await using writers = new Writers(school, opened.writing);
    for (const stream of streams) await stream.count(10);

    const { sessions } = (await administrator.run('ViewerSessions')).viewer;
    const { id: sessionId } = sessions.nodes.find(({ isCurrent }: Json) => !isCurrent);
    if (where === 'the same server') await at(other, lost).run('SignOut');
    else await at(other, administrator).run('RevokeSession', { sessionId });
    for (const stream of streams) {
      await stream.done;
      expect(stream.delivered.at(-1)).toMatchObject({ __typename: 'AccessEnded', reason: 'SIGNED_OUT' });
    }
    expect((await idle.closed).code).toBe(4403);
    const written = writers.written;
    await eventually(() => expect(writers.written).toBeGreaterThan(written + 10));
    const [found] = await oracle.sql<{ position: number }[]>`
      select position from log_events where kind = 'SESSION_ENDED' order by position desc limit 1`;
    for (const { delivered } of streams) {
      expect(delivered.every((event) => placeOf(event) <= Number(found?.position))).toBe(true);
      expect(delivered.filter(({ __typename }) => __typename === 'AccessEnded')).toHaveLength(1);
    }
    // The other device hears on.
    const heard = kept.delivered.length;
    await kept.count(heard + 5);
    expect(kept.delivered.some(({ __typename }) => __typename === 'AccessEnded')).toBe(false);
    // Who comes with the ended session is sent away by a code that says so.
    await using refused = new RawSocket(app.url);
    await refused.opened();
    refused.send({ type: 'connection_init', payload: { authorization: lost.token } });
    expect(await refused.closed).toMatchObject({ code: 4403 });
  });

  test('an employee hears administrators’ events exactly as long as they are one, and goes on as a member', async () => {
    await using opened = await open();
    const { app, other, oracle, school } = opened;
    const employee = await app.world.staff(school);
    const after = await cursorOf(employee);
    const from = decodeCursor(after).position;
    const place = { organizationId: school.id, after };
    await using stream = new ResumingStream([app.url], employee, 'OrganizationEvents', place);
    await using writers = new Writers(school, opened.writing);
    const administrator = at(other, school.administrator);
    const wrote = async (count: number) => {
      const before = writers.written;
      await eventually(() => expect(writers.written).toBeGreaterThan(before + count));
    };
    for (let round = 0; round < 3; round++) {
      await wrote(10);
      const grant = await administrator.does('GrantAdministrator', { membershipId: employee.membershipId });
      await wrote(10);
      await administrator.does('RevokeAdministrator', { grantId: grant.id });
    }
    await administrator.does('UpdateOrganization', { input: { organizationId: school.id, name: 'Kindergarten 8' } });
    await writers.stop();

    const heard = await oracle.places(employee, from, school);
    await eventually(() => expect(stream.places).toEqual(heard));
    expect(stream.delivered.at(-1)).toMatchObject({ kind: 'ORGANIZATION_UPDATED' });
    expect(heard.length).toBeGreaterThan(10);
    expect(heard.length).toBeLessThan((await oracle.places(school.administrator, from, school)).length);
    // The same from the log: a stream that missed all of it is told the same.
    await using late = new ResumingStream([other.url], employee, 'OrganizationEvents', place);
    await eventually(() => expect(late.places).toEqual(heard));
  });

  test('a subscription that opens while the right to it is taken away is refused or ends', async () => {
    await using opened = await open();
    const { app, other, school } = opened;
    const second = await app.world.staff(school);
    const administrator = at(other, school.administrator);
    await using socket = await RawSocket.open(app.url, second.token);
    const queries = ['OrganizationEvents', 'JoinRequestSubmitted'].map(operation);
    const rounds = 25;
    for (let round = 0; round < rounds; round++) {
      const grant = await administrator.does('GrantAdministrator', { membershipId: second.membershipId });
      const opening = anyMoment(40).then(() =>
        socket.subscribe(`stream-${round}`, queries[1] ?? '', { organizationId: school.id }),
      );
      await Promise.all([administrator.does('RevokeAdministrator', { grantId: grant.id }), opening]);
    }
    for (let round = 0; round < rounds; round++) {
      const { payload } = await socket.message(({ id, type }) => id === `stream-${round}` && type === 'next');
      if (payload.errors) expect(payload.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
      else expect(payload.data.joinRequestSubmitted.__typename).toBe('AccessEnded');
      await socket.message(({ id, type }) => id === `stream-${round}` && type === 'complete');
    }

    const leavers = await peopleOf(app.world, 15);
    const outcomes = await Promise.all(
      leavers.map(async (person) => {
        const [stream] = await Promise.all([
          anyMoment(40).then(() => person.subscribe('ViewerEvents')),
          anyMoment(40).then(() => at(other, person).run('SignOut')),
        ]);
        const { closed } = await stream.done;
        return closed?.code ?? stream.delivered.at(-1)?.__typename ?? stream.errors[0]?.extensions.code;
      }),
    );
    for (const outcome of outcomes) expect([4403, 'AccessEnded', 'UNAUTHENTICATED']).toContain(outcome);
  });
});

test('who loses one of two roles hears on as a member', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { membershipId: employed, ...rest } = await app.world.member(school, 'EMPLOYEE');
  const person = Object.assign(new TestClient(app.url, rest.token), { phone: rest.phone });
  await app.world.member(school, 'GUARDIAN', person);
  const after = await cursorOf(person);
  await using stream = new ResumingStream([app.url], person, 'OrganizationEvents', {
    organizationId: school.id,
    after,
  });
  const { administrator } = school;
  expect(await administrator.does('EndMembership', { membershipId: employed, reason: 'Left' })).toMatchObject({
    state: 'ENDED',
  });
  await administrator.does('UpdateOrganization', { input: { organizationId: school.id, name: 'Kindergarten 8' } });
  await eventually(() => expect(stream.delivered).toMatchObject([{ kind: 'ORGANIZATION_UPDATED' }]));
});

test('a stream over HTTP tells the same, and ends the same', async () => {
  await using app = await startTestApp();
  await using oracle = new Oracle(app);
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const after = await cursorOf(second);
  const variables = { organizationId: school.id, after };
  await using socket = new ResumingStream([app.url], second, 'OrganizationEvents', variables);
  const response = await fetch(app.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${second.token}`,
    },
    body: JSON.stringify({ query: operation('OrganizationEvents'), variables }),
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  await app.world.invite(school);
  await app.world.person().then((person) => app.world.member(school, 'GUARDIAN', person));
  await school.administrator.does('EndMembership', { membershipId: second.membershipId, reason: 'Left' });

  // It ends by itself, so its whole text is the whole stream.
  const messages = (await response.text()).split('\n\n').filter((message) => /^event: /m.test(message));
  expect(messages.at(-1)).toMatch(/^event: complete/);
  const delivered = messages.slice(0, -1).map((message) => JSON.parse(/^data: (.*)$/m.exec(message)?.[1] ?? ''));
  await eventually(() => expect(socket.over).toBe(true));
  expect(delivered).toEqual(socket.delivered.map((event) => ({ data: { organizationEvents: event } })));
  expect(socket.delivered.at(-1)).toMatchObject({ __typename: 'AccessEnded' });
  const heard = await oracle.places(second, decodeCursor(after).position, school);
  expect(socket.places.slice(0, -1)).toEqual(heard);
  expect(heard.length).toBeGreaterThan(3);
});

test('a session that has run out loses its streams within a minute, on sockets and over HTTP', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  try {
    await using app = await startTestApp();
    await using oracle = new Oracle(app);
    const [old, fresh] = [await app.world.person(), await app.world.person()];
    await using stream = await RawSocket.open(app.url, old.token);
    await using idle = await RawSocket.open(app.url, old.token);
    await using kept = await RawSocket.open(app.url, fresh.token);
    for (const socket of [stream, kept]) {
      socket.subscribe('stream', 'subscription { viewerEvents { __typename ... on AccessEnded { reason } } }');
      await socket.run('{ __typename }');
    }
    const query = new URLSearchParams({ query: 'subscription { viewerEvents { __typename } }' });
    const overHttp = await fetch(`${app.url}?${query}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${old.token}` },
    });

    await oracle.sql`update sessions set expires_at = now() where user_id = ${await userIdOf(old)}`;
    for (let passed = 0; passed < 60; passed += 12) {
      vi.advanceTimersByTime(12_000);
      // The second answer proves that the server has heard the pong, which must come before it pings again.
      for (const socket of [stream, idle, kept, stream, idle, kept]) await socket.run('{ __typename }');
    }
    const { payload } = await stream.message(({ id, type }) => id === 'stream' && type === 'next');
    expect(payload.data.viewerEvents).toEqual({ __typename: 'AccessEnded', reason: 'SESSION_EXPIRED' });
    expect(await stream.closed).toMatchObject({ code: 4403 });
    expect(await idle.closed).toMatchObject({ code: 4403 });
    expect(await overHttp.text()).toContain('AccessEnded');
    const refused = await old.send(operation('Organizations'));
    expect(refused.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    await fresh.does('UpdateProfile', { input: { locale: 'ru' } });
    const heard = await kept.message(({ id, type }) => id === 'stream' && type === 'next');
    expect(heard.payload.data.viewerEvents.__typename).toBe('ProfileUpdated');
  } finally {
    vi.useRealTimers();
  }
});

test('an event that cannot be read just now is not lost: the socket closes, and the client comes back for it', async () => {
  await using app = await startTestApp();
  await using oracle = new Oracle(app);
  const person = await app.world.person();
  const after = await cursorOf(person);
  await using stream = new ResumingStream([app.url], person, 'ViewerEvents', { after });
  await person.does('UpdateProfile', { input: { givenName: 'Anna' } });
  await eventually(() => expect(stream.delivered).toHaveLength(1));

  const userId = await userIdOf(person);
  await oracle.sql`alter table users rename to users_away`;
  await oracle.sql`insert into log_events (audience_id, kind, subject_id) values (${userId}, 'PROFILE_UPDATED', ${userId})`;
  await eventually(() => expect(stream.closes.length).toBeGreaterThan(2));
  await oracle.sql`alter table users_away rename to users`;
  await person.does('UpdateProfile', { input: { givenName: 'Olga' } });
  const heard = await oracle.places(person, decodeCursor(after).position);
  expect(heard).toHaveLength(3);
  await eventually(() => expect(stream.places).toEqual(heard));
  expect(new Set(stream.closes)).toEqual(new Set([1013]));
  expect(stream.errors).toEqual([]);
});

test('a server that stops tells sockets to come back, and is gone though one of them never answers', async () => {
  const app = await startTestApp();
  let stopped = false;
  try {
    const person = await app.world.person();
    await using polite = await RawSocket.open(app.url, person.token);
    await using deaf = await RawSocket.open(app.url, person.token);
    polite.subscribe('stream', operation('ViewerEvents'));
    deaf.socket.pause();
    const stopping = app[Symbol.asyncDispose]();
    expect(await polite.closed).toEqual({ code: 1012, reason: 'Restarting' });
    await stopping;
    stopped = true;
  } finally {
    if (!stopped) await app[Symbol.asyncDispose]();
  }
});

test('who leads and who works in a group hear once that somebody begins to work there, and once that it ends', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const groupId = await app.world.group(school);
  const head = await app.world.head(school);
  const employee = await app.world.staff(school);
  const listeners = { administrator: school.administrator, head, employee };
  const after = await cursorOf(employee);
  const assignmentId = await app.world.assign(school, employee.membershipId, groupId);
  await school.administrator.does('EndStaffAssignment', { input: { staffAssignmentId: assignmentId } });
  const told: Record<string, string[]> = {};
  for (const [who, person] of Object.entries(listeners)) {
    await using stream = person.subscribe('ViewerEvents', { after });
    // What comes last tells that everything before it has come.
    await person.does('UpdateProfile', { input: { locale: 'ru' } });
    await stream.nextOf('ProfileUpdated');
    told[who] = stream.delivered.filter(({ staffAssignment }) => staffAssignment).map(({ kind }) => kind);
  }
  const once = ['STAFF_ASSIGNED', 'STAFF_ASSIGNMENT_ENDED'];
  expect(told).toEqual({ administrator: once, head: once, employee: once });
});
