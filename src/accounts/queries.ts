import { and, gt, isNull, sql } from 'drizzle-orm';
import { byId, listsOf } from '../graphql/batches.ts';
import { sessions, users } from './tables.ts';

export const userById = byId(users);
export const sessionById = byId(sessions);

/** Not ended, not too old, used recently enough. */
export const sessionIsGood = (idleDays: number) =>
  and(
    isNull(sessions.endedAt),
    gt(sessions.expiresAt, sql`now()`),
    gt(sessions.usedAt, sql`now() - make_interval(days => ${sql.raw(String(idleDays))})`),
  );

/** A person's own sessions: those that are good, or with `idleDays` null all of them. */
export const sessionsOf = listsOf(sessions, sessions.userId, ({ idleDays }: { idleDays: number | null }) =>
  idleDays === null ? undefined : sessionIsGood(idleDays),
);
