import fc from 'fast-check';
import { type DocumentNode, Kind, parse, print, visit } from 'graphql';
import { operationDocuments } from '../../src/graphql/graphiql.ts';

/** A word that no answer of ours has; every name and text below holds it. */
export const marker = 'Zq7xW';
const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

const documents: DocumentNode[] = [...operationDocuments().values()].map((text) => parse(text));

const word = fc.string({ maxLength: 12 }).map((text) => marker + text);
const name = fc.integer({ min: 0, max: 99 }).map((number) => `${marker}${number}`);
const scalar = fc.oneof(
  word,
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, true, '\u0000', '\ud800', Number.POSITIVE_INFINITY, -0, '9'.repeat(400)),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 6, depthSize: 'small' },
    scalar,
    fc.array(tie('json'), { maxLength: 20 }),
    fc.dictionary(fc.oneof(word, fc.constantFrom('__proto__', 'constructor', 'input', 'id', 'query')), tie('json'), {
      maxKeys: 20,
    }),
  ),
}));

/** Many of one thing: as many as fit into the megabyte that a body may have. */
const swollen = fc
  .tuple(fc.integer({ min: 1, max: 60_000 }), fc.constantFrom('key', 'item', 'nest', 'text'))
  .map(([count, kind]): unknown => {
    if (kind === 'key') return Object.fromEntries(times(count, (at) => [`${marker}${at}`, at]));
    if (kind === 'item') return times(count, () => marker);
    if (kind === 'text') return marker.repeat(count);
    return JSON.parse(`${'['.repeat(Math.min(count, 2_000))}${']'.repeat(Math.min(count, 2_000))}`);
  });

const token = fc.constantFrom(
  ...'{}()[]:!$@=|&'.split(''),
  '...',
  'query',
  'mutation',
  'subscription',
  'fragment',
  'on',
  '__typename',
  'viewer',
  'node',
  'id',
  '"',
  '"""',
  '0',
  '1e9',
  'null',
  'true',
  '#\n',
);
const scribbled = fc.array(fc.oneof(token, name), { maxLength: 200 }).map((parts) => parts.join(' '));

/** A document of `schema/operations` in which names became others. */
const mutated = fc
  .tuple(fc.constantFrom(...documents), fc.array(fc.nat(500), { maxLength: 4 }), name)
  .map(([document, places, other]) => {
    let at = 0;
    return print(
      visit(document, {
        Name: (node) => (places.includes(at++) ? { kind: Kind.NAME, value: other, loc: node.loc } : undefined),
      }),
    );
  });

const repeated = fc
  .tuple(
    fc.constantFrom(
      `${marker}: __typename `,
      `@${marker} `,
      `{ ${marker} `,
      `...${marker} `,
      'viewer { id } ',
      '[',
      `$${marker}: ID! `,
    ),
    fc.integer({ min: 1, max: 5_000 }),
  )
  .map(([part, count]) => `{ ${part.repeat(count)} }`);

/** Those by which whoever sends them is somebody else, or nobody, from then on. */
const leaving = /^(SignIn|SignOut|RevokeSession|RevokeOtherSessions)$/;

const operations = documents.flatMap(({ definitions }) =>
  definitions
    .filter((one) => one.kind === Kind.OPERATION_DEFINITION)
    .filter(({ name }) => name && !leaving.test(name.value))
    .map((one) => ({ document: print({ kind: Kind.DOCUMENT, definitions }), one })),
);
/** A real operation with values of any shape. */
const misused = fc
  .constantFrom(...operations)
  .chain(({ document, one }) =>
    fc
      .tuple(...(one.variableDefinitions ?? []).map(({ variable }) => fc.tuple(fc.constant(variable.name.value), json)))
      .map((pairs) => ({ query: document, operationName: one.name?.value, variables: Object.fromEntries(pairs) })),
  );

/** About as many ids as a body may have, of which none is one. */
const astray = fc.integer({ min: 1, max: 9_900 }).map((count) => ({
  query: 'query ($a: [ID!]!) { nodes(ids: $a) { id } }',
  variables: { a: times(count, (at) => `${marker}${at}`) },
}));

/** Bodies of requests as strangers may send them: real operations misused, documents and JSON of any shape, many of one thing. */
export const bodies = fc.oneof(
  { weight: 40, arbitrary: misused.map((asked) => JSON.stringify(asked)) },
  { weight: 20, arbitrary: json.map((value) => JSON.stringify(value) ?? '') },
  {
    weight: 20,
    arbitrary: fc.tuple(scribbled, json).map(([query, variables]) => JSON.stringify({ query, variables })),
  },
  { weight: 20, arbitrary: mutated.map((query) => JSON.stringify({ query })) },
  { weight: 10, arbitrary: repeated.map((query) => JSON.stringify({ query })) },
  {
    weight: 1,
    arbitrary: fc.tuple(misused, swollen).map(([asked, a]) => JSON.stringify({ ...asked, variables: { a, input: a } })),
  },
  { weight: 1, arbitrary: astray.map((asked) => JSON.stringify(asked)) },
  { weight: 10, arbitrary: json.map((query) => JSON.stringify({ query, operationName: query, extensions: query })) },
  { weight: 10, arbitrary: json.map((value) => `${JSON.stringify(value)}`.slice(0, -3)) },
);
