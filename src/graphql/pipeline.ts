import type { ExecutionArgs } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Asking, Context } from './context.ts';
import { presentError } from './errors.ts';
import { EventStream, type EventStreams } from './event-stream.ts';
import { maxBodyBytes } from './limits.ts';
import type { Operations } from './operations.ts';
import { parametersOf } from './parameters.ts';
import { Refusal } from './refusals.ts';

/** What HTTP knows of whoever asks; the pipeline turns it into a context. */
export interface ServerContext {
  readonly asking: Asking;
  /** Where the log stood when the request came. */
  readonly since: number;
  /** Calls back when the connection is closed, also before there is an answer. */
  whenGone(leave: () => void): unknown;
  /** Who asks, once that is known. */
  homeroom?: Context;
  /** The body of the response, once a subscription has been opened. */
  body?: ReadableStream<Uint8Array>;
}

/** GraphQL over HTTP by Yoga, which reads requests and writes responses; what comes between is `Operations`'. */
export function createPipeline(operations: Operations, streams: EventStreams, logger: Logger) {
  return createYoga<ServerContext>({
    schema: operations.schema,
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: '/yoga-health-unused',
    logging: false,
    cors: false,
    batching: false,
    multipart: false,
    parserAndValidationCache: false,
    maxRequestBodySize: maxBodyBytes,
    maskedErrors: {
      maskError: (error) => presentError(error, 'en', (err) => logger.error({ err }, 'request failed')),
    },
    plugins: [through(operations), streaming(operations, streams)],
  });
}

export type Pipeline = ReturnType<typeof createPipeline>;

const through = (operations: Operations): Plugin<{ homeroom: Context }, ServerContext> => ({
  onRequestParse: ({ setRequestParser }) => setRequestParser(parametersOf),
  // Whether they may ask so often is asked before there is any work.
  onParams: async ({ context }) => {
    context.homeroom = await operations.context(context.asking);
  },
  onParse: ({ context, setParseFn }) => setParseFn((source: string) => operations.parse(source, context.homeroom)),
  onValidate: ({ setValidationFn }) => setValidationFn((_schema, document) => operations.validate(document)),
  onExecute: ({ setExecuteFn }) =>
    setExecuteFn(({ document, operationName, variableValues, contextValue }: ExecutionArgs) => {
      const { homeroom } = contextValue as { homeroom: Context }; // the pipeline's own context function made it
      return operations.execute({ document, operationName, variables: variableValues }, homeroom);
    }),
});

/** A subscription's results go past Yoga: it only sees that there is a stream, and sends the body that is made here. */
const streaming = (operations: Operations, streams: EventStreams): Plugin<{ homeroom: Context }, ServerContext> => ({
  onSubscribe: ({ setSubscribeFn }) =>
    setSubscribeFn(async ({ document, operationName, variableValues, contextValue }: ExecutionArgs) => {
      const server = contextValue as ServerContext & { homeroom: Context; request: Request }; // Yoga joins them
      if (!server.request.headers.get('accept')?.includes(eventStream)) return { errors: [notStreamed] };
      const { homeroom } = server;
      const operation = { document, operationName, variables: variableValues };
      const viewer = homeroom.maybeViewer;
      if (!viewer) return operations.subscribe(operation, homeroom);
      const stream = new EventStream(streams, viewer, server.asking);
      await streams.hub.hold(stream, server.since);
      server.whenGone(() => stream.fail());
      const opened = await operations.subscribe(operation, homeroom);
      if (!('plan' in opened)) {
        stream.fail();
        return opened;
      }
      server.body = stream.start(opened);
      return elsewhere;
    }),
  onResultProcess: ({ serverContext, setResultProcessor }) => {
    const { body } = serverContext;
    if (body)
      setResultProcessor((_result, { Response }) => new Response(body, { headers: streamHeaders }), eventStream);
  },
});

const eventStream = 'text/event-stream';
const streamHeaders = { 'content-type': eventStream, 'cache-control': 'no-store', 'x-accel-buffering': 'no' };

/** A stream of results that is never asked for one. */
const elsewhere: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };

const notStreamed = new Refusal('NOT_ACCEPTABLE', 'Subscribe over WebSocket, or with `Accept: text/event-stream`.', {
  extensions: { http: { status: 406 } },
});
