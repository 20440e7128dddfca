import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Conferencing, RoomReport } from '../conferencing/conferencing.ts';
import type { Database } from '../database/connect.ts';
import { isUnavailable } from '../database/failures.ts';
import { absent, type Door } from '../graphql/http.ts';
import { type RoomKeepers, takeReport } from '../participations/commands.ts';
import { bodyOf } from './bodies.ts';

export interface ConferenceDoorOptions {
  readonly db: Database;
  readonly conferencing: Conferencing;
  readonly keepers: RoomKeepers;
  /** Somebody is in a room that they were sent out of. */
  onUnwanted(): void;
  readonly logger: Logger;
}

const maxBytes = 64 * 1024;
/** Anybody may send what is refused: that is said once in so long. */
const quietMs = 60_000;

/**
 * `POST /livekit/webhook`: what the LiveKit server tells of its rooms. Answered by a status alone: 204, it was taken; 401, LiveKit has
 * not signed it, or long ago; 409, it was taken before, and nothing happens twice; 503, tell it again.
 */
export class ConferenceDoor implements Door {
  readonly path = '/livekit/webhook';
  readonly browsers = null;
  readonly #options: ConferenceDoorOptions;
  #quietUntil = 0;

  constructor(options: ConferenceDoorOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (name) return absent(response);
    const status = await this.#statusFor(request);
    const headers = { 'cache-control': 'no-store', ...(!request.complete && { connection: 'close' }) };
    if (!response.destroyed) response.writeHead(status, headers).end();
  }

  async #statusFor(request: IncomingMessage): Promise<number> {
    const { db, keepers, onUnwanted, logger } = this.#options;
    if (request.method !== 'POST') return 405;
    // Byte for byte as it came: that is what was signed.
    const body = await bodyOf(request, maxBytes);
    if (body === null) return 413;
    const report = await this.#reportIn(body.toString(), request.headers.authorization);
    if (report === 'FORGED') return 401;
    if (report === null) return 204;
    try {
      const { isRepeated, isUnwanted } = await takeReport(db, keepers, report);
      if (isUnwanted) onUnwanted();
      return isRepeated ? 409 : 204;
    } catch (error) {
      logger.error({ err: error }, 'a webhook of LiveKit cannot be taken now');
      return isUnavailable(error) ? 503 : 500;
    }
  }

  async #reportIn(body: string, authorization: string | undefined): Promise<RoomReport | null | 'FORGED'> {
    try {
      return await this.#options.conferencing.reportIn(body, authorization);
    } catch (error) {
      this.#warn(error);
      return 'FORGED';
    }
  }
  #warn(error: unknown): void {
    if (Date.now() < this.#quietUntil) return;
    this.#quietUntil = Date.now() + quietMs;
    this.#options.logger.warn({ reason: String(error) }, 'a webhook is not LiveKit’s, or too old');
  }
}
