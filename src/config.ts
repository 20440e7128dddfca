import { z } from 'zod';
import { flag, isBare, list, natsServers, phones, secret, whole } from './config-values.ts';

/** A media server that takes pictures by RTMP and plays them by HLS. */
export interface StreamingConfig {
  /** Where hosts' programs send their picture: `rtmp://media.example.org/live`. */
  readonly ingestUrl: string;
  /** Below which it plays: `https://media.example.org/hls`. */
  readonly playbackUrl: string;
  /** What it and we know, and nobody else. */
  readonly secret: string;
  /** How long a picture may be gone before its broadcast is over. */
  readonly graceSeconds: number;
}

/** A LiveKit server, where people see and hear each other. */
export interface ConferencingConfig {
  /** Where clients connect to: `wss://livekit.example.org`. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** A bucket of an object storage that speaks S3, and how it is reached. */
export interface S3Bucket {
  readonly kind: 's3';
  readonly bucket: string;
  /** Where it answers; null for Amazon's own. */
  readonly endpoint: string | null;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The bucket is named in the path, and not in the host's name. */
  readonly pathStyle: boolean;
}

/** A directory below which the files of this installation lie; one that begins with `memory://` keeps nothing. */
export interface FilesDirectory {
  readonly kind: 'directory';
  readonly directory: string;
}

/** Where the bytes of uploaded files lie. */
export type StorageConfig = FilesDirectory | S3Bucket;

/** How many messages may go out on a day (UTC). */
export interface SmsBudgets {
  readonly perDay: number;
  /** Calling codes of the countries where the institutions are: `7`. */
  readonly countries: readonly string[];
  /** For each other country. */
  readonly abroadPerDay: number;
  /** Those that did not sign in, from one network, and from one address. */
  readonly perNetwork: number;
  readonly perAddress: number;
  /** Those that did not sign in, for one phone. */
  readonly perPhone: number;
}

const environment = z
  .object({
    NODE_ENV: z
      .string()
      .default('development')
      .transform((value) => value === 'production'),
    PORT: whole(4000, 0, 65_535),
    HOST: z.string().optional(),
    DATABASE_URL: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
      .optional(),
    HOMEROOM_DATABASE_POOL: whole(10, 2, 200),
    HOMEROOM_NATS_URL: natsServers,
    HOMEROOM_SECRET: secret.optional(),
    HOMEROOM_DATA: z.string().min(1).default('data'),
    HOMEROOM_FILES: z.string().min(1).optional(),
    HOMEROOM_S3_BUCKET: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
      .optional(),
    HOMEROOM_S3_ENDPOINT: z
      .url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' })
      .refine(isBare, 'must hold no name or password, and nothing behind its path')
      .optional(),
    HOMEROOM_S3_REGION: z.string().min(1).default('us-east-1'),
    HOMEROOM_S3_ACCESS_KEY: z.string().min(1).optional(),
    HOMEROOM_S3_SECRET_KEY: z.string().min(1).optional(),
    HOMEROOM_S3_PATH_STYLE: z.enum(['0', '1']).optional(),
    HOMEROOM_MAX_UPLOAD_MB: whole(50, 1, 2000),
    HOMEROOM_PERSON_STORAGE_MB: whole(5_000, 1, 1_000_000_000),
    HOMEROOM_ORGANIZATION_STORAGE_MB: whole(200_000, 1, 1_000_000_000),
    HOMEROOM_INGEST_URL: z
      .url({ protocol: /^rtmps?$/, error: 'must be rtmp://host/application' })
      .refine(isBare, 'must hold no name or password, and nothing behind its path')
      .optional(),
    HOMEROOM_PLAYBACK_URL: z
      .url({ protocol: /^https?$/, error: 'must be https://host/path' })
      .refine(isBare, 'must hold no name or password, and nothing behind its path')
      .optional(),
    HOMEROOM_MEDIA_SECRET: secret.optional(),
    HOMEROOM_STREAM_GRACE_SECONDS: whole(60, 1, 3600),
    HOMEROOM_LIVEKIT_URL: z
      .url({ protocol: /^wss?$/, error: 'must be wss://host' })
      .refine(isBare, 'must hold no name or password, and nothing behind its path')
      .optional(),
    HOMEROOM_LIVEKIT_API_KEY: z.string().min(1).optional(),
    HOMEROOM_LIVEKIT_API_SECRET: z.string().min(1).optional(),
    HOMEROOM_DEMO: flag(true),
    HOMEROOM_OPERATOR_PHONES: phones,
    HOMEROOM_SMS_URL: z.url({ protocol: /^https?$/ }).optional(),
    HOMEROOM_SMS_BODY: z
      .string()
      .default('{"to":{phone},"text":{text}}')
      .refine((body) => body.includes('{phone}') && body.includes('{text}'), 'must contain {phone} and {text}'),
    HOMEROOM_SMS_SECRET: z.string().min(1).optional(),
    HOMEROOM_SMS_PER_DAY: whole(5000, 10, 10_000_000),
    HOMEROOM_SMS_COUNTRIES: z
      .string()
      .regex(/^[1-9]\d{0,2}( *, *[1-9]\d{0,2})*$/, 'must be calling codes without +, separated by commas')
      .default('7')
      .transform((codes) => codes.split(',').map((code) => code.trim())),
    HOMEROOM_SMS_ABROAD_PER_DAY: whole(100, 0, 10_000_000),
    HOMEROOM_SMS_PER_NETWORK: whole(200, 1, 1_000_000),
    HOMEROOM_SMS_PER_ADDRESS: whole(100, 1, 1_000_000),
    HOMEROOM_SMS_PER_PHONE: whole(25, 5, 1000),
    HOMEROOM_PUBLIC_URL: z
      .url({ protocol: /^https?$/, error: 'must be https://host' })
      .refine(
        (value) => isBare(value) && URL.parse(value)?.pathname === '/',
        'must be https://host, and nothing behind it',
      )
      .optional(),
    HOMEROOM_ALLOWED_ORIGINS: list,
    HOMEROOM_TRUSTED_PROXIES: whole(0, 0, 10),
    HOMEROOM_GRAPHIQL: flag(true),
    HOMEROOM_INTROSPECTION: flag(true),
    HOMEROOM_SESSION_IDLE_DAYS: whole(30, 1, 365),
    HOMEROOM_SESSION_MAX_DAYS: whole(180, 1, 730),
    HOMEROOM_LOG_RETENTION_DAYS: whole(7, 1, 90),
    HOMEROOM_RATE_PER_MINUTE: whole(600, 1, 1_000_000),
    HOMEROOM_SHARE_PERCENT: whole(10, 1, 1_000_000),
    HOMEROOM_SIGN_IN_RATE_PER_HOUR: whole(300, 1, 1_000_000),
    HOMEROOM_CALLS_PER_MINUTE: whole(6, 1, 1_000_000),
    HOMEROOM_QUESTIONS_PER_MINUTE: whole(6, 1, 1_000_000),
    HOMEROOM_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  })
  .superRefine((env, ctx) => {
    if (env.NODE_ENV && !env.HOMEROOM_SMS_URL) {
      ctx.addIssue({
        code: 'custom',
        path: ['HOMEROOM_SMS_URL'],
        message: 'is needed in production: codes must reach phones',
      });
    }
    if (env.HOMEROOM_SESSION_IDLE_DAYS > env.HOMEROOM_SESSION_MAX_DAYS) {
      ctx.addIssue({
        code: 'custom',
        path: ['HOMEROOM_SESSION_IDLE_DAYS'],
        message: 'must not exceed HOMEROOM_SESSION_MAX_DAYS',
      });
    }
    const keys = ['HOMEROOM_S3_ACCESS_KEY', 'HOMEROOM_S3_SECRET_KEY'] as const;
    if (env.HOMEROOM_S3_BUCKET) {
      for (const name of keys.filter((key) => !env[key])) {
        ctx.addIssue({ code: 'custom', path: [name], message: 'is needed with HOMEROOM_S3_BUCKET' });
      }
    } else if (env.HOMEROOM_S3_ENDPOINT || keys.some((key) => env[key])) {
      ctx.addIssue({
        code: 'custom',
        path: ['HOMEROOM_S3_BUCKET'],
        message: 'is needed with the other settings of S3: without it files lie in a directory',
      });
    }
    for (const together of [
      ['HOMEROOM_INGEST_URL', 'HOMEROOM_PLAYBACK_URL', 'HOMEROOM_MEDIA_SECRET'],
      ['HOMEROOM_LIVEKIT_URL', 'HOMEROOM_LIVEKIT_API_KEY', 'HOMEROOM_LIVEKIT_API_SECRET'],
    ] as const) {
      const missing = together.filter((name) => env[name] === undefined);
      if (missing.length === together.length) continue;
      for (const name of missing) {
        ctx.addIssue({
          code: 'custom',
          path: [name],
          message: `is needed too: ${together.join(', ')} belong together`,
        });
      }
    }
  });

type Environment = z.infer<typeof environment>;

function storageOf(env: Environment): StorageConfig {
  const { HOMEROOM_S3_BUCKET: bucket, HOMEROOM_S3_ACCESS_KEY: accessKey, HOMEROOM_S3_SECRET_KEY: secretKey } = env;
  if (!bucket || !accessKey || !secretKey) {
    // Not joined as a path, which would make something else of `memory://`.
    return { kind: 'directory', directory: env.HOMEROOM_FILES ?? `${env.HOMEROOM_DATA}/files` };
  }
  const endpoint = env.HOMEROOM_S3_ENDPOINT ?? null;
  const pathStyle = env.HOMEROOM_S3_PATH_STYLE ? env.HOMEROOM_S3_PATH_STYLE === '1' : endpoint !== null;
  return { kind: 's3', bucket, endpoint, region: env.HOMEROOM_S3_REGION, accessKey, secretKey, pathStyle };
}

function streamingOf(env: Environment): StreamingConfig | null {
  const { HOMEROOM_INGEST_URL: ingestUrl, HOMEROOM_PLAYBACK_URL: playbackUrl, HOMEROOM_MEDIA_SECRET: shared } = env;
  if (!ingestUrl || !playbackUrl || !shared) return null;
  return { ingestUrl, playbackUrl, secret: shared, graceSeconds: env.HOMEROOM_STREAM_GRACE_SECONDS };
}

function conferencingOf(env: Environment): ConferencingConfig | null {
  const { HOMEROOM_LIVEKIT_URL: url, HOMEROOM_LIVEKIT_API_KEY: apiKey, HOMEROOM_LIVEKIT_API_SECRET: apiSecret } = env;
  return url && apiKey && apiSecret ? { url, apiKey, apiSecret } : null;
}

const smsBudgetsOf = (env: Environment): SmsBudgets => ({
  perDay: env.HOMEROOM_SMS_PER_DAY,
  countries: env.HOMEROOM_SMS_COUNTRIES,
  abroadPerDay: env.HOMEROOM_SMS_ABROAD_PER_DAY,
  perNetwork: env.HOMEROOM_SMS_PER_NETWORK,
  perAddress: env.HOMEROOM_SMS_PER_ADDRESS,
  perPhone: env.HOMEROOM_SMS_PER_PHONE,
});

const mega = 1024 * 1024;

/** What the process runs with; see the README's table for each setting. */
export type Config = ReturnType<typeof readConfig>;

/** Every setting that is wrong, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The configuration from environment variables.
 * @throws ConfigError listing everything that is wrong
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = environment.safeParse(given);
  if (!result.success) {
    throw new ConfigError(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  }
  const is = result.data;
  return Object.freeze({
    production: is.NODE_ENV,
    port: is.PORT,
    host: is.HOST ?? (is.NODE_ENV ? '0.0.0.0' : '127.0.0.1'),
    databaseUrl: is.DATABASE_URL ?? null,
    databasePool: is.HOMEROOM_DATABASE_POOL,
    nats: is.HOMEROOM_NATS_URL,
    dataDirectory: is.HOMEROOM_DATA,
    /** Null: it lies in the data directory. */
    secret: is.HOMEROOM_SECRET ?? null,
    storage: storageOf(is),
    maxUploadBytes: is.HOMEROOM_MAX_UPLOAD_MB * mega,
    /** Bytes of files that may be stored. */
    quotas: {
      person: is.HOMEROOM_PERSON_STORAGE_MB * mega,
      organization: is.HOMEROOM_ORGANIZATION_STORAGE_MB * mega,
    },
    /** Null: hosts stream elsewhere, or not at all. */
    streaming: streamingOf(is),
    /** Null: nobody calls. */
    conferencing: conferencingOf(is),
    // With a gateway codes reach real phones, and the demo's numbers may be somebody's.
    demo: is.HOMEROOM_DEMO && !is.DATABASE_URL && !is.NODE_ENV && !is.HOMEROOM_SMS_URL,
    operatorPhones: is.HOMEROOM_OPERATOR_PHONES,
    sms: is.HOMEROOM_SMS_URL
      ? { url: is.HOMEROOM_SMS_URL, body: is.HOMEROOM_SMS_BODY, secret: is.HOMEROOM_SMS_SECRET ?? null }
      : null,
    smsBudgets: smsBudgetsOf(is),
    /** Where browsers reach this server. */
    publicUrl: is.HOMEROOM_PUBLIC_URL ?? null,
    allowedOrigins: is.HOMEROOM_ALLOWED_ORIGINS,
    trustedProxies: is.HOMEROOM_TRUSTED_PROXIES,
    graphiql: is.HOMEROOM_GRAPHIQL,
    introspection: is.HOMEROOM_INTROSPECTION,
    sessionIdleDays: is.HOMEROOM_SESSION_IDLE_DAYS,
    sessionMaxDays: is.HOMEROOM_SESSION_MAX_DAYS,
    logRetentionDays: is.HOMEROOM_LOG_RETENTION_DAYS,
    ratePerMinute: is.HOMEROOM_RATE_PER_MINUTE,
    /** What of the event loop's time one person may take, day in, day out. */
    sharePercent: is.HOMEROOM_SHARE_PERCENT,
    signInRatePerHour: is.HOMEROOM_SIGN_IN_RATE_PER_HOUR,
    callsPerMinute: is.HOMEROOM_CALLS_PER_MINUTE,
    questionsPerMinute: is.HOMEROOM_QUESTIONS_PER_MINUTE,
    logLevel: is.HOMEROOM_LOG_LEVEL,
  });
}
