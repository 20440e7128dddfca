import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Database } from '../database/connect.ts';
import { claimContent, outcomeOf, previewKey, recordContent, refuseContent } from '../files/commands.ts';
import { awaitedUpload } from '../files/queries.ts';
import type { FileRow } from '../files/tables.ts';
import type { Asking } from '../graphql/context.ts';
import type { Door } from '../graphql/http.ts';
import { uuid } from '../graphql/ids.ts';
import type { Operations } from '../graphql/operations.ts';
import type { Inspector } from '../inspection/inspector.ts';
import { Refused } from '../inspection/refusal.ts';
import type { Storage } from '../storage/storage.ts';
import type { Viewer } from '../viewer.ts';
import { answerTo, Declined, decline, notAllowed, notFound } from './answers.ts';
import { Desk, type Place } from './desk.ts';
import { receive, tooLarge, tooShort } from './reception.ts';
import { Slots } from './slots.ts';

export interface UploadOptions {
  readonly db: Database;
  readonly operations: Operations;
  readonly storage: Storage;
  readonly inspector: Inspector;
  readonly logger: Logger;
}

/** How many uploads go on at once: each is a file on the disk. */
const limits = { total: 64, each: 4 };

/** `PUT /uploads/<id>`: the way in for the bytes of an announced file, from who announced it. */
export class Uploads implements Door, AsyncDisposable {
  readonly path = '/uploads/';
  readonly browsers = { methods: 'PUT', exposed: 'retry-after' };
  readonly takesTime = true;
  readonly #options: UploadOptions;
  readonly #desk: Desk;
  readonly #slots = new Slots(limits);
  readonly #running = new Set<Promise<void>>();

  private constructor(options: UploadOptions, desk: Desk) {
    this.#options = options;
    this.#desk = desk;
  }

  static async open(options: UploadOptions): Promise<Uploads> {
    return new Uploads(options, await Desk.open());
  }

  async answer(request: IncomingMessage, response: ServerResponse, fileId: string, asking: Asking): Promise<void> {
    const work = this.#answer(request, response, fileId, asking);
    this.#running.add(work);
    await work.finally(() => this.#running.delete(work));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, fileId: string, asking: Asking): Promise<void> {
    const { operations, logger } = this.#options;
    let { locale } = asking;
    const sorry = (error: unknown) => decline(request, response, answerTo(error, locale, logger));
    try {
      if (request.method !== 'PUT') throw notAllowed('PUT');
      const context = await operations.context(asking);
      locale = context.locale;
      await this.#take(request, fileId, context.viewer, sorry);
      response.writeHead(204, { 'cache-control': 'no-store' }).end();
    } catch (error) {
      // Who has broken off, or was told already that it takes too long, hears nothing more.
      if (!response.headersSent && !request.socket.destroyed) sorry(error);
    }
  }

  async #take(
    request: IncomingMessage,
    fileId: string,
    viewer: Viewer,
    giveUp: (why: Declined) => void,
  ): Promise<void> {
    const { db, logger } = this.#options;
    const file = uuid.test(fileId) ? await awaitedUpload(db, viewer, fileId) : null;
    if (!file) throw notFound();
    demandWhole(request, file);
    using _slot = this.#slots.take(viewer.userId);
    await using place = await this.#desk.place();
    const started = performance.now();
    const sha256 = await receive(request, place.path, file.size, giveUp);
    const received = performance.now();
    // What has come once is not looked at again.
    const kept = !file.receivedAt && (await this.#keep(file, sha256, place));
    if (!kept) await this.#conclude(fileId, sha256);
    const [ms, keepMs] = [received - started, performance.now() - received].map(Math.round);
    logger.info({ kind: 'upload', viewer: viewer.userId, bytes: file.size, ms, keepMs }, 'transfer');
  }

  /** Looks at what has come and stores it. False: somebody else did, or the file is gone. @throws Declined when it is refused */
  async #keep(file: FileRow, sha256: Buffer, place: Place): Promise<boolean> {
    const { db, storage, inspector, logger } = this.#options;
    try {
      const { path, previewPath } = place;
      const inspected = await inspector.inspect({ path, previewPath, name: file.name });
      if (!(await claimContent(db, file.id, sha256))) return false;
      await storage.put(file.id, path);
      if (inspected.hasPreview) await storage.put(previewKey(file.id), previewPath);
      return await recordContent(db, file.id, sha256, inspected);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.cause) logger.info({ err: error.cause, refusal: error.refusal }, 'a file could not be read');
      if (!(await refuseContent(db, file.id, sha256, error.refusal))) return false;
      throw new Declined(422, error.refusal, `REFUSED_${error.refusal}`);
    }
  }

  /** Somebody was quicker, or has discarded the file. */
  async #conclude(fileId: string, sha256: Buffer): Promise<void> {
    const outcome = await outcomeOf(this.#options.db, fileId, sha256);
    if (outcome === 'OTHER') throw new Declined(409, 'UPLOAD_CONFLICT', 'UPLOAD_CONFLICT');
    if (outcome === 'SAME') return;
    // Its bytes may have been removed before these were put there.
    await this.#options.storage.remove([fileId, previewKey(fileId)]);
    throw notFound();
  }

  /** What is under way must be over before what it needs is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running);
    await this.#desk[Symbol.asyncDispose]();
  }
}

/** @throws Declined for what can be told by the headers not to be the file */
function demandWhole({ headers }: IncomingMessage, { size }: FileRow): void {
  if (headers['content-range'] !== undefined || headers['content-encoding'] !== undefined) {
    throw new Declined(400, 'UPLOAD_IN_PARTS', 'UPLOAD_IN_PARTS');
  }
  const length = headers['content-length'] === undefined ? size : Number(headers['content-length']);
  if (length > size) throw tooLarge();
  if (length < size) throw tooShort();
}
