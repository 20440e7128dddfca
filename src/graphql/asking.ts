import type { IncomingMessage } from 'node:http';
import { preferredLocale } from '../texts.ts';
import type { Asking } from './context.ts';

const cookieName = 'homeroom_session';

/** What a request's headers say about who asks. `trustedProxies` is how many proxies of ours stand before the server. */
export function askingOf(
  request: IncomingMessage,
  trustedProxies: number,
  setCookie: Asking['setCookie'],
  token?: string | null,
): Asking {
  const bearer = /^Bearer ([\w-]{20,200})$/.exec(request.headers.authorization ?? '')?.[1];
  return {
    token: token ?? bearer ?? cookieOf(request),
    address: addressOf(request, trustedProxies),
    client: request.headers['user-agent']?.slice(0, 200) ?? null,
    locale: preferredLocale(request.headers['accept-language']),
    setCookie,
  };
}

function cookieOf(request: IncomingMessage): string | null {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === cookieName)?.[1] ?? null;
}

/** The client's address as the outermost of our proxies saw it; headers beyond those are anybody's invention. */
function addressOf(request: IncomingMessage, trustedProxies: number): string {
  if (trustedProxies === 0) return request.socket.remoteAddress ?? 'unknown';
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return forwarded.at(-trustedProxies) ?? request.socket.remoteAddress ?? 'unknown';
}

/** The header that gives a browser its session, or takes it away (null). Not readable by scripts, same-site only. */
export function sessionCookie(token: string | null, options: { secure: boolean; days: number }): string {
  const age = token ? options.days * 24 * 60 * 60 : 0;
  return `${cookieName}=${token ?? ''}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${options.secure ? '; Secure' : ''}`;
}

/** Whether a request comes from a page that may use the browser's session: our own, or one that is configured. */
export function originAllowed(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (!origin) return request.headers['sec-fetch-site'] !== 'cross-site';
  return allowed.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host);
}
