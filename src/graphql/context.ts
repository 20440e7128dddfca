import DataLoader from 'dataloader';
import type { Database } from '../database/connect.ts';
import type { DeliverCode } from '../delivery/codes.ts';
import { Unauthenticated } from '../errors.ts';
import type { Hub } from '../log/hub.ts';
import type { Locale } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import type { Limiter } from './rates.ts';

/** Reads many keys in one statement; answers in the keys' order, null where there is nothing. */
export type Batch<Key, Value> = (
  db: Database,
  keys: readonly Key[],
  viewer: Viewer | null,
) => Promise<readonly Value[]>;

/** What the process lends to every request. */
export interface Services {
  readonly db: Database;
  readonly hub: Hub;
  readonly deliverCode: DeliverCode;
  /** For what strangers may do: so many in an hour from one address, counted for all processes together. */
  readonly limitAddress: Limiter;
  readonly sessionDays: { readonly idle: number; readonly max: number };
  /** Who holds this session token now; null: nobody. */
  authenticate(token: string): Promise<Viewer | null>;
}

/** What is known of the request besides who asks. */
export interface Asking {
  readonly token: string | null;
  readonly address: string;
  readonly client: string | null;
  /** The language of people without a profile, from `Accept-Language`. */
  readonly locale: Locale;
  /** Sets or clears the browser's session cookie; does nothing where there is no HTTP response to carry it. */
  readonly setCookie: (token: string | null) => void;
}

/** One request's, or one event's, world: who asks, and what has been read for them so far. */
export class Context {
  readonly services: Services;
  readonly asking: Asking;
  #viewer: Viewer | null;
  readonly #loaders = new Map<unknown, DataLoader<unknown, unknown>>();

  constructor(services: Services, asking: Asking, viewer: Viewer | null) {
    this.services = services;
    this.asking = asking;
    this.#viewer = viewer;
  }

  get db(): Database {
    return this.services.db;
  }

  /** Who is signed in, or null. */
  get maybeViewer(): Viewer | null {
    return this.#viewer;
  }

  /** Who is signed in. @throws Unauthenticated */
  get viewer(): Viewer {
    if (!this.#viewer) throw new Unauthenticated();
    return this.#viewer;
  }

  /** The rest of the operation is asked by whom it has just signed in, or by nobody. */
  become(viewer: Viewer | null): void {
    this.#viewer = viewer;
    this.#loaders.clear();
  }

  get locale(): Locale {
    return this.#viewer?.locale ?? this.asking.locale;
  }

  /** The value of a key, read together with all the other keys asked for in the same turn, at most once. */
  load<Key, Value>(batch: Batch<Key, Value>, key: Key): Promise<Value> {
    return this.#loader(batch).load(key) as Promise<Value>; // the map keeps each batch with its own loader
  }

  /** As `load`, for a row that a foreign key promises. */
  async loadExisting<Key, Value>(batch: Batch<Key, Value | null>, key: Key): Promise<Value> {
    const value = await this.load(batch, key);
    if (value === null) throw new Error(`a row that is referred to is missing: ${String(key)}`);
    return value;
  }

  #loader<Key, Value>(batch: Batch<Key, Value>): DataLoader<unknown, unknown> {
    let loader = this.#loaders.get(batch);
    if (!loader) {
      loader = new DataLoader<unknown, unknown>((keys) => batch(this.db, keys as Key[], this.#viewer), {
        cacheKeyFn: (key) => (typeof key === 'object' ? JSON.stringify(key) : key),
      });
      this.#loaders.set(batch, loader);
    }
    return loader;
  }
}
