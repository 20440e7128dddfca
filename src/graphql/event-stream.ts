import { encodeCursor } from '../log/cursor.ts';
import type { Hub } from '../log/hub.ts';
import type { Rendered } from '../log/lane.ts';
import type { Delivery, Moment, Outlet } from '../log/outlet.ts';
import type { Holder } from '../log/reader.ts';
import type { Viewer } from '../viewer.ts';
import type { Asking } from './context.ts';
import { deliver, type Subscription } from './operations.ts';

/** Bytes on their way to one client; beyond it nothing is added until it has read. */
const roomBytes = 256 * 1024;
/** What keeps proxies from taking a quiet stream for a dead one. */
const keepAliveMs = 12_000;
/** A client that has not read for so long what waits for it has to come back. */
const stallMs = 20_000;

/** The event streams of a process. */
export class EventStreams implements Disposable {
  readonly hub: Hub;
  readonly open = new Set<EventStream>();
  readonly #keepAlive: NodeJS.Timeout;

  constructor(hub: Hub) {
    this.hub = hub;
    this.#keepAlive = setInterval(() => hub.slices.each(this.open, (stream) => stream.keepAlive()), keepAliveMs);
  }

  /** Breaks all of them off: clients come back, here or elsewhere, behind what they have got. */
  [Symbol.dispose](): void {
    clearInterval(this.#keepAlive);
    for (const stream of [...this.open]) stream.fail();
  }
}

/**
 * A subscription over HTTP, as server-sent events (GraphQL over SSE, distinct connections). Each event's id is its cursor,
 * so whoever reconnects with `Last-Event-ID`, as browsers do, goes on behind it.
 */
export class EventStream implements Outlet, Holder {
  readonly #streams: EventStreams;
  readonly #viewer: Viewer;
  readonly #asking: Asking;
  readonly #bytes: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #subscription: Subscription | null = null;
  #waiting: (() => void)[] = [];
  /** Since when it has been found full. */
  #fullSince: number | null = null;

  constructor(streams: EventStreams, viewer: Viewer, asking: Asking) {
    this.#streams = streams;
    this.#viewer = viewer;
    this.#asking = asking;
    this.#bytes = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#hasRoom(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: roomBytes, size: (bytes) => bytes?.byteLength ?? 0 },
    );
  }

  get userId(): string {
    return this.#viewer.userId;
  }

  get sessionId(): string {
    return this.#viewer.sessionId;
  }

  /** Begins to deliver, as the body of the response; of one whose client has gone already nothing. */
  start(subscription: Subscription): ReadableStream<Uint8Array> {
    this.#subscription = subscription;
    if (!this.#controller) {
      subscription.follower.close();
      return this.#bytes;
    }
    this.#streams.open.add(this);
    // Some browsers wait for the first bytes before they take the stream as open.
    this.keepAlive();
    deliver(subscription, this);
    return this.#bytes;
  }

  /** Lets go of one that has not read for too long. */
  keepAlive(): void {
    if (!this.full) {
      this.#fullSince = null;
      this.#write(':\n\n');
    } else {
      this.#fullSince ??= performance.now();
      if (performance.now() - this.#fullSince > stallMs) this.fail();
    }
  }

  #write(...pieces: (string | Uint8Array)[]): void {
    this.#controller?.enqueue(
      Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))),
    );
  }

  alone(told: Delivery | Moment): Promise<Rendered> {
    return this.#subscription?.plan.alone(told, this.#asking) ?? Promise.resolve(null);
  }

  send(payload: Uint8Array, position: number | null): void {
    const id = position === null ? '' : `id: ${encodeCursor(this.#streams.hub.epoch, position)}\n`;
    this.#write(`${id}event: next\ndata: `, payload, '\n\n');
  }

  get full(): boolean {
    return (this.#controller?.desiredSize ?? 0) <= 0;
  }

  whenRoom(go: () => void): void {
    this.#waiting.push(go);
  }

  #hasRoom(): void {
    this.#fullSince = null;
    for (const go of this.#waiting.splice(0)) go();
  }

  end(): void {
    this.#write('event: complete\ndata:\n\n');
    this.fail();
  }

  fail(): void {
    this.#controller?.close();
    this.#leave();
  }

  /** Its stream says so itself, and ends. */
  sessionEnded(): void {}

  comeBack(): void {
    this.fail();
  }

  #leave(): void {
    this.#controller = null;
    this.#streams.open.delete(this);
    this.#subscription?.follower.close();
    this.#streams.hub.release(this);
  }
}
