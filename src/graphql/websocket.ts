import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Context as SocketContext } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Hub } from '../log/hub.ts';
import type { Viewer } from '../viewer.ts';
import { askingOf, originAllowed } from './asking.ts';
import type { Asking } from './context.ts';
import { maxSocketPayload } from './limits.ts';
import type { Pipeline } from './pipeline.ts';

/** Close codes beyond graphql-ws's own; stock clients retry all of these. */
export const closeCodes = { drain: 1012, overload: 1013, sessionEnded: 4403 } as const;

const socketsPerPerson = 20;
const operationsPerSocket = 50;
const sessionCheckMs = 60_000;
/** A socket that has not answered one ping when the next is due is gone. */
const heartbeatMs = 12_000;
/** How long a stop waits for the other sides to close. */
const farewellMs = 1_500;
/** How long a closing socket has to say its last words. */
const lastWordsMs = 500;

export interface SocketOptions {
  readonly server: Server;
  readonly pipeline: Pipeline;
  readonly hub: Hub;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: number;
  authenticate(token: string): Promise<Viewer | null>;
  /** Marks sessions as used and answers which of them are still good. */
  keepSessions(sessionIds: readonly string[]): Promise<ReadonlySet<string>>;
}

const tooManyOperations = new GraphQLError(`At most ${operationsPerSocket} operations at once on one socket.`, {
  extensions: { code: 'TOO_MANY_OPERATIONS' },
});

type Params = { readonly authorization?: unknown } & Record<string, unknown>;

interface SocketExtra extends Record<PropertyKey, unknown> {
  readonly socket: WebSocket;
  asking: Asking;
  viewer?: Viewer;
  stopHearing?: () => void;
}

/**
 * GraphQL over WebSocket (graphql-transport-ws) on `/graphql`, through the same pipeline as HTTP. A socket belongs to one
 * session, given as `connectionParams.authorization` or by the browser's cookie, and ends with it.
 */
export function serveSockets(options: SocketOptions): AsyncDisposable {
  const { hub, pipeline } = options;
  const sockets = new Set<SocketExtra>();
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: maxSocketPayload,
    perMessageDeflate: false,
    handleProtocols,
  });

  const protocol = makeServer<Params, SocketExtra>({
    execute: (args) => preparedOf(args).execute(args),
    subscribe: async (args) => breakable(await preparedOf(args).subscribe(args), preparedOf(args).socket),
    onConnect: async ({ extra, connectionParams }) => {
      const { socket } = extra;
      const token = tokenOf(connectionParams) ?? extra.asking.token;
      if (!token) return close(socket, CloseCode.Unauthorized, 'Sign in first');
      const asked = hub.position;
      const viewer = await options.authenticate(token);
      if (!viewer) return close(socket, closeCodes.sessionEnded, 'Session ended');
      // It may have gone while we asked, and then nobody would take it out again.
      if (socket.readyState !== socket.OPEN) return false;
      const own = [...sockets].filter((other) => other.viewer?.userId === viewer.userId);
      if (own.length >= socketsPerPerson) return close(socket, closeCodes.overload, 'Too many sockets');
      extra.asking = { ...extra.asking, token };
      extra.viewer = viewer;
      extra.stopHearing = hub.onSessionEnded(viewer.sessionId, asked, () => void endSocket(extra));
      sockets.add(extra);
      return true;
    },
    onClose: ({ extra }) => {
      sockets.delete(extra);
      extra.stopHearing?.();
    },
    onSubscribe: async (context, _id, payload) => {
      if (Object.keys(context.subscriptions).length > operationsPerSocket) return [tooManyOperations];
      return prepareOperation(pipeline, context, payload);
    },
    onError: (_context, _id, _payload, errors) => errors.map(withoutHttp),
    onNext: (_context, _id, _payload, _args, { errors, ...result }) =>
      errors && { ...result, errors: errors.map(withoutHttp) },
  });

  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const refusal =
      request.url?.split('?')[0] !== '/graphql' ? 404 : originAllowed(request, options.allowedOrigins) ? 0 : 403;
    if (refusal)
      stream.end(`HTTP/1.1 ${refusal} ${refusal === 404 ? 'Not Found' : 'Forbidden'}\r\nConnection: close\r\n\r\n`);
    else wss.handleUpgrade(request, stream, head, (socket) => accept(socket, request));
  };
  options.server.on('upgrade', onUpgrade);

  /** graphql-ws's own adapter, but nothing of an unexpected error leaves, and its close code is one that clients retry. */
  const accept = (socket: WebSocket, request: IncomingMessage): void => {
    const extra: SocketExtra = { socket, asking: askingOf(request, options.trustedProxies, () => {}) };
    const failed = () => socket.close(closeCodes.overload, 'Try again');
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Settles when it is written, or never to be: the close that follows tells.
        send: (data) =>
          new Promise((resolve) => {
            if (socket.readyState === socket.OPEN) socket.send(data, () => resolve());
            else resolve();
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (hear) => socket.on('message', (data) => void hear(String(data)).catch(failed)),
      },
      extra,
    );
    socket.on('pong', () => silent.delete(socket));
    // What breaks the rules of WebSocket itself, like too large a message, has closed the socket already.
    socket.on('error', () => {});
    socket.once('close', (code, reason) => {
      silent.delete(socket);
      closed(code, String(reason)).catch(() => {});
    });
  };

  const silent = new Set<WebSocket>();
  const heartbeat = setInterval(() => {
    for (const socket of wss.clients) {
      if (silent.has(socket)) socket.terminate();
      else if (socket.readyState === socket.OPEN) {
        silent.add(socket);
        socket.ping();
      }
    }
  }, heartbeatMs);

  const check = setInterval(() => void checkSessions(), sessionCheckMs);
  const checkSessions = async () => {
    const ids = hub.sessions();
    for (const { viewer } of sockets) if (viewer) ids.add(viewer.sessionId);
    const good = await options.keepSessions([...ids]).catch(() => null);
    if (!good) return;
    const over = ids.difference(good);
    hub.expire(over);
    for (const extra of sockets) if (extra.viewer && over.has(extra.viewer.sessionId)) void endSocket(extra);
  };

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(check);
      clearInterval(heartbeat);
      options.server.off('upgrade', onUpgrade);
      const gone = new Promise<void>((resolve) => {
        wss.close(() => resolve());
      });
      for (const socket of wss.clients) socket.close(closeCodes.drain, 'Restarting');
      await Promise.race([gone, sleep(farewellMs, undefined, { ref: false })]);
      for (const socket of wss.clients) socket.terminate();
    },
  };
}

async function endSocket({ socket }: SocketExtra): Promise<void> {
  await sleep(lastWordsMs, undefined, { ref: false });
  socket.close(closeCodes.sessionEnded, 'Session ended');
}

function close(socket: WebSocket, code: number, reason: string): false {
  socket.close(code, reason);
  return false;
}

/** `Bearer …` or the bare token. */
function tokenOf(params: Params | undefined): string | null {
  const given = params?.authorization ?? params?.Authorization;
  return typeof given === 'string' ? given.replace(/^Bearer /, '') : null;
}

type Prepared = Pick<ReturnType<Pipeline['getEnveloped']>, 'execute' | 'subscribe'> & { readonly socket: WebSocket };

/** graphql-ws hands back what `prepareOperation` gave it, the pipeline's own functions in the root value among it. */
const preparedOf = ({ rootValue }: { rootValue?: unknown }) => rootValue as Prepared;

/** Parses, validates and gives a context as HTTP does; what is wrong is an error message, never a closed socket. */
async function prepareOperation(
  pipeline: Pipeline,
  { extra }: SocketContext<Params, SocketExtra>,
  payload: { query: string; operationName?: string | null; variables?: Record<string, unknown> | null },
) {
  const enveloped = pipeline.getEnveloped({ asking: extra.asking, params: payload });
  try {
    const document = enveloped.parse(payload.query);
    const errors = enveloped.validate(enveloped.schema, document);
    if (errors.length > 0) return errors;
    const prepared: Prepared = { execute: enveloped.execute, subscribe: enveloped.subscribe, socket: extra.socket };
    return {
      schema: enveloped.schema,
      document,
      operationName: payload.operationName,
      variableValues: payload.variables,
      contextValue: await enveloped.contextFactory(),
      rootValue: prepared,
    };
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

/** The pipeline's hints for HTTP's status mean nothing on a socket. */
function withoutHttp(error: GraphQLError): GraphQLFormattedError {
  const { http: _http, ...extensions } = error.extensions;
  return { ...error.toJSON(), extensions };
}

/**
 * A stream that breaks takes its socket with it, by a code that clients retry: they resume behind what they have got,
 * where an error message would end the subscription for good. Not a generator: one that waits cannot be closed.
 */
function breakable<Result>(answer: Result | AsyncIterable<Result>, socket: WebSocket) {
  if (typeof answer !== 'object' || answer === null || !(Symbol.asyncIterator in answer)) return answer;
  const iterator = answer[Symbol.asyncIterator]();
  const over = { done: true, value: undefined } as const;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      iterator.next().catch(() => {
        socket.close(closeCodes.overload, 'Try again');
        return over;
      }),
    return: async () => (await iterator.return?.()) ?? over,
  };
}
