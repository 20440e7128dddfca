import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { inSeconds, openNewsroom } from './support/newsroom.ts';
import { newKey } from './support/talk.ts';

const schema = buildSchema(readFileSync(new URL('../schema/schema.graphql', import.meta.url), 'utf8'));
const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});

/** What passes for a value of a scalar, and is none that anybody expects. */
const texts = [
  '',
  ' \u00a0\u2003',
  'NUL \u0000 within',
  'half \ud800',
  '\u202edcba',
  `a${'\u0301'.repeat(500)}`,
  '//evil',
  'https://',
  'https://a:b@c.example/',
  'https://[::1',
  '\' \\ " % _ $1 {{',
  '9'.repeat(400),
  '2026-02-30',
  '0000-00-00',
  '+7916\u0000000001',
  '2026/28',
  'Europe/Nowhere',
  'x'.repeat(60_000),
];
const moments = [
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '+275760-09-13T00:00:00Z',
  '-271821-04-20T00:00:00Z',
  '+010000-01-01T00:00:00Z',
  '2026-02-30T25:61:61Z',
  '1e999',
];
const numbers = [-1, 0, 2 ** 31 - 1, -(2 ** 31), 1e308, 1.5];
const nasty: Readonly<Record<string, readonly unknown[]>> = {
  String: texts,
  ID: ['', 'x', 'VXNlcjp4', '\u0000', 'T3JnYW5pemF0aW9uOicgb3IgMT0x', '\ud800'],
  Int: numbers,
  Float: numbers,
  DateTime: moments,
  Date: [...moments, '2026-02-30', '0000-01-01', '10000-01-01', '-0001-01-01', '1899-12-31'],
  Cursor: texts,
};
const usual = (type: string): unknown =>
  ({ Int: 5, Float: 5, Boolean: true, DateTime: inSeconds(7200), Date: '2026-09-01', String: 'Usual words' })[type];

/** Values for a field: usual ones, but for the one at `path`. */
function fill(type: GraphQLInputType, name: string, ids: Ids, path: readonly string[], value: unknown): unknown {
  if (isNonNullType(type)) return fill(type.ofType, name, ids, path, value);
  if (isListType(type)) return [fill(type.ofType, name, ids, path, value)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => field.name === path[0] || isNonNullType(field.type) || type.isOneOf,
    );
    return Object.fromEntries(
      fields.map((field) => {
        const isNext = field.name === path[0];
        return [field.name, fill(field.type, field.name, ids, isNext ? path.slice(1) : ['-'], value)];
      }),
    );
  }
  if (path.length === 0) return value;
  if (/[kK]ey$|clientMessageId/.test(name)) return newKey();
  if (/[pP]hone$/.test(name)) return '+79161234567';
  return type.name === 'ID' ? (ids[name] ?? ids[name.replace(/s$/, '')] ?? 'VXNlcjp4') : usual(type.name);
}
type Ids = Readonly<Record<string, string>>;

/** Every scalar of an input, by the way to it. */
function* scalarsOf(type: GraphQLInputType, path: readonly string[] = []): Generator<{ path: string[]; type: string }> {
  const inner = isNonNullType(type) || isListType(type) ? type.ofType : null;
  if (inner) yield* scalarsOf(inner as GraphQLInputType, path);
  else if (isInputObjectType(type)) {
    const fields = Object.values((type as GraphQLInputObjectType).getFields());
    for (const field of path.length < 4 ? fields : []) yield* scalarsOf(field.type, [...path, field.name]);
  } else if (!isEnumType(type)) yield { path: [...path], type: String((type as { name: string }).name) };
}

const requestsOf = ({ name, args }: GraphQLField<unknown, unknown>, ids: Ids) =>
  args.flatMap((arg) =>
    [...scalarsOf(arg.type)].flatMap(({ path, type }) =>
      (nasty[type] ?? []).map((value) => ({
        name,
        document: `mutation ($input: ${arg.type}) { ${name}(${arg.name}: $input) { __typename } }`,
        variables: { input: fill(arg.type, arg.name, ids, path, value) },
        told: `${name} ${path.join('.')}: ${JSON.stringify(value)?.slice(0, 40)}`,
      })),
    ),
  );

/** They end what the others need. */
const ending =
  /^(signOut|endMembership|suspendOrganization|archive|revokeSession|revokeAdministrator|deleteOrganization)/;

test('whatever value a scalar of a mutation has, the answer is never INTERNAL', { timeout: 300_000 }, async () => {
  await using app = await startTestApp({ config: { ratePerMinute: 1_000_000 } });
  const { world, ...room } = await openNewsroom(app.world);
  const { school, administrator, teacher, head, groupId, child } = room;
  const chatId = await world.chat(teacher, school, groupId);
  const input = { channelId: room.groupChannel, title: 'Snow', startsAt: inSeconds(3600) };
  const ended = (await teacher.does('ScheduleBroadcast', { input })).id;
  await teacher.does('StartBroadcast', { broadcastId: ended });
  await teacher.does('EndBroadcast', { broadcastId: ended });
  const ids: Ids = {
    organizationId: school.id,
    groupId,
    childId: child,
    chatId,
    channelId: room.groupChannel,
    postId: await world.post(teacher, room.groupChannel, 'Snow', { commenting: 'OPEN' }),
    messageId: (await world.message(teacher, chatId)).id,
    membershipId: head.membershipId,
    broadcastId: ended,
    userId: await world.userId(head),
  };
  const failed: string[] = [];
  const requests = mutations.filter(({ name }) => !ending.test(name)).flatMap((field) => requestsOf(field, ids));
  const waiting = requests.values();
  const work = async (): Promise<void> => {
    for (const { name, document, variables, told } of waiting) {
      const person = /Application|Invite|Membership|Group|Child|Roster|Organization/.test(name)
        ? administrator
        : teacher;
      const { errors } = await person.send(document, variables);
      if (errors?.some(({ extensions }: { extensions?: { code?: string } }) => extensions?.code === 'INTERNAL'))
        failed.push(told);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  expect(requests.length).toBeGreaterThan(1000);
  expect(failed).toEqual([]);
});
