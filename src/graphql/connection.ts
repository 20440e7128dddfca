import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { Rendered } from '../log/lane.ts';
import type { Delivery, Outlet } from '../log/outlet.ts';
import type { Holder } from '../log/reader.ts';
import type { Viewer } from '../viewer.ts';
import type { Asking } from './context.ts';
import { deliver, type Subscription } from './operations.ts';
import { Outbox } from './outbox.ts';

/** Close codes beyond graphql-ws's own; stock clients retry all of these. */
export const closeCodes = { drain: 1012, overload: 1013, sessionEnded: 4403 } as const;

/** How long a socket has to say its last words when its session ends. */
const lastWordsMs = 500;

/**
 * One WebSocket: what graphql-ws speaks through, and what its subscriptions are delivered on. There are thousands of them,
 * so it holds little, and no closures where a method does.
 */
export class Connection implements Holder {
  readonly socket: WebSocket;
  readonly #stream: Duplex;
  readonly outbox: Outbox;
  readonly openedAt = performance.now();
  asking: Asking;
  /** Who the socket belongs to, once it is admitted. */
  viewer: Viewer | null = null;
  /** Whether it has answered since it was last asked. */
  answers = true;

  constructor(socket: WebSocket, stream: Duplex, asking: Asking) {
    this.socket = socket;
    this.#stream = stream;
    this.outbox = new Outbox(stream);
    this.asking = asking;
  }

  get userId(): string {
    return this.viewer?.userId ?? '';
  }

  get sessionId(): string {
    return this.viewer?.sessionId ?? '';
  }

  get protocol(): string {
    return this.socket.protocol;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  send(data: string): void {
    if (!this.isOpen) return;
    this.outbox.gather();
    this.socket.send(data);
    this.#mindRoom();
  }

  /** Sends a frame that is already made. Without compression `ws` writes frames whole, so this one stands between two. */
  sendFrame(frame: Buffer): void {
    if (!this.isOpen) return;
    this.outbox.gather();
    this.#stream.write(frame);
    this.#mindRoom();
  }

  #mindRoom(): void {
    if (!this.outbox.full || this.socket.isPaused) return;
    // Who does not read is not listened to either.
    this.socket.pause();
    this.outbox.whenRoom(() => this.socket.resume());
  }

  close(code?: number, reason?: string): void {
    this.socket.close(code, reason);
  }

  onMessage(hear: (data: string) => Promise<void>): void {
    // Nothing of an unexpected error leaves, and the close code is one that clients retry.
    this.socket.on('message', (data) => void hear(String(data)).catch(() => this.overload()));
  }

  overload(): void {
    this.close(closeCodes.overload, 'Try again');
  }

  /** Its streams have something to say yet. */
  async sessionEnded(): Promise<void> {
    await sleep(lastWordsMs, undefined, { ref: false });
    this.close(closeCodes.sessionEnded, 'Session ended');
  }
}

/**
 * A subscription on a socket. graphql-ws takes it for the stream of its results, of which it sees only the end: the results
 * go past it, as bytes that are the same for all who share them, in an envelope with this subscription's id.
 */
export class SocketSubscription implements Outlet, AsyncIterableIterator<never> {
  readonly #connection: Connection;
  readonly #id: string;
  readonly #subscription: Subscription;
  #finish: (() => void) | null = null;

  constructor(connection: Connection, id: string, subscription: Subscription) {
    this.#connection = connection;
    this.#id = id;
    this.#subscription = subscription;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** graphql-ws asks once, and hears when all is over. */
  next(): Promise<IteratorReturnResult<undefined>> {
    return new Promise((resolve) => {
      this.#finish = () => resolve(over);
      deliver(this.#subscription, this);
    });
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#subscription.follower.close();
    this.#finish?.();
    return over;
  }

  alone(delivery: Delivery): Promise<Rendered> {
    return this.#subscription.plan.alone(delivery, this.#connection.asking);
  }

  send(payload: Uint8Array): void {
    this.#connection.sendFrame(nextFrame(this.#id, payload));
  }

  get full(): boolean {
    return this.#connection.outbox.full;
  }

  whenRoom(go: () => void): void {
    this.#connection.outbox.whenRoom(go);
  }

  end(): void {
    this.#finish?.();
  }

  /** An error message would end the subscription for good; a socket that closes by such a code is opened anew. */
  fail(): void {
    this.#connection.overload();
    this.#finish?.();
  }
}

const over = { done: true, value: undefined } as const;

/**
 * graphql-transport-ws's `next` message as a WebSocket frame (RFC 6455 §5.2: final, text, not masked), in one piece. It is
 * the one message that goes out thousands of times at once, and `ws` would copy and write it in two.
 */
function nextFrame(id: string, payload: Uint8Array): Buffer {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const headLength = Buffer.byteLength(head);
  const length = headLength + payload.byteLength + 1;
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x81;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(head, start);
  frame.set(payload, start + headLength);
  frame[frame.length - 1] = closingBrace;
  return frame;
}

const closingBrace = 0x7d;
