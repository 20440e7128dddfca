import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { isUnavailable } from '../database/failures.ts';
import { DomainError, RateLimited, Unauthenticated } from '../errors.ts';
import { Busy } from '../inspection/inspector.ts';
import { StorageFailed } from '../storage/storage.ts';
import { type Locale, type TextKey, type TextValues, text } from '../texts.ts';

/** A request for bytes, or with bytes, that is answered by a status and a sentence. */
export class Declined extends DomainError {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    says: TextKey,
    { values, headers = {} }: { values?: TextValues; headers?: Record<string, string> } = {},
  ) {
    super(says, values);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Absent, not for this person, or not any more: nobody is told which. */
export const notFound = () => new Declined(404, 'NOT_FOUND', 'NOT_FOUND');

export const notAllowed = (methods: string) =>
  new Declined(405, 'METHOD_NOT_ALLOWED', 'METHOD_NOT_ALLOWED', { headers: { allow: methods } });

const retryAfterS = 5;

/** Try again soon. */
export const unavailable = (status: 429 | 503) => {
  const code = status === 429 ? 'RATE_LIMITED' : 'UNAVAILABLE';
  return new Declined(status, code, code, { headers: { 'retry-after': String(retryAfterS) } });
};

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How long whoever is still sending may take to notice the answer. */
const noticeMs = 1_000;

/**
 * Answers with what went wrong, also while the request is still coming: what more comes is not read, and the connection ends
 * a moment later. To close it at once would take the answer back on systems that drop what was sent when a connection breaks.
 */
export function decline(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message, headers }: Answer,
): void {
  if (response.headersSent) return void response.destroy();
  const body = Buffer.from(JSON.stringify({ errors: [{ message, extensions: { code } }] }));
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    ...(!request.complete && { connection: 'close' }),
  });
  if (request.complete || request.method === 'HEAD') return void response.end(body);
  response.write(body);
  setTimeout(() => response.end(), noticeMs).unref();
}

/** What `presentError` tells of an error. */
interface Presented {
  readonly code?: string;
  readonly http?: { readonly status?: number };
  readonly retryAt?: string;
}

const retryAfter = (at: Date): Record<string, string> => ({
  'retry-after': String(Math.max(1, Math.ceil((at.getTime() - Date.now()) / 1000))),
});

/** What an error says to people; what is not expected is logged and masked. */
export function answerTo(error: unknown, locale: Locale, logger: Logger): Answer {
  if (error instanceof Declined) {
    const { status, code, headers } = error;
    return { status, code, headers, message: error.messageIn(locale) };
  }
  if (error instanceof Unauthenticated) return answerTo(new Declined(401, error.code, error.code), locale, logger);
  if (error instanceof RateLimited) {
    const headers = retryAfter(error.retryAt);
    return { status: 429, code: error.code, message: error.messageIn(locale), headers };
  }
  if (error instanceof Busy) return answerTo(unavailable(503), locale, logger);
  // Presented already, where it was known who asks.
  if (error instanceof GraphQLError) {
    const { code = 'INTERNAL', http, retryAt } = error.extensions as Presented;
    const headers = retryAt ? retryAfter(new Date(retryAt)) : {};
    return { status: http?.status ?? 500, code, message: error.message, headers };
  }
  logger.error({ err: error }, 'transfer failed');
  if (error instanceof StorageFailed || isUnavailable(error)) return answerTo(unavailable(503), locale, logger);
  return { status: 500, code: 'INTERNAL', message: text(locale, 'INTERNAL'), headers: {} };
}
