/** One subscription of one person: what it asks for, what it may hear, and what it has heard. */
import { randomUUID } from 'node:crypto';
import { type Cursors, Heard } from './record.ts';

/** What the subscriptions of a group have in common. */
export interface Subscribing {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** In every delivery: what shows that it is whole, and of the right school. */
  readonly proof: string;
  /** Whether the person may follow it. Who may not must be answered NOT_FOUND. */
  readonly allowed: boolean;
  /** Deliveries are a chat's messages from its first: each is to have the number after the last one's. */
  readonly numbered?: boolean;
  /** The id of all these subscriptions, for a server that broadcasts one message to everybody; else each has a UUID. */
  readonly id?: string | null;
}

const numberKey = '"number":';

export class Stream {
  readonly id: string;
  readonly heard = new Heard();
  /** Deliveries without the proof: errors in place of data, endings, another school's. */
  unproven = 0;
  /** Deliveries with another number than was their turn. */
  misnumbered = 0;
  /** The codes by which the server refused it. */
  readonly refusals: string[] = [];
  readonly #subscribing: Subscribing;
  #latest = -1;
  #number = 0;

  constructor(subscribing: Subscribing) {
    this.#subscribing = subscribing;
    this.id = subscribing.id ?? randomUUID();
  }

  get allowed(): boolean {
    return this.#subscribing.allowed;
  }

  /** The message that subscribes, behind what was heard last. */
  subscribeMessage(cursors: Cursors): object {
    const { query, variables } = this.#subscribing;
    const after = cursors.cursorOf(this.#latest);
    return {
      id: this.id,
      type: 'subscribe',
      payload: { query, variables: after ? { ...variables, after } : variables },
    };
  }

  /** Takes a delivery; returns the number of its cursor. */
  take(text: string, cursor: string, cursors: Cursors): number {
    const index = cursors.indexOf(cursor);
    this.heard.add(index, cursors.positionOf(index));
    this.#latest = index;
    if (!text.includes(this.#subscribing.proof)) this.unproven++;
    if (this.#subscribing.numbered) this.#count(text);
    return index;
  }

  #count(text: string): void {
    const from = text.indexOf(numberKey) + numberKey.length;
    const number = Number.parseInt(text.slice(from, from + 16), 10);
    if (number !== this.#number + 1) this.misnumbered++;
    this.#number = number;
  }
}
