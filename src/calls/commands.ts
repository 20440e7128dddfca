import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { tellChat } from '../chats/commands.ts';
import { chats } from '../chats/tables.ts';
import type { Room } from '../conferencing/conferencing.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { NotFound } from '../errors.ts';
import type { TaskKind } from '../jobs/tasks.ts';
import { transact } from '../log/append.ts';
import { lockOrganization } from '../organizations/commands.ts';
import { closeRoomSoon, endStays, type RoomKeeper } from '../participations/commands.ts';
import { type ParticipationRow, participations } from '../participations/tables.ts';
import { isOpen } from './policy.ts';
import { type CallRow, calls } from './tables.ts';

export const roomOf = ({ id }: Pick<CallRow, 'id'>): Room => ({ roomKind: 'CALL', roomId: id });

/** Somebody is in a call no longer. */
export async function gone(tx: Transaction, call: CallRow, { id, userId }: ParticipationRow): Promise<void> {
  await tx.update(participations).set({ admittedAt: null }).where(eq(participations.id, id));
  if (call.state === 'RINGING') {
    if (userId === call.callerId) await over(tx, call, 'MISSED');
    return;
  }
  const [{ kind } = { kind: null }] = await tx
    .select({ kind: chats.kind })
    .from(chats)
    .where(eq(chats.id, call.chatId));
  const [other] = await tx
    .select({ id: participations.id })
    .from(participations)
    .where(and(eq(participations.roomId, call.id), isNotNull(participations.admittedAt)))
    .limit(1);
  if (kind === 'DIRECT' || !other) await over(tx, call, 'ENDED');
}

const events = { ENDED: 'CALL_ENDED', MISSED: 'CALL_MISSED', DECLINED: 'CALL_DECLINED' } as const;

/** A call is over, its room is closed, and nobody is there. */
export async function over(
  tx: Transaction,
  before: CallRow,
  state: keyof typeof events,
  at: Date | null = null,
): Promise<void> {
  const call = await setCall(tx, before, { state, endedAt: sql`clock_timestamp()` });
  await endStays(tx, roomOf(call), at ?? call.endedAt ?? new Date(), true);
  await closeRoomSoon(tx, roomOf(call));
  const [chat] = await tx.select().from(chats).where(eq(chats.id, call.chatId));
  if (chat) await tellChat(tx, chat, events[state], call.id);
}

/** A call that nobody else changes meanwhile. */
export async function holdCall(tx: Transaction, callId: string): Promise<CallRow | null> {
  const [call] = await tx.select().from(calls).where(eq(calls.id, callId)).for('no key update');
  return call ?? null;
}

export async function setCall(
  tx: Transaction,
  { id }: CallRow,
  changes: Parameters<ReturnType<typeof tx.update<typeof calls>>['set']>[0],
): Promise<CallRow> {
  const [call] = await tx.update(calls).set(changes).where(eq(calls.id, id)).returning();
  if (!call) throw new NotFound();
  return call;
}

/** Does something with a call by the clock, while it goes on. */
const byClock = (
  db: Database,
  callId: string,
  make: (tx: Transaction, call: CallRow) => Promise<void>,
): Promise<void> =>
  transact(db, async (tx) => {
    const [known] = await rows<{ id: string }>(tx, sql`select organization_id as id from calls where id = ${callId}`);
    if (!known) return;
    await lockOrganization(tx, known.id, 'share');
    const call = await holdCall(tx, callId);
    if (call && isOpen(call)) await make(tx, call);
  });

/** Stops the ringing: a call that nobody has answered is missed. */
export const callRinging: TaskKind<{ readonly callId: string }> = {
  name: 'call-ringing',
  run: (db, { callId }) =>
    byClock(db, callId, async (tx, call) => {
      if (call.state === 'RINGING') await over(tx, call, 'MISSED');
    }),
};

/** Ends a call that somebody forgot to end. */
export const callLimit: TaskKind<{ readonly callId: string }> = {
  name: 'call-limit',
  run: (db, { callId }) =>
    byClock(db, callId, (tx, call) => over(tx, call, call.state === 'RINGING' ? 'MISSED' : 'ENDED')),
};

/** What the conferencing server tells of calls: who is gone without having said so, and that nobody is left. */
export const callKeeper: RoomKeeper = {
  hold: async (tx, callId) => {
    const call = await holdCall(tx, callId);
    return call && { isOpen: isOpen(call), endedAt: call.endedAt };
  },
  heard: async (tx, { room, told, stay, at }, part) => {
    const call = await holdCall(tx, room.roomId);
    if (!call || !isOpen(call)) return;
    if (told === 'FINISHED') await over(tx, call, call.state === 'RINGING' ? 'MISSED' : 'ENDED', at);
    // Whose other device has taken over is not gone.
    else if (told === 'LEFT' && !stay?.isReplaced && part?.admittedAt && part.leftAt) await gone(tx, call, part);
  },
  sentOut: async (tx, part) => {
    const call = await holdCall(tx, part.roomId);
    if (call && isOpen(call)) await gone(tx, call, part);
  },
};
