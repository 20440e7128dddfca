import {
  type GraphQLInputType,
  getOperationAST,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  typeFromAST,
} from 'graphql';
import { expect, test } from 'vitest';
import { exceedsLimits } from '../src/graphql/builder.ts';
import { prices, sizeOf } from '../src/graphql/cost.ts';
import { operationDocuments } from '../src/graphql/graphiql.ts';
import { schema } from '../src/schema.ts';
import { operation } from './support/operations.ts';

const names = [...operationDocuments().values()].flatMap((text) =>
  parse(text).definitions.flatMap((one) =>
    one.kind === Kind.OPERATION_DEFINITION && one.name ? [one.name.value] : [],
  ),
);

const scalars: Readonly<Record<string, unknown>> = {
  ID: 'T3JnYW5pemF0aW9uOjAxOWE',
  Int: 100,
  Boolean: true,
  DateTime: '2026-12-01T10:00:00Z',
  Date: '2026-12-01',
  Base64: 'aGk=',
  String: 'something',
};

/** The most that a client would give: pages and lists of a hundred. */
function most(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return most(type.ofType);
  if (isListType(type)) return Array.from({ length: 100 }, () => most(type.ofType));
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (!isInputObjectType(type)) return scalars[type.name];
  const needed = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
  return Object.fromEntries(needed.map((field) => [field.name, most(field.type)]));
}

function costOf(name: string) {
  const document = parse(operation(name));
  const own = getOperationAST(document);
  const variables = Object.fromEntries(
    (own?.variableDefinitions ?? []).flatMap(({ variable, type: node }) => {
      const type = typeFromAST(schema, node);
      const isWanted = isNonNullType(type) || /^(first|last|search)$/.test(variable.name.value);
      return isInputType(type) && isWanted ? [[variable.name.value, most(type)]] : [];
    }),
  );
  if (!own) throw new Error('no operation');
  return sizeOf(schema, document, own, variables);
}

test.each(names)('what clients ask for is within what anybody may, with pages of a hundred: %s', (name) => {
  const cost = costOf(name);
  expect([cost.complexity, exceedsLimits(cost)]).toEqual([expect.any(Number), false]);
});

test('every list says what a page of it costs, its size more, and searching it the most', () => {
  const fields = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ of: type.name, ...field })));
  const costs = (of: string, field: (typeof fields)[number], args: object) => {
    const { complexity } = field.extensions;
    const cost = typeof complexity === 'function' ? complexity(args, {}, field) : complexity;
    return [of, field.name, typeof cost === 'object' ? cost.field : cost];
  };
  const lists = fields.filter(({ args }) => args.some(({ name }) => name === 'first'));
  expect(lists.length).toBeGreaterThan(40);
  for (const field of lists) {
    expect(costs(field.of, field, {})).toEqual([field.of, field.name, prices.list]);
    if (!field.args.some(({ name }) => name === 'search')) continue;
    expect(costs(field.of, field, { search: 'words' })).toEqual([field.of, field.name, prices.search]);
  }
  const sizes = fields.filter(({ name }) => name === 'totalCount');
  for (const field of sizes) expect(costs(field.of, field, {})).toEqual([field.of, 'totalCount', prices.count]);
  const unpriced = fields.filter(
    ({ args, name }) => args.some((arg) => arg.name === 'search') && !lists.some((list) => list.name === name),
  );
  expect(unpriced.map(({ of, name }) => `${of}.${name}`)).toEqual([]);
});
