import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { StreamingConfig } from '../config.ts';
import { Tickets } from '../tickets.ts';

/** What a stream key follows from: it changes with each. */
export interface Sender {
  readonly id: string;
  readonly hostId: string;
  readonly keyVersion: number;
}

/** Who plays what: one session, one broadcast. */
export interface Playing {
  readonly broadcastId: string;
  readonly sessionId: string;
}

/** An address under which one session may play a broadcast, until then. */
export interface Playback {
  readonly url: string;
  readonly expiresAt: Date;
}

const playbackS = 5 * 60;
const uuid = z.uuid();
const claims = z.object({ sub: uuid, sid: uuid });

const idLength = 22;
const macBytes = 24;

/**
 * A media server that takes pictures by RTMP, plays them by HLS, and asks here about both (`callbacks/streams.ts`). The
 * configuration for one that does, nginx with its RTMP module, is in `nginx.conf`.
 */
export class Streaming {
  readonly ingestUrl: string;
  readonly graceMs: number;
  readonly #playbackUrl: string;
  readonly #secret: Buffer;
  readonly #keys: Buffer;
  readonly #tickets: Tickets<z.output<typeof claims>>;

  private constructor(config: StreamingConfig, tickets: Tickets<z.output<typeof claims>>) {
    this.ingestUrl = config.ingestUrl;
    this.graceMs = config.graceSeconds * 1000;
    this.#playbackUrl = config.playbackUrl.replace(/\/+$/, '');
    this.#secret = Buffer.from(config.secret);
    this.#keys = derived(config.secret, 'stream keys');
    this.#tickets = tickets;
  }

  static async with(config: StreamingConfig): Promise<Streaming> {
    return new Streaming(config, await Tickets.signedWith(derived(config.secret, 'playback'), claims, playbackS));
  }

  /** Whether a request comes from the media server: it knows the secret. */
  isMediaServer(authorization: string | undefined): boolean {
    // Node reads each byte of a header as a character.
    const given = Buffer.from(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '', 'latin1');
    return given.length === this.#secret.length && timingSafeEqual(given, this.#secret);
  }

  /** What the host's program proves itself with. It is kept nowhere. */
  keyOf(sender: Sender): string {
    return `${Buffer.from(sender.id.replaceAll('-', ''), 'hex').toString('base64url')}${this.#macOf(sender)}`;
  }

  /** The broadcast that a key claims to be of; null: it is no key. Whether it is right `fits` says. */
  broadcastOf(key: string): string | null {
    if (!keyShape.test(key)) return null;
    const hex = Buffer.from(key.slice(0, idLength), 'base64url').toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  fits(key: string, sender: Sender): boolean {
    const [given, expected] = [Buffer.from(key), Buffer.from(this.keyOf(sender))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #macOf({ id, hostId, keyVersion }: Sender): string {
    const mac = createHmac('sha256', this.#keys).update(`${id} ${hostId} ${keyVersion}`).digest();
    return mac.subarray(0, macBytes).toString('base64url');
  }

  async playbackOf({ broadcastId, sessionId }: Playing): Promise<Playback> {
    const { token, expiresAt } = await this.#tickets.issue({ sub: broadcastId, sid: sessionId });
    return { url: `${this.#playbackUrl}/${token}/index.m3u8`, expiresAt };
  }

  /** Who plays what by a token; null: it is not from here, or too old. */
  async playingBy(token: string): Promise<Playing | null> {
    const said = await this.#tickets.read(token);
    return said && { broadcastId: said.sub, sessionId: said.sid };
  }
}

const keyShape = new RegExp(`^[A-Za-z0-9_-]{${idLength + Math.ceil((macBytes * 4) / 3)}}$`);

const derived = (secret: string, use: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', use, 32));
