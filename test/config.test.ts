import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startApp } from '../src/app.ts';
import { ConfigError, readConfig } from '../src/config.ts';
import { createDatabase } from './support/postgres.ts';
import { World } from './support/world.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const fileOf = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('a process that is configured wrongly says all that is wrong, and ends before it opens anything', async () => {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: repository,
    env: {
      PORT: '70000',
      DATABASE_URL: 'mysql://localhost/homeroom',
      HOMEROOM_OPERATOR_PHONES: '+79160000001,12345',
      HOMEROOM_SMS_BODY: '{"to":{phone}}',
      HOMEROOM_GRAPHIQL: 'yes',
      HOMEROOM_RATE_PER_MINUTE: 'many',
    },
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(code).toBe(1);
  expect(out).toBe('');
  expect(err).toContain('12345 is not a phone number');
  const named = [...err.matchAll(/^([A-Z_]+): \S/gm)].map((match) => match[1]).sort();
  expect(named).toEqual([
    'DATABASE_URL',
    'HOMEROOM_GRAPHIQL',
    'HOMEROOM_OPERATOR_PHONES',
    'HOMEROOM_RATE_PER_MINUTE',
    'HOMEROOM_SMS_BODY',
    'PORT',
  ]);
});

test('production demands an SMS gateway, and never fills a demo', () => {
  expect(() => readConfig({ NODE_ENV: 'production' })).toThrow(ConfigError);
  expect(() => readConfig({ NODE_ENV: 'production' })).toThrow('HOMEROOM_SMS_URL');
  const config = readConfig({ NODE_ENV: 'production', HOMEROOM_SMS_URL: 'https://sms.example.org/send' });
  expect(config).toMatchObject({ production: true, demo: false, host: '0.0.0.0' });
});

test('a session cannot idle longer than it lasts', () => {
  const days = { HOMEROOM_SESSION_IDLE_DAYS: '60', HOMEROOM_SESSION_MAX_DAYS: '30' };
  expect(() => readConfig(days)).toThrow('must not exceed HOMEROOM_SESSION_MAX_DAYS');
});

test('NATS is named by URLs that sign in in one way, and what is wrong with them is said without the password', () => {
  const natsOf = (url: string) => readConfig({ HOMEROOM_NATS_URL: url }).nats;
  expect(natsOf('')).toBe(null);
  expect(natsOf('nats://10.0.0.1')).toEqual({ servers: ['10.0.0.1:4222'] });
  expect(natsOf('nats://token@nats.example.org')).toEqual({ servers: ['nats.example.org:4222'], token: 'token' });
  expect(natsOf('tls://1234:p%40ss%3A@one:1, tls://1234:p%40ss%3A@[::1]:2/')).toEqual({
    servers: ['one:1', '[::1]:2'],
    tls: {},
    user: '1234',
    pass: 'p@ss:',
  });
  const wrong = [
    'http://u:secret@host',
    'u:secret@host',
    'nats://',
    'nats://u:secret@host/path',
    'nats://u:secret%zz@host',
  ];
  for (const url of wrong) {
    expect(() => natsOf(url)).toThrow(/^HOMEROOM_NATS_URL: must be nats:/);
    expect(() => natsOf(url)).not.toThrow('secret');
  }
  expect(() => natsOf('nats://u:secret@one,nats://two')).toThrow('must sign in at every server in the same way');
});

test('files lie in a directory beside the database, or where one says', () => {
  const directoryWith = (env: Record<string, string>) => readConfig(env).storage;
  expect(directoryWith({})).toEqual({ kind: 'directory', directory: 'data/files' });
  expect(directoryWith({ HOMEROOM_DATA: '/srv/homeroom' })).toMatchObject({ directory: '/srv/homeroom/files' });
  expect(directoryWith({ HOMEROOM_DATA: 'memory://' })).toMatchObject({ directory: expect.stringMatching(/^memory:/) });
  const own = { DATABASE_URL: 'postgres://localhost/homeroom', HOMEROOM_FILES: '/mnt/files' };
  expect(directoryWith(own)).toEqual({ kind: 'directory', directory: '/mnt/files' });
  expect(readConfig({}).maxUploadBytes).toBe(50 * 1024 * 1024);
  for (const size of ['0', '2001', '1.5']) {
    expect(() => readConfig({ HOMEROOM_MAX_UPLOAD_MB: size })).toThrow(/^HOMEROOM_MAX_UPLOAD_MB: /);
  }
});

test('with a bucket files lie in S3, which takes both keys; what is wrong is said without them', () => {
  const keys = { HOMEROOM_S3_ACCESS_KEY: 'us', HOMEROOM_S3_SECRET_KEY: 'only-between-us' };
  const bucket = { HOMEROOM_S3_BUCKET: 'files', ...keys };
  expect(readConfig({ ...bucket, HOMEROOM_FILES: '/mnt/files' }).storage).toEqual({
    kind: 's3',
    bucket: 'files',
    endpoint: null,
    region: 'us-east-1',
    accessKey: 'us',
    secretKey: 'only-between-us',
    pathStyle: false,
  });
  const elsewhere = { ...bucket, HOMEROOM_S3_ENDPOINT: 'https://s3.example.org:9000', HOMEROOM_S3_REGION: 'ru-1' };
  const found = { endpoint: 'https://s3.example.org:9000', region: 'ru-1', pathStyle: true };
  expect(readConfig(elsewhere).storage).toMatchObject(found);
  expect(readConfig({ ...elsewhere, HOMEROOM_S3_PATH_STYLE: '0' }).storage).toMatchObject({ pathStyle: false });
  expect(readConfig({ ...bucket, HOMEROOM_S3_PATH_STYLE: '1' }).storage).toMatchObject({ pathStyle: true });

  const saidOf = (env: Record<string, string>): string => {
    try {
      readConfig(env);
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
    }
    return 'nothing';
  };
  expect(saidOf({ HOMEROOM_S3_BUCKET: 'files' })).toBe(
    'HOMEROOM_S3_ACCESS_KEY: is needed with HOMEROOM_S3_BUCKET\nHOMEROOM_S3_SECRET_KEY: is needed with HOMEROOM_S3_BUCKET',
  );
  expect(saidOf({ ...bucket, HOMEROOM_S3_SECRET_KEY: '' })).toMatch(/^HOMEROOM_S3_SECRET_KEY: is needed[^\n]*$/);
  expect(saidOf(keys)).toMatch(/^HOMEROOM_S3_BUCKET: is needed[^\n]*$/);
  expect(saidOf({ HOMEROOM_S3_ENDPOINT: 'https://s3.example.org' })).toMatch(/^HOMEROOM_S3_BUCKET: is needed[^\n]*$/);
  expect(saidOf({ ...bucket, HOMEROOM_S3_BUCKET: 'Not/a bucket' })).toMatch(/^HOMEROOM_S3_BUCKET: must be/);
  expect(saidOf({ ...bucket, HOMEROOM_S3_PATH_STYLE: 'yes' })).toMatch(/^HOMEROOM_S3_PATH_STYLE: /);
  for (const address of [
    's3.example.org',
    'ftp://host',
    'https://us:only-between-us@host',
    'https://host/?key=only-between-us',
  ]) {
    const said = saidOf({ ...bucket, HOMEROOM_S3_ENDPOINT: address });
    expect(said).toMatch(/^HOMEROOM_S3_ENDPOINT: must /);
    expect(said).not.toContain('only-between-us');
  }
});

test('what is set to nothing counts as not set', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: '', HOMEROOM_OPERATOR_PHONES: '', HOMEROOM_S3_BUCKET: '' })).toEqual(
    readConfig({}),
  );
});

test('the README’s table names the settings that are read, with their defaults', () => {
  const table = [...fileOf('README.md').matchAll(/^\| `([A-Z0-9_]+)` \| (–|`[^`]+`) \|/gm)];
  const told = table.map(([, name, value]) => [name, value?.replace(/^–$/, '').replaceAll('`', '')]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(settingsIn(fileOf('src/config.ts'))));
  expect(told.length).toBe(settingsIn(fileOf('src/config.ts')).length);
});

/** Every setting in the source of the schema, with its default as one would write it in the environment. */
function settingsIn(source: string): [name: string, byDefault: string][] {
  const parts = source.split(/^ {4}([A-Z0-9_]+):/m).slice(1);
  const pairs = parts.flatMap((name, index): [string, string][] => (index % 2 ? [] : [[name, parts[index + 1] ?? '']]));
  return pairs.map(([name, schema]) => {
    const own = schema.split(/^ {2}\}\)/m)[0] ?? '';
    const [, number] = /whole\(([\d_]+)/.exec(own) ?? [];
    const [, flag] = /flag\((\w+)\)/.exec(own) ?? [];
    const [, value] = /\.default\('([^']*)'\)/.exec(own) ?? [];
    return [name, number?.replaceAll('_', '') ?? (flag ? String(Number(flag === 'true')) : (value ?? ''))];
  });
}

/** An SMS gateway that keeps what it was sent, and answers with `status`. */
async function startGateway() {
  const received: { headers: IncomingMessage['headers']; body: string }[] = [];
  const gateway = { received, status: 200, url: '', [Symbol.asyncDispose]: async () => void server.close() };
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    response.writeHead(gateway.status).end('{"balance":0}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  gateway.url = `http://127.0.0.1:${port}/send`;
  return gateway;
}

test('in production codes go through the SMS gateway alone; what it does not take may be asked for again at once', async () => {
  await using database = await createDatabase();
  await using gateway = await startGateway();
  const seen: string[] = [];
  const config = readConfig({
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: database.url,
    HOMEROOM_SMS_URL: gateway.url,
    HOMEROOM_SMS_BODY: '{"messages":[{"recipient":{phone},"content":{"text":{text}}}]}',
    HOMEROOM_SMS_SECRET: 'only-between-us',
    HOMEROOM_LOG_LEVEL: 'debug',
  });
  await using app = await startApp(config, {
    logger: pino({ level: config.logLevel }, { write: (line: string) => void seen.push(line) }),
    print: (line) => void seen.push(line),
  });
  const phone = '+79160001122';
  const codeFor = () =>
    /\b\d{6}\b/.exec(JSON.parse(gateway.received.at(-1)?.body ?? '').messages[0].content.text)?.[0] ?? '';
  await using world = new World(app.url, codeFor);
  const visitor = world.anonymous();

  gateway.status = 500;
  const failed = await visitor.does('RequestSignInCode', { phone });
  expect(failed).toMatchObject({ __typename: 'DeliveryFailed', code: 'DELIVERY_FAILED' });
  const unsent = codeFor();
  gateway.status = 202;
  const person = await world.person(undefined, phone);
  expect((await person.run('Viewer')).viewer.contact.phone).toBe(phone);

  expect(gateway.received).toHaveLength(2);
  expect(gateway.received[1]?.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'Bearer only-between-us',
  });
  expect(JSON.parse(gateway.received[1]?.body ?? '')).toEqual({
    messages: [
      { recipient: phone, content: { text: `${codeFor()} is your Homeroom sign-in code. Tell it to nobody.` } },
    ],
  });

  expect(seen.length).toBeGreaterThan(2);
  for (const secret of [unsent, codeFor(), phone, 'only-between-us']) expect(seen.join('')).not.toContain(secret);
});
