import { sql } from 'drizzle-orm';
import { audienceMembers } from '../audiences/tables.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import { chats } from './tables.ts';

export const chatById = byId(chats);

/** The chats of organizations in whose audience the viewer is. */
export const chatsOf = listsOf(
  chats,
  chats.organizationId,
  (_filter: null, viewer) =>
    sql`exists (select from ${audienceMembers} m
        where m.audience_id = ${chats.audienceId} and m.user_id = ${viewer.userId} and m.until is null)`,
);
