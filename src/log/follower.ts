import type { Page } from './backfill.ts';
import type { LoggedEvent } from './history.ts';
import type { Job, Lane, Recipient, Rendered, Renderer } from './lane.ts';
import type { Ending, EndingReason, Moment, Outlet } from './outlet.ts';
import { type Audience, type Reader, type SessionEnding, spans, type Topic, type Watcher, wants } from './reader.ts';
import type { Task } from './slices.ts';
import type { Company, Source } from './source.ts';
import { firstAfter } from './window.ts';

/** Events that one step of catching up looks at, and begins to render ahead. */
const step = 64;

/**
 * One subscription. It catches up from memory or from the log, then is handed events by its lane; it falls back to
 * catching up whenever its connection is slow, its access changes, or what it is shown is for it alone.
 */
export class Follower implements Recipient, Watcher, Task, AsyncIterable<never> {
  readonly topic: Topic;
  readonly reader: Reader;
  readonly sessionId: string;
  readonly #source: Source;
  readonly #company: Company | null;
  #lane: Lane | null = null;
  #outlet: Outlet | null = null;
  /** Everything up to here is delivered, or was never to be. */
  #from: number;
  #state: 'NEW' | 'BEHIND' | 'LIVE' | 'OVER' = 'NEW';
  /** What it waits for while behind: it must be asked for only once. */
  #waits = false;
  #page: Page | null = null;
  /** The audiences it may hear of, while it is behind. */
  #spanned: readonly string[] | null = null;
  #ending: Ending | null = null;

  constructor(
    source: Source,
    topic: Topic,
    reader: Reader,
    sessionId: string,
    from: number,
    company: Company | null = null,
  ) {
    this.#source = source;
    this.#company = company;
    this.topic = topic;
    this.reader = reader;
    this.sessionId = sessionId;
    this.#from = from;
  }

  /** GraphQL demands a stream of whoever subscribes; this one is not read but delivered, through its outlet. */
  [Symbol.asyncIterator](): AsyncIterator<never> {
    throw new Error('a follower is started, not iterated');
  }

  /** Begins to deliver, from the place it was opened at. */
  start(renderer: Renderer, outlet: Outlet): void {
    this.#outlet = outlet;
    this.#lane = this.#source.enter(renderer, this.topic);
    this.#state = 'BEHIND';
    this.reader.watchers.push(this);
    if (this.reader.isOver(this.sessionId)) this.endNow('SIGNED_OUT');
    else if (!this.reader.find((audience) => audience === this.topic.anchor)) {
      this.#end('MEMBERSHIP_CHANGED', this.#source.position);
    }
    this.#await(this.#source.remembers(this.#from), (remembered) => {
      if (!remembered) this.forget();
    });
  }

  // Caught up: its lane hands it what happens.

  deliver(jobs: readonly Job[]): void {
    for (const { event, rendered, failure } of jobs) {
      if (this.#state !== 'LIVE') return;
      if (event.position <= this.#from) continue;
      if (failure) this.#fail(failure);
      else if (!rendered || this.#outlet?.full) this.#fallBehind();
      else this.#say(event, rendered);
    }
  }

  told(event: LoggedEvent): void {
    if (this.#state === 'LIVE' && wants(this.topic, event) && spans(this.topic, this.reader.alone)) this.#fallBehind();
  }

  #fallBehind(): void {
    const waiting = this.#lane?.waitingFrom;
    this.#from = Math.max(this.#from, waiting == null ? this.#source.position - 1 : waiting - 1);
    this.#state = 'BEHIND';
    this.#part();
    this.#source.slices.add(this);
  }

  #part(): void {
    if (this.#lane) this.#source.detach(this, this.#lane);
    this.#company?.left(this);
  }

  // Behind: it takes the events one by one until there are no more.

  work(): void {
    try {
      for (let count = 0; count < step && this.#isReady; count++) {
        this.#advance();
      }
      if (this.#isReady) this.#source.slices.add(this);
    } catch (error) {
      this.#fail(error);
    }
  }

  get #isReady(): boolean {
    return this.#state === 'BEHIND' && !this.#waits;
  }

  #advance(): void {
    const outlet = this.#outlet;
    const through = this.#ending?.position ?? this.#source.position;
    if (outlet?.full) this.#await(new Promise<void>((go) => outlet.whenRoom(go)), () => {});
    else if (this.#from < through) this.#take(this.#next(through), through);
    else if (this.#ending) this.#sayLast(this.#ending);
    else this.#goLive();
  }

  #take(event: LoggedEvent | null | 'UNKNOWN', through: number): void {
    if (event === 'UNKNOWN') {
      this.#readPage(through);
    } else if (!event) {
      this.#from = Math.max(this.#from, Math.min(through, this.#page?.reaches ?? through));
      this.#page = null;
    } else if (!wants(this.topic, event) || !this.reader.couldSee(event)) {
      this.#from = event.position;
    } else {
      this.#show(event);
    }
  }

  /** The next event up to a place, from memory or from the page at hand. */
  #next(through: number): LoggedEvent | null | 'UNKNOWN' {
    const { window } = this.#source;
    const spanned = this.#audiences();
    if (window.reaches(this.#from)) {
      const event = window.next(spanned, this.#from);
      return event && event.position <= through ? event : null;
    }
    if (!this.#page || this.#page.reaches <= this.#from) return 'UNKNOWN';
    const ids = new Set(spanned);
    for (let at = this.#from; ; ) {
      const event = firstAfter(this.#page.events, at);
      if (!event || event.position > through) return null;
      if (ids.has(event.audienceId)) return event;
      at = event.position;
    }
  }

  #audiences(): readonly string[] {
    this.#spanned ??= this.reader.spanned(this.topic).map(({ id }) => id);
    return this.#spanned;
  }

  #readPage(through: number): void {
    const asked = this.#source.backfill(this.#audiences(), this.#from, through);
    this.#await(asked, (page) => {
      if (page) this.#page = page;
      else this.forget();
    });
  }

  #show(event: LoggedEvent): void {
    const rendered = this.#shared(event);
    if (rendered instanceof Promise) {
      this.#lookAhead(event);
      this.#await(rendered, (found) => this.#showAs(event, this.#audienceOf(event) ? found : null));
    } else {
      this.#showAs(event, rendered);
    }
  }

  /** What everybody in the audience is shown is for those who are in it still. */
  #shared(event: LoggedEvent): Rendered | Promise<Rendered> {
    const audience = this.#audienceOf(event);
    return audience && this.#lane ? this.#lane.renderer.shared(event, audience) : null;
  }

  /** The audience of an event, if its reader is in it now. */
  #audienceOf({ audienceId }: LoggedEvent): Audience | null {
    return this.reader.find(({ id }) => id === audienceId);
  }

  /** What is begun in one turn is read by the same statements. */
  #lookAhead({ position }: LoggedEvent): void {
    const spanned = this.#audiences();
    for (let count = 0, at = position; count < step && this.#source.window.reaches(at); count++) {
      const event = this.#source.window.next(spanned, at);
      if (!event) return;
      at = event.position;
      if (!wants(this.topic, event) || !this.reader.couldSee(event)) continue;
      const rendered = this.#shared(event);
      // Whoever comes to this event hears of the failure.
      if (rendered instanceof Promise) rendered.catch(() => {});
    }
  }

  #showAs(event: LoggedEvent, rendered: Rendered): void {
    if (rendered) this.#say(event, rendered);
    else if (this.#outlet) this.#await(this.#outlet.alone(event), (alone) => this.#sayAlone(event, alone));
  }

  #sayAlone(event: LoggedEvent, alone: Rendered): void {
    if (alone) this.#say(event, alone);
    else this.endNow('SIGNED_OUT');
  }

  #say({ position }: LoggedEvent, payload: Uint8Array): void {
    // An end, or a new history, that came meanwhile and is not to wait for this.
    if (position <= this.#from || position > (this.#ending?.position ?? Infinity)) return;
    this.#from = position;
    this.#outlet?.send(payload, position);
  }

  #goLive(): void {
    this.#page = null;
    this.#spanned = null;
    this.#state = 'LIVE';
    if (this.#lane) this.#source.attach(this, this.#lane);
    this.#company?.joined(this);
  }

  /** What it shows of something that is told beside the log; null: nothing. */
  async rendered(moment: Moment): Promise<Rendered> {
    const shared = await this.#lane?.renderer.moment(moment, this.topic.anchor);
    return shared ?? this.#outlet?.alone(moment) ?? null;
  }

  /** Says what its company tells, which begins anew if there was no room for it. */
  say(payload: Uint8Array): void {
    if (this.#state !== 'LIVE') return;
    if (this.#outlet?.full) this.#fallBehind();
    else this.#outlet?.send(payload, null);
  }

  #sayLast(ending: Ending): void {
    const outlet = this.#outlet;
    if (!outlet) return;
    this.#await(outlet.alone(ending), (payload) => {
      this.#leave();
      if (payload) outlet.send(payload, ending.position);
      outlet.end();
    });
  }

  #await<Value>(value: Promise<Value>, then: (value: Value) => void): void {
    this.#waits = true;
    value.then(
      (settled) => {
        this.#waits = false;
        if (this.#state !== 'OVER') then(settled);
        // It may have to wait for something else now.
        if (this.#isReady) this.#source.slices.add(this);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  // Changes of what it may see.

  accessChanged({ kind, audienceId, payload, position }: LoggedEvent): void {
    const ended = kind === 'ACCESS_ENDED' && payload.last === true;
    this.#spanned = null;
    if (ended && audienceId === this.topic.anchor.id) {
      const suspended = payload.reason === 'ORGANIZATION_SUSPENDED';
      this.#end(suspended ? 'ORGANIZATION_SUSPENDED' : 'MEMBERSHIP_CHANGED', position);
    } else if (this.#state === 'LIVE' && (ended || kind === 'ACCESS_BEGAN')) {
      // What is still on its way from before is then shown to it alone; and what it hears from now on is another set.
      this.#fallBehind();
    }
  }

  #end(reason: EndingReason, position: number): void {
    this.#ending ??= { ending: 'ACCESS_ENDED', reason, position };
    if (this.#state === 'LIVE') this.#fallBehind();
  }

  /** Ends the stream without what is on its way: whoever holds this session must hear nothing more. */
  endNow(reason: SessionEnding): void {
    if (this.#state === 'LIVE') this.#fallBehind();
    this.#ending = { ending: 'ACCESS_ENDED', reason, position: this.#from };
  }

  /** Ends the stream because the history that it followed is no more. */
  forget(): void {
    if (this.#state === 'LIVE') this.#fallBehind();
    this.#from = this.#source.position;
    this.#ending = { ending: 'RESYNC_REQUIRED', position: this.#from };
  }

  #fail(error: unknown): void {
    if (this.#state === 'OVER') return;
    this.#leave();
    this.#outlet?.fail(error);
  }

  #leave(): void {
    if (this.#lane) {
      if (this.#state === 'LIVE') this.#part();
      this.#source.leave(this.#lane);
    }
    this.#state = 'OVER';
    const { watchers } = this.reader;
    const place = watchers.indexOf(this);
    if (place >= 0) watchers.splice(place, 1);
  }

  /** Stops hearing anything. */
  close(): void {
    if (this.#state !== 'OVER') this.#leave();
  }
}
