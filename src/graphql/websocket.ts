import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloseCode, handleProtocols } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { RateLimited } from '../errors.ts';
import type { Hub } from '../log/hub.ts';
import type { Viewer } from '../viewer.ts';
import { askingOf, type Pages, type Way } from './asking.ts';
import { Connection, closeCodes, type Host } from './connection.ts';
import { maxSocketPayload } from './limits.ts';
import type { Operations } from './operations.ts';

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
  readonly pages: Pages;
  readonly way: Way;
  authenticate(token: string): Promise<Viewer | null>;
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

  const host: Host = {
    operations,
    admit: async (connection, token) => {
      try {
        return await admit(connection, token);
      } finally {
        waiting.delete(connection);
      }
    },
    left: (connection) => {
      waiting.delete(connection);
      connections.delete(connection);
      hub.release(connection);
    },
  };

  async function admit(connection: Connection, token: string | null): Promise<boolean> {
    if (!token) return refuse(connection, CloseCode.Unauthorized, 'Sign in first');
    const since = hub.position;
    const viewer = await options.authenticate(token);
    if (!viewer) return refuse(connection, closeCodes.sessionEnded, 'Session ended');
    // Who has gone while we asked takes up no place.
    if (!connection.isOpen) return false;
    connection.belongTo(viewer, token);
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
    if (refusal) {
      turnAway(stream, refusal);
    } else {
      wss.handleUpgrade(request, stream, head, (socket) => {
        const connection = new Connection(host, socket, stream, askingOf(request, options.way, null));
        connections.add(connection);
        waiting.add(connection);
      });
    }
  };
  options.server.on('upgrade', onUpgrade);

  function refusalOf(request: IncomingMessage): string | null {
    if (request.url?.split('?')[0] !== '/graphql') return '404 Not Found';
    if (!options.pages.allow(request)) return '403 Forbidden';
    return waiting.size >= admittedAtOnce ? '503 Service Unavailable\r\nRetry-After: 1' : null;
  }

  const admissions = setInterval(() => {
    const due = performance.now() - initTimeoutMs;
    for (const connection of waiting) {
      if (!connection.isSilent || connection.openedAt > due) continue;
      // Who does not answer the goodbye either is not waited for.
      if (!connection.isOpen) connection.socket.terminate();
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

/** Refuses an upgrade. Node has taken its hands off the connection: nobody else hears of its errors, or would end it. */
function turnAway(stream: Duplex, refusal: string): void {
  stream.on('error', () => {});
  stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`, () => stream.destroy());
}

/** Asks a socket whether it is still there, and lets go of one that does not answer or does not read. */
function ask(connection: Connection): void {
  const { socket, outbox, isOpen } = connection;
  if (!isOpen) return;
  if (outbox.stalledMs > stallMs) connection.overload();
  // Who does not read has not read the question.
  else if (!connection.answers && outbox.stalledMs === 0) socket.terminate();
  else {
    connection.answers = false;
    socket.ping();
  }
}

function refuse(connection: Connection, code: number, reason: string): false {
  connection.close(code, reason);
  return false;
}
