import { sql } from 'drizzle-orm';
import { byId, listsOf } from '../graphql/batches.ts';
import { sessions, users } from './tables.ts';

export const userById = byId(users);
export const sessionById = byId(sessions);

/** A person's own sessions; `open` leaves out those that have ended or run out. */
export const sessionsOf = listsOf(sessions, sessions.userId, ({ open }: { open: boolean }) =>
  open ? sql`${sessions.endedAt} is null and ${sessions.expiresAt} > now()` : undefined,
);
