import { and, eq, getTableColumns, inArray, isNull, ne, sql } from 'drizzle-orm';
import type { Room, RoomReport, RoomStay } from '../conferencing/conferencing.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { uuid } from '../graphql/ids.ts';
import { cancel, enqueue, type TaskName } from '../jobs/tasks.ts';
import { transact } from '../log/append.ts';
import type { Viewer } from '../viewer.ts';
import { isBack, isUninvited, uninvited } from './queries.ts';
import { conferenceReceipts, type ParticipationRow, participationStays, participations } from './tables.ts';

/**
 * Lets somebody into a room: the id of what comes back is who they are there, always the same. `isNew`: they were not let in before.
 * Whoever was to be sent out, because they had left, is not. Locks nothing that others share.
 */
export async function admit(
  tx: Transaction,
  room: Room,
  { userId, sessionId }: Viewer,
): Promise<ParticipationRow & { readonly isNew: boolean }> {
  const [participation] = await tx
    .insert(participations)
    .values({ roomKind: room.roomKind, roomId: room.roomId, userId, sessionId, admittedAt: sql`now()` })
    .onConflictDoUpdate({
      target: [participations.roomId, participations.userId],
      set: { sessionId, admittedAt: sql`coalesce(${participations.admittedAt}, now())` },
    })
    .returning({
      ...getTableColumns(participations),
      isNew: sql<boolean>`${participations.admittedAt} = now()`,
      isBack: sql<boolean>`${participations.createdAt} < now()`,
    });
  if (!participation) throw new Error('insert returned no row');
  // It would make the ticket void that they get now.
  if (participation.isBack) await cancel(tx, roomLeaving, participation.id);
  return participation;
}

/** Writes down who is in the room in person, or is not. Answers of whom it was not so before. */
export async function markInPerson(
  tx: Transaction,
  { roomKind, roomId }: Room,
  userIds: readonly string[],
  inPerson: boolean,
): Promise<string[]> {
  if (userIds.length === 0) return [];
  const changed = { userId: participations.userId };
  const isOther = ne(participations.inPerson, inPerson);
  const ofThem = and(eq(participations.roomId, roomId), inArray(participations.userId, [...userIds]));
  const marked = await (inPerson
    ? tx
        .insert(participations)
        .values(userIds.map((userId) => ({ roomKind, roomId, userId, inPerson })))
        .onConflictDoUpdate({
          target: [participations.roomId, participations.userId],
          set: { inPerson },
          setWhere: isOther,
        })
        .returning(changed)
    : tx.update(participations).set({ inPerson }).where(and(ofThem, isOther)).returning(changed));
  return marked.map(({ userId }) => userId);
}

/**
 * Nobody is there any more since then. Who came later, by the conferencing server's clock, has come again; when it is over
 * (`forGood`) they were there for no time: nothing that is told afterwards would end their stay.
 */
export async function endStays(tx: Transaction, { roomId }: Room, at: Date, forGood: boolean): Promise<void> {
  const open = await tx
    .select({ id: participations.id })
    .from(participations)
    .where(and(eq(participations.roomId, roomId), isNull(participations.leftAt)))
    .orderBy(participations.id)
    .for('no key update');
  const ids = open.map(({ id }) => id);
  const moment = at.toISOString();
  await tx
    .update(participationStays)
    .set({ leftAt: sql`greatest(${moment}::timestamptz, ${participationStays.joinedAt})` })
    .where(
      and(
        inArray(participationStays.participationId, ids),
        isNull(participationStays.leftAt),
        forGood ? undefined : sql`${participationStays.joinedAt} <= ${moment}::timestamptz`,
      ),
    );
  await settle(tx, ids);
}

/** How a room stands as a report about it comes. */
export interface RoomStanding {
  /** Whether people may be in it now. */
  readonly isOpen: boolean;
  /** When it was over; null: it is not. */
  readonly endedAt: Date | null;
}

/** What a domain says of its rooms. */
export interface RoomKeeper {
  /** How a room stands, which stays so while the transaction lasts. Null: it never was one. */
  hold(tx: Transaction, roomId: string): Promise<RoomStanding | null>;
  /** What else happens by a report, after who is there has been written down. `stay` null: nobody of whom we know. */
  heard?(tx: Transaction, report: RoomReport, participation: ParticipationRow | null): Promise<void>;
  /** What else happens when somebody was sent out who belongs there no longer. */
  sentOut?(tx: Transaction, participation: ParticipationRow): Promise<void>;
}

export type RoomKeepers = Readonly<Record<Room['roomKind'], RoomKeeper>>;

/** What came of a report. */
export interface Heard {
  /** It was told before, and nothing has happened now. */
  readonly isRepeated: boolean;
  /** Somebody came in who was sent out before. */
  readonly isUnwanted: boolean;
}

/** Takes what the conferencing server tells, once; in whatever order it comes, who was there when is then right. */
export const takeReport = (db: Database, keepers: RoomKeepers, report: RoomReport): Promise<Heard> =>
  transact(db, async (tx) => {
    const first = await tx.insert(conferenceReceipts).values({ id: report.id }).onConflictDoNothing().returning();
    if (first.length === 0) return { isRepeated: true, isUnwanted: false };
    const { room, told, stay, at } = report;
    const keeper = keepers[room.roomKind];
    const standing = await keeper.hold(tx, room.roomId);
    if (!standing) return { isRepeated: false, isUnwanted: false };
    const { isOpen, endedAt } = standing;
    const until = endedAt && endedAt < at ? endedAt : at;
    const participation = stay && (await recordStay(tx, report, stay, standing));
    if (told === 'FINISHED') await endStays(tx, room, until, false);
    // Whoever still has a ticket makes the server open the room anew.
    if (told === 'JOINED' && !isOpen) await closeRoomSoon(tx, room);
    await keeper.heard?.(tx, report, participation);
    return { isRepeated: false, isUnwanted: told === 'JOINED' && participation?.admittedAt === null };
  });

/** Writes a connection down: each report says since when it is there, and `LEFT` until when, so none has to come first. */
async function recordStay(
  tx: Transaction,
  { room: { roomKind, roomId }, told, at }: RoomReport,
  { identity, sid, since }: RoomStay,
  { endedAt }: RoomStanding,
): Promise<ParticipationRow | null> {
  if (!uuid.test(identity)) return null;
  const theirs = and(
    eq(participations.id, identity),
    eq(participations.roomId, roomId),
    eq(participations.roomKind, roomKind),
  );
  const [participation] = await tx.select().from(participations).where(theirs).for('no key update');
  if (!participation) return null;
  const joinedAt = since ?? (told === 'JOINED' ? at : null);
  // Who comes when it is over was not there.
  if (endedAt && joinedAt && joinedAt > endedAt) return participation;
  const leftAt = told === 'LEFT' ? earlier(at, endedAt) : endedAt;
  const later = joinedAt && leftAt && leftAt < joinedAt ? joinedAt : leftAt;
  await tx
    .insert(participationStays)
    .values({ sid, participationId: participation.id, joinedAt, leftAt: later })
    .onConflictDoUpdate({
      target: participationStays.sid,
      set: {
        joinedAt: sql`least(${participationStays.joinedAt}, excluded.joined_at)`,
        leftAt: sql`greatest(${participationStays.leftAt}, excluded.left_at)`,
      },
      setWhere: eq(participationStays.participationId, participation.id),
    });
  const [settled] = await settle(tx, [participation.id]);
  return settled ?? participation;
}

const earlier = (at: Date, end: Date | null): Date => (end && end < at ? end : at);

/** Somebody was there from their first connection to the end of their last. */
const settle = (tx: Transaction, ids: readonly string[]): Promise<ParticipationRow[]> =>
  tx
    .update(participations)
    .set({
      joinedAt: sql`(select min(s.joined_at) from participation_stays s where s.participation_id = ${participations}.id)`,
      leftAt: sql`(
        select case when bool_and(s.left_at is not null) then max(s.left_at) end
        from participation_stays s where s.participation_id = ${participations}.id and s.joined_at is not null)`,
    })
    .where(inArray(participations.id, [...ids]))
    .returning();

/** Closes a room as soon as the conferencing server can be reached. `run` is given by whoever has one. */
export const roomClosing: TaskName<Room> = { name: 'room-closing' };

/** Sends somebody out of a room, unless they have come again since `asOf`. */
export const roomLeaving: TaskName<RoomLeaving> = { name: 'room-leaving' };

export interface RoomLeaving extends Room {
  readonly identity: string;
  readonly asOf: string;
}

/** The room is closed once the transaction has committed. */
export const closeRoomSoon = (tx: Transaction, { roomKind, roomId }: Room): Promise<void> =>
  enqueue(tx, roomClosing, { roomKind, roomId }, { at: new Date(), key: roomId });

/** Somebody is sent out, on whichever device they are, once the transaction has committed. */
export async function sendOutSoon(tx: Transaction, { id, roomKind, roomId }: ParticipationRow): Promise<void> {
  const [moment] = await rows<{ at: string }>(tx, sql`select now()::text as at`);
  const leaving = { roomKind, roomId, identity: id, asOf: moment?.at ?? '' };
  await enqueue(tx, roomLeaving, leaving, { at: new Date(), key: id });
}

/** What of a conferencing server sends people out. */
export interface Bouncer {
  sendOut(room: Room, identity: string): Promise<void>;
}

/** Runs {@link roomLeaving}. */
export async function leaveRoom(
  db: Database,
  bouncer: Bouncer,
  { identity, asOf, ...room }: RoomLeaving,
): Promise<void> {
  if (!(await isBack(db, identity, asOf))) await bouncer.sendOut(room, identity);
}

const sentOutAtOnce = 8;

/** Sends out everybody who is in a room and no longer belongs to those for whom it is, or has signed out. Runs again and again. */
export async function sendOutUninvited(db: Database, bouncer: Bouncer, keepers: RoomKeepers): Promise<void> {
  const waiting = await uninvited(db);
  const failures: unknown[] = [];
  for (let next = 0; next < waiting.length; next += sentOutAtOnce) {
    const some = waiting.slice(next, next + sentOutAtOnce);
    const done = await Promise.allSettled(some.map((one) => sendOutUnwanted(db, bouncer, keepers, one)));
    failures.push(...done.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])));
  }
  // What failed for one must not keep the others in; the next run tries it again.
  if (failures.length > 0) throw failures[0];
}

/** Unless they belong there again meanwhile, they are neither expected nor there from now on. */
async function sendOutUnwanted(
  db: Database,
  bouncer: Bouncer,
  keepers: RoomKeepers,
  { identity, ...room }: Room & { identity: string },
): Promise<void> {
  await bouncer.sendOut(room, identity);
  await transact(db, async (tx) => {
    const keeper = keepers[room.roomKind];
    // First the room, then who is in it: as whoever else locks both.
    await keeper.hold(tx, room.roomId);
    const theirs = eq(participations.id, identity);
    await tx.select({ id: participations.id }).from(participations).where(theirs).for('no key update');
    if (!(await isUninvited(tx, identity))) return;
    await tx
      .update(participationStays)
      .set({ leftAt: sql`greatest(now(), ${participationStays.joinedAt})` })
      .where(and(eq(participationStays.participationId, identity), isNull(participationStays.leftAt)));
    await settle(tx, [identity]);
    const [gone] = await tx.update(participations).set({ admittedAt: null }).where(theirs).returning();
    if (gone) await keeper.sentOut?.(tx, gone);
  });
}

/** Forgets what has been told so long ago that it would not be believed any more. */
export async function forgetReceipts(db: Database): Promise<void> {
  await db.delete(conferenceReceipts).where(sql`${conferenceReceipts.receivedAt} < now() - interval '1 day'`);
}
