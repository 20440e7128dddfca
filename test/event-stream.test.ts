import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { decodeCursor } from '../src/log/cursor.ts';
import { Hub } from '../src/log/hub.ts';
import { startTestApp } from './support/app.ts';
import { openSchool } from './support/crowd.ts';
import { EventSource, messagesOf } from './support/event-source.ts';
import { cursorOf, Oracle, Writers } from './support/log.ts';
import { operation } from './support/operations.ts';
import { passingTime } from './support/time.ts';
import { anyMoment, eventually } from './support/waiting.ts';

test('a browser that is cut off again and again misses nothing and hears nothing twice, on whichever server', async () => {
  await using app = await startTestApp();
  await using other = await startTestApp({ databaseUrl: app.databaseUrl ?? '' });
  await using oracle = new Oracle(app);
  const school = await app.world.school();
  const { administrator } = school;
  const after = await cursorOf(administrator);
  // The address stays as it was opened, with an `after` that grows old: the id of the last message is what counts.
  await using stream = new EventSource([app.url, other.url], administrator, 'OrganizationEvents', {
    organizationId: school.id,
    after,
  });
  await using writers = new Writers(school, await Promise.all(Array.from({ length: 4 }, () => app.world.person())));
  // However slowly others write: enough must come between the cuts.
  while (stream.opened <= 25 || stream.places.length <= 20) {
    await anyMoment(100);
    stream.cut();
  }
  await writers.stop();
  const places = await oracle.places(administrator, decodeCursor(after).position, school);
  await eventually(() => expect(stream.places).toEqual(places));
});

test('every message names its place, the last one does not invite to come back', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const member = await app.world.member(school, 'GUARDIAN');
  const response = await fetch(app.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${member.token}`,
    },
    body: JSON.stringify({ query: operation('OrganizationEvents'), variables: { organizationId: school.id } }),
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  await school.administrator.does('UpdateOrganization', { input: { organizationId: school.id, name: 'Сад № 8' } });
  await school.administrator.does('EndMembership', { membershipId: member.membershipId, reason: 'Left' });
  const messages = await Array.fromAsync(messagesOf(response.body ?? new ReadableStream()));
  expect(messages.map(({ event }) => event)).toEqual(['next', 'next', 'complete']);
  const [updated, ended] = messages.map(({ id, data }) => ({
    id,
    event: data && JSON.parse(data).data.organizationEvents,
  }));
  expect(updated?.event.organization.name).toBe('Сад № 8');
  expect(ended?.event.__typename).toBe('AccessEnded');
  for (const told of [updated, ended]) expect(told?.id).toBe(told?.event.cursor);
  expect(messages.at(-1)?.id).toBeNull();
});

test('a server that stops lets go of its streams at once, without a last word, and they go on at another', async () => {
  await using app = await startTestApp();
  await using stack = new AsyncDisposableStack();
  const stopping = stack.use(await startTestApp({ databaseUrl: app.databaseUrl ?? '' }));
  const school = await app.world.school();
  const after = await cursorOf(school.administrator);
  const place = { organizationId: school.id, after };
  await using stream = new EventSource([stopping.url, app.url], school.administrator, 'OrganizationEvents', place);
  await app.world.invite(school);
  await eventually(() => expect(stream.delivered).toHaveLength(1));
  await stack.disposeAsync();
  expect(stream.completed).toBe(false);
  await app.world.invite(school);
  await eventually(() => expect(stream.delivered).toHaveLength(2));
});

test('who does not read is not written to without end, and gets everything when they read again', async () => {
  await using app = await startTestApp();
  const school = await app.world.school();
  const { administrator } = school;
  const after = await cursorOf(administrator);
  const slow = connect(Number(new URL(app.url).port), '127.0.0.1');
  await once(slow, 'connect');
  const variables = JSON.stringify({ organizationId: school.id, after });
  // Much for each event, so that a few hundred are more than the kernel takes.
  const fields = Array.from({ length: 25 }, (_, number) => `f${number}: name`).join(' ');
  const query = `subscription ($organizationId: ID!, $after: Cursor) {
    organizationEvents(organizationId: $organizationId, after: $after) {
      ... on OrganizationChanged { cursor organization { ${fields} } } } }`;
  slow.write(
    `GET /graphql?${new URLSearchParams({ query, variables })} HTTP/1.1\r\nHost: localhost\r\n` +
      `Accept: text/event-stream\r\nAuthorization: Bearer ${administrator.token}\r\n\r\n`,
  );
  slow.pause();
  const name = 'Ж'.repeat(190);
  const rounds = 300;
  for (let round = 0; round < rounds; round++) {
    await administrator.does('UpdateOrganization', { input: { organizationId: school.id, name: `${name}${round}` } });
  }
  let text = '';
  slow.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  slow.resume();
  await eventually(() => expect(text.split('event: next').length - 1).toBe(rounds));
  const cursors = [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => decodeCursor(id ?? '').position);
  expect(cursors).toEqual(cursors.toSorted((one, next) => one - next));
  expect(new Set(cursors).size).toBe(rounds);
  slow.destroy();
});

test('a subscription that is asked for as a plain answer is refused with the way to get it', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  const refused = await person.send(operation('ViewerEvents'));
  expect(refused.status).toBe(406);
  expect(refused.errors).toMatchObject([{ extensions: { code: 'NOT_ACCEPTABLE' } }]);
});

test('one person opens twenty connections at most, and may open another when one is gone', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  const open = (signal?: AbortSignal) =>
    fetch(`${app.url}?${new URLSearchParams({ query: operation('ViewerEvents') })}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${person.token}` },
      ...(signal ? { signal } : {}),
    });
  const first = new AbortController();
  await open(first.signal);
  const others = new AbortController();
  await Promise.all(Array.from({ length: 19 }, () => open(others.signal)));
  const refused = await open();
  expect(await refused.text()).toContain('RATE_LIMITED');
  first.abort();
  await eventually(async () => {
    const again = new AbortController();
    const { body } = await open(again.signal);
    const { value } = (await body?.getReader().read()) ?? {};
    again.abort();
    expect(Buffer.from(value ?? []).toString()).toBe(':\n\n');
  });
  others.abort();
});

test('who goes before the stream has opened leaves nothing behind', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  const query = new URLSearchParams({ query: operation('ViewerEvents') });
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${person.token}` };
  for (let round = 0; round < 60; round++) {
    await fetch(`${app.url}?${query}`, { headers, signal: AbortSignal.timeout(round % 6) }).catch(() => {});
  }
  // Each that stayed would count among the twenty.
  await eventually(async () => {
    const opened = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const going = new AbortController();
        const response = await fetch(`${app.url}?${query}`, { headers, signal: going.signal });
        const { value } = (await response.body?.getReader().read()) ?? {};
        return { going, first: Buffer.from(value ?? []).toString() };
      }),
    );
    for (const { going } of opened) going.abort();
    expect(new Set(opened.map(({ first }) => first))).toEqual(new Set([':\n\n']));
  });
});

test('whose session ends while their stream opens hears that, and nothing of what happens then', async () => {
  await using app = await startTestApp();
  const { id: organizationId, administrator } = await app.world.school();
  const thief = await app.world.person(undefined, administrator.phone);
  // Between who asks has been learned, and what they may see.
  const held = vi.spyOn(Hub.prototype, 'hold').mockImplementationOnce(async function (this: Hub, holder, since) {
    await administrator.run('RevokeOtherSessions');
    await this.currentPosition();
    return this.hold(holder, since);
  });
  try {
    const variables = JSON.stringify({ organizationId });
    const query = new URLSearchParams({ query: operation('OrganizationEvents'), variables });
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${thief.token}` };
    const { body } = await fetch(`${app.url}?${query}`, { headers });
    await administrator.does('UpdateOrganization', { input: { organizationId, name: 'Kindergarten 9' } });
    const { value } = await messagesOf(body ?? new ReadableStream()).next();
    expect(JSON.parse(value?.data ?? '').data.organizationEvents).toMatchObject({ reason: 'SIGNED_OUT' });
  } finally {
    held.mockRestore();
  }
});

test('who stops reading for long has to come back, and takes up no place meanwhile', async () => {
  using time = passingTime();
  await using opened = await openSchool(1);
  const { app, school, crowd, tell } = opened;
  const [member] = crowd;
  if (!member) throw new Error('the crowd is too small');
  const name = 'Ж'.repeat(200);
  await school.administrator.does('UpdateOrganization', { input: { organizationId: school.id, name } });
  const follow = async (query: string, signal: AbortSignal) => {
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${member.token}` };
    const { body } = await fetch(`${app.url}?${new URLSearchParams({ query })}`, { headers, signal });
    const reader = (body ?? new ReadableStream<Uint8Array>()).getReader();
    return Buffer.from((await reader.read()).value ?? []).toString();
  };
  const fields = Array.from({ length: 29 }, (_, number) => `f${number}: name`).join(' ');
  const much = `subscription { organizationEvents(organizationId: "${school.id}") {
    ... on OrganizationChanged { organization { ${fields} } } } }`;
  const over = new AbortController();
  const deaf = await Promise.all(Array.from({ length: 20 }, () => follow(much, over.signal)));
  expect(new Set(deaf)).toEqual(new Set([':\n\n']));
  // More than the kernel takes.
  await tell(400);
  await eventually(async () => {
    time.pass(12_000);
    vi.advanceTimersByTime(12_000);
    expect(await follow(operation('ViewerEvents'), over.signal)).toBe(':\n\n');
  });
  over.abort();
});
