import { and, eq, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import { type Page, paged } from '../graphql/connections.ts';
import type { Batch } from '../graphql/context.ts';
import type { Viewer } from '../viewer.ts';
import { type Channel, channelMarks, channels } from './tables.ts';

export const channelById = byId(channels);

/** `canReadChannel`, for a list. */
export const readableBy = (viewer: Viewer): SQL | undefined =>
  or(
    and(
      eq(channels.kind, 'COMMUNITY'),
      anyOf(
        channels.organizationId,
        viewer.organizationsWhere((id) => viewer.belongsTo(id)),
      ),
    ),
    and(
      eq(channels.kind, 'STAFF'),
      anyOf(
        channels.organizationId,
        viewer.organizationsWhere((id) => viewer.administers(id) || viewer.isVerifiedStaffOf(id)),
      ),
    ),
    and(
      eq(channels.kind, 'GROUP'),
      or(
        anyOf(
          channels.organizationId,
          viewer.organizationsWhere((id) => viewer.leads(id)),
        ),
        anyOf(channels.groupId, viewer.groups),
      ),
    ),
  );

/** `isPublisher`, for a list. */
export const publishedBy = (viewer: Viewer): SQL | undefined =>
  or(
    anyOf(
      channels.organizationId,
      viewer.organizationsWhere((id) => viewer.administers(id)),
    ),
    and(
      eq(channels.kind, 'GROUP'),
      or(
        anyOf(
          channels.organizationId,
          viewer.organizationsWhere((id) => viewer.heads(id)),
        ),
        anyOf(channels.groupId, viewer.groupsTaught),
      ),
    ),
  );

export interface ChannelFilter {
  readonly kind: Channel['kind'] | null;
  readonly state: Channel['state'] | null;
}

const narrowed = ({ kind, state }: ChannelFilter, viewer: Viewer): SQL | undefined =>
  and(kind ? eq(channels.kind, kind) : undefined, state ? eq(channels.state, state) : undefined, readableBy(viewer));

/** The channels of organizations that the viewer reads. */
export const channelsOf = listsOf(channels, channels.organizationId, narrowed);

/** The channels of groups that the viewer reads. */
export const channelsOfGroup = listsOf(channels, channels.groupId, narrowed);

/** A page of all the channels that the viewer reads. */
export function pageOfChannels(db: Database, viewer: Viewer, page: Page): Promise<Channel[]> {
  const { where, orderBy, limit } = paged(channels.id, page);
  return db
    .select()
    .from(channels)
    .where(and(readableBy(viewer), where))
    .orderBy(orderBy)
    .limit(limit);
}

export const sizeOfChannels = (db: Database, viewer: Viewer): Promise<number> =>
  db.$count(channels, readableBy(viewer));

type Mute = Pick<typeof channelMarks.$inferSelect, 'mutedUntil'>;

/** How the viewer has muted channels; null: not, or no longer. */
export const muteOf: Batch<string, Mute | null> = async (db, ids, viewer) => {
  const found = await db
    .select({ channelId: channelMarks.channelId, mutedUntil: channelMarks.mutedUntil })
    .from(channelMarks)
    .where(
      and(
        eq(channelMarks.userId, viewer().userId),
        anyOf(channelMarks.channelId, ids),
        sql`${channelMarks.mutedAt} is not null and coalesce(${channelMarks.mutedUntil} > now(), true)`,
      ),
    );
  const index = new Map(found.map((mute) => [mute.channelId, mute]));
  return ids.map((id) => index.get(id) ?? null);
};
