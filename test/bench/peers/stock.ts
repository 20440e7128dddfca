/**
 * The stock stack: Yoga with graphql-ws's `useServer` as Yoga's documentation wires them, and Yoga's `createPubSub`. Signing
 * in is a look into a Map, and nobody's rights ever change.
 */
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { obey } from '../processes/orders.ts';
import { hostname, type PeerOrders, port, type Sample, tokenIn, typeDefs } from './orders.ts';

const pubSub = createPubSub<{ organization: [event: Sample['event']] }>();
const viewers = new Map<string, { readonly token: string }>();
let sample: Sample | null = null;

interface StockContext {
  readonly viewer?: { readonly token: string };
}

const told = {
  subscribe: (_root: unknown, _args: unknown, { viewer }: StockContext) => {
    if (!viewer) throw new Error('NOT_FOUND');
    return pubSub.subscribe('organization');
  },
  resolve: (event: unknown) => event,
};

const yoga = createYoga<StockContext>({
  logging: false,
  schema: createSchema<StockContext>({
    typeDefs: typeDefs(),
    resolvers: {
      Subscription: { organizationEvents: told, broadcastStarted: told },
    },
  }),
});

const server = createServer(yoga);

type Enveloped = Pick<ReturnType<typeof yoga.getEnveloped>, 'execute' | 'subscribe'>;
/** What `onSubscribe` put there. */
const enveloped = ({ rootValue }: { rootValue?: unknown }) => rootValue as Enveloped;

useServer(
  {
    onConnect: ({ connectionParams }) => viewers.has(tokenIn(connectionParams)),
    execute: (args) => enveloped(args).execute(args),
    subscribe: (args) => enveloped(args).subscribe(args),
    onSubscribe: async ({ connectionParams }, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        viewer: viewers.get(tokenIn(connectionParams)),
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  new WebSocketServer({ server, path: yoga.graphqlEndpoint, perMessageDeflate: false }),
);
server.listen(port, hostname);

const orders: PeerOrders = {
  admit: (tokens) => {
    for (const token of tokens) viewers.set(token, { token });
  },
  learn: (learnt) => {
    sample = learnt;
  },
  publish: (cursors) => {
    for (const cursor of cursors) pubSub.publish('organization', { ...sample?.event, cursor });
  },
};

obey(orders);
