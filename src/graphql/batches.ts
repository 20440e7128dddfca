import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../database/connect.ts';
import { prepare } from '../database/statements.ts';
import type { Viewer } from '../viewer.ts';
import { connection, type Page, type PageArguments, paged } from './connections.ts';
import type { Batch, Context } from './context.ts';

type Identified = PgTable & { id: PgColumn; $inferSelect: { id: string } };

/** What is read with each row besides its own columns: each an expression over them. */
type Extra = Readonly<Record<string, SQL.Aliased>>;
type RowOf<Table extends Identified, More extends Extra> = Table['$inferSelect'] & {
  readonly [Name in keyof More]: More[Name]['_']['type'];
};

/** Rows by their ids, whoever asks: for what has been reached through something visible. */
export function byId<Table extends Identified, More extends Extra = Record<never, never>>(
  table: Table,
  more?: More,
): Batch<string, RowOf<Table, More> | null> {
  const read = prepare((db) =>
    db
      .select({ ...getTableColumns(table as PgTable), ...more })
      .from(table as PgTable)
      .where(sql`${table.id} = any(${sql.placeholder('ids')})`),
  );
  return async (db, ids) => {
    const found = (await read(db, { ids: [...ids] })) as RowOf<Table, More>[]; // all columns of this very table
    const index = new Map(found.map((row) => [row.id, row]));
    return ids.map((id) => index.get(id) ?? null);
  };
}

/** Which list of which parent; `filter` must be plain data. */
export interface ListKey<Filter> {
  readonly parentId: string;
  readonly filter: Filter;
}

/**
 * The lists of many parents, a page of each, newest first, in one statement; and their sizes in another.
 * `narrow` is what of the list this viewer and this filter leave. `place` orders it where ids do not, the latest first.
 */
export function listsOf<Table extends Identified, Filter, More extends Extra = Record<never, never>>(
  table: Table,
  parent: PgColumn,
  narrow: (filter: Filter, viewer: Viewer) => SQL | undefined,
  more?: More,
  place?: { readonly column: PgColumn; of(row: RowOf<Table, More>): string },
): Lists<RowOf<Table, More>, Filter> {
  type Row = RowOf<Table, More>;
  return {
    ...(place && { cursorOf: place.of }),
    page: async (db, keys, viewer) =>
      inGroups(
        keys,
        ({ filter, page }) => ({ filter, page }),
        async (parents, { filter, page }) => {
          const { where, orderBy, limit } = paged(place?.column ?? table.id, page);
          // Of each parent no more is looked at than its page takes.
          const picked = sql`(
            select picked.id from unnest(${sql.param(parents)}::uuid[]) wanted (id) cross join lateral (
              select ${table.id} as id from ${table as PgTable}
              where ${and(sql`${parent} = wanted.id`, narrow(filter, viewer()), where)}
              order by ${orderBy} limit ${limit}) picked)`;
          const found = await db
            .select({ row: { ...getTableColumns(table as PgTable), ...more }, parentId: sql<string>`${parent}` })
            .from(table as PgTable)
            .where(sql`${table.id} in ${picked}`)
            .orderBy(orderBy)
            .prepare(onServer)
            .execute();
          return collect(parents, found as { row: unknown; parentId: string }[]) as Row[][]; // all columns of this very table
        },
      ),
    count: async (db, keys, viewer) =>
      inGroups(
        keys,
        ({ filter }) => ({ filter }),
        async (parents, { filter }) => {
          const found = await countBy(db, table, parent, and(among(parent, parents), narrow(filter, viewer())));
          return parents.map((id) => found.get(id) ?? 0);
        },
      ),
  };
}

export interface Lists<Row, Filter> {
  readonly page: Batch<ListKey<Filter> & { page: Page }, Row[]>;
  readonly count: Batch<ListKey<Filter>, number>;
  /** What orders the rows, if not their ids. */
  readonly cursorOf?: (row: Row) => string;
}

/** The connection of one parent's list, read together with those of the other parents in the same turn. */
export const listed = <Row extends { id: string }, Filter>(
  ctx: Context,
  args: PageArguments,
  lists: Lists<Row, Filter>,
  list: ListKey<Filter>,
) =>
  connection(
    args,
    (page) => ctx.load(lists.page, { ...list, page }),
    () => ctx.load(lists.count, list),
    lists.cursorOf,
  );

/** A column's value among ids, as one parameter: statements that differ only in how many ids there are stay one text. */
export const anyOf = (column: PgColumn, ids: readonly string[]): SQL => sql`${column} = any(${sql.param(ids)}::uuid[])`;

/** One parent is compared as itself: only then can Postgres read its list in the index's order and stop early. */
const among = (column: PgColumn, [first, ...rest]: readonly string[]): SQL =>
  rest.length === 0 ? eq(column, first) : anyOf(column, [first ?? '', ...rest]);

/** A named statement is prepared on the server and takes one round trip; its text, not this name, tells it from others. */
const onServer = 'list';

async function countBy(db: Database, table: PgTable, parent: PgColumn, where: SQL | undefined) {
  const counted = await db
    .select({ id: sql<string>`${parent}`, size: sql<number>`count(*)`.mapWith(Number) })
    .from(table)
    .where(where)
    .groupBy(parent)
    .prepare(onServer)
    .execute();
  return new Map(counted.map(({ id, size }) => [id, size]));
}

function collect<Row>(parents: readonly string[], found: readonly { row: Row; parentId: string }[]): Row[][] {
  const lists = new Map(parents.map((id): [string, Row[]] => [id, []]));
  for (const { row, parentId } of found) lists.get(parentId)?.push(row);
  return parents.map((id) => lists.get(id) ?? []);
}

/** A node type's loader: the rows with these ids that the viewer may see, null in the place of the others. */
export const visible =
  <Row>(batch: Batch<string, Row | null>, canSee: (viewer: Viewer, row: Row) => boolean) =>
  async (ids: string[], ctx: Context): Promise<(Row | null)[]> => {
    const found = await Promise.all(ids.map((id) => ctx.load(batch, id)));
    return found.map((row) => (row && canSee(ctx.viewer, row) ? row : null));
  };

/** Answers keys that differ only in their parent together; keys that ask for something else in a statement of their own. */
export async function inGroups<Key extends { parentId: string }, Same, Value>(
  keys: readonly Key[],
  same: (key: Key) => Same,
  read: (parents: readonly string[], same: Same) => Promise<readonly Value[]>,
): Promise<Value[]> {
  const groups = Map.groupBy(keys, (key) => JSON.stringify(same(key)));
  const values = new Map<Key, Value>();
  await Promise.all(
    [...groups.values()].map(async ([first, ...rest]) => {
      if (!first) return;
      const group = [first, ...rest];
      const found = await read(
        group.map((key) => key.parentId),
        same(first),
      );
      group.forEach((key, index) => {
        const value = found[index];
        if (value !== undefined) values.set(key, value);
      });
    }),
  );
  return keys.map((key) => values.get(key) as Value); // every group answered all of its keys
}
