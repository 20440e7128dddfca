import { pipeline } from 'node:stream/promises';
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pglite';
import postgres from 'postgres';
import type { Connection, Database } from './connect.ts';
import { openPostgres } from './postgres.ts';

/** Of a table, so many blocks of 8 KiB at a time. */
const blocksAtOnce = 4_096;

interface Table {
  readonly source: string;
  /** Where its rows go: of a part, the whole. */
  readonly target: string;
  readonly columns: string;
  readonly blocks: number;
}

/**
 * Copies everything from the directory of PGlite, which was the embedded database of 0.1, into an empty cluster. Nothing but
 * missing migrations is written there, so that it can be done again.
 */
export async function bringOver(
  directory: string,
  url: string,
  makeTables: (connection: Connection) => Promise<void>,
): Promise<void> {
  const source = await PGlite.create(directory);
  const client = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    await makeTables(connectionTo(source));
    await using target = await openPostgres(url, 2);
    await makeTables(target);
    const { rows: tables } = await source.query<Table>(allTables);
    // What refers to a row may come before it, and no trigger is to change what has been changed already.
    await client`set session_replication_role = replica`;
    await client.unsafe(`truncate ${[...new Set(tables.map((table) => table.target))].join(', ')}`);
    for (const table of tables) await copy(source, client, table);
    const { rows: sequences } = await source.query<{ name: string; value: string }>(allSequences);
    for (const { name, value } of sequences) await client`select setval(${name}, ${value})`;
    await client`analyze`;
  } finally {
    await client.end({ timeout: 5 });
    await source.close();
  }
}

async function copy(
  source: PGlite,
  client: postgres.Sql,
  { source: from, target, columns, blocks }: Table,
): Promise<void> {
  for (let block = 0; block < blocks; block += blocksAtOnce) {
    const slice = `ctid >= '(${block},0)' and ctid < '(${block + blocksAtOnce},0)'`;
    const { blob } = await source.query(`copy (select ${columns} from ${from} where ${slice}) to '/dev/blob'`);
    // None where the slice holds nothing.
    if (blob) await pipeline(blob.stream(), await client.unsafe(`copy ${target} (${columns}) from stdin`).writable());
  }
}

const allTables = `
  select c.oid::regclass::text as source, coalesce(pg_partition_root(c.oid), c.oid)::regclass::text as target,
    (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
      where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns,
    (pg_relation_size(c.oid) / current_setting('block_size')::int)::int as blocks
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
  order by c.oid`;

const allSequences = `
  select format('%I.%I', schemaname, sequencename) as name, last_value::text as value
  from pg_sequences where last_value is not null`;

/** As much of a connection as making tables needs. */
function connectionTo(client: PGlite): Connection {
  const db: Database = drizzle({ client });
  return {
    db,
    listen: () => Promise.reject(new Error('nobody listens here')),
    script: async (text) => (await client.exec(text)).flatMap(({ rows }) => rows),
    ping: async () => {
      await db.execute(sql`select 1`);
    },
    exclusively: (work) => work(db),
    [Symbol.asyncDispose]: () => client.close(),
  };
}
