import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Hub } from '../log/hub.ts';
import {
  askingOf,
  type Carrier,
  type CookieOptions,
  deviceCookie,
  type Pages,
  sessionCookie,
  type Way,
} from './asking.ts';
import type { Asking } from './context.ts';
import { graphiqlPage, wantsPage } from './graphiql.ts';
import type { Pipeline } from './pipeline.ts';

/** Where something other than GraphQL is asked: the bytes of files, or by a server that works beside ours. */
export interface Door {
  /** Every path that begins so: `/files/`. */
  readonly path: string;
  /** What browsers are told; null: none comes here. */
  readonly browsers: ForBrowsers | null;
  /** Requests may take their time; whoever answers minds it. */
  readonly takesTime?: boolean;
  /** `name` is the rest of the path. */
  answer(request: IncomingMessage, response: ServerResponse, name: string, asking: Asking): Promise<void>;
}

interface ForBrowsers {
  readonly methods: string;
  /** Headers of answers that pages of other hosts may read. */
  readonly exposed: string;
  /** What counts is the path, and no browser's session: pages of any host may come. */
  readonly anyOrigin?: boolean;
}

export interface HttpOptions {
  readonly pipeline: Pipeline;
  readonly hub: Hub;
  readonly graphiql: boolean;
  readonly pages: Pages;
  readonly way: Way;
  readonly cookie: CookieOptions;
  readonly logger: Logger;
  readonly doors: readonly Door[];
  /** Rejects unless everything that answering needs is there. */
  ready(): Promise<void>;
}

/** How long a request may take to come. Uploads may take longer, and mind the time themselves. */
const requestMs = 30_000;

/** `/graphql` for queries, mutations, SSE and the GraphiQL page; the doors; `/health` (alive) and `/ready` (able to answer). */
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
    const door = options.doors.find((one) => path.startsWith(one.path));
    if (!door?.takesTime) demandSoon(request, response);
    if (door) return enter(door, request, response, path.slice(door.path.length));
    if (path === '/health') return reply(response, 200, { status: 'alive' });
    if (path === '/ready') return reply(response, ...(await readiness()));
    if (path === '/' && page) return redirect(response, '/graphql');
    if (path !== '/graphql') return absent(response);
    if (page && wantsPage(request)) return page(request, response);
    return graphql(request, response);
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
    // What one person is answered is for no cache.
    response.setHeader('cache-control', 'no-store');
    if (!options.pages.allow(request)) return refuse(response, 403, 'ORIGIN_NOT_ALLOWED');
    allowOrigin(request, response, 'GET, POST');
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    if (request.method === 'POST' && !/^application\/(graphql\+)?json\b/.test(request.headers['content-type'] ?? '')) {
      return refuse(response, 415, 'CONTENT_TYPE_NOT_JSON');
    }
    const asking = askingOf(request, options.way, fromBrowser(request) ? carrierOn(response) : null);
    const whenGone = (leave: () => void) => (response.closed ? leave() : response.once('close', leave));
    await options.pipeline(request, response, { asking, since: options.hub.position, whenGone });
  }

  const carrierOn = (response: ServerResponse): Carrier => ({
    setSession: (token) => void response.appendHeader('set-cookie', sessionCookie(token, options.cookie)),
    setDevice: (token) => void response.appendHeader('set-cookie', deviceCookie(token, options.cookie.secure)),
  });

  /** As with GraphQL, a foreign page must not act with the browser's session. */
  async function enter(door: Door, request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const { browsers } = door;
    if (browsers) {
      const isForeign = !browsers.anyOrigin && !options.pages.allow(request);
      if (isForeign) return refuse(response, 403, 'ORIGIN_NOT_ALLOWED');
      allowOrigin(request, response, browsers.methods);
      response.setHeader('access-control-expose-headers', browsers.exposed);
      if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    }
    await door.answer(request, response, name, askingOf(request, options.way, null));
  }

  function allowOrigin({ headers }: IncomingMessage, response: ServerResponse, methods: string): void {
    response.setHeader('vary', 'origin');
    if (!headers.origin || !options.pages.mayRead(headers.origin)) return;
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

const fromBrowser = ({ headers }: IncomingMessage): boolean =>
  headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** There is nothing at this path, or nothing for who asks. */
export const absent = (response: ServerResponse): void => reply(response, 404, { status: 'not found' });

const refuse = (response: ServerResponse, status: number, code: string): void =>
  reply(response, status, { errors: [{ message: 'The request was refused.', extensions: { code } }] });

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end();
}
