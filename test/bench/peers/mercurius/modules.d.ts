/** As much of fastify and mercurius as the bench uses: they are installed when it runs, and checked when they are not. */
declare module 'fastify' {
  export interface FastifyInstance {
    readonly graphql: { readonly pubsub: { publish(event: { topic: string; payload: unknown }): void } };
    register<Options>(plugin: (app: FastifyInstance, options: Options) => void, options: Options): void;
    listen(options: { port: number; host: string | undefined }): Promise<string>;
  }
  export default function fastify(): FastifyInstance;
}

declare module 'mercurius' {
  import type { FastifyInstance } from 'fastify';

  interface SubscriptionContext {
    readonly pubsub: { subscribe(topic: string): Promise<AsyncIterable<unknown>> };
  }
  interface Subscribing {
    subscribe(root: unknown, args: unknown, context: SubscriptionContext): Promise<AsyncIterable<unknown>>;
  }
  /** Parents, arguments and contexts are whatever the resolvers say that they are. */
  type Resolver = (parent: never, args: never, context: never) => unknown;
  type Loader = (queries: never, context: never) => Promise<readonly unknown[]>;
  interface MercuriusOptions {
    readonly schema: string;
    readonly resolvers: {
      readonly Subscription?: Readonly<Record<string, Subscribing>>;
    } & { readonly [Type: string]: Readonly<Record<string, Resolver | Subscribing>> | undefined };
    readonly loaders?: Readonly<Record<string, Readonly<Record<string, Loader>>>>;
    /** After how many executions of a query it is compiled. */
    readonly jit?: number;
    readonly context?: (request: { headers: Readonly<Record<string, unknown>> }) => Promise<object>;
    readonly subscription?: {
      onConnect(data: { payload?: Readonly<Record<string, unknown>> }): object | false;
    };
  }
  export default function mercurius(app: FastifyInstance, options: MercuriusOptions): void;
}
