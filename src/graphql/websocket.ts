import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { RateLimited } from '../errors.ts';
import type { Hub } from '../log/hub.ts';
import type { Viewer } from '../viewer.ts';
import { askingOf, originAllowed } from './asking.ts';
import { Connection, closeCodes, SocketSubscription } from './connection.ts';
import { maxSocketPayload } from './limits.ts';
import { isSubscription, type Operation, type Operations } from './operations.ts';

const operationsPerSocket = 50;
/** Sockets that may wait at once for being told that they are let in; the others are asked to come back. */
const admittedAtOnce = 1_000;
const initTimeoutMs = 3_000;
const admissionCheckMs = 1_000;
/** A socket that has not answered one ping when the next is due is gone. */
const heartbeatMs = 12_000;
/** A socket that has not read for so long what waits for it has to come back. */
const stallMs = 20_000;
/** How long a stop waits for the other sides to close. */
const farewellMs = 1_500;

export interface SocketOptions {
  readonly server: Server;
  readonly operations: Operations;
  readonly hub: Hub;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: number;
  authenticate(token: string): Promise<Viewer | null>;
}

const tooManyOperations = new GraphQLError(`At most ${operationsPerSocket} operations at once on one socket.`, {
  extensions: { code: 'TOO_MANY_OPERATIONS' },
});

type Params = { readonly authorization?: unknown } & Record<string, unknown>;

interface Extra extends Record<PropertyKey, unknown> {
  readonly connection: Connection;
}

/**
 * GraphQL over WebSocket (graphql-transport-ws) on `/graphql`, through the same operations as HTTP. A socket belongs to one
 * session, given as `connectionParams.authorization` or by the browser's cookie, and ends with it.
 */
export function serveSockets(options: SocketOptions): AsyncDisposable {
  const { hub, operations } = options;
  const connections = new Set<Connection>();
  const waiting = new Set<Connection>();
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxSocketPayload,
    perMessageDeflate: false,
    handleProtocols,
  });

  const protocol = makeServer<Params, Extra>({
    connectionInitWaitTimeout: 0,
    // What came of an operation is known before graphql-ws asks.
    execute: ({ rootValue }) => rootValue as never,
    subscribe: ({ rootValue }) => rootValue as never,
    onConnect: async ({ extra: { connection }, connectionParams }) => {
      const admitted = await admit(connection, tokenOf(connectionParams) ?? connection.asking.token);
      waiting.delete(connection);
      return admitted;
    },
    onClose: ({ extra: { connection } }) => {
      waiting.delete(connection);
      connections.delete(connection);
      if (connection.viewer) hub.release(connection);
    },
    onSubscribe: async ({ extra, subscriptions }, id, payload) => {
      if (Object.keys(subscriptions).length > operationsPerSocket) return [tooManyOperations];
      return perform(operations, extra.connection, id, payload);
    },
    onError: (_context, _id, _payload, errors) => errors.map(withoutHttp),
    onNext: (_context, _id, _payload, _args, { errors, ...result }) =>
      errors && { ...result, errors: errors.map(withoutHttp) },
  });

  async function admit(connection: Connection, token: string | null): Promise<boolean> {
    if (!token) return refuse(connection, CloseCode.Unauthorized, 'Sign in first');
    const since = hub.position;
    const viewer = await options.authenticate(token);
    if (!viewer) return refuse(connection, closeCodes.sessionEnded, 'Session ended');
    // Who has gone while we asked takes up no place.
    if (!connection.isOpen) return false;
    connection.viewer = viewer;
    connection.asking = { ...connection.asking, token };
    try {
      await hub.hold(connection, since);
    } catch (error) {
      if (!(error instanceof RateLimited)) throw error;
      return refuse(connection, closeCodes.overload, 'Too many sockets');
    }
    // Nobody would let it go again.
    if (!connection.isOpen) hub.release(connection);
    return connection.isOpen;
  }

  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const refusal = refusalOf(request);
    if (refusal) stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
    else wss.handleUpgrade(request, stream, head, (socket) => accept(socket, stream, request));
  };
  options.server.on('upgrade', onUpgrade);

  function refusalOf(request: IncomingMessage): string | null {
    if (request.url?.split('?')[0] !== '/graphql') return '404 Not Found';
    if (!originAllowed(request, options.allowedOrigins)) return '403 Forbidden';
    return waiting.size >= admittedAtOnce ? '503 Service Unavailable\r\nRetry-After: 1' : null;
  }

  function accept(socket: WebSocket, stream: Duplex, request: IncomingMessage): void {
    const connection = new Connection(socket, stream, askingOf(request, options.trustedProxies, noCookie));
    connections.add(connection);
    waiting.add(connection);
    const closed = protocol.opened(connection, { connection });
    socket.on('pong', () => {
      connection.answers = true;
    });
    // What breaks the rules of WebSocket itself, like too large a message, has closed the socket already.
    socket.on('error', () => {});
    socket.once('close', (code, reason) => void closed(code, String(reason)).catch(() => {}));
  }

  const admissions = setInterval(() => {
    const due = performance.now() - initTimeoutMs;
    for (const connection of waiting) {
      if (connection.viewer || connection.openedAt > due) continue;
      connection.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
    }
  }, admissionCheckMs);

  const heartbeat = setInterval(() => hub.slices.each(connections, ask), heartbeatMs);

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(admissions);
      clearInterval(heartbeat);
      options.server.off('upgrade', onUpgrade);
      hub.slices.each(connections, (connection) => connection.close(closeCodes.drain, 'Restarting'));
      const until = performance.now() + farewellMs;
      while (connections.size > 0 && performance.now() < until) await sleep(10);
      for (const { socket } of connections) socket.terminate();
    },
  };
}

/** Asks a socket whether it is still there, and lets go of one that does not answer or does not read. */
function ask(connection: Connection): void {
  const { socket, outbox, isOpen } = connection;
  if (!isOpen) return;
  if (outbox.stalledMs > stallMs) connection.overload();
  else if (!connection.answers) socket.terminate();
  else {
    connection.answers = false;
    socket.ping();
  }
}

function refuse(connection: Connection, code: number, reason: string): false {
  connection.close(code, reason);
  return false;
}

const noCookie = () => {};

/** `Bearer …` or the bare token. */
function tokenOf(params: Params | undefined): string | null {
  const given = params?.authorization ?? params?.Authorization;
  return typeof given === 'string' ? given.replace(/^Bearer /, '') : null;
}

/** Does what a message asks for, as HTTP does; what is wrong is an error message, never a closed socket. */
async function perform(operations: Operations, connection: Connection, id: string, payload: SubscribePayload) {
  try {
    const document = operations.parse(payload.query);
    const errors = operations.validate(document);
    if (errors.length > 0) return errors;
    const operation = { document, operationName: payload.operationName, variables: payload.variables };
    // A message is kept for as long as its subscription; the document is there once for all.
    Object.assign(payload, { query: '', variables: null });
    return {
      schema: operations.schema,
      document,
      operationName: operation.operationName,
      contextValue: null,
      rootValue: await outcome(operations, connection, id, operation),
    };
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

async function outcome(operations: Operations, connection: Connection, id: string, operation: Operation) {
  if (!isSubscription(operation)) return operations.execute(operation, await operations.context(connection.asking));
  // The socket ends with its session, and what may be followed is kept right by the log: no need to ask again who this is.
  const context = await operations.context(connection.asking, connection.viewer ?? undefined);
  const opened = await operations.subscribe(operation, context);
  return 'plan' in opened ? new SocketSubscription(connection, id, opened) : opened;
}

/** The pipeline's hints for HTTP's status mean nothing on a socket. */
function withoutHttp(error: GraphQLError): GraphQLFormattedError {
  const { http: _http, ...extensions } = error.extensions;
  return { ...error.toJSON(), extensions };
}
