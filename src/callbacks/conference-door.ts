import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Conferencing, RoomReport } from '../conferencing/conferencing.ts';
import type { Database } from '../database/connect.ts';
import { isUnavailable } from '../database/failures.ts';
import { type RoomKeepers, takeReport } from '../participations/commands.ts';

export interface ConferenceDoorOptions {
  readonly db: Database;
  readonly conferencing: Conferencing;
  readonly keepers: RoomKeepers;
  /** Somebody is in a room that they were sent out of. */
  onUnwanted(): void;
  readonly logger: Logger;
}

const maxBytes = 64 * 1024;

/**
 * `POST /livekit/webhook`: what the LiveKit server tells of its rooms. Answered by a status alone: 204, it was taken; 401, LiveKit has
 * not signed it, or long ago; 409, it was taken before, and nothing happens twice; 503, tell it again.
 */
export class ConferenceDoor {
  readonly #options: ConferenceDoorOptions;

  constructor(options: ConferenceDoorOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const status = await this.#statusFor(request);
    const headers = { 'cache-control': 'no-store', ...(!request.complete && { connection: 'close' }) };
    if (!response.destroyed) response.writeHead(status, headers).end();
  }

  async #statusFor(request: IncomingMessage): Promise<number> {
    const { db, keepers, onUnwanted, logger } = this.#options;
    if (request.method !== 'POST') return 405;
    const body = await textOf(request);
    if (body === null) return 413;
    const report = await this.#reportIn(body, request.headers.authorization);
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
      this.#options.logger.warn({ reason: String(error) }, 'a webhook is not LiveKit’s, or too old');
      return 'FORGED';
    }
  }
}

/** The body as it came, byte for byte, for that is what was signed; null: it is too long, or was broken off. */
async function textOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // To stop reading must not take the way back for the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes: Buffer = chunk; // what a request gives without an encoding
      size += bytes.length;
      if (size > maxBytes) return null;
      chunks.push(bytes);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}
