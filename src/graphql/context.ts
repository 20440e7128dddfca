import DataLoader from 'dataloader';
import type { Conferencing } from '../conferencing/conferencing.ts';
import type { SmsBudgets } from '../config.ts';
import type { Database } from '../database/connect.ts';
import type { DeliverCode } from '../delivery/codes.ts';
import { Unauthenticated } from '../errors.ts';
import type { Hub } from '../log/hub.ts';
import type { Audience } from '../log/reader.ts';
import type { Company } from '../log/source.ts';
import type { Secret } from '../secrets.ts';
import type { Attendance } from '../signals/attendance.ts';
import type { Board } from '../signals/board.ts';
import type { Signals } from '../signals/signals.ts';
import type { Alarm } from '../sms/commands.ts';
import type { Streaming } from '../streaming/streaming.ts';
import type { Locale } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import type { Limiter } from './rates.ts';

/** Reads many keys in one statement; answers in the keys' order, null where there is nothing. `viewer` is asked where it matters. */
export type Batch<Key, Value> = (db: Database, keys: readonly Key[], viewer: () => Viewer) => Promise<readonly Value[]>;

/** What the process lends to every request. */
export interface Services {
  readonly db: Database;
  readonly hub: Hub;
  /** What is kept or signed under the installation's own secret. */
  readonly secret: Secret;
  readonly deliverCode: DeliverCode;
  readonly sms: {
    readonly budgets: SmsBudgets;
    /** Tells the operator that much of one is spent. */
    raise(alarms: readonly Alarm[]): void;
  };
  /** For what strangers may do: so many in an hour from one address, counted for all processes together. */
  readonly limitAddress: Limiter;
  /** How often one person may call those in one chat. */
  readonly limitCalls: Limiter;
  /** How often one person may ask in one broadcast. */
  readonly limitQuestions: Limiter;
  readonly sessionDays: { readonly idle: number; readonly max: number };
  /** Who holds this session token now; null: nobody. */
  authenticate(token: string): Promise<Viewer | null>;
  /** Who holds this session now; null: it has ended. */
  viewerOfSession(sessionId: string): Promise<Viewer | null>;
  /** A path under which a file may be fetched for a few minutes, while the session lasts and its holder may see the file. */
  linkTo(link: FileLink): Promise<string>;
  /** What is told around the log: who is here, and who writes where. */
  readonly presence: {
    readonly signals: Signals;
    readonly board: Board;
    readonly attendance: Attendance;
    readonly rooms: { at(placeId: string): Company };
    /** How often one person may say so in one chat. */
    readonly limit: Limiter;
  };
  /** The media server of broadcasts; null: there is none. */
  readonly streaming: Streaming | null;
  /** The server of meetings and calls; null: there is none. */
  readonly conferencing: Conferencing | null;
  /** How large a file may be. */
  readonly maxUploadBytes: number;
  /** How many bytes of files may be stored for one person, and for one organization. */
  readonly quotas: { readonly person: number; readonly organization: number };
  /** Somebody with no more rights than being in an audience gives; null where that gives none. */
  leastOf(audience: Audience): Viewer | null;
}

/** A file as somebody may fetch it: by its row's id and theirs of the session. */
export interface FileLink {
  readonly fileId: string;
  readonly sessionId: string;
  readonly variant: 'ORIGINAL' | 'PREVIEW';
}

/** What is known of the request besides who asks. */
export interface Asking {
  readonly token: string | null;
  readonly address: string;
  readonly client: string | null;
  /** The language of people without a profile, from `Accept-Language`. */
  readonly locale: Locale;
  /** The cursor behind which a stream over HTTP goes on, from `Last-Event-ID`; newer than the operation's own `after`. */
  readonly resumeAfter: string | null;
  /** Sets or clears the browser's session cookie; does nothing where there is no HTTP response to carry it. */
  readonly setCookie: (token: string | null) => void;
  /** By what a browser is known again, given to it now if it had nothing; null: a program, or a socket of one that has none. */
  readonly device: () => string | null;
}

/** What has been read so far, each key at most once. */
export class Loaders {
  readonly #loaders = new Map<unknown, DataLoader<unknown, unknown>>();

  load<Key, Value>(batch: Batch<Key, Value>, key: Key, db: Database, viewer: () => Viewer): Promise<Value> {
    let loader = this.#loaders.get(batch);
    if (!loader) {
      loader = new DataLoader<unknown, unknown>((keys) => batch(db, keys as Key[], viewer), {
        cacheKeyFn: (known) => (typeof known === 'object' ? JSON.stringify(known) : known),
      });
      this.#loaders.set(batch, loader);
    }
    return loader.load(key) as Promise<Value>; // the map keeps each batch with its own loader
  }

  clear(): void {
    this.#loaders.clear();
  }
}

/** What a resolver may ask, for one viewer or for all who are shown the same. */
export abstract class Context {
  readonly services: Services;
  readonly #loaders: Loaders;

  constructor(services: Services, loaders: Loaders) {
    this.services = services;
    this.#loaders = loaders;
  }

  /** Who is signed in. @throws Unauthenticated */
  abstract get viewer(): Viewer;
  /** Who is signed in, or null. */
  abstract get maybeViewer(): Viewer | null;
  abstract get asking(): Asking;
  abstract get locale(): Locale;

  /** Whether a rule lets whoever looks see a row. */
  abstract sees<Row>(canSee: (viewer: Viewer, row: Row) => boolean, row: Row): boolean;

  /**
   * Whether whoever looks sees what is for an audience. All of whom something is shown to at once do if they are that audience, and
   * if it is `forAll` of them: some may have come later. One viewer does as `alone` finds out, for it may have been theirs once.
   */
  abstract belongs(
    audienceId: string,
    alone: () => Promise<boolean>,
    forAll?: () => Promise<boolean>,
  ): Promise<boolean>;

  /** The rest of the operation is asked by whom it has just signed in, or by nobody. */
  abstract become(viewer: Viewer | null): void;

  get db(): Database {
    return this.services.db;
  }

  /** The value of a key, read together with all the other keys asked for in the same turn, at most once. */
  load<Key, Value>(batch: Batch<Key, Value>, key: Key): Promise<Value> {
    return this.#loaders.load(batch, key, this.db, () => this.viewer);
  }

  /** As `load`, for a row that a foreign key promises. */
  async loadExisting<Key, Value>(batch: Batch<Key, Value | null>, key: Key): Promise<Value> {
    const value = await this.load(batch, key);
    if (value === null) throw new Error(`a row that is referred to is missing: ${String(key)}`);
    return value;
  }

  protected forgetLoaded(): void {
    this.#loaders.clear();
  }
}

/** One request's, or one delivery's, world: who asks, and what has been read for them so far. */
export class ViewerContext extends Context {
  readonly asking: Asking;
  #viewer: Viewer | null;

  constructor(services: Services, asking: Asking, viewer: Viewer | null) {
    super(services, new Loaders());
    this.asking = asking;
    this.#viewer = viewer;
  }

  get maybeViewer(): Viewer | null {
    return this.#viewer;
  }

  get viewer(): Viewer {
    if (!this.#viewer) throw new Unauthenticated();
    return this.#viewer;
  }

  get locale(): Locale {
    return this.#viewer?.locale ?? this.asking.locale;
  }

  sees<Row>(canSee: (viewer: Viewer, row: Row) => boolean, row: Row): boolean {
    return canSee(this.viewer, row);
  }

  belongs(_audienceId: string, alone: () => Promise<boolean>): Promise<boolean> {
    return alone();
  }

  become(viewer: Viewer | null): void {
    this.#viewer = viewer;
    this.forgetLoaded();
  }
}
