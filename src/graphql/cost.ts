import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import type { Budget } from '../database/allowance.ts';

/**
 * What a field costs, in answered values. A search of one chat with its size took Postgres 2 to 3 ms where 3,000 of them were asked
 * for at once, a value takes the event loop some 3 µs, and a millisecond of the database weighs a fifth of one of the loop.
 */
export const prices = {
  value: 1,
  /** A page of a list: a statement, where the lists of many are not read together. */
  list: 10,
  /** The size of a list: a statement that goes through all of it. */
  count: 40,
  /** A page, or the size, of what of a list has some words. */
  search: 200,
  /** What is made of Markdown: the longest takes the event loop 20 ms, an ordinary post less than one, and each text is made once. */
  markdown: 30,
} as const;

/** How long the event loop takes for one value of an answer: to resolve it, to write it, to forget it. */
export const valueMs = 0.003;

/**
 * What the database may do for a query, or for one mutation. The most, and by far the longest, does the turn of a year: some ten
 * statements for each group.
 */
const budgets = { query: { statements: 150, ms: 15_000 }, mutation: { statements: 3_000, ms: 60_000 } } as const;

/** The budget of an operation of so many mutations: each has its own. */
export const budgetOf = (mutations: number): Budget =>
  mutations === 0
    ? budgets.query
    : { statements: budgets.mutation.statements * mutations, ms: budgets.mutation.ms * mutations };

/** How many values an answer holds. */
export function valuesIn(answer: unknown): number {
  if (typeof answer !== 'object' || answer === null) return 1;
  let count = 1;
  for (const part of Array.isArray(answer) ? answer : Object.values(answer)) count += valuesIn(part);
  return count;
}

/** How many mutations an operation is: each counts for itself, by whatever alias or fragment it is asked for. */
export function rootMutations(document: DocumentNode, name: string | null | undefined): number {
  const operation = getOperationAST(document, name);
  if (operation?.operation !== OperationTypeNode.MUTATION) return 0;
  const known = new Map<string, number>();
  const fieldsOf = ({ selections }: SelectionSetNode): number =>
    selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FIELD) return sum + 1;
      if (selection.kind === Kind.INLINE_FRAGMENT) return sum + fieldsOf(selection.selectionSet);
      return sum + fieldsIn(selection.name.value);
    }, 0);
  const fieldsIn = (fragment: string): number => {
    const counted = known.get(fragment);
    if (counted !== undefined) return counted;
    const definition = document.definitions.find(
      (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === fragment,
    );
    const count = definition?.kind === Kind.FRAGMENT_DEFINITION ? fieldsOf(definition.selectionSet) : 0;
    known.set(fragment, count);
    return count;
  };
  return fieldsOf(operation.selectionSet);
}

/** How large an operation is; what is counted once is not as often there as its page has items. */
export interface Size {
  readonly complexity: number;
  readonly depth: number;
  readonly breadth: number;
}
interface Part extends Size {
  readonly once: number;
}

/** What a field's definition says of its cost, in `complexity`. */
type Price = number | { readonly field?: number; readonly multiplier?: number };
type Priced = Price | ((args: Readonly<Record<string, unknown>>) => Price);

/** A list without a page is taken to be as long as a page. */
const unpagedLength = 20;

/** How large an operation is, by the prices of its fields: a list costs as many times what is asked of its items as its page may hold. */
export function sizeOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Size {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  const values = { ...variables };
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue) values[variable.name.value] ??= valueFromASTUntyped(defaultValue);
  }
  const known = new Map<SelectionSetNode, Map<string, Part>>();

  const ofSelection = (set: SelectionSetNode, type: GraphQLNamedType): Part => {
    const found = known.get(set)?.get(type.name);
    if (found) return found;
    const parts = set.selections.map((selection) => {
      if (selection.kind === Kind.FIELD) return ofField(selection, type);
      const part = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      const on = part?.typeCondition ? schema.getType(part.typeCondition.name.value) : type;
      return part && on ? ofSelection(part.selectionSet, on) : nothing;
    });
    const sum = (what: (part: Part) => number) => parts.reduce((total, part) => total + what(part), 0);
    const whole: Part = {
      complexity: sum(({ complexity }) => complexity),
      once: sum(({ once }) => once),
      breadth: sum(({ breadth }) => breadth),
      depth: Math.max(0, ...parts.map(({ depth }) => depth)),
    };
    known.set(set, (known.get(set) ?? new Map<string, Part>()).set(type.name, whole));
    return whole;
  };

  const ofField = (node: FieldNode, type: GraphQLNamedType): Part => {
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    if (!field) return { complexity: prices.value, once: 0, depth: 1, breadth: 1 };
    const given = Object.fromEntries(
      (node.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value, values)]),
    );
    const says = field.extensions.complexity as Priced | undefined; // the plugin puts there what the field was defined with
    const price = typeof says === 'function' ? says(given) : (says ?? prices.value);
    const own = typeof price === 'number' ? price : (price.field ?? prices.value);
    if (node.name.value === 'totalCount') return { complexity: 0, once: own, depth: 1, breadth: 1 };
    const isList = isListType(isNonNullType(field.type) ? field.type.ofType : field.type);
    const times = (typeof price === 'number' ? null : price.multiplier) ?? (isList ? unpagedLength : 1);
    const below = node.selectionSet ? ofSelection(node.selectionSet, getNamedType(field.type)) : nothing;
    const complexity = own + below.once + below.complexity * Math.max(times, 0);
    return { complexity, once: 0, depth: 1 + below.depth, breadth: 1 + below.breadth };
  };

  const root = schema.getRootType(operation.operation);
  return root ? ofSelection(operation.selectionSet, root) : nothing;
}

const nothing: Part = { complexity: 0, once: 0, depth: 0, breadth: 0 };
