import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { recordSeen, type Seen } from '../broadcast-attendance/commands.ts';
import { admitStream, keepStream, loseStream } from '../broadcast-streams/commands.ts';
import { canWatch } from '../broadcasts/policy.ts';
import { broadcastById } from '../broadcasts/queries.ts';
import { isUnavailable } from '../database/failures.ts';
import { together } from '../database/together.ts';
import type { Services } from '../graphql/context.ts';
import { absent, type Door } from '../graphql/http.ts';
import type { Streaming } from '../streaming/streaming.ts';
import { bodyOf } from './bodies.ts';

interface StreamsOptions {
  readonly services: Pick<Services, 'db' | 'viewerOfSession'>;
  readonly streaming: Streaming;
  readonly logger: Logger;
}

/** A form of a dozen short fields. */
const maxBodyBytes = 8_192;
/** Who is seen watching more often than so is noted once. */
const seenEveryMs = 20_000;
const writeEveryMs = 3_000;

/** What the media server does with an answer, which has no body. */
interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}
const fine: Answer = { status: 204 };
const refused: Answer = { status: 403 };

/**
 * What the media server asks: `POST /media/publish`, `/media/update` and `/media/publish-done` about who sends a picture, in the
 * form in which nginx's RTMP module tells it; `GET /media/play` about who watches. To whoever does not know the secret there is
 * nothing here.
 */
export class Streams implements Door, AsyncDisposable {
  readonly path = '/media/';
  readonly browsers = null;
  readonly #options: StreamsOptions;
  readonly #broadcast: (id: string) => Promise<Awaited<ReturnType<typeof broadcastById>>[number]>;
  /** When each person was last noted as watching a broadcast. */
  readonly #notedAt = new Map<string, number>();
  /** Since the last were written: who, and when. */
  #seen: (Omit<Seen, 'agoS'> & { readonly at: number })[] = [];
  #writing: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#broadcast = together((ids: readonly string[]) => broadcastById(options.services.db, ids, nobody));
    this.#timer = setInterval(() => this.#write(), writeEveryMs);
  }

  async answer(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const { streaming, logger } = this.#options;
    if (!streaming.isMediaServer(request.headers.authorization)) return absent(response);
    try {
      const answer = await this.#answerTo(request, name);
      if (!answer) return absent(response);
      response.writeHead(answer.status, answer.headers).end();
    } catch (error) {
      // Its configuration says what the media server then does: a picture that comes goes on, and nobody comes in.
      if (isUnavailable(error)) logger.warn({ err: error }, 'the media server cannot be answered now');
      else logger.error({ err: error }, 'the media server cannot be answered');
      response.writeHead(503).end();
    }
  }

  /** Null: there is nothing by that name. */
  async #answerTo(request: IncomingMessage, name: string): Promise<Answer | null> {
    if (request.method === 'GET') return name === 'play' ? this.#play(request) : null;
    if (request.method !== 'POST') return null;
    const body = await bodyOf(request, maxBodyBytes);
    if (!body) return { status: 413, headers: { connection: 'close' } };
    const form = new URLSearchParams(body.toString());
    if (name === 'publish') return this.#publish(form);
    if (name === 'update') return this.#update(form);
    if (name === 'publish-done') return this.#done(form);
    return null;
  }

  async #publish(form: URLSearchParams): Promise<Answer> {
    const { services, streaming, logger } = this.#options;
    const broadcastId = await admitStream(services.db, streaming, sendingBy(form));
    logger.info({ kind: 'picture', broadcast: broadcastId, admitted: broadcastId !== null }, 'stream');
    // The name under which it goes on: who watches is not to see the key.
    return broadcastId ? { status: 302, headers: { location: broadcastId } } : refused;
  }

  async #update(form: URLSearchParams): Promise<Answer> {
    // It also tells of its own way from where pictures come in to where they are made ready to be played.
    if (form.get('call') !== 'update_publish') return fine;
    const { services, streaming } = this.#options;
    return (await keepStream(services.db, streaming, sendingBy(form))) ? fine : refused;
  }

  async #done(form: URLSearchParams): Promise<Answer> {
    const { services, streaming } = this.#options;
    await loseStream(services.db, streaming, sendingBy(form));
    return fine;
  }

  async #play({ headers }: IncomingMessage): Promise<Answer> {
    const { services, streaming } = this.#options;
    const playing = await streaming.playingBy(String(headers['x-playback-token'] ?? ''));
    if (!playing) return refused;
    const { broadcastId, sessionId } = playing;
    const [viewer, broadcast] = await Promise.all([services.viewerOfSession(sessionId), this.#broadcast(broadcastId)]);
    if (!viewer || broadcast?.state !== 'LIVE' || !canWatch(viewer, broadcast)) return refused;
    this.#note({ broadcastId, userId: viewer.userId });
    return { status: 204, headers: { 'x-broadcast': broadcastId } };
  }

  #note(seen: Omit<Seen, 'agoS'>): void {
    const who = `${seen.broadcastId} ${seen.userId}`;
    const now = performance.now();
    if (now - (this.#notedAt.get(who) ?? Number.NEGATIVE_INFINITY) < seenEveryMs) return;
    this.#notedAt.set(who, now);
    this.#seen.push({ ...seen, at: now });
  }

  /** One statement for all who were seen since the last, and after it. */
  #write(): void {
    const before = performance.now() - seenEveryMs;
    for (const [who, at] of this.#notedAt) if (at < before) this.#notedAt.delete(who);
    const seen = this.#seen;
    if (seen.length === 0) return;
    this.#seen = [];
    this.#writing = this.#writing
      .then(() => {
        const now = performance.now();
        const told = seen.map(({ at, ...one }) => ({ ...one, agoS: (now - at) / 1000 }));
        return recordSeen(this.#options.services.db, told);
      })
      .catch((error: unknown) => this.#options.logger.warn({ err: error }, 'who watched is not noted'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#write();
    await this.#writing;
  }
}

const nobody = (): never => {
  throw new Error('the media server asks for nobody');
};

/** Connections are numbered by the media server. */
const sendingBy = (form: URLSearchParams) => ({ key: form.get('name') ?? '', streamId: form.get('clientid') ?? '' });
