import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  type ValidatedSubscriptionArgs,
  validateSubscriptionArgs,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { type Budget, charge, counted } from '../database/allowance.ts';
import type { Share, Shares } from '../database/shares.ts';
import { DomainError } from '../errors.ts';
import { Follower } from '../log/follower.ts';
import type { Outlet } from '../log/outlet.ts';
import type { Locale } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { exceedsLimits, overLimits } from './builder.ts';
import { type Asking, type Context, type Services, ViewerContext } from './context.ts';
import { budgetOf, rootMutations, sizeOf, valueMs, valuesIn } from './cost.ts';
import { presentError } from './errors.ts';
import type { JsonObject } from './json.ts';
import { type Plan, Plans } from './plan.ts';
import type { Limiter } from './rates.ts';
import { operationNotFound, type Refusal } from './refusals.ts';
import { type Selection, selectionOf } from './sharing.ts';
import { parseDocument, refusalOf } from './validation.ts';
import { wrongVariable } from './variables.ts';

/** Characters of the documents that are kept parsed and validated; a tree takes a hundred times as much. */
const keptCharacters = 256 * 1024;

export interface OperationOptions {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly rate: Limiter;
  readonly shares: Shares;
  readonly introspection: boolean;
  readonly logger: Logger;
}

/** One operation that somebody asks for, its document parsed and valid. */
export interface Operation {
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variables?: JsonObject | null | undefined;
}

/** A subscription that is open, and delivers once it is started. */
export interface Subscription {
  readonly plan: Plan;
  readonly follower: Follower;
}

/** The one way from a document to what comes of it, for every transport: parse, limits, context, execution, masking. */
export class Operations {
  readonly #options: OperationOptions;
  readonly #plans: Plans;
  /** Valid ones. */
  readonly #documents = new LRUCache<string, DocumentNode>({
    maxSize: keptCharacters,
    sizeCalculation: (_document, text) => text.length + 1,
  });
  readonly #refusals = new WeakMap<DocumentNode, Refusal | null>();
  readonly #selections = new WeakMap<OperationDefinitionNode, Selection>();

  constructor(options: OperationOptions) {
    this.#options = options;
    this.#plans = new Plans(options);
  }

  get schema(): GraphQLSchema {
    return this.#options.schema;
  }

  /** A document that is at hand, so that to ask for it again is no work. */
  known(text: string): DocumentNode | null {
    return this.#documents.get(text) ?? null;
  }

  /** Reads a document for somebody, who pays for it. @throws Refusal for a text that is not GraphQL, or too long */
  parse(text: string, context: Context | null): DocumentNode {
    const known = this.#documents.get(text);
    if (known) return known;
    const began = performance.now();
    try {
      return this.#read(text);
    } finally {
      if (context) this.#shareOf(context).charge(performance.now() - began);
    }
  }

  #read(text: string): DocumentNode {
    const document = parseDocument(text);
    const refusal = this.#check(document);
    this.#refusals.set(document, refusal);
    if (refusal) return document;
    // What is kept does without its tokens, which take four times as much as the rest.
    const kept = parse(text, { noLocation: true });
    this.#refusals.set(kept, null);
    this.#documents.set(text, kept);
    return kept;
  }

  /** What is wrong with a document that was parsed here: nothing, or it must not be executed. */
  validate(document: DocumentNode): readonly GraphQLError[] {
    const known = this.#refusals.get(document);
    const refusal = known === undefined ? this.#check(document) : known;
    return refusal ? [refusal] : [];
  }

  #check(document: DocumentNode): Refusal | null {
    return refusalOf(this.#options.schema, document, this.#options.introspection);
  }

  /** Who asks, asked afresh, and whether they may ask so often. */
  async context(asking: Asking): Promise<ViewerContext> {
    const { services, rate, shares } = this.#options;
    try {
      const viewer = asking.token ? await services.authenticate(asking.token) : null;
      const context = new ViewerContext(services, asking, viewer);
      const asker = askerOf(context);
      await rate(asker);
      await shares.of(asker).turn();
      return context;
    } catch (error) {
      // Here the language is still known; what masks errors later knows none.
      throw this.#present(error, asking.locale, 'request failed');
    }
  }

  /** The context of somebody who has just been let in: they were asked who they are, and come no oftener than that. */
  contextOf(asking: Asking, viewer: Viewer): ViewerContext {
    return new ViewerContext(this.#options.services, asking, viewer);
  }

  /** A query's or a mutation's result. */
  async execute(operation: Operation, context: Context): Promise<ExecutionResult> {
    const started = performance.now();
    const mutations = rootMutations(operation.document, operation.operationName);
    const result = await this.#countedFor(context, budgetOf(mutations), async () => {
      const refused = this.#refusalOf(operation) ?? this.#outsideLimits(operation);
      if (refused) return { errors: [refused] };
      // The first was counted when they asked.
      if (mutations > 1) await this.#options.rate(askerOf(context), mutations - 1);
      return await executed({ ...this.#argsOf(operation), contextValue: context });
    });
    this.#log('execute', operation, context, started, result.errors !== undefined);
    return this.#presented(result, context);
  }

  /** Opens a subscription, or tells what is wrong with it. */
  async subscribe(operation: Operation, context: Context): Promise<Subscription | ExecutionResult> {
    const started = performance.now();
    const opened = await this.#countedFor(context, budgetOf(0), () => this.#open(operation, context));
    this.#log('subscribe', operation, context, started, 'errors' in opened);
    return 'plan' in opened ? opened : this.#presented(opened, context);
  }

  async #open(operation: Operation, context: Context): Promise<Subscription | ExecutionResult> {
    const refused = this.#refusalOf(operation);
    if (refused) return { errors: [refused] };
    const args = validateSubscriptionArgs({ ...this.#argsOf(operation), contextValue: context });
    if (!('schema' in args)) return { errors: args };
    const selection = this.#selectionOf(args);
    if (selection instanceof GraphQLError) return { errors: [selection] };
    const plan = this.#plans.planOf(selection, args, () => this.#outsideLimits(operation));
    if (plan instanceof GraphQLError) return { errors: [plan] };
    const follower = await createSourceEventStream(args);
    if (!(follower instanceof Follower)) return follower as ExecutionResult; // a source that is no stream is a result
    return { follower, plan };
  }

  #shareOf(context: Context): Share {
    return this.#options.shares.of(askerOf(context));
  }

  /** Does what somebody asks for, out of their share; who may not now is answered so. */
  async #countedFor<Result>(
    context: Context,
    budget: Budget,
    work: () => Promise<Result | ExecutionResult>,
  ): Promise<Result | ExecutionResult> {
    try {
      return await counted(this.#shareOf(context), budget, work);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { errors: [new GraphQLError(error.message, { originalError: error })] };
    }
  }

  #argsOf({ document, operationName, variables }: Operation) {
    return { schema: this.#options.schema, document, operationName, variableValues: variables };
  }

  #selectionOf({ schema, document, operation }: ValidatedSubscriptionArgs): Selection | GraphQLError {
    try {
      const selection = this.#selections.get(operation) ?? selectionOf(schema, document, operation);
      this.#selections.set(operation, selection);
      return selection;
    } catch (error) {
      if (error instanceof GraphQLError) return error;
      throw error;
    }
  }

  /** What is wrong with what is asked for, before anything is made of it. */
  #refusalOf({ document, operationName, variables }: Operation): Refusal | null {
    const operation = getOperationAST(document, operationName);
    if (operation) return wrongVariable(this.#options.schema, operation, variables ?? {});
    return operationNotFound();
  }

  /** What is larger than allowed is refused before anything of it is done. */
  #outsideLimits({ document, operationName, variables }: Operation): GraphQLError | null {
    const operation = getOperationAST(document, operationName);
    if (!operation) return null;
    const result = sizeOf(this.#options.schema, document, operation, variables ?? {});
    return exceedsLimits(result) ? overLimits(result) : null;
  }

  #presented(result: ExecutionResult, { locale }: Context): ExecutionResult {
    const errors = result.errors?.map((error) => this.#present(error, locale, 'operation failed'));
    return errors ? { ...result, errors } : result;
  }

  #present(error: unknown, locale: Locale, message: string): GraphQLError {
    return presentError(error, locale, (err) => this.#options.logger.error({ err }, message));
  }

  /** One line an operation: its name, whose it was, how long it took. Never a phone, never content. */
  #log(kind: string, { document, operationName }: Operation, context: Context, started: number, failed: boolean): void {
    const operation = getOperationAST(document, operationName)?.name?.value.slice(0, 60) ?? null;
    const viewer = context.maybeViewer?.userId ?? null;
    const ms = Math.round(performance.now() - started);
    this.#options.logger.info({ kind, operation, viewer, ms, failed }, 'operation');
  }
}

/** Whose share and whose limits it is: a person's, or an address's. */
const askerOf = ({ maybeViewer, asking }: Context): string =>
  maybeViewer ? `viewer:${maybeViewer.userId}` : `address:${asking.address}`;

/** Executes, and takes note of how long that held the event loop: at first as measured, and then by how much was answered. */
async function executed(args: ExecutionArgs): Promise<ExecutionResult> {
  const began = performance.now();
  const executing = execute(args);
  charge(performance.now() - began);
  const result = await executing;
  charge(valuesIn(result.data) * valueMs);
  return result;
}

/** Whether what is asked for is to be delivered, rather than answered. */
export const isSubscription = ({ document, operationName }: Operation): boolean =>
  getOperationAST(document, operationName)?.operation === OperationTypeNode.SUBSCRIPTION;

/** Lets a subscription deliver. */
export const deliver = ({ plan, follower }: Subscription, outlet: Outlet): void => follower.start(plan, outlet);
