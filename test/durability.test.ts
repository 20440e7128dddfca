import { expect, test } from 'vitest';
import { type Json, TestClient } from './support/client.ts';
import { cursorOf } from './support/log.ts';
import { databaseOf, openSchool, Server, unlessAnswered } from './support/mortal-server.ts';
import { ResumingStream } from './support/socket.ts';
import { anyMoment, eventually } from './support/waiting.ts';

/** Makes invites, each with a key of its own, until the server is gone; remembers those that it was told of. */
async function inviteUntilKilled(person: TestClient, groupId: string, acknowledged: Map<string, string>) {
  for (;;) {
    const idempotencyKey = crypto.randomUUID();
    const input = { groupId, role: 'EMPLOYEE', idempotencyKey };
    const result = await person.does('CreateInvite', { input }).catch(unlessAnswered);
    if (!result) return;
    acknowledged.set(result.invite.id, idempotencyKey);
  }
}

test.concurrent.each([
  'Postgres',
  'the embedded database',
] as const)('nothing acknowledged is missing after kill -9 in mid-write on %s', {
  timeout: 180_000,
}, async (kind) => {
  await using stack = new AsyncDisposableStack();
  const environment = await databaseOf(kind, stack);
  const acknowledged = new Map<string, string>();
  let server = stack.use(await Server.start(environment));
  const { token, organizationId, groupId } = await openSchool(server);
  const after = await cursorOf(new TestClient(server.url, token));

  for (let round = 0; round < 3; round++) {
    const before = acknowledged.size;
    const person = new TestClient(server.url, token);
    const writing = Promise.all([1, 2, 3, 4].map(() => inviteUntilKilled(person, groupId, acknowledged)));
    await eventually(() => expect(acknowledged.size).toBeGreaterThan(before + 20));
    await anyMoment(10);
    await server.kill();
    await writing;
    server = stack.use(await Server.start(environment));
  }

  const person = new TestClient(server.url, token);
  const kept = new Set<string>();
  for (let page: Json = { hasNextPage: true, endCursor: null }; page.hasNextPage; ) {
    const { invites } = (await person.run('Invites', { organizationId, first: 100, after: page.endCursor }))
      .organization;
    for (const { id } of invites.nodes) kept.add(id);
    page = invites.pageInfo;
  }
  expect(new Set(acknowledged.keys()).difference(kept)).toEqual(new Set());
  const [id, idempotencyKey] = [...acknowledged].at(-1) ?? [];
  const repeated = await person.does('CreateInvite', { input: { groupId, role: 'EMPLOYEE', idempotencyKey } });
  expect(repeated.invite.id).toBe(id);

  // What was committed got its place in the log too, acknowledged or not, although nobody was left to give it.
  await using stream = new ResumingStream([server.url], person, 'OrganizationEvents', { organizationId, after });
  await eventually(() => expect(stream.delivered.length).toBeGreaterThanOrEqual(kept.size));
  expect(stream.delivered.map(({ invite }) => invite.id)).toHaveLength(kept.size);
  expect(new Set(stream.delivered.map(({ invite }) => invite.id))).toEqual(kept);
  expect(stream.places).toEqual([...stream.places].sort((one, other) => one - other));
});
