import { and, eq, isNotNull, lt, sql } from 'drizzle-orm';
import { viewerOf } from '../audiences/queries.ts';
import { begin, byClock, finish, setBroadcast, tellReaders, unattended } from '../broadcasts/commands.ts';
import { isHostOf } from '../broadcasts/policy.ts';
import { type Broadcast, broadcastById } from '../broadcasts/queries.ts';
import { broadcasts } from '../broadcasts/tables.ts';
import type { Database, Executor, Transaction } from '../database/connect.ts';
import { DomainError } from '../errors.ts';
import type { RecurringJob } from '../jobs/queue.ts';
import { enqueue, type TaskKind } from '../jobs/tasks.ts';
import type { Streaming } from '../streaming/streaming.ts';

/** A program that sends a picture: the key it came with, and its connection as the media server names it. */
export interface Sending {
  readonly key: string;
  readonly streamId: string;
}

/** What is heard more often than so is not written down. */
const noteMs = 20_000;
/** A media server that says nothing of a picture for so long has lost it, or is gone itself. */
const silence = sql.raw(`interval '1 minute'`);

/**
 * Somebody begins to send a picture. With the right key that starts the broadcast, as its host, or goes on with it; who sent before
 * is cut off when they are next asked about. Answers which broadcast it is, null: it is not taken.
 */
export async function admitStream(db: Database, streaming: Streaming, sending: Sending): Promise<string | null> {
  const broadcastId = streaming.broadcastOf(sending.key);
  if (!broadcastId) return null;
  try {
    return await unattended(db, broadcastId, async (tx, before) => {
      if (!(await isFromHost(tx, streaming, sending, before))) return null;
      const broadcast = await begin(tx, before.hostId, before);
      await setBroadcast(tx, broadcast, { streamId: sending.streamId, streamSeenAt: sql`now()` });
      if (broadcast.streamId === null) await tellReaders(tx, broadcast, 'BROADCAST_STREAM_BEGAN');
      return broadcast.id;
    });
  } catch (error) {
    // It is over, or its channel has no room for it.
    if (error instanceof DomainError) return null;
    throw error;
  }
}

/**
 * A picture is still coming: whether it may. Where none was known of it is taken for the broadcast's, since what stops a picture
 * may only have seemed so: nobody heard of it while we were away.
 */
export async function keepStream(db: Database, streaming: Streaming, sending: Sending): Promise<boolean> {
  const broadcastId = streaming.broadcastOf(sending.key);
  const [broadcast] = broadcastId ? await broadcastById(db, [broadcastId], nobody) : [];
  if (broadcast?.state !== 'LIVE') return false;
  if (broadcast.streamId === null) return (await admitStream(db, streaming, sending)) !== null;
  if (broadcast.streamId !== sending.streamId) return false;
  if (!(await isFromHost(db, streaming, sending, broadcast))) return false;
  const { id, streamSeenAt } = broadcast;
  if (!streamSeenAt || Date.now() - streamSeenAt.getTime() > noteMs) {
    const isStill = and(eq(broadcasts.id, id), eq(broadcasts.streamId, sending.streamId));
    await db.update(broadcasts).set({ streamSeenAt: sql`now()` }).where(isStill);
  }
  return true;
}

/** A picture has stopped. If no other has come in its place, the broadcast waits for one, and then ends. */
export async function loseStream(db: Database, streaming: Streaming, sending: Sending): Promise<void> {
  // The key may have been replaced since: that is why it stopped.
  const broadcastId = streaming.broadcastOf(sending.key);
  if (!broadcastId) return;
  await unattended(db, broadcastId, async (tx, broadcast) => {
    if (broadcast.streamId === sending.streamId) await stop(tx, broadcast, streaming.graceMs);
  });
}

const nobody = (): never => {
  throw new Error('the media server asks for nobody');
};

/** The key is the one that its host has now, and they may still host. */
const isFromHost = async (
  db: Executor,
  streaming: Streaming,
  { key }: Sending,
  broadcast: Broadcast,
): Promise<boolean> => streaming.fits(key, broadcast) && isHostOf(await viewerOf(db, broadcast.hostId), broadcast);

async function stop(tx: Transaction, broadcast: Broadcast, graceMs: number): Promise<void> {
  const goneAt = new Date();
  await setBroadcast(tx, broadcast, { streamId: null, streamSeenAt: goneAt });
  await tellReaders(tx, broadcast, 'BROADCAST_STREAM_ENDED');
  const at = new Date(goneAt.getTime() + graceMs);
  await enqueue(tx, streamGrace, { broadcastId: broadcast.id, goneAt: goneAt.toISOString() }, { at });
}

/** Ends a broadcast whose picture has not come again since `goneAt`. */
export const streamGrace: TaskKind<{ readonly broadcastId: string; readonly goneAt: string }> = {
  name: 'stream-grace',
  run: (db, { broadcastId, goneAt }) =>
    byClock(db, broadcastId, async (tx, broadcast) => {
      const isGone = broadcast.state === 'LIVE' && broadcast.streamId === null;
      // It may have come and gone once more, and have another task.
      if (isGone && broadcast.streamSeenAt?.toISOString() === goneAt) await finish(tx, null, broadcast);
    }),
};

/** Notices pictures that stopped without a word: their media server is gone. */
export const streamWatch = (graceMs: number): RecurringJob => ({
  name: 'stream-watch',
  cron: '* * * * *',
  run: async (db, ended) => {
    const isSilent = and(
      eq(broadcasts.state, 'LIVE'),
      isNotNull(broadcasts.streamId),
      lt(broadcasts.streamSeenAt, sql`now() - ${silence}`),
    );
    for (const { id } of await db.select({ id: broadcasts.id }).from(broadcasts).where(isSilent)) {
      ended.throwIfAborted();
      await unattended(db, id, async (tx, broadcast) => {
        const [still] = await tx
          .select({ id: broadcasts.id })
          .from(broadcasts)
          .where(and(eq(broadcasts.id, id), isSilent));
        if (still) await stop(tx, broadcast, graceMs);
      });
    }
  },
});
