import type { IncomingMessage, Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import { CloseCode, type Context as SocketContext } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
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
const subscriptionsPerSocket = 50;
const sessionCheckMs = 60_000;
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

type Params = { readonly authorization?: unknown } & Record<string, unknown>;

interface SocketExtra extends Extra, Record<PropertyKey, unknown> {
  asking?: Asking;
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
  const wss = new WebSocketServer({ noServer: true, maxPayload: maxSocketPayload, perMessageDeflate: false });

  const onUpgrade = (request: IncomingMessage, socket: import('node:stream').Duplex, head: Buffer) => {
    const refusal =
      request.url?.split('?')[0] !== '/graphql' ? 404 : originAllowed(request, options.allowedOrigins) ? 0 : 403;
    if (refusal)
      socket.end(`HTTP/1.1 ${refusal} ${refusal === 404 ? 'Not Found' : 'Forbidden'}\r\nConnection: close\r\n\r\n`);
    else wss.handleUpgrade(request, socket, head, (client) => wss.emit('connection', client, request));
  };
  options.server.on('upgrade', onUpgrade);

  const protocol = useServer<Params, SocketExtra>(
    {
      execute: (args) => envelopedOf(args).execute(args),
      subscribe: (args) => envelopedOf(args).subscribe(args),
      onConnect: async (context) => {
        const { extra } = context;
        const asking = askingOf(extra.request, options.trustedProxies, () => {}, tokenOf(context.connectionParams));
        if (!asking.token) return close(extra.socket, CloseCode.Unauthorized, 'Sign in first');
        const viewer = await options.authenticate(asking.token);
        if (!viewer) return close(extra.socket, closeCodes.sessionEnded, 'Session ended');
        const own = [...sockets].filter((other) => other.viewer?.userId === viewer.userId);
        if (own.length >= socketsPerPerson) return close(extra.socket, closeCodes.overload, 'Too many sockets');
        extra.asking = asking;
        extra.viewer = viewer;
        extra.stopHearing = hub.onSessionEnded(viewer.sessionId, () => void endSocket(extra));
        sockets.add(extra);
        return true;
      },
      onDisconnect: ({ extra }) => {
        sockets.delete(extra);
        extra.stopHearing?.();
      },
      onSubscribe: async (context, _id, payload) => {
        if (Object.keys(context.subscriptions).length > subscriptionsPerSocket) {
          return [new GraphQLError(`At most ${subscriptionsPerSocket} operations at once on one socket.`)];
        }
        return prepareOperation(pipeline, context, payload);
      },
    },
    wss,
  );

  const check = setInterval(() => void checkSessions(), sessionCheckMs);
  const checkSessions = async () => {
    const ids = [...new Set([...sockets].flatMap((socket) => socket.viewer?.sessionId ?? []))];
    const good = await options.keepSessions(ids).catch(() => null);
    for (const extra of good ? sockets : []) {
      if (!extra.viewer || good?.has(extra.viewer.sessionId)) continue;
      hub.endSession(extra.viewer.userId, extra.viewer.sessionId);
      void endSocket(extra);
    }
  };

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(check);
      options.server.off('upgrade', onUpgrade);
      for (const client of wss.clients) client.close(closeCodes.drain, 'Restarting');
      await Promise.race([protocol.dispose(), sleep(2000, undefined, { ref: false })]);
      for (const client of wss.clients) client.terminate();
      wss.close();
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

type Enveloped = ReturnType<Pipeline['getEnveloped']>;

/** graphql-ws hands back what `prepareOperation` gave it, the pipeline's own functions in the root value among it. */
const envelopedOf = ({ rootValue }: { rootValue?: unknown }) => rootValue as Pick<Enveloped, 'execute' | 'subscribe'>;

/** Parses, validates and gives a context as HTTP does; what is wrong is an error message, never a closed socket. */
async function prepareOperation(
  pipeline: Pipeline,
  context: SocketContext<Params, SocketExtra>,
  payload: { query: string; operationName?: string | null; variables?: Record<string, unknown> | null },
) {
  const { extra } = context;
  const enveloped = pipeline.getEnveloped({ asking: extra.asking, request: extra.request, params: payload });
  try {
    const document = enveloped.parse(payload.query);
    const errors = enveloped.validate(enveloped.schema, document);
    if (errors.length > 0) return errors;
    return {
      schema: enveloped.schema,
      document,
      operationName: payload.operationName,
      variableValues: payload.variables,
      contextValue: await enveloped.contextFactory(),
      rootValue: { execute: enveloped.execute, subscribe: enveloped.subscribe },
    };
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}
