import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  executeSubscriptionEvent,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  mapSourceToResponseEvent,
  NoSchemaIntrospectionCustomRule,
  parse,
  validateSubscriptionArgs,
} from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { isUnavailable } from '../database/failures.ts';
import { exceedsLimits, tooLarge } from './builder.ts';
import { type Asking, Context, type Services } from './context.ts';
import { presentError } from './errors.ts';
import { maxBodyBytes, maxTokens, operationSize } from './limits.ts';
import type { Limiter } from './rates.ts';

/** What a transport knows of whoever asks; the pipeline turns it into a context. */
export interface ServerContext {
  readonly asking: Asking;
}

export interface PipelineOptions {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly rate: Limiter;
  readonly introspection: boolean;
  readonly logger: Logger;
}

/** The one way from a document to its result, for HTTP, SSE and WebSocket: parse, limits, context, execution, masking. */
export function createPipeline(options: PipelineOptions) {
  return createYoga<ServerContext, { homeroom: Context }>({
    schema: options.schema,
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: '/yoga-health-unused',
    logging: false,
    cors: false,
    batching: false,
    multipart: false,
    maxRequestBodySize: maxBodyBytes,
    maskedErrors: {
      maskError: (error) => {
        const presented = presentError(error, 'en', (err) => options.logger.error({ err }, 'request failed'));
        // Yoga passes on what its JSON parser said, and with it a piece of the body.
        delete presented.extensions.originalError;
        return presented;
      },
    },
    context: async ({ asking }) => {
      try {
        const viewer = asking.token ? await options.services.authenticate(asking.token) : null;
        await options.rate(viewer ? `viewer:${viewer.userId}` : `address:${asking.address}`);
        return { homeroom: new Context(options.services, asking, viewer) };
      } catch (error) {
        // Here the language is still known; what masks errors later knows none.
        throw presentError(error, asking.locale, (err) => options.logger.error({ err }, 'request failed'));
      }
    },
    plugins: [limits(options), execution(options), requestLog(options.logger)],
  });
}

export type Pipeline = ReturnType<typeof createPipeline>;

function limits(options: PipelineOptions): Plugin {
  return {
    onParse: ({ setParseFn }) => setParseFn((source: string) => parse(source, { maxTokens })),
    onValidate: ({ addValidationRule }) => {
      addValidationRule(operationSize);
      if (!options.introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}

/** Resolvers see our Context alone, and every event of a subscription a new one: who asks is asked again each time. */
function execution({ services, logger }: PipelineOptions): Plugin<{ homeroom: Context }> {
  const ours = (args: ExecutionArgs): ExecutionArgs & { contextValue: Context } => {
    const { homeroom } = args.contextValue as { homeroom: Context }; // the pipeline's own context function made it
    return { ...args, contextValue: homeroom };
  };
  const present = (result: ExecutionResult, context: Context): ExecutionResult =>
    result.errors
      ? {
          ...result,
          errors: result.errors.map((error) =>
            presentError(error, context.locale, (err) => logger.error({ err }, 'operation failed')),
          ),
        }
      : result;

  return {
    onExecute: ({ setExecuteFn }) =>
      setExecuteFn(async (args: ExecutionArgs) => {
        const given = ours(args);
        return present(await execute(given), given.contextValue);
      }),
    onSubscribe: ({ setSubscribeFn }) =>
      setSubscribeFn(async (args: ExecutionArgs) => {
        const given = ours(args);
        const context = given.contextValue;
        const refused = outsideLimits(given);
        if (refused) return { errors: [refused] };
        const validated = validateSubscriptionArgs(given);
        if (!('schema' in validated)) return { errors: validated };
        const source = await createSourceEventStream(validated);
        if (!(Symbol.asyncIterator in source)) return present(source, context);
        return mapSourceToResponseEvent(validated, source, async (event) => {
          const viewer = context.asking.token ? await services.authenticate(context.asking.token) : null;
          // Whose session is over is nobody: only the ending is still theirs to hear.
          const ending = 'ending' in Object(event.rootValue);
          const fresh = new Context(services, context.asking, viewer ?? (ending ? context.maybeViewer : null));
          const result = await executeSubscriptionEvent({ ...event, contextValue: fresh });
          // An event that could not be read now is not to count as delivered: the stream breaks off before it.
          const lost = result.errors?.find((error) => isUnavailable(error.originalError));
          if (lost) throw lost;
          return present(result, fresh);
        });
      }),
  };
}

/** The complexity plugin looks at an operation when a root field resolves; a subscription is refused before it opens. */
function outsideLimits({ document, schema, operationName, variableValues, contextValue }: ExecutionArgs) {
  const operation = getOperationAST(document, operationName);
  if (!operation) return null;
  const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  const alone: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
  const result = complexityFromQuery(alone, { schema, variables: { ...variableValues }, ctx: Object(contextValue) });
  return exceedsLimits(result) ? tooLarge(result) : null;
}

/** One line an operation: its name, whose it was, how long it took. Never a phone, never content. */
function requestLog(logger: Logger): Plugin<{ homeroom: Context }> {
  const line = (kind: string, args: ExecutionArgs, started: number, failed: boolean) =>
    logger.info(
      {
        kind,
        operation: getOperationAST(args.document, args.operationName)?.name?.value.slice(0, 60) ?? null,
        viewer: (args.contextValue as Context | { homeroom: Context } | undefined) && viewerOf(args.contextValue),
        ms: Math.round(performance.now() - started),
        failed,
      },
      'operation',
    );
  return {
    onExecute: ({ args }) => {
      const started = performance.now();
      return {
        onExecuteDone: ({ result }) =>
          line('execute', args, started, 'errors' in result && result.errors !== undefined),
      };
    },
    onSubscribe: ({ args }) => {
      const started = performance.now();
      return {
        onSubscribeResult: ({ result }) => line('subscribe', args, started, 'errors' in result),
      };
    },
  };
}

function viewerOf(contextValue: unknown): string | null {
  const { homeroom } = contextValue as { homeroom?: Context }; // as above
  return homeroom?.maybeViewer?.userId ?? null;
}
