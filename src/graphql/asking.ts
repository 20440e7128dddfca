import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { newSecret } from '../secrets.ts';
import { preferredLocale } from '../texts.ts';
import type { Asking } from './context.ts';

export interface CookieOptions {
  /** Browsers reach the server by HTTPS alone, as in production. */
  readonly secure: boolean;
  readonly days: number;
}

/** What a browser keeps for us: who is signed in, and by what their phone knows this browser again. */
type Kept = 'session' | 'device';

/** Browsers take a name that begins so from this very host alone, and only by HTTPS. */
const cookieName = (kept: Kept, secure: boolean) => `${secure ? '__Host-' : ''}homeroom_${kept}`;

/** The longest that browsers keep anything. */
const deviceDays = 400;

/** What is known of the way by which requests come. */
export interface Way {
  /** How many proxies of ours stand before the server. */
  readonly trustedProxies: number;
  readonly secure: boolean;
}

/** What a request's headers say about who asks. */
export function askingOf(request: IncomingMessage, way: Way, carrier: Carrier | null): Asking {
  const { authorization } = request.headers;
  let device = wellFormed(cookieOf(request, 'device', way.secure));
  return {
    // Who sends the header means it: a broken one is nobody, not whoever the cookie names.
    token:
      authorization === undefined
        ? cookieOf(request, 'session', way.secure)
        : (bearer.exec(authorization)?.[1] ?? null),
    address: placeOf(addressOf(request, way.trustedProxies)),
    client: request.headers['user-agent']?.slice(0, 200) ?? null,
    locale: preferredLocale(request.headers['accept-language']),
    resumeAfter: String(request.headers['last-event-id'] ?? '') || null,
    setCookie: (token) => carrier?.setSession(token),
    device: () => {
      if (device || !carrier) return device;
      device = newSecret();
      carrier.setDevice(device);
      return device;
    },
  };
}

/** What takes a browser's cookies to it. */
export interface Carrier {
  setSession(token: string | null): void;
  setDevice(token: string): void;
}

const wellFormed = (token: string | null): string | null => (token && /^[\w-]{43}$/.test(token) ? token : null);

const bearer = /^Bearer ([\w-]{20,200})$/;

function cookieOf(request: IncomingMessage, kept: Kept, secure: boolean): string | null {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === cookieName(kept, secure))?.[1] ?? null;
}

/** The client's address as the outermost of our proxies saw it; headers beyond those are anybody's invention. */
function addressOf(request: IncomingMessage, trustedProxies: number): string {
  if (trustedProxies === 0) return request.socket.remoteAddress ?? '';
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return forwarded.at(-trustedProxies) ?? request.socket.remoteAddress ?? '';
}

/** An address however it is written: IPv4 in IPv6, with a zone, or with the port that some proxies append. Null: none. */
function parsedAddress(address: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
  return bare.length <= longestAddress && ipaddr.isValid(bare) ? ipaddr.process(bare) : null;
}

const longestAddress = 64;

/** The network of so many bits that an address is in: `10.0.0.0/8`. What is no address is in one place with all others. */
function networkIn(address: string, bits: { readonly ipv4: number; readonly ipv6: number }): string {
  const parsed = parsedAddress(address);
  if (!parsed) return 'unknown';
  const prefix = bits[parsed.kind()];
  const bytes = parsed
    .toByteArray()
    .map((byte, index) => byte & (0xff << Math.max(0, 8 - Math.max(0, prefix - index * 8))));
  return `${ipaddr.fromByteArray(bytes)}/${prefix}`;
}

/** What limits count an address as: of IPv6 the network of 64 bits, whose holder has all of its addresses. */
export const placeOf = (address: string): string => networkIn(address, { ipv4: 32, ipv6: 64 });

/** The network that an address belongs to, as providers give them out: many places that may be one person's. */
export const networkOf = (place: string): string => networkIn(place.split('/')[0] ?? '', { ipv4: 24, ipv6: 48 });

/** The header that gives a browser its session, or takes it away (null). */
export const sessionCookie = (token: string | null, { secure, days }: CookieOptions): string =>
  cookie('session', token ?? '', { secure, days: token ? days : 0 });

/** The header that gives a browser by what it is known again. */
export const deviceCookie = (token: string, secure: boolean): string =>
  cookie('device', token, { secure, days: deviceDays });

/** Not readable by scripts, same-site only. */
function cookie(kept: Kept, token: string, { secure, days }: CookieOptions): string {
  const age = days * 24 * 60 * 60;
  const pair = `${cookieName(kept, secure)}=${token}`;
  return `${pair}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure ? '; Secure' : ''}`;
}

/** The pages that may use a browser's session. */
export class Pages {
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;

  /** `own` is where browsers reach this server; the pages of `others` may ask as its own do. */
  constructor(own: string | null, others: readonly string[]) {
    this.#origins = new Set(others);
    this.#hosts = new Set(own ? [new URL(own).host] : []);
  }

  /**
   * Whether a request comes from one of them, or from no browser. A name that we do not go by is not ours though it leads here:
   * whoever owns it can let it (DNS rebinding). Addresses and `localhost` are nobody's to give.
   */
  allow({ headers }: IncomingMessage): boolean {
    const { origin, host = '' } = headers;
    if (origin !== undefined && this.#origins.has(origin)) return true;
    if (origin === undefined && headers['sec-fetch-site'] === undefined) return true;
    if (headers['sec-fetch-site'] === 'cross-site' || !this.#isOwn(host)) return false;
    return origin === undefined || URL.parse(origin)?.host === host;
  }

  /** Whether a page of another host may read answers. */
  mayRead(origin: string): boolean {
    return this.#origins.has(origin);
  }

  #isOwn(host: string): boolean {
    if (this.#hosts.has(host)) return true;
    const name = URL.parse(`http://${host}`)?.hostname ?? '';
    return name === 'localhost' || name.endsWith('.localhost') || ipaddr.isValid(name.replace(/^\[|\]$/g, ''));
  }
}
