import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ExecutionResult,
  executeSubscriptionEvent,
  type GraphQLError,
  type ValidatedSubscriptionArgs,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { isUnavailable } from '../database/failures.ts';
import type { LoggedEvent } from '../log/history.ts';
import type { Rendered, Renderer } from '../log/lane.ts';
import type { Delivery, Moment } from '../log/outlet.ts';
import type { Audience } from '../log/reader.ts';
import { type Asking, Loaders, type Services, ViewerContext } from './context.ts';
import { presentError } from './errors.ts';
import { eventTypeOf } from './live.ts';
import { SharedContext } from './shared-context.ts';
import { canonical, type Selection } from './sharing.ts';

/** Bytes of payloads kept for those who come a little later, in the whole process. */
const keptBytes = 64 * 1024 * 1024;
/** How long they are kept, unless something in the audience is changed or deleted: whoever comes later is shown what is there by then. */
const keptMs = 30_000;
/** Characters of plans kept for those who follow by the same a little later. */
const keptCharacters = 256 * 1024;
/** How often and how many times an event is tried again while the database is away. */
const retryMs = 500;
const retries = 30;

export interface PlanOptions {
  readonly services: Services;
  readonly logger: Logger;
}

/** All the plans of a process, and what they have rendered lately. */
export class Plans {
  readonly #options: PlanOptions;
  /** Those that somebody follows by, and the latest. */
  readonly #plans = new Map<string, WeakRef<Plan>>();
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (!this.#plans.get(key)?.deref()) this.#plans.delete(key);
  });
  readonly #latest = new LRUCache<Plan, number>({ maxSize: keptCharacters, sizeCalculation: (length) => length + 1 });
  readonly #rendered = new LRUCache<string, Uint8Array | Promise<Rendered>>({
    maxSize: keptBytes,
    sizeCalculation: (kept) => (kept instanceof Uint8Array ? kept.byteLength : 1_000),
    ttl: keptMs,
  });
  #loaders: Loaders | null = null;
  #made = 0;

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  /** The plan of all subscriptions that show the same; `refuse` is asked about one that is new. */
  planOf(
    selection: Selection,
    args: ValidatedSubscriptionArgs,
    refuse: () => GraphQLError | null,
  ): Plan | GraphQLError {
    const { coerced } = args.variableValues;
    // One that is absent is not one that is null.
    const values = selection.variables.map((name) => (name in coerced ? [coerced[name]] : []));
    const key = `${selection.text} ${canonical(values)}`;
    const known = this.#plans.get(key)?.deref();
    if (known) return this.#keep(known, key);
    const refused = refuse();
    if (refused) return refused;
    const plan = new Plan(
      ++this.#made,
      selection,
      { ...args, contextValue: null, rawVariableValues: null },
      this,
      this.#options,
    );
    this.#plans.set(key, new WeakRef(plan));
    this.#gone.register(plan, key);
    return this.#keep(plan, key);
  }

  #keep(plan: Plan, key: string): Plan {
    if (!this.#latest.has(plan)) this.#latest.set(plan, key.length);
    return plan;
  }

  rendered(plan: Plan, event: LoggedEvent, render: () => Promise<Rendered>): Rendered | Promise<Rendered> {
    const { hub } = this.#options.services;
    // Places and audiences of another history, or of one that was lost in a failover, are others.
    const { audienceId, position } = event;
    const key = [hub.epoch, plan.id, audienceId, position, hub.overtakenAt(audienceId)].join();
    const kept = this.#rendered.get(key);
    if (kept) return kept;
    const rendering = render();
    this.#rendered.set(key, rendering);
    rendering.then(
      (rendered) => {
        if (rendered) this.#rendered.set(key, rendered);
      },
      () => this.#rendered.delete(key),
    );
    return rendering;
  }

  /** What is executed in one turn for nobody in particular reads together. */
  get loaders(): Loaders {
    if (!this.#loaders) {
      this.#loaders = new Loaders();
      process.nextTick(() => {
        this.#loaders = null;
      });
    }
    return this.#loaders;
  }
}

/** How one subscription, whoever asks it and however it is written, shows events: once for all of an audience where it can. */
export class Plan implements Renderer {
  readonly id: number;
  readonly #selection: Selection;
  readonly #args: ValidatedSubscriptionArgs;
  readonly #plans: Plans;
  readonly #services: Services;
  readonly #logger: Logger;
  /** Types of events in which a field turned out to be marked wrongly. */
  readonly #unsafe = new Set<string>();
  /** What is told beside the log, for as long as it is being told. */
  readonly #moments = new WeakMap<Moment, Rendered | Promise<Rendered>>();

  constructor(id: number, selection: Selection, args: ValidatedSubscriptionArgs, plans: Plans, options: PlanOptions) {
    this.id = id;
    this.#selection = selection;
    this.#args = args;
    this.#plans = plans;
    this.#services = options.services;
    this.#logger = options.logger;
  }

  shared(event: LoggedEvent, audience: Audience): Rendered | Promise<Rendered> {
    const type = eventTypeOf(event.kind);
    if (type === null || this.#selection.perViewer(type) || this.#unsafe.has(type)) return null;
    return this.#plans.rendered(this, event, () => this.#share(event, audience, type));
  }

  moment(moment: Moment, audience: Audience): Rendered | Promise<Rendered> {
    const { momentary: type } = moment;
    if (this.#selection.perViewer(type) || this.#unsafe.has(type)) return null;
    const known = this.#moments.get(moment);
    if (known !== undefined) return known;
    const rendering = this.#share(moment, audience, type, 0);
    this.#moments.set(moment, rendering);
    rendering.then(
      (rendered) => this.#moments.set(moment, rendered),
      () => this.#moments.delete(moment),
    );
    return rendering;
  }

  async #share(told: LoggedEvent | Moment, audience: Audience, type: string, again = retries): Promise<Rendered> {
    for (let attempt = 0; ; attempt++) {
      const context = new SharedContext(this.#services, this.#plans.loaders, audience);
      const result = await this.#execute(told, context);
      if (context.misused) this.#report(type, result);
      if (context.misused || context.notForAll) return null;
      const lost = unavailable(result);
      if (!lost) return result.errors ? null : bytesOf(result);
      if (attempt === again) throw lost;
      await sleep(retryMs, undefined, { ref: false });
    }
  }

  /** A mistake of ours: nobody is shown the result, everybody one of their own, and whoever runs this hears of it. */
  #report(type: string, { errors }: ExecutionResult): void {
    this.#unsafe.add(type);
    const paths = errors?.map(({ path }) => path?.join('.'));
    this.#logger.error({ type, paths }, 'a field depends on the viewer and is not marked perViewer');
  }

  /** What one viewer is shown, asked afresh who they are; null: their session is over. */
  async alone(told: Delivery | Moment, asking: Asking): Promise<Rendered> {
    const { hub, authenticate } = this.#services;
    const isEnding = 'ending' in told;
    const viewer = isEnding || !asking.token ? null : await authenticate(asking.token);
    if (!isEnding && !viewer) return null;
    const context = new ViewerContext(this.#services, asking, viewer);
    const result = await hub.slices.begin(() => this.#execute(told, context));
    // An event that could not be read now is not to count as delivered.
    const lost = unavailable(result);
    if (lost) throw lost;
    const errors = result.errors?.map((error) => this.#present(error, context));
    return bytesOf(errors ? { ...result, errors } : result);
  }

  #present(error: GraphQLError, { locale }: ViewerContext): GraphQLError {
    const presented = presentError(error, locale, (err) => this.#logger.error({ err }, 'operation failed'));
    delete presented.extensions.http;
    return presented;
  }

  async #execute(rootValue: Delivery | Moment, contextValue: SharedContext | ViewerContext): Promise<ExecutionResult> {
    const shared = contextValue instanceof SharedContext;
    const position = 'position' in rootValue ? rootValue.position : null;
    this.#logger.debug({ kind: 'render', position, shared }, 'operation');
    return executeSubscriptionEvent({ ...this.#args, rootValue, contextValue });
  }
}

const bytesOf = (result: ExecutionResult): Uint8Array => Buffer.from(JSON.stringify(result));

const unavailable = ({ errors }: ExecutionResult): GraphQLError | undefined =>
  errors?.find((error) => isUnavailable(error.originalError));
