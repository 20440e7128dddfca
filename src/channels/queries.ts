import { sql } from 'drizzle-orm';
import { audienceMembers } from '../audiences/tables.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import { channels } from './tables.ts';

export const channelById = byId(channels);

/** The channels of organizations in whose audience the viewer is. */
export const channelsOf = listsOf(
  channels,
  channels.organizationId,
  (_filter: null, viewer) =>
    sql`exists (select from ${audienceMembers} m
        where m.audience_id = ${channels.audienceId} and m.user_id = ${viewer.userId} and m.until is null)`,
);
