import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Hub } from '../log/hub.ts';
import { askingOf, originAllowed, sessionCookie } from './asking.ts';
import { graphiqlPage, wantsPage } from './graphiql.ts';
import type { Pipeline } from './pipeline.ts';

export interface HttpOptions {
  readonly pipeline: Pipeline;
  readonly hub: Hub;
  readonly graphiql: boolean;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: number;
  readonly cookie: { readonly secure: boolean; readonly days: number };
  readonly logger: Logger;
  /** Rejects unless everything that answering needs is there. */
  ready(): Promise<void>;
}

/** `/graphql` for queries, mutations, SSE and the GraphiQL page; `/health` (alive) and `/ready` (able to answer). */
export function createHttpServer(options: HttpOptions): Server {
  const page = options.graphiql ? graphiqlPage() : null;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      options.logger.error({ err: error }, 'request failed');
      if (!response.headersSent) reply(response, 500, { status: 'error' });
    });
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  // Longer than proxies keep connections to reuse them (a minute): who closes first must not be we.
  server.keepAliveTimeout = 65_000;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    const path = request.url?.split('?')[0];
    if (path === '/health') return reply(response, 200, { status: 'alive' });
    if (path === '/ready') return reply(response, ...(await readiness()));
    if (path === '/' && page) return redirect(response, '/graphql');
    if (path !== '/graphql') return reply(response, 404, { status: 'not found' });
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
    if (!originAllowed(request, options.allowedOrigins)) return refuse(response, 403, 'ORIGIN_NOT_ALLOWED');
    allowOrigin(request, response);
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

  function allowOrigin({ headers }: IncomingMessage, response: ServerResponse): void {
    response.setHeader('vary', 'origin');
    if (!headers.origin || !options.allowedOrigins.includes(headers.origin)) return;
    response.setHeader('access-control-allow-origin', headers.origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-methods', 'GET, POST');
    response.setHeader('access-control-allow-headers', 'content-type, authorization, accept-language, last-event-id');
    response.setHeader('access-control-max-age', '600');
  }

  return server;
}

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
