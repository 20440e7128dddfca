import { sql } from 'drizzle-orm';
import { check, index, integer, pgEnum, pgTable, smallint, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { channels } from '../channels/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const broadcastState = pgEnum('broadcast_state', ['SCHEDULED', 'LIVE', 'ENDED', 'CANCELLED']);
export const questioning = pgEnum('questioning', ['OFF', 'MODERATED', 'OPEN']);

/**
 * The institution goes live for the readers of a channel (§2.1.15). `place` orders it among others, by when it is to start. The
 * stream key is not here: it follows from the broadcast, its host and `keyVersion`.
 */
export const broadcasts = pgTable(
  'broadcasts',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    channelId: uuid('channel_id')
      .notNull()
      .references(() => channels.id),
    creatorId: uuid('creator_id')
      .notNull()
      .references(() => users.id),
    hostId: uuid('host_id')
      .notNull()
      .references(() => users.id),
    state: broadcastState('state').notNull().default('SCHEDULED'),
    title: text('title').notNull(),
    description: text('description'),
    startsAt: instant('starts_at').notNull(),
    place: uuid('place').notNull(),
    /** How many minutes before the start people are reminded; null: not at all. */
    remindBefore: smallint('remind_before'),
    questioning: questioning('questioning').notNull().default('MODERATED'),
    keyVersion: integer('key_version').notNull().default(1),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    cancelledAt: instant('cancelled_at'),
    /** Why it was cancelled. */
    reason: text('reason'),
    /** The connection through which its picture comes, as the media server names it; null: none does. */
    streamId: text('stream_id'),
    /** When that was last heard of. */
    streamSeenAt: instant('stream_seen_at'),
    recordingUrl: text('recording_url'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('broadcasts_idempotency_key').on(t.creatorId, t.idempotencyKey),
    index('broadcasts_open_index').on(t.channelId).where(sql`${t.state} in ('SCHEDULED', 'LIVE')`),
    uniqueIndex('broadcasts_live_key').on(t.channelId).where(sql`${t.state} = 'LIVE'`),
    index('broadcasts_channel_index').on(t.channelId, t.place),
    index('broadcasts_organization_index').on(t.organizationId, t.place),
    index('broadcasts_streams_index').on(t.streamSeenAt).where(sql`${t.state} = 'LIVE'`),
    check(
      'broadcasts_started_check',
      sql`case ${t.state} when 'SCHEDULED' then ${t.startedAt} is null when 'CANCELLED' then ${t.startedAt} is null
        else ${t.startedAt} is not null end`,
    ),
    check('broadcasts_ended_check', sql`(${t.state} = 'ENDED') = (${t.endedAt} is not null)`),
    check('broadcasts_cancelled_check', sql`(${t.state} = 'CANCELLED') = (${t.cancelledAt} is not null)`),
    check('broadcasts_stream_check', sql`${t.streamId} is null or ${t.state} = 'LIVE'`),
    check('broadcasts_recording_check', sql`${t.recordingUrl} is null or ${t.state} = 'ENDED'`),
  ],
);

export type BroadcastRow = typeof broadcasts.$inferSelect;
