import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Bucket } from '../config.ts';
import type { ByteRange, Store } from './storage.ts';

const attempts = 3;
const retryMs = 200;
const connectTimeoutMs = 5_000;
/** Without a byte, in either direction. That includes a person who reads a file and pauses for so long. */
const idleTimeoutMs = 30_000;
/** Readers hold one each. */
const maxSockets = 256;
/** Each key takes a request. */
const removedAtOnce = 8;

const silent = () => {};

/** A bucket, at Amazon or anybody who speaks its language; only what all of them understand is used. */
export class S3Store implements Store {
  readonly #bucket: string;
  readonly #client: S3Client;

  constructor({ bucket, endpoint, region, accessKey, secretKey, pathStyle }: S3Bucket) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      region,
      ...(endpoint !== null && { endpoint }),
      forcePathStyle: pathStyle,
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      // The environment has variables of Amazon's for this, and only our configuration decides.
      ignoreConfiguredEndpointUrls: true,
      retryMode: 'standard',
      maxAttempts: attempts,
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        socketTimeout: idleTimeoutMs,
        httpAgent: { maxSockets },
        httpsAgent: { maxSockets },
      },
      // By default every upload carries a CRC32 behind its bytes, in a framing (aws-chunked) that many servers refuse, and
      // some keep as if it were the file's: https://github.com/aws/aws-sdk-js-v3/issues/6810
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // Otherwise it warns on the console, and our log is JSON.
      logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    });
  }

  async put(key: string, path: string): Promise<void> {
    const { size } = await stat(path);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#send(key, path, size);
      } catch (error) {
        if (attempt === attempts || !mayPass(error)) throw error;
        await sleep(retryMs * attempt);
      }
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable | null> {
    const Range = range && `bytes=${range.start}-${range.end}`;
    const found = await this.#client
      .send(new GetObjectCommand({ Bucket: this.#bucket, Key: key, Range }))
      .catch((error: unknown) => {
        if (!(error instanceof S3ServiceException)) throw error;
        if (error.name === 'NoSuchKey') return null;
        if (error.$metadata.httpStatusCode === 416) throw new RangeError('it begins behind the last byte');
        throw error;
      });
    if (!found) return null;
    const { Body, ContentRange } = found;
    if (!(Body instanceof Readable)) throw new Error('it answers without a body');
    if (range && !isPart(ContentRange, range)) {
      Body.destroy();
      throw new Error(`it answers ${ContentRange ?? 'with everything'} to ${Range}`);
    }
    return Body;
  }

  /** One by one: DeleteObjects demands checksums that some servers do not know, and others lack it altogether. */
  async remove(keys: readonly string[]): Promise<void> {
    const rest = keys.values();
    const work = Array.from({ length: removedAtOnce }, async () => {
      for (const key of rest) await this.#remove(key);
    });
    await Promise.all(work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  async #send(key: string, path: string, size: number): Promise<void> {
    const body = createReadStream(path);
    const stop = new AbortController();
    // Nobody else listens, and then a disk's fault would end the process.
    body.on('error', (error) => stop.abort(error));
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ContentLength: size });
    try {
      await this.#client.send(command, { abortSignal: stop.signal });
    } catch (error) {
      // Refused early, the request would stay open and wait for the rest of the file.
      stop.abort(error);
      throw stop.signal.reason;
    } finally {
      body.destroy();
    }
  }

  async #remove(key: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }));
    } catch (error) {
      // Most servers do not mind.
      if (!(error instanceof S3ServiceException && error.name === 'NoSuchKey')) throw error;
    }
  }
}

/** The SDK repeats what it can; it cannot repeat a stream. Who is not answered at all may be answered the next time. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return true;
  const { httpStatusCode = 0 } = error.$metadata;
  return httpStatusCode >= 500 || httpStatusCode === 429;
}

/** There are servers that read ranges wrongly, or not at all: other bytes than those asked for would pass for the file's. */
function isPart(contentRange: string | undefined, { start, end }: ByteRange): boolean {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange ?? '') ?? [];
  return Number(first) === start && Number(last) === Math.min(end, Number(size) - 1);
}
