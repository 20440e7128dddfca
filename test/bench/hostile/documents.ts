/** Documents that ask for much, made from the schema by chance, and changed a little to find what asks for more. */
import {
  type GraphQLArgument,
  type GraphQLField,
  GraphQLNonNull,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isEnumType,
  isObjectType,
} from 'graphql';
import { schema } from '../../../src/schema.ts';

/** A fixed row of numbers below 1 for each seed, so that a search can be done again. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A field that is asked for, or a type's part of a selection. */
interface Wish {
  readonly on: string | null;
  readonly field: string;
  readonly args: string;
  readonly wishes: readonly Wish[];
}

/** What is known of a school: ids of things, by the name of their type. */
export type Things = ReadonlyMap<string, readonly string[]>;

const mostAliases = 30;
const deepest = 10;

export class Wishes {
  readonly #random: () => number;
  readonly #things: Things;

  constructor(random: () => number, things: Things) {
    this.#random = random;
    this.#things = things;
  }

  /** A wish of the query type's. */
  make(): Wish {
    const [type] = this.#one([...this.#things.keys()].filter((name) => name !== 'Query').map((name) => [name])) ?? [];
    if (!type || this.#random() < 0.3) return this.#field(schema.getQueryType()?.getFields().viewer, null, 0, 4);
    const ids = this.#things.get(type) ?? [];
    const many = Array.from({ length: this.#one([1, 10, 100]) ?? 1 }, (_, at) => JSON.stringify(ids[at % ids.length]));
    const wishes = this.#selection(schema.getType(type) as GraphQLObjectType, 2, 3).map((wish) => ({
      ...wish,
      on: type,
    })); // the names are of object types
    return { on: null, field: 'nodes', args: `(ids: [${many}])`, wishes };
  }

  /** The same with one change: a part made anew, or asked for again and again in other words. */
  change(wish: Wish): Wish {
    if (wish.wishes.length === 0 || this.#random() < 0.2) return wish;
    const at = Math.floor(this.#random() * wish.wishes.length);
    const chosen = wish.wishes[at];
    if (!chosen) return wish;
    const dice = this.#random();
    if (dice < 0.35) {
      const copies = Array.from({ length: this.#one([1, 2, 5, 10, 20]) ?? 1 }, () => ({
        ...chosen,
        args: this.#reworded(chosen.args),
      }));
      return { ...wish, wishes: [...wish.wishes, ...copies].slice(0, mostAliases) };
    }
    if (dice < 0.5)
      return { ...wish, wishes: wish.wishes.toSpliced(at, 1, { ...chosen, args: this.#reworded(chosen.args) }) };
    if (dice < 0.6 && wish.wishes.length > 1) return { ...wish, wishes: wish.wishes.toSpliced(at, 1) };
    return { ...wish, wishes: wish.wishes.toSpliced(at, 1, this.change(chosen)) };
  }

  #reworded(args: string): string {
    return args
      .replace(/search: "[^"]*"/, () => `search: "${this.#words()}"`)
      .replace(/first: \d+/, () => `first: ${1 + Math.floor(this.#random() * 100)}`);
  }

  #words = (): string =>
    this.#one([
      'новости',
      'группа or прогулка or обед',
      'утренник',
      '-динозавр собрание',
      'завтра',
      'спасибо or форма',
      'a',
    ]) + ' '.repeat(Math.floor(this.#random() * 20));

  #one<Value>(values: readonly Value[]): Value | undefined {
    return values[Math.floor(this.#random() * values.length)];
  }

  #selection(type: GraphQLObjectType, depth: number, most: number): Wish[] {
    const fields = Object.values(type.getFields()).filter((field) => this.#canAsk(field));
    const chosen = Array.from({ length: 1 + Math.floor(this.#random() * most) }, () => this.#one(fields));
    return chosen.map((field) => this.#field(field, null, depth, most));
  }

  #canAsk({ args, type }: GraphQLField<unknown, unknown>): boolean {
    const named = getNamedType(type);
    const isKnown = !isCompositeType(named) || isObjectType(named);
    return isKnown && args.every((arg) => !(arg.type instanceof GraphQLNonNull) || this.#value(arg) !== null);
  }

  #field(field: GraphQLField<unknown, unknown> | undefined, on: string | null, depth: number, most: number): Wish {
    if (!field) return { on, field: '__typename', args: '', wishes: [] };
    const given = field.args.flatMap((arg) => {
      const isNeeded = arg.type instanceof GraphQLNonNull;
      const value =
        isNeeded || ['first', 'search'].includes(arg.name) || this.#random() < 0.2 ? this.#value(arg) : null;
      return value === null ? [] : [`${arg.name}: ${value}`];
    });
    const type = getNamedType(field.type);
    const wishes = isObjectType(type) ? (depth < deepest ? this.#selection(type, depth + 1, most) : [leaf]) : [];
    return { on, field: field.name, args: given.length > 0 ? `(${given.join(', ')})` : '', wishes };
  }

  #value({ name, type }: GraphQLArgument): string | null {
    const named = getNamedType(type);
    if (name === 'first') return String(this.#one([1, 5, 20, 100]));
    if (name === 'search') return JSON.stringify(this.#words());
    if (isEnumType(named)) return this.#one(named.getValues())?.name ?? null;
    if (named.name === 'Boolean') return 'true';
    const thing = /^(\w+)Id$/.exec(name)?.[1];
    const ids = thing && this.#things.get(thing.charAt(0).toUpperCase() + thing.slice(1));
    return ids ? JSON.stringify(this.#one(ids)) : null;
  }
}

const leaf: Wish = { on: null, field: '__typename', args: '', wishes: [] };

/** As a document, every field under an alias of its own, as far as aliases go. */
export function written(root: Wish): string {
  let aliases = 0;
  const text = ({ on, field, args, wishes }: Wish, before: Set<string>): string => {
    const same = before.has(field);
    before.add(field);
    if (same && ++aliases > mostAliases) return '';
    const below = new Set<string>();
    const inner = wishes.map((wish) => text(wish, below)).join(' ');
    const own = `${same ? `a${aliases}: ` : ''}${field}${args}${wishes.length > 0 ? ` { ${inner || '__typename'} }` : ''}`;
    return on ? `... on ${on} { ${own} }` : own;
  };
  return `query { ${text(root, new Set())} }`;
}
