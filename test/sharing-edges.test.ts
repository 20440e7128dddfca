import { setImmediate as nextTurn } from 'node:timers/promises';
import { Kind, parse, validate, validateSubscriptionArgs } from 'graphql';
import { describe, expect, test } from 'vitest';
import { NotFound } from '../src/errors.ts';
import { idOf } from '../src/graphql/ids.ts';
import { Plans } from '../src/graphql/plan.ts';
import { selectionOf } from '../src/graphql/sharing.ts';
import type { Hub } from '../src/log/hub.ts';
import { schema } from '../src/schema.ts';
import { startTestApp } from './support/app.ts';
import { TestClient } from './support/client.ts';
import { publish } from './support/crowd.ts';
import { cursorOf, Oracle } from './support/log.ts';
import {
  accessBegan,
  accessEnded,
  arrive,
  hubAtStart,
  openLog,
  school,
  stay,
  TestRenderer,
  tell,
} from './support/log-followers.ts';
import { eventually } from './support/waiting.ts';

const rename = (administrator: TestClient, organizationId: string, name: string) =>
  administrator.does('UpdateOrganization', { input: { organizationId, name } });

test('who follows where the first that the server heard of the school was that somebody left it is shown what comes next', async () => {
  await using app = await startTestApp();
  const place = await app.world.school();
  const leaver = await app.world.member(place, 'GUARDIAN');
  const member = await app.world.member(place, 'GUARDIAN');
  await using restarted = await startTestApp({ databaseUrl: app.databaseUrl ?? '' });
  const [administrator, stays] = [place.administrator, member].map(({ token }) => new TestClient(restarted.url, token));
  if (!administrator || !stays) throw new Error('two were to come back');
  await administrator.does('EndMembership', { membershipId: leaver.membershipId, reason: 'Left' });
  const after = await cursorOf(stays);
  await using stream = stays.subscribe('OrganizationEvents', { organizationId: place.id, after });
  await rename(administrator, place.id, 'Kindergarten 8');
  expect(await stream.next()).toMatchObject({ organization: { name: 'Kindergarten 8' } });
  expect(stream.errors).toEqual([]);
});

test('a member is not shown what an administrator was shown at the same place of a history that was lost', async () => {
  await using app = await startTestApp();
  await using oracle = new Oracle(app);
  const { sql } = oracle;
  const { id: organizationId, administrator } = await app.world.school();
  const member = await app.world.member({ id: organizationId, administrator, staffGroupId: '' }, 'GUARDIAN');
  const query = `subscription ($organizationId: ID!, $after: Cursor) {
    organizationEvents(organizationId: $organizationId, after: $after) { __typename
      ... on JoinRequestSubmitted { joinRequest { organizationName contact { phone } } }
      ... on OrganizationChanged { organization { name } } } }`;
  const after = await cursorOf(member);
  await oracle.everythingPlaced();
  const [kept] = await sql<{ last: number }[]>`select max(position) as last from log_events`;
  const told = administrator.listen(query, { organizationId, after });
  await member.does('SubmitJoinRequest', { input: { organizationId, role: 'EMPLOYEE' } });
  expect(await told.next()).toMatchObject({ __typename: 'JoinRequestSubmitted' });
  await oracle.everythingPlaced();
  const lost = await sql`select from log_events where position > ${kept?.last ?? 0}`;

  // A failover to a server that has not got the last transaction.
  await sql.begin(async (tx) => {
    await tx`delete from log_events where position > ${kept?.last ?? 0}`;
    await tx`delete from join_requests where state = 'PENDING'`;
    await tx`select setval('log_position', ${kept?.last ?? 0})`;
    await tx`update log_state set cluster = 'the one that took over'`;
  });
  expect(await told.next()).toMatchObject({ __typename: 'ResyncRequired' });
  const followed = member.listen(query, { organizationId, after: await cursorOf(member) });
  for (let turn = 0; turn < lost.length; turn++) await rename(administrator, organizationId, `Kindergarten ${turn}`);
  const events = await followed.count(lost.length);
  // Each shows the school as it is when it is told, which may be a later name.
  expect(events.map(({ __typename }) => __typename)).toEqual(lost.map(() => 'OrganizationChanged'));
  expect(events.at(-1)).toMatchObject({ organization: { name: `Kindergarten ${lost.length - 1}` } });
});

test('an event of a kind that only a newer server knows is passed over, and what comes behind it is told', async () => {
  await using app = await startTestApp();
  await using oracle = new Oracle(app);
  const { id: organizationId, administrator } = await app.world.school();
  const after = await cursorOf(administrator);
  const streams = [
    administrator.subscribe('OrganizationEvents', { organizationId, after }),
    administrator.subscribe('ViewerEvents', { after }),
  ];
  await publish(
    oracle.sql,
    oracle.sql`select id, 'NEVER_HEARD_OF', organization_id from audiences
      where kind = 'MEMBERS' and organization_id = ${idOf('Organization', organizationId)}`,
  );
  await rename(administrator, organizationId, 'Kindergarten 8');
  for (const stream of streams) {
    expect(await stream.next()).toMatchObject({ organization: { name: 'Kindergarten 8' } });
    expect(stream.errors).toEqual([]);
  }
});

/** Once its lanes hand on what happens in so many audiences, whoever is here has caught up. */
const hears = (hub: Hub, readers: number, audiences: number, lanes = 1) =>
  eventually(() => expect(hub.size).toBe(readers + lanes + audiences));

test('who had two capacities in a group, one of them without a place when it was read, loses it with both', async () => {
  await using log = await openLog();
  const group = crypto.randomUUID();
  const stays = [stay(school), stay(group), stay(group, { since: Infinity })];
  const hub = hubAtStart(log, async () => [...stays]);
  const person = await arrive(hub);
  const feed = await person.follow({ scope: 'ORGANIZATION', capacity: 1 });
  tell(hub, accessBegan(person.userId, group), {}, { audienceId: group });
  tell(hub, accessEnded(person.userId, group), accessEnded(person.userId, group), { audienceId: group }, {});
  stays.splice(1);
  expect(await feed.take(3)).toEqual([2, 3, 7]);
  // As anybody who is not in the audience any more: by their own rights.
  expect(feed.shownAlone).toEqual([3]);
  await expect(person.follow({ anchor: group })).rejects.toThrow(NotFound);
});

test('what was being shown of a lost history hides nothing of the one that took its place', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const [deaf, quick, late] = [await arrive(hub), await arrive(hub), await arrive(hub)];
  const shown = Promise.withResolvers<void>();
  const renderer = new TestRenderer(({ position }, bytes) => (position > 10 ? shown.promise.then(() => bytes) : bytes));
  // One who does not read stays, and with them the way that all take who follow alike.
  const full = await deaf.follow({ renderer, capacity: 0 });
  const told = await quick.follow({ renderer });
  await hears(hub, 3, 1);
  tell(hub, ...Array.from({ length: 10 }, () => ({})));
  await told.take(10);
  tell(hub, {}, {});
  await eventually(() => expect(renderer.asked).toContain(12));
  hub.restart({ epoch: crypto.randomUUID(), position: 2 });
  expect(await told.rest()).toEqual([{ ending: 'RESYNC_REQUIRED', position: 2 }]);

  const feed = await late.follow({ renderer });
  await hears(hub, 3, 1);
  tell(hub, {}, {});
  tell(hub, accessBegan(late.userId, crypto.randomUUID()), {});
  shown.resolve();
  expect(await feed.take(3)).toEqual([3, 4, 6]);
  full.close();
});

test('what was read for the events of one turn is read anew for those of the next', async () => {
  const plans = new Plans({} as never); // of which nothing is asked here
  const next = nextTurn();
  const { loaders } = plans;
  expect(plans.loaders).toBe(loaders);
  await next;
  expect(plans.loaders).not.toBe(loaders);
});

describe('who subscribes is shown the same as others', () => {
  const plans = new Plans({} as never);

  function planOf(text: string, variableValues: Record<string, unknown>) {
    const document = parse(text);
    expect(validate(schema, document)).toEqual([]);
    const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const args = validateSubscriptionArgs({ schema, document, variableValues });
    if (!('schema' in args) || operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(JSON.stringify(args));
    return plans.planOf(selectionOf(schema, document, operation), args, () => null);
  }

  test('but not if one gives null, and the other nothing, for an argument that has a default', () => {
    const text = `subscription ($revoked: Boolean) { viewerEvents { ... on OrganizationChanged { organization {
      administrators(revoked: $revoked) { totalCount } } } } }`;
    expect(planOf(text, { revoked: null })).not.toBe(planOf(text, {}));
    expect(planOf(text, {})).toBe(planOf(text, {}));
  });

  test.each([
    'fragment Root on Subscription { viewerEvents(after: $after) { __typename } }',
    'fragment Root on Subscription { ... { viewerEvents(after: $after) { __typename } } }',
  ])('wherever they begin, also where the place is given in a fragment: %s', (fragment) => {
    const text = `subscription ($after: Cursor) { ...Root } ${fragment}`;
    expect(planOf(text, { after: 'a' })).toBe(planOf(text, { after: 'b' }));
  });
});
