import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { readableBy } from '../channels/queries.ts';
import { channels } from '../channels/tables.ts';
import type { Database } from '../database/connect.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import { type Page, paged } from '../graphql/connections.ts';
import type { Viewer } from '../viewer.ts';
import type { BroadcastPlace } from './policy.ts';
import { type BroadcastRow, broadcasts } from './tables.ts';

/** What the rules about a broadcast ask for, read with each, and whom its channel tells. */
const place = {
  channel: sql<BroadcastPlace['channel'] & { audienceId: string }>`(
    select json_build_object('organizationId', h.organization_id, 'kind', h.kind, 'groupId', h.group_id, 'state', h.state,
      'audienceId', h.audience_id)
    from channels h where h.id = ${broadcasts}.channel_id)`.as('channel'),
};

export type Broadcast = BroadcastRow & BroadcastPlace & { readonly channel: { readonly audienceId: string } };

/** Broadcasts by their ids, whoever asks. */
export const broadcastById = byId(broadcasts, place);

export interface BroadcastFilter {
  readonly state: BroadcastRow['state'] | null;
}

/** `canSeeBroadcast`, for a list. */
const seenBy = (viewer: Viewer): SQL =>
  sql`exists (select from ${channels} where ${channels.id} = ${broadcasts.channelId} and ${readableBy(viewer)})`;

const narrowed = ({ state }: BroadcastFilter, viewer: Viewer): SQL | undefined =>
  and(state ? eq(broadcasts.state, state) : undefined, seenBy(viewer));

const byStart = { column: broadcasts.place, of: (row: BroadcastRow) => row.place };

/** The broadcasts of channels and of organizations, by when they start, the latest first. */
export const broadcastsIn = listsOf(broadcasts, broadcasts.channelId, narrowed, place, byStart);
export const broadcastsOf = listsOf(broadcasts, broadcasts.organizationId, narrowed, place, byStart);

/** A page of the broadcasts of all channels that the viewer reads. */
export function pageOfBroadcasts(
  db: Database,
  viewer: Viewer,
  filter: BroadcastFilter,
  page: Page,
): Promise<Broadcast[]> {
  const { where, orderBy, limit } = paged(broadcasts.place, page);
  return db
    .select({ ...getTableColumns(broadcasts), ...place })
    .from(broadcasts)
    .where(and(narrowed(filter, viewer), where))
    .orderBy(orderBy)
    .limit(limit);
}

export const sizeOfBroadcasts = (db: Database, viewer: Viewer, filter: BroadcastFilter): Promise<number> =>
  db.$count(broadcasts, narrowed(filter, viewer));
