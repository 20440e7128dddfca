import { pino } from 'pino';
import { expect } from 'vitest';
import { type App, startApp } from '../../src/app.ts';
import { checkAudiences } from '../../src/audiences/queries.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { connect } from '../../src/database/connect.ts';
import type { DeliverCode } from '../../src/delivery/codes.ts';
import type { Jobs } from '../../src/jobs/queue.ts';
import { checkNamesakes } from '../../src/names/queries.ts';
import type { Json } from './client.ts';
import { createDatabase, testSecret } from './postgres.ts';
import { World } from './world.ts';

export const operatorPhone = '+79160000001';

/** A server of its own on a database of its own, with the world's people, and the codes that would have been sent. */
export interface TestApp extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string | null;
  readonly world: World;
  readonly jobs: Jobs;
  /** The last code sent to a phone. */
  codeFor(phone: string): string;
}

/**
 * Starts the whole server as `main.ts` does, on a fresh clone of the migrated Postgres, or on the embedded database.
 * Limits that would slow a test down are high; tests of limits set their own.
 */
export async function startTestApp(
  options: {
    embedded?: boolean;
    config?: Partial<Config>;
    databaseUrl?: string;
    deliverCode?: DeliverCode;
    /** The test changes by SQL what who may see what follows from, so it is not looked at in the end. */
    unsettled?: boolean;
    /** Takes each line that the server logs, as pino makes them. */
    onLog?: (line: Json) => void;
  } = {},
): Promise<TestApp> {
  await using stack = new AsyncDisposableStack();
  const own = options.embedded || options.databaseUrl ? null : stack.use(await createDatabase());
  const databaseUrl = options.embedded ? null : (options.databaseUrl ?? own?.url ?? null);
  // Whatever a test does: who may see what is then as its causes say, and whose name is marked.
  if (own && !options.unsettled) stack.defer(() => expectAsDerived(own.url));
  const codes = new Map<string, string>();
  const app: App = stack.use(
    await startApp(
      {
        ...readConfig({
          PORT: '0',
          HOMEROOM_OPERATOR_PHONES: operatorPhone,
          HOMEROOM_DEMO: '0',
          HOMEROOM_FILES: 'memory://',
          HOMEROOM_RATE_PER_MINUTE: '1000000',
          HOMEROOM_SHARE_PERCENT: '1000000',
          HOMEROOM_SIGN_IN_RATE_PER_HOUR: '30000',
          HOMEROOM_CALLS_PER_MINUTE: '1000000',
          HOMEROOM_QUESTIONS_PER_MINUTE: '1000000',
          HOMEROOM_SMS_PER_NETWORK: '30000',
          HOMEROOM_SMS_PER_ADDRESS: '30000',
          HOMEROOM_SECRET: testSecret,
        }),
        databaseUrl,
        dataDirectory: 'memory://',
        ...options.config,
      },
      {
        deliverCode: options.deliverCode ?? (async (phone, _text, code) => void codes.set(phone, code)),
        logger: loggerOf(options.onLog),
      },
    ),
  );
  const codeFor = (phone: string): string => {
    const code = codes.get(phone);
    if (!code) throw new Error(`no code was sent to ${phone}`);
    return code;
  };
  const world = stack.use(new World(app.url, codeFor));
  const running = stack.move();
  return {
    url: app.url,
    databaseUrl,
    world,
    jobs: app.jobs,
    codeFor,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function expectAsDerived(databaseUrl: string): Promise<void> {
  await using connection = await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 1 });
  expect(await checkAudiences(connection.db)).toEqual([]);
  expect(await checkNamesakes(connection.db)).toEqual([]);
}

const loggerOf = (onLog: ((line: Json) => void) | undefined) =>
  onLog
    ? pino({ level: 'debug' }, { write: (line) => onLog(JSON.parse(line)) })
    : pino({ level: process.env.HOMEROOM_LOG_LEVEL ?? 'silent' });
