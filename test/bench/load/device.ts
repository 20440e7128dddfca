/**
 * A person's device: one WebSocket with their subscriptions, over a bare TCP socket. It comes back as stock graphql-ws
 * clients do: after 1, 2, 4… seconds and 0.3 to 3 more, behind what it has heard.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type FrameListener, FrameReader, frameOf, opcodes } from './frames.ts';
import type { Cursors } from './record.ts';
import type { Stream } from './stream.ts';

/** What a device tells, and asks before its first connection. */
export interface Host {
  readonly cursors: Cursors;
  /** Waits for its turn; the device gives it back. */
  turn(): Promise<() => void>;
  /** The socket takes deliveries from here on. */
  opened(device: Device): void;
  delivered(device: Device, stream: Stream, text: string, cursor: string): void;
  misaddressed(text: string): void;
  /** A close or refusal that stock clients do not come back from. */
  gaveUp(device: Device, why: string): void;
  /** A socket that was lost, and how: its device comes back. */
  lost(how: string): void;
}

/** Read by all sockets in turn: each chunk is done with before the next one comes. */
const shared = Buffer.allocUnsafe(256 * 1024);
/** Those that stock clients retry; they are the only ones a server may use for what is not their fault. */
const retryable = new Set([1000, 1001, 1005, 1006, 1012, 1013, 1014, 4403, 4408]);
const emptyClose = 1005;

export class Device implements FrameListener {
  readonly streams: readonly Stream[];
  state: 'away' | 'upgrading' | 'initializing' | 'open' | 'over' = 'away';
  readonly #urls: readonly URL[];
  readonly #token: string;
  readonly #host: Host;
  #socket: Socket | null = null;
  #frames = new FrameReader();
  #head = '';
  #closeCode = 0;
  #retries = 0;
  #connections = 0;
  #giveBackTurn: () => void = () => {};

  constructor(urls: readonly string[], token: string, streams: readonly Stream[], host: Host) {
    this.#urls = urls.map((url) => new URL(url));
    this.#token = token;
    this.streams = streams;
    this.#host = host;
  }

  /** Connects when it is this device's turn. */
  async arrive(): Promise<void> {
    this.#giveBackTurn = await this.#host.turn();
    this.#connect();
  }

  #connect(): void {
    if (this.state === 'over') return;
    const url = this.#urls[this.#connections++ % this.#urls.length];
    if (!url) throw new Error('a device needs an address');
    this.state = 'upgrading';
    this.#head = '';
    this.#frames = new FrameReader();
    this.#closeCode = 0;
    const socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length) => {
          if (socket === this.#socket) this.#read(length);
          return true;
        },
      },
    });
    this.#socket = socket;
    socket.once('connect', () => socket.write(upgradeRequest(url)));
    socket.on('error', () => {}); // its close tells
    socket.once('close', () => {
      if (socket === this.#socket) this.#comeBack(`close ${this.#closeCode || 1006}`);
    });
  }

  #read(length: number): void {
    if (this.state === 'upgrading') this.#upgrade(shared.toString('latin1', 0, length));
    else this.#frames.read(shared, length, this);
  }

  #upgrade(text: string): void {
    this.#head += text;
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      this.#socket?.destroy();
      return;
    }
    this.state = 'initializing';
    this.#say({ type: 'connection_init', payload: { authorization: `Bearer ${this.#token}` } });
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    if (rest.length > 0) this.#frames.read(rest, rest.length, this);
  }

  hear(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === opcodes.text) this.#message(bytes.toString('latin1', start, end));
    else if (opcode === opcodes.ping) this.#socket?.write(frameOf(opcodes.pong, bytes.subarray(start, end)));
    else if (opcode === opcodes.close) {
      this.#closeCode = end - start >= 2 ? bytes.readUInt16BE(start) : emptyClose;
      this.#socket?.end(frameOf(opcodes.close, bytes.subarray(start, Math.min(end, start + 2))));
    }
  }

  #message(text: string): void {
    const cursor = cursorIn(text);
    const stream = cursor && this.streams.find(({ id }) => text.includes(id));
    if (stream) this.#host.delivered(this, stream, text, cursor);
    else if (cursor) this.#host.misaddressed(text);
    else this.#answer(JSON.parse(text));
  }

  /** Everything but deliveries, which are many. */
  #answer(message: { readonly type: string; readonly id?: string; readonly payload?: unknown }): void {
    const stream = this.streams.find(({ id }) => id === message.id);
    const code = refusalIn(message.payload);
    if (message.type === 'connection_ack') this.#open();
    else if (message.type === 'ping') this.#say({ type: 'pong' });
    else if (stream && code && !stream.allowed) stream.refusals.push(code);
    else if (code === 'UNAVAILABLE' || code === 'RATE_LIMITED') this.#leaveAndReturn(code);
    else if (message.type !== 'complete' || stream?.allowed) this.#giveUp(JSON.stringify(message));
  }

  #open(): void {
    this.state = 'open';
    this.#retries = 0;
    for (const stream of this.streams) this.#say(stream.subscribeMessage(this.#host.cursors));
    this.#giveBackTurn();
    this.#host.opened(this);
  }

  #say(message: object): void {
    this.#socket?.write(frameOf(opcodes.text, Buffer.from(JSON.stringify(message))));
  }

  #comeBack(how: string): void {
    this.#socket = null;
    if (this.state === 'over') return;
    this.state = 'away';
    this.#giveBackTurn();
    if (this.#closeCode && !retryable.has(this.#closeCode)) {
      this.#giveUp(how);
      return;
    }
    this.#host.lost(how);
    setTimeout(() => this.#connect(), 1000 * 2 ** Math.min(this.#retries++, 5) + 300 + Math.random() * 2700);
  }

  #leaveAndReturn(why: string): void {
    const socket = this.#socket;
    this.#comeBack(why);
    socket?.destroy();
  }

  #giveUp(why: string): void {
    this.leave();
    this.#host.gaveUp(this, why);
  }

  /** Loses its connection, as when the network goes. */
  cut(): void {
    if (this.state === 'open') this.#leaveAndReturn('cut');
  }

  /** Reads nothing more until told to. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Goes for good. */
  leave(): void {
    this.state = 'over';
    this.#giveBackTurn();
    this.#socket?.destroy();
  }
}

function upgradeRequest({ host, pathname }: URL): string {
  const key = randomBytes(16).toString('base64');
  const lines = [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    `Sec-WebSocket-Key: ${key}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const cursorKey = '"cursor":"';

function cursorIn(text: string): string | null {
  const key = text.indexOf(cursorKey);
  return key < 0 ? null : text.slice(key + cursorKey.length, text.indexOf('"', key + cursorKey.length));
}

/** The code of the first error in an `error` message, or in a result that is nothing but errors. */
function refusalIn(payload: unknown): string | null {
  const errors = Array.isArray(payload) ? payload : (payload as { errors?: unknown[] } | undefined)?.errors;
  const [error] = (errors ?? []) as { extensions?: { code?: string }; message?: string }[];
  return error ? (error.extensions?.code ?? error.message ?? 'unknown') : null;
}
