import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What we use of s3rver, which has no types. */
interface S3rver {
  configureBuckets(): Promise<unknown>;
  callback(): RequestListener;
  readonly store: {
    getObject(bucket: string, key: string, range: { start?: number; end?: number | string }): Promise<unknown>;
  };
  readonly logger: { close(): void };
}
// Boundary: its documentation's word for it.
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;

/** The one that s3rver knows. */
const accessKey = 'S3RVER';
const bucket = 'homeroom-files';

/** A server that speaks S3, on loopback, with one bucket. */
export interface S3 extends AsyncDisposable {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** What a server of ours is told of it. */
  readonly settings: Readonly<Record<string, string>>;
  /** What it has been asked, and answered: `GET /homeroom-files/key 200`. */
  readonly answers: readonly string[];
  /** How many connections it has. */
  connections(): Promise<number>;
  /** Answers so many requests with 503 before it works again. */
  falter(times: number): void;
  /** Hangs up on everybody, and lets nobody in any more. */
  stop(): Promise<void>;
}

/**
 * Starts s3rver, behind a look at the signatures: it takes every secret, and everybody who shows none. Nor does it read the
 * range `bytes=0-0`. What it still does not do as Amazon does: it keeps the framing of `aws-chunked` as if it were content, and
 * answers a range of an empty file.
 */
export async function startS3(): Promise<S3> {
  const directory = await mkdtemp(join(tmpdir(), 'homeroom-s3-'));
  const secretKey = randomBytes(20).toString('base64');
  const s3rver = new S3rver({ directory, silent: true, configureBuckets: [{ name: bucket }] });
  await s3rver.configureBuckets();
  const { store } = s3rver;
  const getObject = store.getObject.bind(store);
  // It takes an end of 0 for none, but not as text.
  store.getObject = (inBucket, key, range) =>
    getObject(inBucket, key, range.end === 0 ? { ...range, end: '0' } : range);

  const answers: string[] = [];
  let failing = 0;
  const serve = s3rver.callback();
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    response.once('finish', () => answers.push(`${request.method} ${path} ${response.statusCode}`));
    const refuse = (status: number, code: string) => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
    };
    if (failing > 0) {
      failing--;
      refuse(503, 'ServiceUnavailable');
    } else if (!isSigned(request, secretKey)) refuse(403, 'SignatureDoesNotMatch');
    else serve(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server.close(), 'close');
    server.closeAllConnections();
    await closed;
  };
  return {
    endpoint,
    bucket,
    accessKey,
    secretKey,
    settings: {
      HOMEROOM_S3_BUCKET: bucket,
      HOMEROOM_S3_ENDPOINT: endpoint,
      HOMEROOM_S3_ACCESS_KEY: accessKey,
      HOMEROOM_S3_SECRET_KEY: secretKey,
    },
    answers,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    falter: (times) => {
      failing = times;
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      s3rver.logger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Whether a request is signed with the secret, as Amazon's «Signature Version 4» has it. */
function isSigned(request: IncomingMessage, secretKey: string): boolean {
  const { authorization = '' } = request.headers;
  const [, scope = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    ) ?? [];
  const [path, query = ''] = request.url?.split('?') ?? [];
  const parameters = query.split('&').filter(Boolean);
  const canonical = [
    request.method,
    path,
    parameters
      .map((parameter) => (parameter.includes('=') ? parameter : `${parameter}=`))
      .sort()
      .join('&'),
    ...names.split(';').map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  const key = scope.split('/').reduce<string | Buffer>((previous, part) => hmac(previous, part), `AWS4${secretKey}`);
  const expected = hmac(key, ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, digest].join('\n'));
  return signature !== '' && timingSafeEqual(Buffer.from(signature, 'hex'), expected);
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
