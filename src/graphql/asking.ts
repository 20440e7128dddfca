import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { preferredLocale } from '../texts.ts';
import type { Asking } from './context.ts';

const cookieName = 'homeroom_session';

/** What a request's headers say about who asks. `trustedProxies` is how many proxies of ours stand before the server. */
export function askingOf(request: IncomingMessage, trustedProxies: number, setCookie: Asking['setCookie']): Asking {
  const { authorization } = request.headers;
  return {
    // Who sends the header means it: a broken one is nobody, not whoever the cookie names.
    token: authorization === undefined ? cookieOf(request) : (bearer.exec(authorization)?.[1] ?? null),
    address: placeOf(addressOf(request, trustedProxies)),
    client: request.headers['user-agent']?.slice(0, 200) ?? null,
    locale: preferredLocale(request.headers['accept-language']),
    resumeAfter: String(request.headers['last-event-id'] ?? '') || null,
    setCookie,
  };
}

const bearer = /^Bearer ([\w-]{20,200})$/;

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

/**
 * What limits count an address as: an IPv4 address itself; of IPv6 the network of 64 bits, whose holder has all of its
 * addresses.
 */
export function placeOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const before = head.split(':').filter(Boolean);
  const after = (tail ?? '').split(':').filter(Boolean);
  const gap = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(Math.max(gap, 0)).fill('0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
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
