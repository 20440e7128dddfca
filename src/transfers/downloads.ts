import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { create as contentDisposition } from 'content-disposition';
import type { Logger } from 'pino';
import parseRange from 'range-parser';
import { contentKey, previewKey } from '../files/commands.ts';
import { visibleFile } from '../files/queries.ts';
import type { FileRow } from '../files/tables.ts';
import type { Asking, FileLink, Services } from '../graphql/context.ts';
import type { Door } from '../graphql/http.ts';
import type { Operations } from '../graphql/operations.ts';
import type { Limiter } from '../graphql/rates.ts';
import type { ByteRange, Storage } from '../storage/storage.ts';
import { answerTo, Declined, decline, notAllowed, notFound } from './answers.ts';
import type { FileLinks } from './links.ts';

export interface DownloadOptions {
  readonly services: Services;
  readonly operations: Operations;
  readonly links: FileLinks;
  readonly storage: Storage;
  readonly rate: Limiter;
  /** Pages of other hosts show these files, so a browser must let them. */
  readonly crossOrigin: boolean;
  readonly logger: Logger;
}

/** Who takes nothing for so long has left. */
const idleMs = 60_000;

/** What a browser may show in a page of its own, without anything in it that acts. */
const shown = /^(image\/(?!svg)|audio\/|video\/|application\/pdf$)/;

/** `GET /files/<token>`: the bytes of a file, for whoever the link was made for, while they may see the file. */
export class Downloads implements Door {
  readonly path = '/files/';
  readonly browsers = { methods: 'GET, HEAD', exposed: 'content-disposition, content-range', anyOrigin: true };
  readonly #options: DownloadOptions;

  constructor(options: DownloadOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse, token: string, asking: Asking): Promise<void> {
    const { services, operations, links, rate, logger } = this.#options;
    let { locale } = asking;
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET, HEAD');
      const link = await links.read(token);
      const viewer = link && (await services.viewerOfSession(link.sessionId));
      if (!viewer) throw notFound();
      locale = viewer.locale;
      await rate(`viewer:${viewer.userId}`);
      const file = await visibleFile(operations.contextOf(asking, viewer), link.fileId);
      if (file?.state !== 'READY') throw notFound();
      const started = performance.now();
      const bytes = await this.#send(request, response, file, link);
      const ms = Math.round(performance.now() - started);
      logger.info({ kind: 'download', viewer: viewer.userId, bytes, ms }, 'transfer');
    } catch (error) {
      // Who has broken off hears nothing more.
      if (!request.socket.destroyed && !response.closed) decline(request, response, answerTo(error, locale, logger));
    }
  }

  /** Sends the file, or the part that is asked for. Whoever breaks off frees what the storage holds for it. */
  async #send(request: IncomingMessage, response: ServerResponse, file: FileRow, link: FileLink): Promise<number> {
    const preview = link.variant === 'PREVIEW';
    if (preview && !file.hasPreview) throw notFound();
    const { size } = file;
    // A preview is small, and only the storage knows its length.
    const range = preview ? null : rangeOf(request, size);
    const bytes = range ? range.end - range.start + 1 : size;
    const body =
      request.method === 'HEAD'
        ? null
        : await this.#options.storage.read(
            preview ? previewKey(contentKey(file)) : contentKey(file),
            range ?? undefined,
          );
    try {
      response.writeHead(range ? 206 : 200, {
        ...(preview ? previewHeaders(file) : originalHeaders(file)),
        ...(!preview && { 'content-length': bytes }),
        ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
        'cache-control': 'private, no-store',
        'cross-origin-resource-policy': this.#options.crossOrigin ? 'cross-origin' : 'same-site',
      });
      response.setTimeout(idleMs, () => response.destroy());
      if (body) await pipeline(body, response);
      else response.end();
      return bytes;
    } finally {
      // Who was gone already leaves it untouched.
      body?.destroy();
    }
  }
}

/**
 * Nothing in a file may act, should a browser show it in a page of its own; what the browser draws around a picture is style.
 * Sound and video play themselves there by their own address, which a sandbox would not let them ask.
 */
const sandboxed = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
const playing = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'";

function originalHeaders({ name, mediaType }: FileRow): Record<string, string> {
  const type = mediaType ?? 'application/octet-stream';
  return {
    'content-type': type,
    'content-disposition': contentDisposition(name, { type: shown.test(type) ? 'inline' : 'attachment' }),
    'content-security-policy': /^(audio|video)\//.test(type) ? playing : sandboxed,
    'accept-ranges': 'bytes',
  };
}

const previewHeaders = ({ name }: FileRow): Record<string, string> => ({
  'content-type': 'image/webp',
  'content-disposition': contentDisposition(`${name.replace(/\.[^.]*$/, '')}.webp`, { type: 'inline' }),
  'content-security-policy': sandboxed,
  'accept-ranges': 'none',
});

/** The one part that is asked for; null: the whole, also where several are. @throws Declined for one that is not there */
function rangeOf({ headers, method }: IncomingMessage, size: number): ByteRange | null {
  // Only a GET has parts.
  if (!headers.range || method !== 'GET') return null;
  const ranges = parseRange(size, headers.range);
  if (ranges === -1) {
    throw new Declined(416, 'RANGE_NOT_SATISFIABLE', 'RANGE_NOT_SATISFIABLE', {
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length > 1) return null;
  return ranges[0] ?? null;
}
