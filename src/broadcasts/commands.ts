import { and, eq, sql } from 'drizzle-orm';
import { audit, type Deed } from '../audit/commands.ts';
import { type Channel, channels } from '../channels/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { cancel, enqueue, type TaskKind } from '../jobs/tasks.ts';
import { append, transact } from '../log/append.ts';
import { lockOrganization, visitOrganization } from '../organizations/commands.ts';
import type { Viewer } from '../viewer.ts';
import { canRunBroadcast, canSeeBroadcast } from './policy.ts';
import { type Broadcast, broadcastById } from './queries.ts';
import { type BroadcastRow, broadcasts } from './tables.ts';

/** Nobody is on the air for longer: what was forgotten ends by itself. */
const longestMs = 12 * 60 * 60_000;

/** Goes live: everybody who reads the channel hears of it. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const startBroadcast = (db: Database, viewer: Viewer, broadcastId: string): Promise<BroadcastRow> =>
  runBroadcast(db, viewer, broadcastId, (tx, before) => begin(tx, viewer.userId, before));

/** A broadcast goes live, if none does in its channel; that is decided under the channel's lock. @throws InvalidInput, InvalidState */
export async function begin(tx: Transaction, actorId: string, before: Broadcast): Promise<Broadcast> {
  if (before.state === 'LIVE') return before;
  if (before.state !== 'SCHEDULED') throw new InvalidState(before.state);
  const channel = await channelOf(tx, before);
  if (channel.state !== 'ACTIVE') throw new InvalidInput('broadcastId', 'INVALID_ARCHIVED_CHANNEL');
  const isLive = and(eq(broadcasts.channelId, channel.id), eq(broadcasts.state, 'LIVE'));
  const [other] = await tx.select({ id: broadcasts.id }).from(broadcasts).where(isLive);
  if (other) throw new InvalidInput('broadcastId', 'INVALID_CHANNEL_LIVE');
  const broadcast = await setBroadcast(tx, before, { state: 'LIVE', startedAt: sql`now()` });
  await cancel(tx, broadcastReminder, broadcast.id);
  await enqueue(tx, broadcastLimit, { broadcastId: broadcast.id }, { at: new Date(Date.now() + longestMs) });
  await tellReaders(tx, broadcast, 'BROADCAST_STARTED');
  await recordBroadcast(tx, actorId, broadcast, { action: 'broadcast.start' });
  return broadcast;
}

/** The broadcast is over, for good. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const endBroadcast = (db: Database, viewer: Viewer, broadcastId: string): Promise<BroadcastRow> =>
  runBroadcast(db, viewer, broadcastId, (tx, before) => finish(tx, viewer.userId, before));

/** `actorId` null: it ended by itself. @throws InvalidState */
export async function finish(tx: Transaction, actorId: string | null, before: Broadcast): Promise<Broadcast> {
  if (before.state === 'ENDED') return before;
  if (before.state !== 'LIVE') throw new InvalidState(before.state);
  const broadcast = await setBroadcast(tx, before, {
    state: 'ENDED',
    endedAt: sql`now()`,
    streamId: null,
    streamSeenAt: null,
  });
  await tellReaders(tx, broadcast, 'BROADCAST_ENDED');
  await recordBroadcast(tx, actorId, broadcast, { action: 'broadcast.end' });
  return broadcast;
}

/** Does something with a broadcast that the viewer runs. @throws NotFound, Forbidden, InvalidState */
export const runBroadcast = (
  db: Database,
  viewer: Viewer,
  broadcastId: string,
  make: (tx: Transaction, broadcast: Broadcast, viewer: Viewer) => Promise<BroadcastRow>,
): Promise<BroadcastRow> =>
  changeBroadcast(db, viewer, broadcastId, (tx, broadcast, fresh) => {
    if (!canRunBroadcast(fresh, broadcast)) throw new Forbidden('FORBIDDEN_BROADCAST');
    return make(tx, broadcast, fresh);
  });

/** Does something with a broadcast that the viewer sees. @throws NotFound, InvalidState */
export const changeBroadcast = (
  db: Database,
  viewer: Viewer,
  broadcastId: string,
  make: (tx: Transaction, broadcast: Broadcast, viewer: Viewer) => Promise<BroadcastRow>,
): Promise<BroadcastRow> =>
  transact(db, async (tx) => {
    const [known] = await broadcastById(tx, [broadcastId], () => viewer);
    if (!known) throw new NotFound();
    const { viewer: fresh } = await visitOrganization(tx, viewer, known.organizationId);
    const broadcast = await holdBroadcast(tx, broadcastId);
    if (!broadcast || !canSeeBroadcast(fresh, broadcast)) throw new NotFound();
    return make(tx, broadcast, fresh);
  });

/** A broadcast that nobody else changes meanwhile, whoever asks. */
export async function holdBroadcast(tx: Transaction, broadcastId: string): Promise<Broadcast | null> {
  await tx.select({ id: broadcasts.id }).from(broadcasts).where(eq(broadcasts.id, broadcastId)).for('no key update');
  const [broadcast] = await broadcastById(tx, [broadcastId], nobody);
  return broadcast ?? null;
}

const nobody = (): never => {
  throw new Error('what is held is read for nobody');
};

/** Its channel, locked: one broadcast of a channel begins at a time. */
export async function channelOf(tx: Transaction, { channelId }: BroadcastRow): Promise<Channel> {
  const [channel] = await tx.select().from(channels).where(eq(channels.id, channelId)).for('no key update');
  if (!channel) throw new NotFound();
  return channel;
}

export async function setBroadcast(
  tx: Transaction,
  { id, channel }: Broadcast,
  changes: Parameters<ReturnType<typeof tx.update<typeof broadcasts>>['set']>[0],
): Promise<Broadcast> {
  const [broadcast] = await tx.update(broadcasts).set(changes).where(eq(broadcasts.id, id)).returning();
  if (!broadcast) throw new NotFound();
  return { ...broadcast, channel };
}

/** Tells the channel's readers. */
export const tellReaders = (
  tx: Transaction,
  { id, organizationId, channelId, channel }: BroadcastRow & Pick<Broadcast, 'channel'>,
  kind: string,
): Promise<void> =>
  append(tx, {
    kind,
    organizationId,
    audienceId: channel.audienceId,
    subjectId: id,
    payload: { placeId: channelId, partId: id },
  });

export const recordBroadcast = (
  tx: Transaction,
  actorId: string | null,
  { id, organizationId }: BroadcastRow,
  deed: Omit<Deed, 'target' | 'organizationId'>,
): Promise<void> => audit(tx, actorId, { ...deed, target: { type: 'Broadcast', id }, organizationId });

/** Does something with a broadcast for nobody who is signed in; null: there is none. */
export const unattended = <Result>(
  db: Database,
  broadcastId: string,
  make: (tx: Transaction, broadcast: Broadcast) => Promise<Result>,
): Promise<Result | null> =>
  transact(db, async (tx) => {
    const [known] = await broadcastById(tx, [broadcastId], nobody);
    if (!known) return null;
    await lockOrganization(tx, known.organizationId, 'share');
    const broadcast = await holdBroadcast(tx, broadcastId);
    return broadcast && make(tx, broadcast);
  });

/** Does something with a broadcast by the clock. */
export async function byClock(...what: Parameters<typeof unattended<unknown>>): Promise<void> {
  await unattended(...what);
}

/** Reminds the channel's readers of a broadcast that begins soon; in a channel that was put away none does. */
export const broadcastReminder: TaskKind<{ readonly broadcastId: string }> = {
  name: 'broadcast-reminder',
  run: (db, { broadcastId }) =>
    byClock(db, broadcastId, async (tx, broadcast) => {
      const { state, channel } = broadcast;
      if (state === 'SCHEDULED' && channel.state === 'ACTIVE') await tellReaders(tx, broadcast, 'BROADCAST_REMINDED');
    }),
};

/** Ends a broadcast that somebody forgot to end. */
export const broadcastLimit: TaskKind<{ readonly broadcastId: string }> = {
  name: 'broadcast-limit',
  run: (db, { broadcastId }) =>
    byClock(db, broadcastId, async (tx, broadcast) => {
      if (broadcast.state === 'LIVE') await finish(tx, null, broadcast);
    }),
};
