import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { decodeCursor } from '../../src/log/cursor.ts';
import type { Json } from './client.ts';
import { operation } from './operations.ts';
import { eventually } from './waiting.ts';

/** A bare graphql-transport-ws socket: says what it is told, whether or not that is allowed. */
export class RawSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: Json[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(url: string, options: WebSocket.ClientOptions = {}) {
    this.socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', options);
    this.socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
    this.socket.on('error', () => {}); // its close tells
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** A socket on which somebody is signed in. */
  static async open(url: string, token: string | null): Promise<RawSocket> {
    const raw = new RawSocket(url);
    await raw.opened();
    raw.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    await raw.message((message) => message.type === 'connection_ack');
    return raw;
  }

  async opened(): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open');
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables: object = {}): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  /** Runs a query or mutation and returns its result, or the errors that refused it. */
  async run(query: string, variables: object = {}): Promise<Json> {
    const id = `run-${crypto.randomUUID()}`;
    this.subscribe(id, query, variables);
    const { type, payload } = await this.message((message) => message.id === id);
    return type === 'error' ? { errors: payload } : payload;
  }

  /** The first message, past or coming, that is as wanted. */
  message(wanted: (message: Json) => boolean): Promise<Json> {
    return eventually(() => {
      const found = this.messages.find(wanted);
      if (!found) throw new Error(`not among ${JSON.stringify(this.messages).slice(0, 2000)}`);
      return found;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

/** The place of a delivered event in the log. */
export const placeOf = (event: { cursor: string }): number => decodeCursor(event.cursor).position;

/**
 * A client that comes back: however its socket ends, it subscribes again behind the last cursor that it has, each time on
 * the next of its servers, until the stream has said its last word.
 */
export class ResumingStream implements AsyncDisposable {
  readonly delivered: Json[] = [];
  readonly errors: Json[] = [];
  /** The codes by which sockets were closed that we did not cut. */
  readonly closes: number[] = [];
  /** How often it subscribed. */
  opened = 0;
  cursor: string | null;
  readonly #urls: readonly string[];
  readonly #token: string | null;
  readonly #query: string;
  readonly #variables: object;
  #socket: WebSocket | null = null;
  #over = false;

  constructor(
    urls: readonly string[],
    { token }: { token: string | null },
    name: string,
    variables: { after: string } & Record<string, unknown>,
  ) {
    this.#urls = urls;
    this.#token = token;
    this.#query = operation(name);
    this.#variables = variables;
    this.cursor = variables.after;
    this.#connect();
  }

  get places(): number[] {
    return this.delivered.map(placeOf);
  }

  /** Whether the stream has said its last word. */
  get over(): boolean {
    return this.#over;
  }

  /** Cuts the connection as a lost network does, and comes back at once. */
  cut(): void {
    const socket = this.#socket;
    if (!socket || this.#over) return;
    this.#socket = null;
    socket.terminate();
    this.#connect();
  }

  #connect(): void {
    const url = this.#urls[this.opened % this.#urls.length] ?? '';
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
    this.#socket = socket;
    const say = (message: object) => socket.send(JSON.stringify(message));
    socket.on('error', () => {}); // its close tells
    socket.on('open', () => say({ type: 'connection_init', payload: { authorization: this.#token } }));
    socket.on('message', (data) => {
      if (this.#socket !== socket) return;
      const { type, payload } = JSON.parse(String(data));
      if (type === 'connection_ack') {
        this.opened++;
        const variables = { ...this.#variables, after: this.cursor };
        say({ id: 'stream', type: 'subscribe', payload: { query: this.#query, variables } });
      } else if (type === 'next' && !payload.errors) this.#take(Object.values(payload.data)[0]);
      else if (type === 'next') this.errors.push(...payload.errors);
      else if (type === 'error') this.errors.push(...payload);
      // Also after a refusal; what a person's client does then is its own business, this one tries again.
      if (type === 'complete' || type === 'error') socket.close();
    });
    socket.on('close', (code) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.closes.push(code);
      if (!this.#over) void delay(20).then(() => this.#over || this.#connect());
    });
  }

  #take(event: Json): void {
    this.delivered.push(event);
    this.cursor = event.cursor;
    if (event.__typename === 'AccessEnded' || event.__typename === 'ResyncRequired') this.#over = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
  }
}
