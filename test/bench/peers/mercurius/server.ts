/** Mercurius' subscriptions as its documentation wires them, over graphql-transport-ws. Signing in is a look into a Map. */
import fastify from 'fastify';
import mercurius from 'mercurius';
import { obey } from '../../processes/orders.ts';
import { hostname, type PeerOrders, port, type Sample, tokenIn, typeDefs } from '../orders.ts';

const viewers = new Map<string, { readonly token: string }>();
let sample: Sample | null = null;

const app = fastify();
app.register(mercurius, {
  schema: typeDefs(),
  resolvers: {
    Subscription: {
      organizationEvents: { subscribe: (_root, _args, { pubsub }) => pubsub.subscribe('organization') },
    },
  },
  subscription: {
    onConnect: ({ payload }) => {
      const viewer = viewers.get(tokenIn(payload));
      return viewer ? { viewer } : false;
    },
  },
});
await app.listen({ port, host: hostname });

const orders: PeerOrders = {
  admit: (tokens) => {
    for (const token of tokens) viewers.set(token, { token });
  },
  learn: (learnt) => {
    sample = learnt;
  },
  publish: (cursors) => {
    for (const cursor of cursors) {
      const organizationEvents = { ...sample?.event, cursor };
      app.graphql.pubsub.publish({ topic: 'organization', payload: { organizationEvents } });
    }
  },
};

obey(orders);
