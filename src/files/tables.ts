import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgEnum,
  pgTable,
  smallint,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { bytea, createdAt, id, instant } from '../database/columns.ts';

export const fileState = pgEnum('file_state', ['PENDING', 'READY', 'REJECTED', 'DELETED']);
export const fileOwnerKind = pgEnum('file_owner_kind', ['POST', 'MATERIAL', 'APPLICATION', 'MESSAGE']);
export type FileOwnerKind = (typeof fileOwnerKind.enumValues)[number];

/**
 * A file that somebody uploaded. Its bytes lie in the storage under its id. It is seen through the one thing it is attached to
 * (`ownerKind`, `ownerId`), and until then by who uploaded it.
 */
export const files = pgTable(
  'files',
  {
    id: id(),
    uploaderId: uuid('uploader_id')
      .notNull()
      .references(() => users.id),
    state: fileState('state').notNull().default('PENDING'),
    name: text('name').notNull(),
    size: bigint('size', { mode: 'number' }).notNull(),
    /** What it is by its content; null until it has been looked at. */
    mediaType: text('media_type'),
    sha256: bytea('sha256'),
    width: integer('width'),
    height: integer('height'),
    hasPreview: boolean('has_preview').notNull().default(false),
    /** Why it was rejected. */
    refusal: text('refusal'),
    /** The file whose stored bytes it shares, of a forwarded one; null: it has its own. */
    copyOf: uuid('copy_of'),
    ownerKind: fileOwnerKind('owner_kind'),
    ownerId: uuid('owner_id'),
    /** Whose it is by what it is attached to; null: nobody's but its uploader's. */
    organizationId: uuid('organization_id'),
    /** Its place among the files of its owner. */
    position: smallint('position').notNull().default(0),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
    /** When its bytes had all come and were found good. */
    receivedAt: instant('received_at'),
    deletedAt: instant('deleted_at'),
    /** When its bytes were removed from the storage. */
    erasedAt: instant('erased_at'),
  },
  (t) => [
    unique('files_idempotency_key').on(t.uploaderId, t.idempotencyKey),
    index('files_owner_index').on(t.ownerId, t.position).where(sql`${t.ownerId} is not null`),
    index('files_copy_index').on(t.copyOf).where(sql`${t.copyOf} is not null`),
    index('files_waiting_index').on(t.uploaderId, t.id).where(sql`${t.ownerId} is null and ${t.erasedAt} is null`),
    // What its bytes count for: the uploader, and the organization.
    index('files_uploader_index').on(t.uploaderId, t.size).where(sql`${t.erasedAt} is null and ${t.copyOf} is null`),
    index('files_organization_index')
      .on(t.organizationId, t.size)
      .where(sql`${t.erasedAt} is null and ${t.copyOf} is null`),
    index('files_deleted_index').on(t.deletedAt).where(sql`${t.deletedAt} is not null and ${t.erasedAt} is null`),
    check('files_size_check', sql`${t.size} > 0`),
    check('files_owner_check', sql`(${t.ownerKind} is null) = (${t.ownerId} is null)`),
    check('files_attached_check', sql`${t.ownerId} is null or ${t.state} in ('READY', 'DELETED')`),
    check(
      'files_received_check',
      sql`${t.state} <> 'READY' or (${t.receivedAt} is not null and ${t.mediaType} is not null)`,
    ),
    check('files_rejected_check', sql`(${t.state} = 'REJECTED') = (${t.refusal} is not null)`),
    check('files_deleted_check', sql`(${t.state} = 'DELETED') = (${t.deletedAt} is not null)`),
  ],
);

export type FileRow = typeof files.$inferSelect;
