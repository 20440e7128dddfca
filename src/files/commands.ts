import { and, count, eq, inArray, isNotNull, isNull, lt, ne, or, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { users } from '../accounts/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { DomainError, InvalidInput, NotFound } from '../errors.ts';
import { idempotencyKey, line, valid } from '../input.ts';
import type { Inspected } from '../inspection/inspector.ts';
import type { Refusal } from '../inspection/refusal.ts';
import type { Storage } from '../storage/storage.ts';
import type { Viewer } from '../viewer.ts';
import { storedBytesOfOrganizations, storedBytesOfPeople } from './queries.ts';
import { type FileRow, files } from './tables.ts';

/** How many files of one person may wait to be used, their bytes perhaps stored, and how large each may be. */
const most = { waiting: 50, bytes: Number.POSITIVE_INFINITY };
/** The same for who is a member of nothing yet, and can only apply: an order and what belongs to it. */
const mostOfStrangers = { waiting: 3, bytes: 10 * 1024 * 1024 };
/** How long a file waits to be attached to something. */
export const uploadHours = 24;
const maxNameLength = 255;

/** The person has too many files that are attached to nothing. */
export class TooManyUploads extends DomainError {
  readonly code = 'TOO_MANY_UPLOADS';
  readonly limit: number;
  constructor(limit: number) {
    super('TOO_MANY_UPLOADS', { max: limit });
    this.limit = limit;
  }
}

/** How many bytes may be stored for one person, and for one organization. */
export interface Quotas {
  readonly person: number;
  readonly organization: number;
}

/** There is no room for the file: the person's own, or that of every organization they could upload it for. */
export class QuotaExceeded extends DomainError {
  readonly code = 'QUOTA_EXCEEDED';
  readonly limitBytes: number;
  readonly usedBytes: number;
  constructor(of: 'PERSON' | 'ORGANIZATION', limitBytes: number, usedBytes: number) {
    super(`QUOTA_EXCEEDED_${of}`, { max: Math.floor(limitBytes / 1024 / 1024) });
    this.limitBytes = limitBytes;
    this.usedBytes = usedBytes;
  }
}

/** The file's bytes have not all come. */
export class UploadIncomplete extends DomainError {
  readonly code = 'UPLOAD_INCOMPLETE';
  constructor() {
    super('UPLOAD_INCOMPLETE');
  }
}

/** What came is not taken. */
export class FileRejected extends DomainError {
  readonly code = 'FILE_REJECTED';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`REFUSED_${refusal}`);
    this.refusal = refusal;
  }
}

const CreateUpload = z.object({ name: z.string(), size: z.number(), idempotencyKey });
/** As systems spell it: one character for a letter with its mark. */
const fileName = line(maxNameLength)
  .regex(/^[^/\\]*$/)
  .transform((name) => name.normalize());

/** Announces a file whose bytes come by HTTP. @throws InvalidInput, TooManyUploads, QuotaExceeded */
export async function createUpload(
  db: Database,
  viewer: Viewer,
  input: unknown,
  { maxUploadBytes, quotas }: { readonly maxUploadBytes: number; readonly quotas: Quotas },
): Promise<FileRow> {
  const { userId: uploaderId, standings, isOperator } = viewer;
  const { size, idempotencyKey, ...wish } = valid(CreateUpload, input);
  const { success, data: name = '' } = fileName.safeParse(wish.name);
  if (!success) throw new InvalidInput('name', 'INVALID_FILE_NAME', { max: maxNameLength });
  const limits = standings.length > 0 || isOperator ? most : mostOfStrangers;
  const maxBytes = Math.min(limits.bytes, maxUploadBytes);
  if (!(size >= 1 && size <= maxBytes)) {
    throw new InvalidInput('size', 'INVALID_UPLOAD_SIZE', { max: Math.floor(maxBytes / 1024 / 1024) });
  }
  return db.transaction(async (tx) => {
    // One after the other: many at once would pass the limit together.
    await tx.select({ id: users.id }).from(users).where(eq(users.id, uploaderId)).for('no key update');
    const [first] = idempotencyKey
      ? await tx
          .select()
          .from(files)
          .where(and(eq(files.uploaderId, uploaderId), eq(files.idempotencyKey, idempotencyKey)))
      : [];
    const isOther = first?.state !== 'DELETED' && first?.name !== name;
    if (first && (isOther || first.size !== size)) throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
    if (first) return first;
    const [waiting] = await tx
      .select({ size: count() })
      .from(files)
      .where(and(eq(files.uploaderId, uploaderId), isNull(files.ownerId), inArray(files.state, ['PENDING', 'READY'])));
    if (waiting && waiting.size >= limits.waiting) throw new TooManyUploads(limits.waiting);
    await demandRoom(tx, viewer, size, quotas);
    const [file] = await tx.insert(files).values({ uploaderId, name, size, idempotencyKey }).returning();
    if (!file) throw new Error('insert returned no row');
    return file;
  });
}

async function demandRoom(tx: Transaction, { userId, standings }: Viewer, size: number, quotas: Quotas): Promise<void> {
  const [own = 0] = await storedBytesOfPeople(tx, [userId]);
  if (own + size > quotas.person) throw new QuotaExceeded('PERSON', quotas.person, own);
  const ids = [...new Set(standings.map(({ organizationId }) => organizationId))];
  const used = Math.min(...(await storedBytesOfOrganizations(tx, ids)));
  if (ids.length > 0 && used + size > quotas.organization) {
    throw new QuotaExceeded('ORGANIZATION', quotas.organization, used);
  }
}

/** Makes a file usable whose bytes have come. A repeat changes nothing. @throws NotFound, UploadIncomplete, FileRejected */
export async function completeUpload(db: Database, { userId }: Viewer, fileId: string): Promise<FileRow> {
  const own = and(eq(files.id, fileId), eq(files.uploaderId, userId));
  const [completed] = await db
    .update(files)
    .set({ state: 'READY' })
    .where(and(own, eq(files.state, 'PENDING'), isNotNull(files.receivedAt)))
    .returning();
  if (completed) return completed;
  const [file] = await db.select().from(files).where(own);
  if (!file || file.state === 'DELETED') throw new NotFound();
  if (file.state === 'PENDING') throw new UploadIncomplete();
  if (file.state === 'REJECTED') throw new FileRejected(file.refusal as Refusal); // a column that only `refuseContent` writes
  return file;
}

/** Throws away a file that is attached to nothing. A repeat changes nothing. @throws NotFound */
export async function deleteUpload(db: Database, { userId }: Viewer, fileId: string): Promise<FileRow> {
  const own = and(eq(files.id, fileId), eq(files.uploaderId, userId), isNull(files.ownerId));
  const [deleted] = await db
    .update(files)
    .set(asDeleted)
    .where(and(own, ne(files.state, 'DELETED')))
    .returning();
  const [file] = deleted ? [deleted] : await db.select().from(files).where(own);
  if (!file) throw new NotFound();
  return file;
}

/** What it was called, and what its content was like, goes at once; the bytes an hour later. */
export const asDeleted = { state: 'DELETED', deletedAt: sql`now()`, refusal: null, name: '', sha256: null } as const;

/** Nothing has come of the file yet, or this very content is coming: it may be sent twice, or again after a crash. */
const awaits = (fileId: string, sha256: Buffer): SQL | undefined =>
  and(
    eq(files.id, fileId),
    eq(files.state, 'PENDING'),
    isNull(files.receivedAt),
    or(isNull(files.sha256), eq(files.sha256, sha256)),
  );

/**
 * Settles which content the file is to have, before any byte of it is stored: the first that was found good, for ever. Of two
 * that come at once only one is ever put into the storage. False: not this one.
 */
export async function claimContent(db: Database, fileId: string, sha256: Buffer): Promise<boolean> {
  const claimed = await db.update(files).set({ sha256 }).where(awaits(fileId, sha256)).returning({ id: files.id });
  return claimed.length > 0;
}

/** Records that the claimed content is stored. False: somebody else did, or the file is gone meanwhile. */
export async function recordContent(
  db: Database,
  fileId: string,
  sha256: Buffer,
  inspected: Inspected,
): Promise<boolean> {
  const { mediaType, width, height, hasPreview } = inspected;
  const recorded = await db
    .update(files)
    .set({ mediaType, width, height, hasPreview, receivedAt: sql`now()` })
    .where(and(awaits(fileId, sha256), eq(files.sha256, sha256)))
    .returning({ id: files.id });
  return recorded.length > 0;
}

/** Records why the content is not taken. False: other content was quicker, or the file is gone. */
export async function refuseContent(db: Database, fileId: string, sha256: Buffer, refusal: Refusal): Promise<boolean> {
  const refused = await db
    .update(files)
    .set({ state: 'REJECTED', refusal, sha256 })
    .where(awaits(fileId, sha256))
    .returning({ id: files.id });
  return refused.length > 0;
}

/** What became of a file whose content could not be recorded: it has the same already, or other content, or is gone. */
export async function outcomeOf(db: Database, fileId: string, sha256: Buffer): Promise<'SAME' | 'OTHER' | 'GONE'> {
  const [file] = await db.select().from(files).where(eq(files.id, fileId));
  if (!file || file.state === 'DELETED') return 'GONE';
  return file.receivedAt && file.sha256?.equals(sha256) ? 'SAME' : 'OTHER';
}

const sweepBatch = 200;

/** Deletes what nobody has used for a day, then removes the bytes of what is deleted. May be begun again wherever it ended. */
export async function sweepFiles(db: Database, storage: Storage, stop: AbortSignal): Promise<void> {
  const old = lt(files.createdAt, sql`now() - make_interval(hours => ${uploadHours})`);
  const unused = and(isNull(files.ownerId), isNull(files.erasedAt), ne(files.state, 'DELETED'), old);
  while (!stop.aborted) {
    // Whoever is attaching one just now holds it.
    const some = db
      .select({ id: files.id })
      .from(files)
      .where(unused)
      .limit(sweepBatch)
      .for('update', { skipLocked: true });
    const deleted = await db.update(files).set(asDeleted).where(inArray(files.id, some)).returning({ id: files.id });
    if (deleted.length < sweepBatch) break;
  }
  while (!stop.aborted) {
    const some = await db
      .select({ id: files.id, content: sql<string>`${contentId}` })
      .from(files)
      .where(and(isNotNull(files.deletedAt), isNull(files.erasedAt), isUnshared))
      .orderBy(files.deletedAt)
      .limit(sweepBatch);
    const ids = some.map(({ id }) => id);
    if (ids.length === 0) return;
    await storage.remove(some.flatMap(({ content }) => [content, previewKey(content)]));
    await db.update(files).set({ erasedAt: sql`now()` }).where(inArray(files.id, ids));
  }
  stop.throwIfAborted();
}

const contentId = sql`coalesce(${files.copyOf}, ${files.id})`;

/** Nobody else has the same stored bytes. */
const isUnshared = sql`not exists (
  select from files other
  where other.state <> 'DELETED' and (other.id = ${files.copyOf} or other.copy_of = ${contentId}))`;

/** Where the storage has a file: a copy shares the bytes of what it is one of. */
export const contentKey = ({ id, copyOf }: Pick<FileRow, 'id' | 'copyOf'>): string => copyOf ?? id;

/** Where the storage has the preview of what lies under a key. */
export const previewKey = (content: string): string => `${content}.preview`;
