import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  stripIgnoredCharacters,
  visit,
} from 'graphql';
import { tooLarge } from './refusals.ts';

/** What two subscriptions must have in common, besides the values of their variables, to be shown the same bytes. */
export interface Selection {
  /** The operation without what makes no difference: layout, comments, names of fragments and variables, its `after`. */
  readonly text: string;
  /** The variables in it, in the order of the text. */
  readonly variables: readonly string[];
  /** Whether what it selects of events of a type depends on who looks. */
  perViewer(eventType: string): boolean;
}

/** Normalizes a valid subscription and finds out what of it may be shared. @throws GraphQLError when it is too large */
export function selectionOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Selection {
  const variables: string[] = [];
  const inlined = {
    ...operation,
    selectionSet: withoutAfter(new Inliner(document).inline(operation.selectionSet)),
    variableDefinitions: [],
  };
  const normal = visit(inlined, {
    Variable: ({ name }) => {
      if (!variables.includes(name.value)) variables.push(name.value);
      return { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: `v${variables.indexOf(name.value)}` } };
    },
    Field: {
      enter: (node): FieldNode => ({
        ...node,
        alias: node.alias?.value === node.name.value ? undefined : node.alias,
        arguments: node.arguments?.toSorted(byName) ?? [],
      }),
    },
  });
  const known = new Map<string, boolean>();
  return {
    text: stripIgnoredCharacters(print(normal)),
    variables,
    perViewer: (eventType) => {
      let found = known.get(eventType);
      if (found === undefined) {
        const type = schema.getType(eventType);
        found =
          !isObjectType(type) ||
          rootsOf(inlined.selectionSet).some((root) => dependsOnViewer(schema, root.selectionSet, [type]));
        known.set(eventType, found);
      }
      return found;
    },
  };
}

const byName = (one: ArgumentNode, other: ArgumentNode): number => (one.name.value < other.name.value ? -1 : 1);

/** Where a stream begins makes no difference to what it shows. */
function withoutAfter(selectionSet: SelectionSetNode): SelectionSetNode {
  const selections = selectionSet.selections.map((node): SelectionNode => {
    if (node.kind === Kind.FIELD) return { ...node, arguments: node.arguments?.filter(isNotAfter) };
    return node.kind === Kind.INLINE_FRAGMENT ? { ...node, selectionSet: withoutAfter(node.selectionSet) } : node;
  });
  return { ...selectionSet, selections };
}

const isNotAfter = ({ name }: ArgumentNode): boolean => name.value !== 'after';

/** The root fields, those in fragments among them. */
const rootsOf = ({ selections }: SelectionSetNode): FieldNode[] =>
  selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node];
    return node.kind === Kind.INLINE_FRAGMENT ? rootsOf(node.selectionSet) : [];
  });

/** Selections in an operation once fragments stand in the place of their names: each may name the next one twice. */
const maxSelections = 5_000;

/** Puts what fragments select in the place of their names. */
class Inliner {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  #count = 0;

  constructor({ definitions }: DocumentNode) {
    const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
  }

  /** @throws Refusal when it becomes too large */
  inline(selectionSet: SelectionSetNode): SelectionSetNode {
    this.#count += selectionSet.selections.length;
    if (this.#count > maxSelections) throw tooLarge(`An operation may have ${maxSelections} selections.`);
    return { ...selectionSet, selections: selectionSet.selections.map((node) => this.#inlineOne(node)) };
  }

  #inlineOne(node: SelectionNode): SelectionNode {
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(node.name.value) : null;
    if (fragment) {
      const { typeCondition } = fragment;
      const selected = this.inline(fragment.selectionSet);
      return { kind: Kind.INLINE_FRAGMENT, typeCondition, directives: node.directives, selectionSet: selected };
    }
    if (node.kind === Kind.FRAGMENT_SPREAD || !node.selectionSet) return node;
    return { ...node, selectionSet: this.inline(node.selectionSet) };
  }
}

/** Whether a selection on values of some types reaches a field that is marked `perViewer`. */
function dependsOnViewer(
  schema: GraphQLSchema,
  selectionSet: SelectionSetNode | undefined,
  types: readonly GraphQLObjectType[],
): boolean {
  return (selectionSet?.selections ?? []).some((node) => {
    if (node.kind === Kind.FIELD) {
      const fields = types.map((type) => type.getFields()[node.name.value]).filter((field) => field !== undefined);
      const returned = new Set(fields.flatMap((field) => possible(schema, getNamedType(field.type))));
      return (
        fields.some((field) => field.extensions.perViewer) || dependsOnViewer(schema, node.selectionSet, [...returned])
      );
    }
    if (node.kind === Kind.FRAGMENT_SPREAD) return true;
    const condition = node.typeCondition && schema.getType(node.typeCondition.name.value);
    const fitting = condition ? new Set(possible(schema, condition)) : null;
    const left = fitting ? types.filter((type) => fitting.has(type)) : types;
    return left.length > 0 && dependsOnViewer(schema, node.selectionSet, left);
  });
}

function possible(schema: GraphQLSchema, type: unknown): readonly GraphQLObjectType[] {
  if (isObjectType(type)) return [type];
  return isAbstractType(type) ? schema.getPossibleTypes(type) : [];
}

/** A value as text that is the same for equal values, whatever the order of their keys. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
