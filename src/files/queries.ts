import { and, eq, inArray, isNull, type SQL, sql, sum } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database, Executor } from '../database/connect.ts';
import { prepare } from '../database/statements.ts';
import { byId } from '../graphql/batches.ts';
import type { Batch, Context } from '../graphql/context.ts';
import type { Viewer } from '../viewer.ts';
import { canUseUpload } from './policy.ts';
import { type FileOwnerKind, type FileRow, files } from './tables.ts';

/** A file as it is shown: a row, or what `filesAsJson` makes of one. */
export type ShownFile = Pick<
  FileRow,
  | 'id'
  | 'name'
  | 'mediaType'
  | 'size'
  | 'width'
  | 'height'
  | 'hasPreview'
  | 'state'
  | 'refusal'
  | 'ownerKind'
  | 'ownerId'
  | 'uploaderId'
> & { readonly createdAt: Date | string };

export const fileById = byId(files);

/** Whose files are counted. A refused one has no bytes, a copy shares another's, and one that was deleted has them for an hour more. */
const storedBytesBy = (column: PgColumn) => {
  const read = prepare((db) =>
    db
      .select({ id: sql<string>`${column}`, bytes: sum(files.size).mapWith(Number) })
      .from(files)
      .where(
        and(
          sql`${column} = any(${sql.placeholder('ids')})`,
          inArray(files.state, ['PENDING', 'READY']),
          isNull(files.erasedAt),
          isNull(files.copyOf),
        ),
      )
      .groupBy(column),
  );
  return async (db: Executor, ids: readonly string[]): Promise<number[]> => {
    const found = new Map((await read(db, { ids: [...ids] })).map(({ id, bytes }) => [id, bytes]));
    return ids.map((id) => found.get(id) ?? 0);
  };
};

/** Bytes that are stored, or announced, for each of some people. */
export const storedBytesOfPeople = storedBytesBy(files.uploaderId);
/** Bytes of what is attached to each of some organizations' things. */
export const storedBytesOfOrganizations = storedBytesBy(files.organizationId);

const attachedFiles = prepare((db) =>
  db
    .select()
    .from(files)
    .where(and(sql`${files.ownerId} = any(${sql.placeholder('ownerIds')})`, eq(files.state, 'READY')))
    .orderBy(files.position),
);

/** What is attached to each of some owners, in their order. */
export const filesOf: Batch<string, readonly FileRow[]> = async (db, ownerIds) => {
  const found = Map.groupBy(await attachedFiles(db, { ownerIds: [...ownerIds] }), ({ ownerId }) => ownerId);
  return ownerIds.map((id) => found.get(id) ?? []);
};

/** What is attached to each row of a table, in its order, to be read in that table's own statement. */
export const filesAsJson = (owners: PgTable | SQL): SQL<readonly ShownFile[]> => sql`(
  select coalesce(json_agg(json_build_object('id', f.id, 'name', f.name, 'mediaType', f.media_type, 'size', f.size,
    'width', f.width, 'height', f.height, 'hasPreview', f.has_preview, 'state', f.state, 'refusal', f.refusal,
    'ownerKind', f.owner_kind, 'ownerId', f.owner_id, 'uploaderId', f.uploader_id, 'createdAt', f.created_at
  ) order by f.position), '[]')
  from files f where f.owner_id = ${owners}.id and f.state = 'READY')`;

/** How the owner of a file is found, and who sees it. */
interface Owner<Row> {
  readonly by: Batch<string, Row | null>;
  readonly sees: (ctx: Context, row: Row) => boolean | Promise<boolean>;
}

const owners = new Map<FileOwnerKind, Owner<object>>();

/** Lets files be attached to things of a kind: whoever sees the thing sees its files, and nobody else. */
export function fileOwner<Row extends object>(kind: FileOwnerKind, owner: Owner<Row>): void {
  // They agree on the row, whatever it is.
  const by = owner.by as Batch<string, object | null>;
  const sees = owner.sees as Owner<object>['sees'];
  owners.set(kind, { by, sees });
}

/** Whether whoever looks sees a file: through the one thing it is attached to, until then who uploaded it. */
export async function seesFile(ctx: Context, file: ShownFile): Promise<boolean> {
  if (file.state === 'DELETED') return false;
  if (file.ownerKind === null || file.ownerId === null) return ctx.sees(canUseUpload, file);
  const owner = owners.get(file.ownerKind);
  const row = owner ? await ctx.load(owner.by, file.ownerId) : null;
  return owner !== undefined && row !== null && owner.sees(ctx, row);
}

/** A file that whoever looks may see; null: absent, or not for them. */
export async function visibleFile(ctx: Context, id: string): Promise<FileRow | null> {
  const file = await ctx.load(fileById, id);
  return file && (await seesFile(ctx, file)) ? file : null;
}

/** A file whose bytes this person may send now; null: absent, or not theirs, or no longer waiting for them. */
export async function awaitedUpload(db: Database, viewer: Viewer, id: string): Promise<FileRow | null> {
  const [file] = await db
    .select()
    .from(files)
    .where(and(eq(files.id, id), eq(files.state, 'PENDING')));
  return file && canUseUpload(viewer, file) ? file : null;
}
