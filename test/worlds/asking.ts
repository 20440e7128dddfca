import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
} from 'graphql';

/** Values of the arguments without which a field cannot be asked for. */
const given: Readonly<Record<string, string>> = {
  'Viewer.messages': '(search: "words", first: 20)',
  'Viewer.posts': '(state: PUBLISHED, first: 20)',
};
/** As of up to a minute, or some milliseconds, ago: two worlds are not looked at in the same instant. */
const momentary: ReadonlySet<string> = new Set(['Broadcast.watchingCount', 'Viewer.cursor', 'LogEvent.cursor']);
/** How deep things are shown within things that have no id by which to ask for them. */
const depth = 4;

const isNode = (type: GraphQLObjectType): boolean => type.getInterfaces().some(({ name }) => name === 'Node');

/** Everything that can be asked of a type, found in the schema: what is added to it tomorrow is asked for, too. */
function everything(type: GraphQLObjectType, left = depth): string {
  const fields = Object.values(type.getFields()).map((field) => selection(type, field, left));
  return `__typename ${fields.filter((field) => field !== '').join(' ')}`;
}

function selection(owner: GraphQLObjectType, field: GraphQLField<unknown, unknown>, left: number): string {
  const path = `${owner.name}.${field.name}`;
  const type = getNamedType(field.type);
  const isList = field.args.some(({ name }) => name === 'first');
  if (momentary.has(path) || (!given[path] && field.args.some(isRequiredArgument))) return '';
  const args = given[path] ?? (isList ? '(first: 20)' : '');
  if (isLeafType(type)) return `${field.name}${args}`;
  if (isUnionType(type)) return `${field.name}${args} { __typename }`;
  if (!isObjectType(type)) return '';
  if (isNode(type)) return `${field.name}${args} { __typename id }`;
  if (left === 0) return '';
  const inside = type.name.endsWith('Connection') ? page(type, left - 1) : everything(type, left - 1);
  return `${field.name}${args} { ${inside} }`;
}

/** A page, its size, and what it is a page of. Its edges say the same again. */
function page(connection: GraphQLObjectType, left: number): string {
  const item = getNamedType(connection.getFields().nodes?.type);
  const shown = isObjectType(item) && !isNode(item) ? everything(item, left) : '__typename id';
  return `totalCount pageInfo { hasNextPage hasPreviousPage } nodes { ${shown} }`;
}

/** Asks for everything of things of some types, each by a variable of the type's name that holds their ids. */
export function documentOf(schema: GraphQLSchema, names: readonly string[]): string {
  const parts = names.map(
    (name) => `${name}: nodes(ids: $${name}) { ... on ${name} { ${everything(typeOf(schema, name))} } }`,
  );
  return `query (${names.map((name) => `$${name}: [ID!]!`).join(' ')}) { ${parts.join(' ')} }`;
}

/** Asks for everything of the viewer, in two documents, as one would have too many tokens. */
export function documentsOfViewer(schema: GraphQLSchema): string[] {
  const viewer = typeOf(schema, 'Viewer');
  const fields = Object.values(viewer.getFields()).map((field) => selection(viewer, field, depth));
  const half = Math.ceil(fields.length / 2);
  return [fields.slice(0, half), fields.slice(half)].map((some) => `{ viewer { ${some.join(' ')} } }`);
}

function typeOf(schema: GraphQLSchema, name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`there is no type ${name}`);
  return type;
}
