import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

const operationsFolder = new URL('../../schema/operations/', import.meta.url);

/** The operations that clients copy: a document a file, by the file's name. */
export function operationDocuments(): ReadonlyMap<string, string> {
  const files = readdirSync(operationsFolder).filter((file) => file.endsWith('.graphql'));
  return new Map(files.sort().map((file) => [file, readFileSync(new URL(file, operationsFolder), 'utf8')]));
}

/** Everything the page needs is inside it; the policy keeps it from asking any other host. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'font-src data:',
  'img-src data: blob:',
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Whether a request is a browser that wants a page rather than a result. */
export const wantsPage = (request: IncomingMessage): boolean =>
  request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');

/** Serves GraphiQL: rendered and compressed once (its page is 9 MB), revalidated by browsers. */
export function graphiqlPage(): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let encoded: Promise<{ br: Buffer; gzip: Buffer; etag: string }> | undefined;
  return async (request, response) => {
    encoded ??= encodePage();
    const page = await encoded;
    response.setHeader('etag', page.etag);
    response.setHeader('cache-control', 'private, no-cache');
    response.setHeader('vary', 'accept, accept-encoding');
    if (request.headers['if-none-match'] === page.etag) {
      response.writeHead(304).end();
      return;
    }
    const encoding = /\bbr\b/.test(String(request.headers['accept-encoding'])) ? 'br' : 'gzip';
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-encoding': encoding,
      'content-security-policy': contentSecurityPolicy,
    });
    response.end(page[encoding]);
  };
}

async function encodePage() {
  const page = renderGraphiQL({
    title: 'Homeroom',
    endpoint: '/graphql',
    subscriptionsProtocol: 'WS',
    credentials: 'same-origin',
    schemaDescription: true,
    defaultTabs: [...operationDocuments().values()].map((query) => ({ query })),
  });
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(page, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    promisify(gzip)(page),
  ]);
  return { br, gzip: zipped, etag: `"${createHash('sha256').update(page).digest('base64url')}"` };
}
