import { z } from 'zod';
import { InvalidInput } from './errors.ts';
import { phoneNumber } from './input.ts';

export const flag = (byDefault: boolean) =>
  z
    .enum(['0', '1'])
    .optional()
    .transform((value) => (value === undefined ? byDefault : value === '1'));

export const whole = (byDefault: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(byDefault);

export const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

export const phones = list.transform((values, ctx) =>
  values.map((value) => {
    try {
      return phoneNumber(value);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      ctx.addIssue(`${value} is not a phone number`);
      return '';
    }
  }),
);

/** Where NATS answers, as its client wants it: one way to sign in, for all the servers of its cluster. */
export interface NatsServers {
  readonly servers: string[];
  /** Demands encryption; without it a server may still ask for it. */
  readonly tls?: object;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

export const natsServers = list.transform((values, ctx): NatsServers | null => {
  const found = values.flatMap((value) => natsServer(value) ?? []);
  const [first] = found;
  if (found.length < values.length) ctx.addIssue('must be nats://host:port or tls://host:port, separated by commas');
  if (found.some(({ user, pass }) => user !== first?.user || pass !== first.pass)) {
    ctx.addIssue('must sign in at every server in the same way');
  }
  if (!first) return null;
  return {
    servers: found.map(({ server }) => server),
    ...(found.some(({ encrypted }) => encrypted) && { tls: {} }),
    ...(first.pass ? { user: first.user, pass: first.pass } : first.user && { token: first.user }),
  };
});

function natsServer(value: string) {
  try {
    const { protocol, hostname, port, pathname, username, password } = new URL(value);
    if (!/^(nats|tls):$/.test(protocol) || !hostname || !/^\/?$/.test(pathname)) return null;
    return {
      server: `${hostname}:${port || 4222}`,
      encrypted: protocol === 'tls:',
      user: decodeURIComponent(username),
      pass: decodeURIComponent(password),
    };
  } catch {
    return null; // no URL, or nothing that its escapes could mean
  }
}

/** What would be in an endpoint's address beside where it is ends up in logs. */
export const isBare = (value: string): boolean => {
  const url = URL.parse(value);
  return !url || !(url.username || url.password || url.search || url.hash);
};

export const secret = z.string().min(32, 'must be 32 characters or more');
