import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { tooLarge } from './refusals.ts';

/** Bytes of one request's body; the largest is an institution's roster in base64. */
export const maxBodyBytes = 1024 * 1024;
/** Bytes of one WebSocket message. */
export const maxSocketPayload = 64 * 1024;
/** Characters of one document: what is long belongs into variables. */
export const maxCharacters = 64 * 1024;
/** Tokens in one document; the parser stops there. */
export const maxTokens = 2_000;

const maxRootFields = 20;
const maxAliases = 30;
const maxDirectives = 100;
const maxFragments = 50;
const maxSpreads = 100;
const maxSpreadsAtOnce = 20;
/** Fields asked for again under one name: validation compares each with each, and all that is below them. */
const maxRepeats = 300;

/**
 * Looks how large a document is before anything else looks at it: validating what is too large would itself be the work that this
 * is to prevent. @throws Refusal
 */
export function demandModest(schema: GraphQLSchema, document: DocumentNode): void {
  demandFewRootFields(schema, document);
  const counts = { aliases: 0, directives: 0, fragments: 0, spreads: 0, repeats: 0 };
  // Fragments on one type stand together where they are spread.
  const together = new Map<string, Names>();
  visit(document, {
    Directive() {
      if (++counts.directives > maxDirectives) refuse(maxDirectives, 'directives');
    },
    FragmentDefinition({ typeCondition }) {
      if (++counts.fragments > maxFragments) refuse(maxFragments, 'fragments');
      const type = typeCondition.name.value;
      if (!together.has(type)) together.set(type, new Map());
    },
    FragmentSpread() {
      if (++counts.spreads > maxSpreads) refuse(maxSpreads, 'fragment spreads');
    },
    Field({ alias }) {
      if (alias && ++counts.aliases > maxAliases) refuse(maxAliases, 'aliases');
    },
    SelectionSet(set, _key, parent) {
      const spreads = set.selections.filter(({ kind }) => kind === Kind.FRAGMENT_SPREAD);
      if (spreads.length > maxSpreadsAtOnce) refuse(maxSpreadsAtOnce, 'fragment spreads in one place');
      const names = isFragment(parent) ? together.get(parent.typeCondition.name.value) : undefined;
      counts.repeats += repeatsIn(set, names);
      if (counts.repeats > maxRepeats) refuse(maxRepeats, 'pairs of fields of one name');
    },
  });
}

const refuse = (limit: number, what: string): never => {
  throw tooLarge(`A document may have ${limit} ${what}.`);
};

function demandFewRootFields(schema: GraphQLSchema, { definitions }: DocumentNode): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].map(
    (type) => type?.name,
  );
  let shared = 0;
  for (const definition of definitions) {
    if (definition.kind !== Kind.FRAGMENT_DEFINITION || !roots.includes(definition.typeCondition.name.value)) continue;
    shared += ownFields(definition.selectionSet).length;
  }
  for (const definition of definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    if (ownFields(definition.selectionSet).length + shared > maxRootFields) refuse(maxRootFields, 'root fields');
  }
}

const isFragment = (node: ASTNode | readonly ASTNode[] | undefined): node is FragmentDefinitionNode =>
  node !== undefined && 'kind' in node && node.kind === Kind.FRAGMENT_DEFINITION;

/** The fields of a selection itself, those in inline fragments among them. */
function ownFields({ selections }: SelectionSetNode): FieldNode[] {
  const fields: FieldNode[] = [];
  const waiting: SelectionNode[] = [...selections];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (node.kind === Kind.FIELD) fields.push(node);
    else if (node.kind === Kind.INLINE_FRAGMENT) waiting.push(...node.selectionSet.selections);
  }
  return fields;
}

/** How often each name was asked for. */
type Names = Map<string, number>;

/** How many pairs of its fields answer to one name, with those seen before. */
function repeatsIn(set: SelectionSetNode, seen: Names = new Map()): number {
  let pairs = 0;
  for (const { alias, name } of ownFields(set)) {
    const key = (alias ?? name).value;
    const before = seen.get(key) ?? 0;
    pairs += before;
    seen.set(key, before + 1);
  }
  return pairs;
}
