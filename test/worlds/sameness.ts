import { parseGlobalId } from '../../src/graphql/ids.ts';
import type { Json } from '../support/client.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Tells what is answered in one world in words that are the same in the other, unless something else is said. */
export class Words {
  readonly #names: Map<string, string>;

  /** `known`: ids of those who must be told apart; whatever else has an id is named in the order in which it appears. */
  constructor(known: Readonly<Record<string, string>>) {
    this.#names = new Map(Object.entries(known));
  }

  of(value: Json, key = ''): Json {
    if (Array.isArray(value)) return value.map((one) => this.of(one, key));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.of(one, name)]));
    if (typeof value !== 'string') return value;
    if (/cursor/i.test(key)) return 'a place';
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return 'a time';
    if (/^\/files\//.test(value)) return 'a link';
    if (/^\+\d{11}$/.test(value)) return this.#named(value, 'phone');
    const id = parseGlobalId(value);
    if (id) return this.#named(id.id, id.typename);
    // As calendars write times.
    return value.replaceAll(/\d{8}T\d{6}Z/g, 'a time').replaceAll(uuid, (one) => this.#named(one, 'id'));
  }

  #named(id: string, type: string): string {
    const known = this.#names.get(id);
    if (known) return known;
    const name = `${type} ${this.#names.size + 1}`;
    this.#names.set(id, name);
    return name;
  }
}
