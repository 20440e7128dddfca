import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Hub } from '../log/hub.ts';
import { askingOf, originAllowed, sessionCookie } from './asking.ts';
import type { Asking } from './context.ts';
import { graphiqlPage, wantsPage } from './graphiql.ts';
import type { Pipeline } from './pipeline.ts';

/** Answers what is asked below a path: `name` is the rest of it. */
export type Transfer = (
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  asking: Asking,
) => Promise<void>;

export interface HttpOptions {
  readonly pipeline: Pipeline;
  readonly hub: Hub;
  readonly graphiql: boolean;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: number;
  readonly cookie: { readonly secure: boolean; readonly days: number };
  readonly logger: Logger;
  /** The bytes of files: `/uploads/<id>` is where they come in, `/files/<token>` where they go out. */
  readonly transfers: { readonly upload: Transfer; readonly download: Transfer };
  /** What other servers tell, each at a path of its own, or below one that ends with a slash. */
  readonly doors: Readonly<Record<string, Transfer>>;
  /** Rejects unless everything that answering needs is there. */
  ready(): Promise<void>;
}

/** How long a request may take to come. Uploads may take longer, and mind the time themselves. */
const requestMs = 30_000;

/**
 * `/graphql` for queries, mutations, SSE and the GraphiQL page; `/uploads/` and `/files/` for the bytes of files; the doors for
 * what other servers tell; `/health` (alive) and `/ready` (able to answer).
 */
export function createHttpServer(options: HttpOptions): Server {
  const page = options.graphiql ? graphiqlPage() : null;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      options.logger.error({ err: error }, 'request failed');
      if (!response.headersSent) reply(response, 500, { status: 'error' });
    });
  });
  // It is the same for every request, and would cut off an upload that takes its time.
  server.requestTimeout = 0;
  server.headersTimeout = 10_000;
  // Longer than proxies keep connections to reuse them (a minute): who closes first must not be we.
  server.keepAliveTimeout = 65_000;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    const path = request.url?.split('?')[0] ?? '';
    if (path.startsWith('/uploads/')) return upload(request, response, path.slice('/uploads/'.length));
    demandSoon(request, response);
    if (path.startsWith('/files/')) return download(request, response, path.slice('/files/'.length));
    const door = doorAt(path);
    if (door) return door(request, response);
    if (path === '/health') return reply(response, 200, { status: 'alive' });
    if (path === '/ready') return reply(response, ...(await readiness()));
    if (path === '/' && page) return redirect(response, '/graphql');
    if (path !== '/graphql') return reply(response, 404, { status: 'not found' });
    if (page && wantsPage(request)) return page(request, response);
    return graphql(request, response);
  }

  function doorAt(path: string) {
    const isAt = (place: string) => (place.endsWith('/') ? path.startsWith(place) : path === place);
    const place = Object.keys(options.doors).find(isAt);
    const open = place === undefined ? undefined : options.doors[place];
    if (place === undefined || !open) return null;
    return (request: IncomingMessage, response: ServerResponse) =>
      open(request, response, path.slice(place.length), askingOf(request, options.trustedProxies, noCookie));
  }

  async function readiness(): Promise<[number, object]> {
    try {
      await options.ready();
      return [200, { status: 'ready' }];
    } catch (error) {
      options.logger.warn({ err: error }, 'not ready');
      return [503, { status: 'not ready' }];
    }
  }

  /** A foreign page must not act with the browser's session: its origin is refused, and so is what needs no preflight. */
  async function graphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!originAllowed(request, options.allowedOrigins)) return refuse(response, 403, 'ORIGIN_NOT_ALLOWED');
    allowOrigin(request, response, 'GET, POST');
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    if (request.method === 'POST' && !/^application\/(graphql\+)?json\b/.test(request.headers['content-type'] ?? '')) {
      return refuse(response, 415, 'CONTENT_TYPE_NOT_JSON');
    }
    const asking = askingOf(request, options.trustedProxies, (token) => {
      if (fromBrowser(request)) response.appendHeader('set-cookie', sessionCookie(token, options.cookie));
    });
    const whenGone = (leave: () => void) => (response.closed ? leave() : response.once('close', leave));
    await options.pipeline(request, response, { asking, since: options.hub.position, whenGone });
  }

  /** As with GraphQL, a foreign page must not act with the browser's session. */
  async function upload(request: IncomingMessage, response: ServerResponse, fileId: string): Promise<void> {
    if (!originAllowed(request, options.allowedOrigins)) return refuse(response, 403, 'ORIGIN_NOT_ALLOWED');
    allowOrigin(request, response, 'PUT');
    response.setHeader('access-control-expose-headers', 'retry-after');
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    await options.transfers.upload(request, response, fileId, askingOf(request, options.trustedProxies, noCookie));
  }

  /** From anywhere: what counts is the link, and no browser's session. */
  async function download(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    allowOrigin(request, response, 'GET, HEAD');
    response.setHeader('access-control-expose-headers', 'content-disposition, content-range');
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    await options.transfers.download(request, response, token, askingOf(request, options.trustedProxies, noCookie));
  }

  function allowOrigin({ headers }: IncomingMessage, response: ServerResponse, methods: string): void {
    response.setHeader('vary', 'origin');
    if (!headers.origin || !options.allowedOrigins.includes(headers.origin)) return;
    response.setHeader('access-control-allow-origin', headers.origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-methods', methods);
    const allowed = 'content-type, authorization, accept-language, last-event-id, range';
    response.setHeader('access-control-allow-headers', allowed);
    response.setHeader('access-control-max-age', '600');
  }

  return server;
}

/** Ends the connection of whoever makes the server wait for their request. */
function demandSoon(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    if (request.complete || request.destroyed) return;
    if (!response.headersSent) request.socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    request.socket.destroySoon();
  }, requestMs).unref();
  request.once('close', () => clearTimeout(timer));
}

const noCookie = () => {};

const fromBrowser = ({ headers }: IncomingMessage): boolean =>
  headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, code: string): void =>
  reply(response, status, { errors: [{ message: 'The request was refused.', extensions: { code } }] });

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end();
}
