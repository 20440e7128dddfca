import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { z } from 'zod';
import { audienceMembers } from '../audiences/tables.ts';
import { audit } from '../audit/commands.ts';
import { callLimit, callRinging, gone, holdCall, over, roomOf, setCall } from '../calls/commands.ts';
import { canAnswer, canEndCall, isOpen, obstacleToCalling } from '../calls/policy.ts';
import { seenCall } from '../calls/queries.ts';
import { type CallRow, callKind, calls } from '../calls/tables.ts';
import { tellChat, type Visit, visitChat } from '../chats/commands.ts';
import type { Conferencing, JoinTicket } from '../conferencing/conferencing.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotConfigured, NotFound } from '../errors.ts';
import type { Limiter } from '../graphql/rates.ts';
import { idempotencyKey, valid } from '../input.ts';
import { enqueue } from '../jobs/tasks.ts';
import { append, transact } from '../log/append.ts';
import { admit, sendOutSoon } from '../participations/commands.ts';
import { type ParticipationRow, participations } from '../participations/tables.ts';
import type { Viewer } from '../viewer.ts';

/** How long it rings, and how long nobody talks on: what was forgotten ends by itself. */
const ringingMs = 45_000;
const longestMs = 12 * 60 * 60_000;

/** A call, and how the viewer enters it; null: it goes on no longer. */
export interface Joined {
  readonly callId: string;
  readonly ticket: JoinTicket | null;
}

const StartCall = z.object({ chatId: z.string(), kind: z.enum(callKind.enumValues), idempotencyKey });

/**
 * Calls those who take part in a chat; one call of a chat goes on at a time. `limit` is how often one person may make those in one
 * chat hear it ring. @throws NotFound, Forbidden, InvalidInput, InvalidState, NotConfigured, RateLimited
 */
export async function startCall(
  db: Database,
  viewer: Viewer,
  conferencing: Conferencing | null,
  limit: Limiter,
  input: unknown,
): Promise<Joined> {
  const wish = valid(StartCall, input);
  const started = await transact(db, async (tx) => {
    const { chat, own } = await visitChat(tx, viewer, wish.chatId);
    demandServer(conferencing);
    // Also before a repeat: it lets in anew.
    if (!canAnswer(own)) throw new Forbidden('FORBIDDEN_LEFT_CHAT');
    const first = await firstOf(tx, viewer, wish);
    if (first) return again(tx, first, viewer);
    const obstacle = obstacleToCalling(own, chat);
    if (obstacle === 'NOT_STAFF') throw new Forbidden('FORBIDDEN_CALL');
    if (obstacle) throw new InvalidState(obstacle);
    const ringsUntil = new Date(Date.now() + ringingMs);
    const [call] = await tx
      .insert(calls)
      .values({ ...wish, organizationId: chat.organizationId, callerId: viewer.userId, ringsUntil })
      .onConflictDoNothing()
      .returning();
    if (!call) {
      // The same wish was quicker, or another's.
      const made = await firstOf(tx, viewer, wish);
      if (made) return again(tx, made, viewer);
      throw new InvalidInput('chatId', 'INVALID_CALL_GOING_ON');
    }
    await limit(`${viewer.userId} ${wish.chatId}`);
    const part = await admit(tx, roomOf(call), viewer);
    await enqueue(tx, callRinging, { callId: call.id }, { at: ringsUntil, key: call.id });
    await enqueue(tx, callLimit, { callId: call.id }, { at: new Date(Date.now() + longestMs), key: call.id });
    await tellChat(tx, chat, 'CALL_STARTED', call.id);
    return { call, part };
  });
  return joined(conferencing, started.call, started.part);
}

/** The call of the same wish; null: there is none. @throws InvalidInput when the key was another's */
async function firstOf(
  tx: Transaction,
  { userId }: Viewer,
  { chatId, kind, idempotencyKey: key }: z.output<typeof StartCall>,
): Promise<CallRow | null> {
  if (key === null) return null;
  const ofKey = and(eq(calls.callerId, userId), eq(calls.idempotencyKey, key));
  const [first] = await tx.select().from(calls).where(ofKey);
  if (first && (first.chatId !== chatId || first.kind !== kind)) throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first ?? null;
}

/** A repeated wish: the call, and the way into it while it goes on. */
const again = async (tx: Transaction, call: CallRow, viewer: Viewer) => ({
  call,
  part: isOpen(call) ? await admit(tx, roomOf(call), viewer) : null,
});

const joined = async (
  conferencing: Conferencing | null,
  call: CallRow,
  part: ParticipationRow | null,
): Promise<Joined> => ({
  callId: call.id,
  ticket: part && (await demandServer(conferencing).ticketFor(roomOf(call), part.id)),
});

/** @throws NotConfigured */
function demandServer(conferencing: Conferencing | null): Conferencing {
  if (!conferencing) throw new NotConfigured('CALLS_NOT_CONFIGURED');
  return conferencing;
}

/**
 * Answers a call that rings, or comes (again) into one that goes on. The viewer's other devices stop ringing. @throws NotFound,
 * Forbidden, InvalidState, NotConfigured
 */
export async function answerCall(
  db: Database,
  viewer: Viewer,
  conferencing: Conferencing | null,
  callId: string,
): Promise<Joined> {
  const answered = await inCall(db, viewer, callId, async (tx, { chat, own, call: before }) => {
    demandServer(conferencing);
    if (!canAnswer(own)) throw new Forbidden('FORBIDDEN_LEFT_CHAT');
    if (!isOpen(before)) throw new InvalidState(before.state);
    const part = await admit(tx, roomOf(before), viewer);
    const answeredAt = sql`coalesce(${participations.answeredAt}, now())`;
    await tx.update(participations).set({ answeredAt, declinedAt: null }).where(eq(participations.id, part.id));
    await tellOwn(tx, viewer, before, 'CALL_JOINED');
    if (before.state === 'ACTIVE' || before.callerId === viewer.userId) return { call: before, part };
    const call = await setCall(tx, before, { state: 'ACTIVE', answeredAt: sql`now()` });
    await tellChat(tx, chat, 'CALL_ANSWERED', callId);
    return { call, part };
  });
  return joined(conferencing, answered.call, answered.part);
}

/**
 * Does not want to answer: the viewer's devices stop ringing. Between two the call is over, and so it is when nobody is left who could
 * answer. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState
 */
export const declineCall = (db: Database, viewer: Viewer, callId: string): Promise<string> =>
  inCall(db, viewer, callId, async (tx, { chat, own, call }) => {
    if (!canAnswer(own)) throw new Forbidden('FORBIDDEN_LEFT_CHAT');
    if (call.callerId === viewer.userId) throw new Forbidden('FORBIDDEN_OWN_CALL');
    const part = await partOf(tx, call, viewer);
    if (part?.declinedAt) return callId;
    if (!isOpen(call) || part?.admittedAt) throw new InvalidState(call.state);
    await tx
      .insert(participations)
      .values({ ...roomOf(call), userId: viewer.userId, declinedAt: sql`now()` })
      .onConflictDoUpdate({
        target: [participations.roomId, participations.userId],
        set: { declinedAt: sql`now()` },
      });
    await tellOwn(tx, viewer, call, 'CALL_SILENCED');
    if (call.state === 'RINGING' && !(await couldAnswer(tx, call, chat.audienceId))) await over(tx, call, 'DECLINED');
    return callId;
  });

async function partOf(tx: Transaction, { id }: CallRow, { userId }: Viewer): Promise<ParticipationRow | null> {
  const [part] = await tx
    .select()
    .from(participations)
    .where(and(eq(participations.roomId, id), eq(participations.userId, userId)));
  return part ?? null;
}

/** Whether somebody who was called has not declined. */
async function couldAnswer(tx: Transaction, { id, callerId }: CallRow, audienceId: string): Promise<boolean> {
  const { userId } = audienceMembers;
  const [somebody] = await tx
    .select({ userId })
    .from(audienceMembers)
    .leftJoin(participations, and(eq(participations.roomId, id), eq(participations.userId, userId)))
    .where(
      and(
        eq(audienceMembers.audienceId, audienceId),
        isNull(audienceMembers.until),
        ne(userId, callerId),
        isNull(participations.declinedAt),
      ),
    )
    .limit(1);
  return somebody !== undefined;
}

/**
 * Hangs up. The call is over when nobody is left in it, or one of two; while it rings, when it is who called. Who is not in it is out.
 * @throws NotFound
 */
export const leaveCall = (db: Database, viewer: Viewer, callId: string): Promise<string> =>
  inCall(db, viewer, callId, async (tx, { call }) => {
    const part = await partOf(tx, call, viewer);
    if (!isOpen(call) || !part?.admittedAt) return callId;
    await sendOutSoon(tx, part);
    await gone(tx, call, part);
    await tellOwn(tx, viewer, call, 'CALL_LEFT');
    return callId;
  });

/**
 * Ends a call for everybody; one that nobody has answered is missed. Repeating it changes nothing. @throws NotFound, Forbidden,
 * InvalidState
 */
export const endCall = (db: Database, viewer: Viewer, callId: string): Promise<string> =>
  inCall(db, viewer, callId, async (tx, { chat, own, call, viewer: fresh }) => {
    if (!canEndCall(fresh, own, chat, call)) throw new Forbidden('FORBIDDEN_END_CALL');
    if (call.state === 'DECLINED') throw new InvalidState(call.state);
    if (!isOpen(call)) return callId;
    await over(tx, call, call.state === 'RINGING' ? 'MISSED' : 'ENDED');
    if (call.callerId === viewer.userId) return callId;
    const { organizationId } = chat;
    await audit(tx, viewer.userId, { action: 'call.end', target: { type: 'Call', id: callId }, organizationId });
    return callId;
  });

type Held = Visit & { readonly call: CallRow };

/** Does something with a call that the viewer sees; whoever else does waits. @throws NotFound, InvalidState */
const inCall = <Result>(
  db: Database,
  viewer: Viewer,
  callId: string,
  make: (tx: Transaction, held: Held) => Promise<Result>,
): Promise<Result> =>
  transact(db, async (tx) => {
    const [known] = await tx.select({ chatId: calls.chatId }).from(calls).where(eq(calls.id, callId));
    if (!known) throw new NotFound();
    const visit = await visitChat(tx, viewer, known.chatId);
    const call = await holdCall(tx, callId);
    const [seen] = await seenCall(tx, [callId], () => visit.viewer);
    if (!call || !seen) throw new NotFound();
    return make(tx, { ...visit, call });
  });

/** Tells the viewer's own devices. */
const tellOwn = (
  tx: Transaction,
  { userId: audienceId }: Viewer,
  { id: subjectId, organizationId, chatId: placeId }: CallRow,
  kind: string,
): Promise<void> => append(tx, { kind, organizationId, audienceId, subjectId, payload: { placeId } });
