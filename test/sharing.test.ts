import {
  type GraphQLObjectType,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  Kind,
  parse,
  validate,
} from 'graphql';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../src/graphql/context.ts';
import { canonical, selectionOf } from '../src/graphql/sharing.ts';
import { schema } from '../src/schema.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { conferencing } from './support/beside.ts';
import type { Json, TestClient } from './support/client.ts';
import { pollIn } from './support/polls.ts';
import { RawSocket } from './support/socket.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';

let app: TestApp;
let log: Json[];

beforeEach(async () => {
  log = [];
  app = await startTestApp({ config: { conferencing }, onLog: (line) => log.push(line) });
});
afterEach(() => app[Symbol.asyncDispose]());

/** How many times events were executed, for everybody and for somebody alone. */
const executions = () => {
  const renders = log.filter(({ kind }) => kind === 'render');
  return {
    shared: renders.filter(({ shared }) => shared).length,
    alone: renders.filter(({ shared }) => !shared).length,
  };
};

const rename = (administrator: TestClient, organizationId: string, name: string) =>
  administrator.does('UpdateOrganization', { input: { organizationId, name } });

const nexts = (socket: RawSocket, id: string) =>
  socket.messages.filter((message) => message.id === id && message.type === 'next').map(({ payload }) => payload);

/** One subscription, written in as many ways as there are numbers. */
function variant(number: number): { query: string; variables: object; named: Record<string, string> } {
  const space = ' '.repeat(1 + (number % 7));
  const comma = number % 2 ? ',' : '\n';
  const name = `organization${number % 5 ? number : 'Id'}`;
  const fragment =
    number % 3 ? `fragment Place${number} on Organization { id ${number % 4 ? '' : '# the name'}\n name }` : '';
  const fields = fragment ? `...Place${number}` : '... on Organization { id name: name }';
  const after = number % 10 === 9 ? 'after: null,' : '';
  return {
    query: `${fragment} # variant ${number}
      subscription${space}Watch($${name}: ID!)${space}{
        organizationEvents(${after} organizationId: $${name}) { __typename${comma} ...${space}on OrganizationChanged {${space}organization { ${fields} } } }
      } query Unused { __typename }`,
    variables: {},
    named: { name },
  };
}

test('a hundred ways to write one subscription are one execution, and two of the same on one socket one copy each', async () => {
  const { id, administrator } = await app.world.school();
  const people = [administrator, await app.world.member({ id, administrator, staffGroupId: '' }, 'GUARDIAN')];
  const sockets = await Promise.all([...people, administrator].map(({ token }) => RawSocket.open(app.url, token)));
  for (let number = 0; number < 100; number++) {
    const { query, named } = variant(number);
    const socket = sockets[number % 2];
    const payload = { query, operationName: 'Watch', variables: { [named.name ?? '']: id } };
    socket?.send({ id: `way-${number}`, type: 'subscribe', payload });
  }
  for (const copy of ['one', 'two']) {
    const { query, named } = variant(0);
    sockets[2]?.send({
      id: copy,
      type: 'subscribe',
      payload: { query, operationName: 'Watch', variables: { [named.name ?? '']: id } },
    });
  }
  await Promise.all(sockets.map((socket) => socket.run('{ __typename }')));
  log.length = 0;
  await rename(administrator, id, 'Kindergarten 8');

  const ids = [...Array.from({ length: 100 }, (_, number) => `way-${number}`), 'one', 'two'];
  await eventually(() =>
    expect(sockets.flatMap((socket) => ids.flatMap((way) => nexts(socket, way)))).toHaveLength(102),
  );
  expect(executions()).toEqual({ shared: 1, alone: 0 });
  const delivered = new Set(
    sockets.flatMap((socket) => ids.flatMap((way) => nexts(socket, way))).map((payload) => JSON.stringify(payload)),
  );
  expect([...delivered].map((payload) => JSON.parse(payload).data.organizationEvents)).toEqual([
    { __typename: 'OrganizationChanged', organization: { id, name: 'Kindergarten 8' } },
  ]);
  for (const copy of ['one', 'two']) expect(nexts(sockets[2] as RawSocket, copy)).toHaveLength(1);
  for (const socket of sockets) await socket[Symbol.asyncDispose]();
});

test('what depends on who looks is executed for each, and what does not is not, in one subscription', async () => {
  const school = await app.world.school();
  const second = await app.world.secondAdministrator(school);
  const member = await app.world.member(school, 'EMPLOYEE');
  const query = `subscription { organizationEvents(organizationId: "${school.id}") { __typename
    ... on OrganizationChanged { organization { name viewerCanUpdate } }
    ... on InviteChanged { invite { state } } } }`;
  // Asked for the cursor, the server has heard of all that was done before.
  for (const person of [school.administrator, second, member]) await person.run('Viewer');
  const streams = [school.administrator, second, member].map((person) => person.listen(query));
  await eventually(() => expect(log.filter(({ kind }) => kind === 'subscribe')).toHaveLength(3));
  log.length = 0;
  await rename(school.administrator, school.id, 'Kindergarten 8');
  await Promise.all(streams.map((stream) => stream.count(1)));
  expect(executions()).toEqual({ shared: 0, alone: 3 });
  expect(streams.map(({ delivered }) => delivered[0].organization.viewerCanUpdate)).toEqual([true, true, false]);
  await app.world.invite(school);
  await Promise.all(streams.slice(0, 2).map((stream) => stream.count(2)));
  expect(executions()).toEqual({ shared: 1, alone: 3 });
});

describe('a field that depends on the viewer and is not marked so', () => {
  const name = (schema.getType('Organization') as GraphQLObjectType).getFields().name;
  const resolve = name?.resolve;
  afterEach(() => {
    if (name) name.resolve = resolve;
  });

  test.each([
    ['asks for the viewer', (ctx: Context) => ctx.viewer.userId],
    ['asks for the language', (ctx: Context) => ctx.locale],
    [
      'swallows what it is told',
      (ctx: Context) => {
        try {
          return ctx.viewer.userId;
        } catch {
          return 'somebody else’s';
        }
      },
    ],
  ])('that %s is shown to nobody for all: each gets their own, and the log names it', async (_how, broken) => {
    const school = await app.world.school();
    const guardian = await app.world.member(school, 'GUARDIAN');
    await guardian.does('UpdateProfile', { input: { locale: 'en' } });
    const query = `subscription { organizationEvents(organizationId: "${school.id}") {
      ... on OrganizationChanged { organization { name } } } }`;
    const streams = [school.administrator, guardian].map((person) => person.listen(query));
    await eventually(() => expect(log.filter(({ kind }) => kind === 'subscribe')).toHaveLength(2));
    const names = () =>
      streams.map(({ delivered }) => delivered.flatMap(({ organization }) => organization?.name ?? []));
    if (!name) throw new Error('Organization has no name');
    name.resolve = (_organization, _args, ctx) => broken(ctx);
    for (const round of [1, 2]) {
      await rename(school.administrator, school.id, `Kindergarten ${round}`);
      await eventually(() => expect(names().map(({ length }) => length)).toEqual([round, round]));
    }
    const [own, others] = names();
    expect(new Set(own).size).toBe(1);
    expect(own?.[0]).not.toBe(others?.[0]);
    expect([...(own ?? []), ...(others ?? [])]).not.toContain('somebody else’s');
    const told = log.filter(({ level, msg }) => level === 50 && /not marked perViewer/.test(msg));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ type: 'OrganizationChanged' });
  });
});

const isList = (type: unknown): boolean => isObjectType(type) && 'totalCount' in type.getFields();

/** Everything that a type shows without a mark, so deep. */
function unmarked(type: unknown, depth: number): string {
  if (isUnionType(type) || isInterfaceType(type)) {
    return schema
      .getPossibleTypes(type)
      .map((possible) => `... on ${possible.name} { ${unmarked(possible, depth)} }`)
      .join(' ');
  }
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields()).filter(
    (field) => !field.extensions.perViewer && !field.args.some(isRequiredArgument),
  );
  const shown = fields.flatMap((field) => {
    const shows = getNamedType(field.type);
    if (isLeafType(shows)) return [`${type.name}_${field.name}: ${field.name}`];
    // Of a list, how long it is for whoever looks.
    const inner = isList(shows) ? 'totalCount' : depth > 0 ? unmarked(shows, depth - 1) : '';
    return inner ? [`${type.name}_${field.name}: ${field.name} { ${inner} }`] : [];
  });
  return ['__typename', ...shown].join(' ');
}

test('no field that an event can reach asks who looks without being marked', async () => {
  const school = await app.world.school();
  const union = schema.getType('OrganizationEvent');
  if (!isUnionType(union)) throw new Error('there is no union of events');
  // A subscription an event type: together they would be too large an operation, and for one person too many sockets.
  const administrators = [school.administrator, await app.world.secondAdministrator(school)];
  const streams = union
    .getTypes()
    .map((type, at) =>
      administrators[at % 2]?.listen(`subscription { organizationEvents(organizationId: "${school.id}") {
      __typename ... on ${type.name} { ${unmarked(type, 2).replace(/\w+_(\w+): \1/g, '$1')} } } }`),
    )
    .filter((stream) => stream !== undefined);
  await Promise.all(streams.map((stream) => stream.begun()));
  expect(streams.flatMap(({ errors }) => errors)).toEqual([]);
  log.length = 0;
  await app.world.invite(school);
  await rename(school.administrator, school.id, 'Kindergarten 8');
  await app.world.secondAdministrator(school);
  const groupId = await app.world.group(school);
  const teacher = await app.world.teacher(school, groupId);
  const { id: fileId } = await app.world.upload(teacher);
  await teacher.does('AddMaterial', { input: { groupId, title: 'Letters', fileId } });
  const childId = await app.world.child(school, groupId);
  await app.world.guardian(school, childId);
  const effectiveOn = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  await school.administrator.does('GraduateChild', { input: { childId, effectiveOn } });
  const channelId = await app.world.channel(school.administrator, school, 'COMMUNITY');
  await school.administrator.does('UpdateChannel', { input: { channelId, description: 'For all' } });
  const postId = await app.world.post(school.administrator, channelId, 'Tomorrow at nine', { commenting: 'OPEN' });
  await school.administrator.does('PinPost', { postId });
  await school.administrator.does('AddComment', { postId, text: 'At the gate' });
  const input = {
    organizationId: school.id,
    kind: 'CUSTOM',
    name: 'Repairs',
    userIds: [await app.world.userId(teacher)],
  };
  const { id: chatId } = await school.administrator.does('CreateChat', { input });
  const { id: replyToId } = await app.world.message(teacher, chatId);
  await app.world.message(teacher, chatId, 'And at noon', { replyToId, mentionedIds: input.userIds });
  await school.administrator.does('PinMessage', { messageId: replyToId });
  await school.administrator.does('ClosePoll', { pollId: (await pollIn(teacher, chatId)).id });
  const call = await teacher.does('StartCall', { input: { chatId, kind: 'AUDIO' } });
  await school.administrator.does('AnswerCall', { callId: call.call.id });
  await teacher.does('ScheduleMeeting', { input: { chatId, title: 'Repairs', format: 'ONLINE' } });
  const planned = { channelId, title: 'Snow', hostId: input.userIds[0], questioning: 'OPEN' };
  const { id: broadcastId } = await school.administrator.does('ScheduleBroadcast', { input: planned });
  await teacher.does('StartBroadcast', { broadcastId });
  await teacher.does('AskBroadcastQuestion', { broadcastId, text: 'Can you hear me?' });
  const leaving = await app.world.member(school, 'GUARDIAN');
  await leaving.does('SubmitJoinRequest', { input: { organizationId: school.id, role: 'EMPLOYEE' } });
  await school.administrator.does('EndMembership', { membershipId: leaving.membershipId, reason: 'Left' });
  await eventually(() => {
    for (const stream of streams) expect(stream.delivered.at(-1)).toMatchObject({ __typename: 'MembershipChanged' });
  });
  expect(streams.flatMap(({ errors }) => errors)).toEqual([]);
  const seen = new Set(streams.flatMap(({ delivered }) => delivered.map(({ __typename }) => __typename)));
  const never = ['AccessEnded', 'ResyncRequired', 'JoinRequestWithdrawn'];
  expect([...seen].toSorted()).toEqual(
    union
      .getTypes()
      .map((type) => type.name)
      .filter((type) => !never.includes(type))
      .toSorted(),
  );
  expect(log.filter(({ level }) => level >= 50)).toEqual([]);
  // Of what happens in a group, and of what is told to all, not everybody may know all that is asked for here; of the rest
  // everybody may.
  const alone = log.filter(({ kind, shared }) => kind === 'render' && !shared).map(({ position }) => position);
  const audiences = await inDatabase(
    app,
    (sql) => sql`select distinct a.kind from log_events l left join audiences a on a.id = l.audience_id
      where l.position = any(${alone})`,
  );
  expect(audiences.map(({ kind }) => kind).toSorted()).toEqual(['GROUP', 'MEMBERS']);
});

test('what everybody in a group may know is executed once for staff and families alike, and what not all may, for each', async () => {
  const school = await app.world.school();
  const groupId = await app.world.group(school, { name: 'Sun' });
  const teacher = await app.world.teacher(school, groupId);
  const guardian = await app.world.guardian(school, await app.world.child(school, groupId));
  const people = [school.administrator, teacher, guardian];
  // Asked for the cursor, the server has heard of all that was done before.
  for (const person of people) await person.run('Viewer');
  const watch = (fields: string) => {
    const query = `subscription ($groupId: ID!) { groupEvents(groupId: $groupId) {
      ... on GroupChanged { group { ${fields} } } } }`;
    return people.map((person) => person.listen(query, { groupId }));
  };
  const [known, counted] = [watch('name parentId'), watch('name childCount')];
  await eventually(() => expect(log.filter(({ kind }) => kind === 'subscribe')).toHaveLength(6));
  log.length = 0;
  await school.administrator.does('UpdateGroup', { input: { groupId, name: 'Star' } });
  await Promise.all([...known, ...counted].map((stream) => stream.count(1)));
  expect(known.map(({ delivered }) => delivered)).toEqual(
    people.map(() => [{ group: { name: 'Star', parentId: null } }]),
  );
  expect(counted.map(({ delivered }) => delivered[0].group.childCount)).toEqual([1, 1, null]);
  // What is not for all is found out in executing it for all.
  expect(executions()).toEqual({ shared: 2, alone: 3 });
});

describe('two subscriptions are the same', () => {
  const key = (text: string, variables: Record<string, unknown> = {}) => {
    const document = parse(text);
    expect(validate(schema, document)).toEqual([]);
    const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
    if (!operation) throw new Error('no operation');
    const selection = selectionOf(schema, document, operation);
    return canonical([selection.text, selection.variables.map((name) => variables[name])]);
  };
  const plain = 'subscription { viewerEvents { ... on LogEvent { kind cursor } } }';

  test.each([
    ['layout and comments', 'subscription # live\n { viewerEvents { ... on LogEvent { kind,,cursor } } }'],
    [
      'where they begin',
      'subscription ($after: Cursor) { viewerEvents(after: $after) { ... on LogEvent { kind cursor } } }',
    ],
    [
      'an alias that says what the field says',
      'subscription { viewerEvents: viewerEvents { ... on LogEvent { kind: kind cursor } } }',
    ],
  ])('but for %s', (_difference, other) => expect(key(other)).toBe(key(plain)));

  test.each([
    ['an operation’s name', 'subscription Named { viewerEvents { ... on LogEvent { kind cursor } } }'],
    ['an alias', 'subscription { viewerEvents { ... on LogEvent { what: kind cursor } } }'],
    [
      'the order of fields, which is that of the answer',
      'subscription { viewerEvents { ... on LogEvent { cursor kind } } }',
    ],
    ['a field', 'subscription { viewerEvents { ... on LogEvent { kind } } }'],
    ['a directive', 'subscription { viewerEvents { ... on LogEvent { kind @skip(if: true) cursor } } }'],
  ])('and not with another: %s', (_difference, other) => expect(key(other)).not.toBe(key(plain)));

  test('when their variables have equal values, under whatever names', () => {
    const one = 'subscription ($a: ID!) { organizationEvents(organizationId: $a) { ... on LogEvent { kind } } }';
    const other =
      'subscription ($b: ID!, $after: Cursor) { organizationEvents(after: $after, organizationId: $b) { ... on LogEvent { kind } } }';
    expect(key(one, { a: '1' })).toBe(key(other, { b: '1', after: 'x' }));
    expect(key(one, { a: '1' })).not.toBe(key(other, { b: '2' }));
  });
});
