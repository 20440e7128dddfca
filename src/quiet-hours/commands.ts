import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database, Transaction } from '../database/connect.ts';
import { InvalidInput } from '../errors.ts';
import { timeOfDay, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import type { Viewer } from '../viewer.ts';
import { timeZoneNamed } from './policy.ts';
import { type QuietHoursRow, quietHours } from './tables.ts';

const SetQuietHours = z.object({ from: timeOfDay, until: timeOfDay, timeZone: z.string().max(60) });

/** Chooses quiet hours of one's own, in place of those of all one's institutions. Own devices hear of it. @throws InvalidInput */
export async function setQuietHours(db: Database, viewer: Viewer, input: unknown): Promise<void> {
  const { from, until, timeZone: named } = valid(SetQuietHours, input);
  if (from === until) throw new InvalidInput('until', 'INVALID_QUIET_HOURS');
  const timeZone = timeZoneNamed(named);
  if (timeZone === null) throw new InvalidInput('timeZone', 'INVALID_TIME_ZONE');
  await keep(db, viewer, { from, until, timeZone });
}

/** Chooses never to be quiet, whatever one's institutions say. */
export const turnOffQuietHours = (db: Database, viewer: Viewer): Promise<void> =>
  keep(db, viewer, { from: null, until: null, timeZone: 'UTC' });

/** Follows one's institutions again. */
export const resetQuietHours = (db: Database, viewer: Viewer): Promise<void> =>
  transact(db, async (tx) => {
    const gone = await tx.delete(quietHours).where(eq(quietHours.userId, viewer.userId)).returning();
    if (gone.length > 0) await tellOwnDevices(tx, viewer);
  });

const keep = (db: Database, { userId }: Viewer, wanted: Omit<QuietHoursRow, 'userId'>): Promise<void> =>
  transact(db, async (tx) => {
    const changed = await tx
      .insert(quietHours)
      .values({ userId, ...wanted })
      .onConflictDoUpdate({
        target: quietHours.userId,
        set: wanted,
        setWhere: sql`(${quietHours.from}, ${quietHours.until}, ${quietHours.timeZone}) is distinct from
          (${wanted.from}::time, ${wanted.until}::time, ${wanted.timeZone})`,
      })
      .returning();
    if (changed.length > 0) await tellOwnDevices(tx, { userId });
  });

const tellOwnDevices = (tx: Transaction, { userId }: Pick<Viewer, 'userId'>): Promise<void> =>
  append(tx, { kind: 'QUIET_HOURS_CHANGED', audienceId: userId, subjectId: userId });
