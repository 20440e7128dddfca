import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from './client.ts';
import { operation } from './operations.ts';
import { placeOf } from './socket.ts';

/** A message of an event stream. */
export interface Message {
  readonly id: string | null;
  readonly event: string | null;
  readonly data: string;
}

/** The messages of a response, as they come; comments are left out. */
export async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? null;
      if (!block.startsWith(':')) yield { id: field('id'), event: field('event'), data: field('data') ?? '' };
    }
  }
}

/** What a browser's EventSource does: it comes back with the id of the last message it got, to the same address. */
export class EventSource implements AsyncDisposable {
  readonly delivered: Json[] = [];
  /** How often it connected. */
  opened = 0;
  /** Whether the server has said that all is said. */
  completed = false;
  readonly #urls: readonly string[];
  readonly #headers: Record<string, string>;
  #lastId: string | null = null;
  #connection = new AbortController();
  #over = false;

  constructor(urls: readonly string[], { token }: { token: string | null }, name: string, variables: object) {
    const query = new URLSearchParams({ query: operation(name), variables: JSON.stringify(variables) });
    this.#urls = urls.map((url) => `${url}?${query}`);
    this.#headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
    void this.#run();
  }

  get places(): number[] {
    return this.delivered.map(placeOf);
  }

  /** Cuts the connection, as a lost network does. */
  cut(): void {
    this.#connection.abort();
  }

  async #run(): Promise<void> {
    while (!this.#over && !this.completed) {
      this.#connection = new AbortController();
      await this.#listen(this.#connection.signal).catch(() => {});
      await delay(10);
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const url = this.#urls[this.opened++ % this.#urls.length] ?? '';
    const headers = { ...this.#headers, ...(this.#lastId ? { 'last-event-id': this.#lastId } : {}) };
    const { body } = await fetch(url, { headers, signal });
    for await (const { id, event, data } of messagesOf(body ?? new ReadableStream())) {
      if (event === 'complete') this.completed = true;
      else this.delivered.push(Object.values(JSON.parse(data).data ?? {})[0]);
      this.#lastId = id ?? this.#lastId;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    this.cut();
  }
}
