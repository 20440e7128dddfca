import { isDeepStrictEqual } from 'node:util';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { viewerOf } from '../audiences/queries.ts';
import {
  broadcastReminder,
  changeBroadcast,
  channelOf,
  recordBroadcast,
  runBroadcast,
  setBroadcast,
  tellReaders,
} from '../broadcasts/commands.ts';
import { canAppointHost, canHost, canSchedule, isHostOf, isOver } from '../broadcasts/policy.ts';
import { type BroadcastRow, broadcasts, questioning } from '../broadcasts/tables.ts';
import { visitChannel } from '../channels/commands.ts';
import type { Channel } from '../channels/tables.ts';
import { placeAt } from '../database/columns.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { demandComingYear, httpsUrl, idempotencyKey, line, optionalLine, prose, valid } from '../input.ts';
import { cancel, minutesBefore, reschedule } from '../jobs/tasks.ts';
import { transact } from '../log/append.ts';
import type { Viewer } from '../viewer.ts';

const title = line(200);
const description = prose(2000);
/** A time in the coming year. */
const startsAt = z.date();
const hostId = z.string();
/** Minutes, up to a week. */
const remindBefore = z.int().min(0).max(10_080).nullable();

const ScheduleBroadcast = z.object({
  channelId: z.string(),
  title,
  description,
  startsAt: startsAt.nullish(),
  hostId: hostId.nullish(),
  remindBefore: remindBefore.default(15),
  questioning: z.enum(questioning.enumValues).nullish(),
  idempotencyKey,
});

/** Plans a broadcast for the readers of a channel (§2.1.15). @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function scheduleBroadcast(db: Database, viewer: Viewer, input: unknown): Promise<BroadcastRow> {
  const wish = valid(ScheduleBroadcast, input);
  return transact(db, async (tx) => {
    const { channel, viewer: fresh } = await visitChannel(tx, viewer, wish.channelId);
    const first = wish.idempotencyKey ? await broadcastByKey(tx, viewer, wish.idempotencyKey) : null;
    if (first) return sameWish(first, wish);
    if (!canSchedule(fresh, channel)) {
      if (channel.state !== 'ACTIVE') throw new InvalidInput('channelId', 'INVALID_ARCHIVED_CHANNEL');
      throw new Forbidden('FORBIDDEN_SCHEDULE_BROADCAST');
    }
    const host = wish.hostId ?? viewer.userId;
    await demandHost(tx, fresh, host, channel);
    demandComingYear('startsAt', wish.startsAt);
    const starts = wish.startsAt ?? new Date();
    const [broadcast] = await tx
      .insert(broadcasts)
      .values({
        ...wish,
        organizationId: channel.organizationId,
        creatorId: viewer.userId,
        hostId: host,
        startsAt: starts,
        place: placeAt(starts),
        questioning: wish.questioning ?? 'MODERATED',
      })
      .onConflictDoNothing({ target: [broadcasts.creatorId, broadcasts.idempotencyKey] })
      .returning();
    if (!broadcast) {
      const made = await broadcastByKey(tx, viewer, wish.idempotencyKey ?? '');
      if (!made) throw new Error('insert returned no row');
      return sameWish(made, wish);
    }
    await planReminder(tx, broadcast);
    await tellReaders(tx, { ...broadcast, channel }, 'BROADCAST_SCHEDULED');
    await recordBroadcast(tx, viewer.userId, broadcast, { action: 'broadcast.schedule', after: described(broadcast) });
    return broadcast;
  });
}

/** @throws InvalidInput when the key was another wish’s */
function sameWish(first: BroadcastRow, { channelId, title: name }: z.output<typeof ScheduleBroadcast>): BroadcastRow {
  if (first.channelId === channelId && first.title === name) return first;
  throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
}

async function broadcastByKey(tx: Transaction, { userId }: Viewer, key: string): Promise<BroadcastRow | null> {
  const [found] = await tx
    .select()
    .from(broadcasts)
    .where(and(eq(broadcasts.creatorId, userId), eq(broadcasts.idempotencyKey, key)));
  return found ?? null;
}

/** @throws Forbidden, InvalidInput */
async function demandHost(tx: Transaction, viewer: Viewer, host: string, channel: Channel): Promise<void> {
  if (host !== viewer.userId && !canAppointHost(viewer, channel)) throw new Forbidden('FORBIDDEN_LEADERS');
  const person = host === viewer.userId ? viewer : await viewerOf(tx, host).catch(noHost);
  if (!canHost(person, channel)) noHost();
}

const noHost = (): never => {
  throw new InvalidInput('hostId', 'INVALID_HOST');
};

const UpdateBroadcast = z
  .object({ title, description, startsAt, hostId, remindBefore, questioning: z.enum(questioning.enumValues) })
  .partial();

/**
 * Changes a broadcast; what is left out stays. While it is LIVE: its words and whether questions are taken. A new host has a new
 * stream key. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function updateBroadcast(
  db: Database,
  viewer: Viewer,
  broadcastId: string,
  input: unknown,
): Promise<BroadcastRow> {
  const changes = valid(UpdateBroadcast, input);
  return runBroadcast(db, viewer, broadcastId, async (tx, before, fresh) => {
    const isPlan = ['startsAt', 'hostId', 'remindBefore'].some((field) => field in changes);
    if (isOver(before) || (isPlan && before.state !== 'SCHEDULED')) throw new InvalidState(before.state);
    if (isDeepStrictEqual(described(before), described({ ...before, ...changes }))) return before;
    demandComingYear('startsAt', changes.startsAt);
    const isHanded = changes.hostId !== undefined && changes.hostId !== before.hostId;
    if (isHanded) await demandHost(tx, fresh, changes.hostId ?? '', await channelOf(tx, before));
    const broadcast = await setBroadcast(tx, before, {
      ...changes,
      ...(changes.startsAt && { place: placeAt(changes.startsAt) }),
      ...(isHanded && { keyVersion: before.keyVersion + 1 }),
    });
    if (isPlan) await planReminder(tx, broadcast);
    await tellReaders(tx, broadcast, 'BROADCAST_UPDATED');
    await recordBroadcast(tx, viewer.userId, broadcast, {
      action: 'broadcast.update',
      before: described(before),
      after: described(broadcast),
    });
    return broadcast;
  });
}

const described = ({ title: name, description: about, startsAt: at, hostId: host, ...rest }: BroadcastRow) => ({
  title: name,
  description: about,
  startsAt: at,
  hostId: host,
  remindBefore: rest.remindBefore,
  questioning: rest.questioning,
});

const Cancellation = z.object({ reason: optionalLine(500) });

/** Calls a planned broadcast off, for good. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function cancelBroadcast(
  db: Database,
  viewer: Viewer,
  broadcastId: string,
  input: unknown,
): Promise<BroadcastRow> {
  const { reason } = valid(Cancellation, input);
  return runBroadcast(db, viewer, broadcastId, async (tx, before) => {
    if (before.state === 'CANCELLED') return before;
    if (before.state !== 'SCHEDULED') throw new InvalidState(before.state);
    const broadcast = await setBroadcast(tx, before, { state: 'CANCELLED', reason, cancelledAt: sql`now()` });
    await cancel(tx, broadcastReminder, broadcastId);
    await tellReaders(tx, broadcast, 'BROADCAST_CANCELLED');
    await recordBroadcast(tx, viewer.userId, broadcast, { action: 'broadcast.cancel', reason });
    return broadcast;
  });
}

/** Replaces the stream key: who sends by the old one is cut off. The host alone. @throws NotFound, Forbidden, InvalidState */
export const rotateStreamKey = (db: Database, viewer: Viewer, broadcastId: string): Promise<BroadcastRow> =>
  changeBroadcast(db, viewer, broadcastId, async (tx, before, fresh) => {
    if (!isHostOf(fresh, before)) throw new Forbidden('FORBIDDEN_STREAM_KEY');
    if (isOver(before)) throw new InvalidState(before.state);
    const broadcast = await setBroadcast(tx, before, { keyVersion: before.keyVersion + 1 });
    await recordBroadcast(tx, viewer.userId, broadcast, { action: 'broadcast.rotate-key' });
    return broadcast;
  });

const Recording = z.object({ url: httpsUrl });

/** Says where a broadcast that is over can be seen again; null takes that back. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function setBroadcastRecording(
  db: Database,
  viewer: Viewer,
  broadcastId: string,
  input: unknown,
): Promise<BroadcastRow> {
  const { url } = valid(Recording, input);
  return runBroadcast(db, viewer, broadcastId, async (tx, before) => {
    if (before.state !== 'ENDED') throw new InvalidState(before.state);
    if (before.recordingUrl === url) return before;
    const broadcast = await setBroadcast(tx, before, { recordingUrl: url });
    await tellReaders(tx, broadcast, 'BROADCAST_RECORDED');
    await recordBroadcast(tx, viewer.userId, broadcast, {
      action: 'broadcast.set-recording',
      before: { recordingUrl: before.recordingUrl },
      after: { recordingUrl: url },
    });
    return broadcast;
  });
}

const planReminder = (tx: Transaction, { id, ...broadcast }: BroadcastRow): Promise<void> => {
  const at = minutesBefore(broadcast.startsAt, broadcast.remindBefore);
  return reschedule(tx, broadcastReminder, { broadcastId: id }, { at, key: id });
};
