import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import WithInputPlugin from '@pothos/plugin-with-input';
import type { GraphQLFieldResolver } from 'graphql';
import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { defaultPage, type PageArguments, pageCap } from './connections.ts';
import { Context } from './context.ts';
import { prices, type Size } from './cost.ts';
import { noRow, parseGlobalId } from './ids.ts';
import { tooLarge } from './refusals.ts';

/** The most that one operation may cost and how deep it may go; a list costs as many times its content as it is long. */
const operationLimits = { complexity: 20_000, depth: 12, breadth: 400 };

declare global {
  namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      signedIn: SignedInPlugin<Types>;
    }
    interface FieldOptions<Types, ParentShape, Type, Nullable, Args, ResolveShape, ResolveReturnShape> {
      /** Its value depends on who looks: an event of which a subscription selects it is executed for each viewer alone. */
      perViewer?: true;
    }
    interface QueryFieldOptions<Types extends SchemaTypes, Type, Nullable, Args, ResolveReturnShape> {
      /** Open to people who are not signed in. */
      anonymous?: true;
    }
    interface MutationFieldOptions<Types extends SchemaTypes, Type, Nullable, Args, ResolveReturnShape> {
      /** Open to people who are not signed in. */
      anonymous?: true;
    }
  }
}

/** Refuses by default: a root field demands a signed-in viewer unless it says `anonymous`. */
class SignedInPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  #demands(field: PothosOutputFieldConfig<Types>): boolean {
    const root = field.kind === 'Query' || field.kind === 'Mutation' || field.kind === 'Subscription';
    const open = 'anonymous' in field.pothosOptions && field.pothosOptions.anonymous === true;
    return root && !open;
  }

  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const perViewer = field.pothosOptions.perViewer === true;
    return { ...field, extensions: { ...field.extensions, anonymous: !this.#demands(field), perViewer } };
  }

  override wrapResolve(
    resolve: GraphQLFieldResolver<unknown, Types['Context'], object>,
    field: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    // A subscription demands one when it opens; its events may be shown to many at once.
    return field.kind !== 'Subscription' && this.#demands(field) ? demandViewer(resolve) : resolve;
  }

  override wrapSubscribe(
    subscribe: GraphQLFieldResolver<unknown, Types['Context'], object> | undefined,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> | undefined {
    return subscribe && demandViewer(subscribe);
  }
}

/** Whether an operation is larger than allowed. */
export const exceedsLimits = (result: Size): boolean =>
  result.complexity > operationLimits.complexity ||
  result.depth > operationLimits.depth ||
  result.breadth > operationLimits.breadth;

export const overLimits = (result: Size) =>
  tooLarge(
    `The operation is too large: complexity ${result.complexity} of ${operationLimits.complexity}, ` +
      `depth ${result.depth} of ${operationLimits.depth}, breadth ${result.breadth} of ${operationLimits.breadth}.`,
  );

function demandViewer<Source, Shape>(
  resolve: GraphQLFieldResolver<Source, Shape, object>,
): GraphQLFieldResolver<Source, Shape, object> {
  return (root, args, context, info) => {
    if (context instanceof Context) void context.viewer;
    return resolve(root, args, context, info);
  };
}

SchemaBuilder.registerPlugin('signedIn', SignedInPlugin);

/** What is selected of a connection costs as many times as the page may hold items; its two lists are that page. */
const pageOf = ({ first, last, search }: PageArguments & { readonly search?: string | null }) => ({
  field: search ? prices.search : prices.list,
  multiplier: Math.min(first ?? last ?? defaultPage, pageCap),
});
const onePage = { field: 1, multiplier: 1 };

/** A place in which nothing is ever found: for ids that name no node, which must look like any other absent one. */
const nowhere = { typename: 'Organization', id: noRow };

const nodeTypes = new Map<string, boolean>();

function isNode(typename: string): boolean {
  const known = nodeTypes.get(typename);
  if (known !== undefined) return known;
  if (!builder.configStore.hasConfig(typename as never)) return false; // a string from outside, asked for as a type's name
  const { pothosOptions } = builder.configStore.getTypeConfig(typename);
  nodeTypes.set(typename, 'loadManyWithoutCache' in pothosOptions);
  return isNode(typename);
}

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: string; Output: string };
    Cursor: { Input: string; Output: string };
    JSON: { Input: never; Output: object };
    Base64: { Input: Uint8Array; Output: Uint8Array };
  };
  Connection: { totalCount: () => Promise<number> };
}>({
  plugins: ['signedIn', ErrorsPlugin, RelayPlugin, WithInputPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  errors: {
    directResult: true,
    defaultTypes: [NotFound, Forbidden, InvalidInput],
    defaultUnionOptions: {
      name: ({ fieldName }) => `${capitalized(fieldName)}Result`,
      description: 'What came of it: the thing itself, or the reason why not.',
    },
  },
  relay: {
    cursorType: 'String',
    decodeGlobalID: (id) => {
      const decoded = parseGlobalId(id);
      return decoded && isNode(decoded.typename) ? decoded : nowhere;
    },
    nodeQueryOptions: {
      description: 'Anything with a global id. Null: absent, or not for this viewer.',
      args: { id: { description: 'The global id.' } },
    },
    nodesQueryOptions: {
      description:
        'Things by their global ids, in that order, at most 100. Null at a place: absent, or not for this viewer.',
      args: { ids: { description: 'The global ids, at most 100.' } },
      complexity: ({ ids }) => ({ field: prices.list, multiplier: Array.isArray(ids) ? ids.length : 1 }),
      resolve: (_root, { ids }, _ctx, _info, resolveNodes) => {
        if (ids.length > pageCap) throw new InvalidInput('ids', 'INVALID_PAGE', { max: pageCap });
        return resolveNodes(ids);
      },
    },
    nodeTypeOptions: { description: 'Something with an id that is unique in the whole API and never changes.' },
    pageInfoTypeOptions: { description: 'Where a page stands in its list.' },
    firstArgOptions: { description: 'Take so many from the start (after `after`): 1 to 100, 20 unless told.' },
    lastArgOptions: { description: 'Take so many from the end (before `before`): 1 to 100.' },
    afterArgOptions: { description: 'Only what follows this edge’s cursor.' },
    beforeArgOptions: { description: 'Only what precedes this edge’s cursor.' },
    pageInfoFieldOptions: { description: 'Where this page stands in its list.' },
    edgesFieldOptions: { description: 'The page’s items with their cursors.', complexity: onePage },
    nodeFieldOptions: { description: 'The item.', nullable: false },
    cursorFieldOptions: { description: 'The item’s place, for `after` and `before`.' },
    hasNextPageFieldOptions: { description: 'Whether something follows this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether something precedes this page.' },
    startCursorFieldOptions: { description: 'The cursor of the first item; null on an empty page.' },
    endCursorFieldOptions: { description: 'The cursor of the last item; null on an empty page.' },
    idFieldOptions: { description: 'Unique in the whole API; good for `node(id:)`.' },
    nodesOnConnection: { description: 'The page’s items without their cursors.', complexity: onePage },
    defaultConnectionFieldOptions: { complexity: pageOf },
    defaultConnectionTypeOptions: { description: 'A page of a list.' },
    defaultEdgeTypeOptions: { description: 'An item of a list with its place in it.' },
  },
  withInput: {
    argOptions: { description: 'The values that the mutation takes.' },
    typeOptions: {
      name: ({ fieldName }) => `${capitalized(fieldName)}Input`,
      description: 'The values of one mutation; who may, what happens and what can go wrong stands there.',
    },
  },
  // The plugin only counts; `Operations` refuses, once for the whole operation.
  complexity: { defaultComplexity: 1, defaultListMultiplier: defaultPage, disabled: true },
});

builder.queryType({ description: 'What can be read. What a viewer may not see is null, as if it did not exist.' });
builder.mutationType({ description: 'What can be done. Expected failures are members of each field’s result union.' });
builder.subscriptionType({
  description:
    'What happens, as it happens: exactly once, in order, resumable by `after`; but for `chatPresence`, which is never kept.',
});

builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description: 'How many items the whole list has, with the same filters; counted only when asked for.',
    complexity: prices.count,
    resolve: ({ totalCount }) => totalCount(),
  }),
);

/** What the builder knows of types; for helpers that add to types of many domains. */
export type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer Known> ? Known : never;
