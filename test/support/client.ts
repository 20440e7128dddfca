import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { operation } from './operations.ts';
import { patience } from './waiting.ts';

/** A result's data as tests read it: plain JSON, whose shape each expectation states. */
// biome-ignore lint/suspicious/noExplicitAny: typing every operation of every test would say the same as the schema does
export type Json = any;

export interface GraphQLResult {
  readonly data: Json;
  readonly errors?: readonly { message: string; path?: (string | number)[]; extensions?: Json }[];
  readonly status: number;
  readonly headers: Headers;
}

/** A person at a device: speaks to the server over HTTP and WebSocket as any client would. */
export class TestClient implements AsyncDisposable {
  readonly url: string;
  readonly token: string | null;
  /** What comes with each request: from where it is, or what its browser keeps. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #sockets = new Set<Client>();

  constructor(url: string, token: string | null = null, headers: Readonly<Record<string, string>> = {}) {
    this.url = url;
    this.token = token;
    this.headers = headers;
  }

  /** Sends a document as it is and returns the whole result. */
  async send(query: string, variables: object = {}, headers: Record<string, string> = {}): Promise<GraphQLResult> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'accept-language': 'en',
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...this.headers,
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    });
    return { ...(await response.json()), status: response.status, headers: response.headers };
  }

  /** Runs a named operation of `schema/operations`; rejects when the result has errors. */
  async run(name: string, variables: object = {}): Promise<Json> {
    const result = await this.send(operation(name), variables);
    if (result.errors) throw new Error(`${name}: ${JSON.stringify(result.errors)}`);
    return result.data;
  }

  /** Runs a named mutation and returns its one field's result: an entity or an error. */
  async does(name: string, variables: object = {}): Promise<Json> {
    return Object.values(await this.run(name, variables))[0];
  }

  /** Sends bytes to a path of the server's, signed in as the client is. */
  async put(path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
    const signedIn: Record<string, string> = this.token ? { authorization: `Bearer ${this.token}` } : {};
    return fetch(new URL(path, this.url), {
      method: 'PUT',
      headers: { 'accept-language': 'en', ...signedIn, ...headers },
      body,
      duplex: 'half',
    } as RequestInit);
  }

  /** Fetches a path of the server's as a browser would an image: without any header of ours. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.url), init);
  }

  /** Opens a named subscription on a socket of its own. */
  subscribe(name: string, variables: object = {}): Stream {
    return this.listen(operation(name), variables);
  }

  /** Opens any subscription on a socket of its own. */
  listen(query: string, variables: object = {}): Stream {
    const stream = new Stream(this.url, this.token, query, { ...variables });
    this.#sockets.add(stream.client);
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => socket.dispose()));
  }
}

/** One subscription and what it has delivered so far. */
export class Stream implements AsyncDisposable {
  readonly client: Client;
  /** Resolves when the server has completed the subscription or closed the socket. */
  readonly done: Promise<{ readonly closed: { code: number; reason: string } | null }>;
  /** Everything delivered, in order: each the value of the one root field. */
  readonly delivered: Json[] = [];
  /** Errors of results, in order. */
  readonly errors: Json[] = [];
  #waiting: (() => void)[] = [];
  #read = 0;
  #over = false;

  constructor(url: string, token: string | null, query: string, variables: Record<string, unknown>) {
    this.client = createClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: true,
      ...(token ? { connectionParams: { authorization: `Bearer ${token}` } } : {}),
    });
    this.done = new Promise((resolve) => {
      const end = (closed: { code: number; reason: string } | null) => {
        this.#over = true;
        this.#tell();
        resolve({ closed });
      };
      this.client.subscribe<Record<string, Json>>(
        { query, variables },
        {
          next: (result) => {
            if (result.errors) this.errors.push(...result.errors);
            if (result.data) this.delivered.push(Object.values(result.data)[0]);
            this.#tell();
          },
          error: (error) => {
            if (Array.isArray(error)) this.errors.push(...error);
            end(Array.isArray(error) || error instanceof Error ? null : (error as { code: number; reason: string })); // graphql-ws: a close event
          },
          complete: () => end(null),
        },
      );
    });
  }

  /** Waits until the server follows: what is asked on the same socket after it is answered later. */
  async begun(): Promise<this> {
    await new Promise<void>((resolve) => {
      const end = () => resolve();
      this.client.subscribe({ query: '{ __typename }' }, { next: () => {}, error: end, complete: end });
    });
    return this;
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The next delivered value; rejects when the stream ends, or nothing comes. */
  async next(): Promise<Json> {
    await this.#until(() => this.delivered.length > this.#read || this.#over);
    if (this.#read >= this.delivered.length) throw new Error(`the stream ended: ${JSON.stringify(this.errors)}`);
    return this.delivered[this.#read++];
  }

  /** The next delivered value of a type, passing over others. */
  async nextOf(typename: string): Promise<Json> {
    for (;;) {
      const value = await this.next();
      if (value.__typename === typename) return value;
    }
  }

  /** Waits until so many values have come in all. */
  async count(size: number): Promise<Json[]> {
    await this.#until(() => this.delivered.length >= size || this.#over);
    return this.delivered;
  }

  async #until(holds: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(patience);
    while (!holds()) {
      if (deadline.aborted) throw new Error(`nothing came; delivered so far: ${JSON.stringify(this.delivered)}`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.dispose();
  }
}
