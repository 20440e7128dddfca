import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { type Connection, connect, rows } from '../../src/database/connect.ts';
import { transact } from '../../src/log/append.ts';
import { encodeCursor } from '../../src/log/cursor.ts';
import type { Follower } from '../../src/log/follower.ts';
import type { LoggedEvent } from '../../src/log/history.ts';
import { Hub, type HubOptions, type Stay } from '../../src/log/hub.ts';
import type { Rendered, Renderer } from '../../src/log/lane.ts';
import type { Delivery, Outlet } from '../../src/log/outlet.ts';
import type { Holder, Reader, Topic } from '../../src/log/reader.ts';
import { Tail } from '../../src/log/tail.ts';
import { throughPostgres } from '../../src/log/wake-up.ts';
import { createDatabase } from './postgres.ts';
import { eventually } from './waiting.ts';

export const [school, stranger, organization] = Array.from({ length: 3 }, () => crypto.randomUUID()) as [
  string,
  string,
  string,
];

/** Somebody's time in an audience of the organization: from the beginning and open, unless the test says otherwise. */
export const stay = (id: string, interval: Partial<Pick<Stay, 'since' | 'until'>> = {}): Stay => ({
  id,
  kind: 'GROUP',
  organizationId: organization,
  subjectId: null,
  since: 0,
  until: Infinity,
  ...interval,
});

/** Everybody is in the school's audience, always. */
const inSchool = async (): Promise<Stay[]> => [stay(school)];

/** A process's log without the rest of the process. */
export async function openProcess(databaseUrl: string, staysOf: HubOptions['staysOf'] = inSchool) {
  await using stack = new AsyncDisposableStack();
  const connection = stack.use(await connect({ databaseUrl, dataDirectory: 'memory://', poolSize: 4 }));
  const failures: unknown[] = [];
  const heard: number[] = [];
  let hub: Hub | null = null;
  const tail = stack.use(
    await Tail.start(connection, throughPostgres(connection), {
      onEvents: (events) => {
        heard.push(...events.map(({ position }) => position));
        hub?.dispatch(events);
      },
      onRestart: (head) => hub?.restart(head),
      onFailure: (error) => failures.push(error),
    }),
  );
  hub = new Hub({
    db: connection.db,
    head: { epoch: tail.epoch, position: tail.position },
    trimmedThrough: () => tail.trimmedThrough,
    settled: () => tail.settled(),
    staysOf,
  });
  const running = stack.move();
  return {
    connection,
    db: connection.db,
    tail,
    hub,
    heard,
    failures,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export async function openLog(staysOf?: HubOptions['staysOf']) {
  await using stack = new AsyncDisposableStack();
  const { url } = stack.use(await createDatabase());
  const opened = stack.use(await openProcess(url, staysOf));
  const running = stack.move();
  return { ...opened, url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

type Log = Awaited<ReturnType<typeof openLog>>;

/** A hub on a log of which it has read nothing yet, and hears only what the test tells it. */
export const hubAtStart = ({ db, hub }: Pick<Log, 'db' | 'hub'>, staysOf: HubOptions['staysOf'] = inSchool): Hub =>
  new Hub({
    db,
    head: { epoch: hub.epoch, position: 0 },
    trimmedThrough: () => 0,
    settled: async () => {},
    staysOf,
  });

/** Tells a hub at once of events that follow on what it has heard; returns their places. */
export function tell(hub: Hub, ...events: readonly Partial<LoggedEvent>[]): number[] {
  const told = events.map((event, index): LoggedEvent => {
    const position = hub.position + 1 + index;
    return {
      id: position,
      position,
      audienceId: school,
      organizationId: organization,
      kind: 'HAPPENED',
      subjectId: stranger,
      payload: {},
      createdAt: new Date(),
      ...event,
    };
  });
  hub.dispatch(told);
  return told.map(({ position }) => position);
}

export const accessBegan = (userId: string, audienceId: string): Partial<LoggedEvent> => ({
  kind: 'ACCESS_BEGAN',
  audienceId,
  payload: { userId, audience: 'GROUP' },
});

const happenings: ReadonlySet<string> = new Set(['HAPPENED']);

export const accessEnded = (userId: string, audienceId: string): Partial<LoggedEvent> => ({
  kind: 'ACCESS_ENDED',
  audienceId,
  payload: { userId, last: true, reason: 'MEMBERSHIP_CHANGED' },
});

/** Every third of these is the school's. */
export const write = ({ db }: Pick<Connection, 'db'>, count: number) =>
  transact(db, (tx) =>
    tx.execute(sql`insert into log_events (audience_id, kind, subject_id)
      select case when n % 3 = 0 then ${school} else ${stranger} end::uuid, 'HAPPENED', gen_random_uuid()
      from generate_series(1, ${count}::int) n`),
  );

/** Where the school's events stand. */
export const placesOf = async ({ db }: Pick<Connection, 'db'>) =>
  (
    await rows<{ position: number }>(
      db,
      sql`select position from log_events where audience_id = ${school} and kind = 'HAPPENED' order by position`,
    )
  ).map(({ position }) => position);

export const caughtUp = ({ tail, db }: Pick<Log, 'tail' | 'db'>) =>
  eventually(async () => {
    const [log] = await rows<{ waiting: number; last: number }>(
      db,
      sql`select count(*) filter (where position is null) as waiting, coalesce(max(position), 0) as last from log_events`,
    );
    expect(log).toEqual({ waiting: 0, last: tail.position });
  });

const bytesOf = (delivery: Delivery): Uint8Array => Buffer.from(JSON.stringify(delivery));

/** How subscriptions show events: as JSON and at once, unless a test says otherwise. */
export class TestRenderer implements Renderer {
  /** The places of the events that it was asked to show. */
  readonly asked: number[] = [];
  readonly #show: (event: LoggedEvent, bytes: Uint8Array) => Rendered | Promise<Rendered>;

  constructor(
    show: (event: LoggedEvent, bytes: Uint8Array) => Rendered | Promise<Rendered> = (_event, bytes) => bytes,
  ) {
    this.#show = show;
  }

  shared(event: LoggedEvent): Rendered | Promise<Rendered> {
    this.asked.push(event.position);
    return this.#show(event, bytesOf(event));
  }

  moment(): Rendered {
    return null;
  }
}

/** A connection's other side: takes what it is sent, and reads it when the test asks for it. */
export class Feed implements Outlet {
  readonly follower: Follower;
  /** What was sent, read or not. */
  readonly sent: Delivery[] = [];
  /** The places of what was shown to it alone. */
  readonly shownAlone: number[] = [];
  /** The places that were sent in one turn of the event loop, turn by turn. */
  readonly turns: number[][] = [];
  failure: unknown = null;
  ended = false;
  /** How much may be sent and not read before it is full. */
  readonly #capacity: number;
  #read = 0;
  #inTurn = false;
  #room: (() => void) | null = null;
  #news: (() => void) | null = null;

  constructor(follower: Follower, capacity: number) {
    this.follower = follower;
    this.#capacity = capacity;
  }

  async alone(delivery: Delivery): Promise<Rendered> {
    if (!('ending' in delivery)) this.shownAlone.push(delivery.position);
    return bytesOf(delivery);
  }

  send(payload: Uint8Array, position: number): void {
    const delivery: Delivery = JSON.parse(Buffer.from(payload).toString());
    if (delivery.position !== position) throw new Error('sent with another place than its own');
    this.sent.push(delivery);
    if (!this.#inTurn) {
      this.turns.push([]);
      setImmediate(() => {
        this.#inTurn = false;
      });
    }
    this.#inTurn = true;
    this.turns.at(-1)?.push(position);
    this.#tell();
  }

  get full(): boolean {
    return this.sent.length - this.#read >= this.#capacity;
  }

  whenRoom(go: () => void): void {
    if (this.#room) throw new Error('a follower waits for room once');
    this.#room = go;
  }

  end(): void {
    this.ended = true;
    this.#tell();
  }

  fail(error: unknown): void {
    this.failure = error;
    this.#tell();
  }

  #tell(): void {
    this.#news?.();
    this.#news = null;
  }

  get places(): number[] {
    return this.sent.map(({ position }) => position);
  }

  /** The next of what is sent; null when that was all. */
  async next(): Promise<Delivery | null> {
    for (;;) {
      const delivery = this.sent[this.#read];
      if (delivery) {
        this.#read++;
        this.#makeRoom();
        return delivery;
      }
      if (this.failure) throw this.failure;
      if (this.ended) return null;
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  #makeRoom(): void {
    if (this.full) return;
    const go = this.#room;
    this.#room = null;
    go?.();
  }

  /** The places of the next of them. */
  async take(count: number): Promise<number[]> {
    const places: number[] = [];
    while (places.length < count) {
      const delivery = await this.next();
      if (!delivery) break;
      places.push(delivery.position);
    }
    return places;
  }

  async rest(): Promise<Delivery[]> {
    const rest: Delivery[] = [];
    for (let delivery = await this.next(); delivery; delivery = await this.next()) rest.push(delivery);
    return rest;
  }

  close(): void {
    this.follower.close();
  }
}

interface Following extends Partial<Pick<Topic, 'scope' | 'kinds'>> {
  readonly anchor?: string;
  /** A place in the hub's history, or any cursor. */
  readonly after?: number | string | null;
  readonly capacity?: number;
  readonly renderer?: Renderer;
}

/** Somebody with a session, who is held here once `arrive` has resolved, and follows the school if they name nothing else. */
export class Listener implements Holder {
  readonly userId: string;
  readonly sessionId = crypto.randomUUID();
  /** How often it was told that its session is over. */
  sessionEnds = 0;
  comeBacks = 0;
  readonly #hub: Hub;
  #reader: Reader | null = null;

  constructor(hub: Hub, userId: string = crypto.randomUUID()) {
    this.#hub = hub;
    this.userId = userId;
  }

  async arrive(since = this.#hub.position): Promise<this> {
    this.#reader = await this.#hub.hold(this, since);
    return this;
  }

  async follow({ anchor = school, scope = 'ANCHOR', kinds = happenings, ...rest }: Following = {}): Promise<Feed> {
    if (!this.#reader) throw new Error('whoever follows must be held');
    const { after = null, capacity = Infinity, renderer = new TestRenderer() } = rest;
    const cursor = typeof after === 'number' ? encodeCursor(this.#hub.epoch, after) : after;
    const wanted = { anchor: ({ id }: { id: string }) => id === anchor, scope, kinds };
    const feed = new Feed(await this.#hub.follow(this.#reader, this.sessionId, wanted, cursor), capacity);
    feed.follower.start(renderer, feed);
    return feed;
  }

  sessionEnded(): void {
    this.sessionEnds++;
  }

  comeBack(): void {
    this.comeBacks++;
  }

  leave(): void {
    this.#hub.release(this);
  }
}

export const arrive = (hub: Hub): Promise<Listener> => new Listener(hub).arrive();
