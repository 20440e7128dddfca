/**
 * PostGraphile as its documentation sets it up as a library, over views of the same tables (`views.sql`): who asks is found by
 * their token, and told to Postgres by `pgSettings`, as its documentation does with a JWT.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { Pool } from 'pg';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { hostname, port, tokenIn } from '../orders.ts';

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

async function viewerOf(token: string): Promise<string | null> {
  const { rows } = await pool.query({
    name: 'viewer',
    text: 'select user_id from sessions where token_hash = $1 and ended_at is null and expires_at > now()',
    values: [createHash('sha256').update(token).digest()],
  });
  return rows[0]?.user_id ?? null;
}

/** Ids are the API's own here: PostGraphile would keep the name `id` for its own. */
const ownIds = {
  name: 'OwnIdsPlugin',
  version: '0.0.0',
  inflection: {
    replace: {
      _attributeName: (_former: unknown, _options: unknown, { codec, attributeName }: Attribute): string =>
        codec.attributes[attributeName]?.extensions?.tags?.name ?? attributeName,
    },
  },
};

interface Attribute {
  readonly codec: { readonly attributes: Record<string, { extensions?: { tags?: { name?: string } } }> };
  readonly attributeName: string;
}

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [ownIds],
  disablePlugins: ['NodePlugin', 'NodeAccessorPlugin', 'PgRBACPlugin'],
  pgServices: [makePgService({ pool, schemas: ['peer'] })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: {
    context: async ({ node }) => {
      const viewerId = await viewerOf(tokenIn(node?.req.headers));
      if (!viewerId) throw new Error('UNAUTHENTICATED');
      return { pgSettings: { 'viewer.id': viewerId } };
    },
  },
});

await instance.getSchema();
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(port, hostname);
