import type { Rendered } from '../log/lane.ts';
import type { Delivery, Moment, Outlet } from '../log/outlet.ts';
import type { Connection } from './connection.ts';
import { deliver, type Subscription } from './operations.ts';

/** An operation on a socket. A subscription is delivered as bytes that are the same for all who share them, in an envelope. */
export class SocketOperation implements Outlet {
  readonly id: string;
  readonly #connection: Connection;
  #subscription: Subscription | null = null;
  /** How each of its messages begins, once there is one. */
  #head: Buffer | null = null;

  constructor(connection: Connection, id: string) {
    this.#connection = connection;
    this.id = id;
  }

  deliver(subscription: Subscription): void {
    this.#subscription = subscription;
    deliver(subscription, this);
  }

  /** The client wants no more of it, or is gone. */
  cancel(): void {
    this.#subscription?.follower.close();
    this.#connection.forget(this);
  }

  async alone(told: Delivery | Moment): Promise<Rendered> {
    return this.#subscription?.plan.alone(told, this.#connection.asking) ?? null;
  }

  send(payload: Uint8Array): void {
    this.#head ??= Buffer.from(`{"id":${JSON.stringify(this.id)},"type":"next","payload":`);
    this.#connection.sendFrame(nextFrame(this.#head, payload));
  }

  get full(): boolean {
    return this.#connection.outbox.full;
  }

  whenRoom(go: () => void): void {
    this.#connection.outbox.whenRoom(go);
  }

  end(): void {
    this.#connection.complete(this);
  }

  /** An error message would end the subscription for good; a socket that closes by such a code is opened anew. */
  fail(): void {
    this.#connection.overload();
  }
}

/**
 * graphql-transport-ws's `next` message as a WebSocket frame (RFC 6455 §5.2: final, text, not masked), in one piece. It is
 * the one message that goes out thousands of times at once, and `ws` would copy and write it in two.
 */
function nextFrame(head: Uint8Array, payload: Uint8Array): Buffer {
  const length = head.byteLength + payload.byteLength + 1;
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
  frame.set(head, start);
  frame.set(payload, start + head.byteLength);
  frame[frame.length - 1] = closingBrace;
  return frame;
}

const closingBrace = 0x7d;
