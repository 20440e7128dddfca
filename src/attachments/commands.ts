import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import { rows, type Transaction } from '../database/connect.ts';
import { InvalidInput } from '../errors.ts';
import { asDeleted } from '../files/commands.ts';
import { type FileOwnerKind, files } from '../files/tables.ts';
import type { Viewer } from '../viewer.ts';

/** What files are attached to. */
export interface FileOwner {
  readonly kind: FileOwnerKind;
  readonly id: string;
  /** Whose storage it takes; null: nobody's but the uploader's. */
  readonly organizationId: string | null;
}

type Owned = Pick<FileOwner, 'kind' | 'id'>;

/** The input's field that names the files, and how many it may name. */
export interface FileLimits {
  readonly field: string;
  readonly max: number;
}

/**
 * Attaches files to something, in this order: those that the viewer has uploaded and that are attached to nothing. In the
 * caller's transaction. @throws InvalidInput naming the field
 */
export const attach = (
  tx: Transaction,
  owner: FileOwner,
  fileIds: readonly string[],
  viewer: Viewer,
  limits: FileLimits,
): Promise<void> => place(tx, owner, [], fileIds, viewer, limits);

/**
 * Gives something another list of files, in this order: those it has may stay, whoever uploaded them, new ones are attached as
 * by `attach`, and those that are not in the list are deleted. Answers whether it is another list.
 * @throws InvalidInput naming the field
 */
export async function replaceFiles(
  tx: Transaction,
  owner: FileOwner,
  fileIds: readonly string[],
  viewer: Viewer,
  limits: FileLimits,
): Promise<boolean> {
  const attached = await tx
    .select({ id: files.id, position: files.position })
    .from(files)
    .where(attachedTo(owner))
    .orderBy(files.id)
    .for('update');
  const present = attached.map(({ id }) => id);
  await place(tx, owner, present, fileIds, viewer, limits);
  const gone = present.filter((id) => !fileIds.includes(id));
  if (gone.length > 0) await tx.update(files).set(asDeleted).where(inArray(files.id, gone));
  const before = attached.toSorted((one, other) => one.position - other.position).map(({ id }) => id);
  return before.join() !== fileIds.join();
}

/** Deletes what is attached to something, with it. */
export async function deleteFilesOf(tx: Transaction, owner: Owned): Promise<void> {
  await tx.update(files).set(asDeleted).where(attachedTo(owner));
}

const attachedTo = ({ kind, id }: Owned): SQL | undefined =>
  and(eq(files.ownerKind, kind), eq(files.ownerId, id), eq(files.state, 'READY'));

async function place(
  tx: Transaction,
  owner: FileOwner,
  present: readonly string[],
  fileIds: readonly string[],
  viewer: Viewer,
  { field, max }: FileLimits,
): Promise<void> {
  if (fileIds.length > max) throw new InvalidInput(field, 'INVALID_FILES', { max });
  if (new Set(fileIds).size < fileIds.length) throw new InvalidInput(field, 'INVALID_FILE_TWICE');
  const fresh = fileIds.filter((id) => !present.includes(id));
  // In one order for all, so that no two wait for each other.
  const usable = await tx
    .select({ id: files.id })
    .from(files)
    .where(
      and(
        inArray(files.id, fresh),
        eq(files.uploaderId, viewer.userId),
        eq(files.state, 'READY'),
        isNull(files.ownerId),
      ),
    )
    .orderBy(files.id)
    .for('update');
  if (usable.length < fresh.length) throw new InvalidInput(field, 'INVALID_FILE');
  for (const [position, id] of fileIds.entries()) {
    const attached = { ownerKind: owner.kind, ownerId: owner.id, organizationId: owner.organizationId, position };
    await tx.update(files).set(attached).where(eq(files.id, id));
  }
}

/**
 * Attaches copies of what is attached to one thing to another, in the same order; they share the stored bytes, and each goes with
 * what it is attached to.
 */
export async function copyFiles(tx: Transaction, from: Owned, to: FileOwner, { userId }: Viewer): Promise<void> {
  // Locked, so that who deletes them meanwhile waits, and the bytes are still somebody's.
  await tx.select({ id: files.id }).from(files).where(attachedTo(from)).orderBy(files.id).for('share');
  await rows(
    tx,
    sql`
    insert into files (uploader_id, state, name, size, media_type, sha256, width, height, has_preview, copy_of, owner_kind, owner_id,
      organization_id, position, received_at)
    select ${userId}, state, name, size, media_type, sha256, width, height, has_preview, coalesce(copy_of, id), ${to.kind},
      ${to.id}, ${to.organizationId}, position, received_at
    from files where owner_kind = ${from.kind} and owner_id = ${from.id} and state = 'READY'`,
  );
}
