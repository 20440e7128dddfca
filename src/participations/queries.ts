import { type SQL, sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import { hiddenFrom, type Meeter, meeterOf, peopleList } from '../audiences/queries.ts';
import type { Room } from '../conferencing/conferencing.ts';
import { type Executor, rows } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Batch } from '../graphql/context.ts';

/** Somebody's part in a meeting or a call; its id is who they are in the room. */
export interface Participation {
  readonly id: string;
  readonly user: PersonName;
  readonly admittedAt: string | null;
  readonly joinedAt: string | null;
  readonly leftAt: string | null;
  readonly declinedAt: string | null;
  readonly inPerson: boolean;
}

/** Of what people take part in a room: those of its audience, in an organization. */
export interface RoomPlace extends Record<string, unknown> {
  readonly roomId: string;
  readonly audienceId: string;
  readonly organizationId: string;
}

const columns = sql`p.admitted_at as "admittedAt", p.joined_at as "joinedAt", p.left_at as "leftAt",
  p.declined_at as "declinedAt", p.in_person as "inPerson"`;

/** Whom the viewer does not meet: guardians whose contacts are LIMITED, but one who takes part as staff is met as such (§4.11). */
const unmet = (organization: SQL, audience: SQL): SQL => sql`(
  ${hiddenFrom(sql`p.user_id`, organization)} and not exists (
    select from audience_members m
    where m.audience_id = ${audience} and m.user_id = p.user_id and m.until is null and m.capacity = 'EMPLOYEE'))`;

/**
 * Who takes part in a meeting or a call, or did, whoever was first let in last; `hereOnly`: who was let in and has not left, or is
 * there in person.
 */
export const participationsOf = peopleList<Participation, RoomPlace & { hereOnly: boolean }>(
  sql`p.id`,
  columns,
  sql`from participations p join users u on u.id = p.user_id
    where p.room_id = ${sql.placeholder('roomId')}::uuid
      and (not ${sql.placeholder('hereOnly')}::boolean or p.in_person or (p.admitted_at is not null and p.left_at is null))
      and not ${unmet(sql`${sql.placeholder('organizationId')}::uuid`, sql`${sql.placeholder('audienceId')}::uuid`)}`,
  sql`${sql.placeholder('organizationId')}::uuid`,
);

/** Of higher floors, and so as text. */
const organizationOfRoom = sql`case p.room_kind when 'MEETING' then (select r.organization_id from meetings r where r.id = p.room_id)
  else (select r.organization_id from calls r where r.id = p.room_id) end`;

const own = prepareRaw<Participation & { roomId: string }, { roomIds: readonly string[]; userId: string }>(sql`
  select p.id, p.room_id as "roomId", ${columns},
    ${personIn(sql`p.user_id`, organizationOfRoom)} as user
  from participations p
  where p.room_id = any(${sql.placeholder('roomIds')}::uuid[]) and p.user_id = ${sql.placeholder('userId')}`);

/** The viewer's own part in meetings and calls, by their ids. */
export const ownParticipation: Batch<string, Participation | null> = async (db, roomIds, viewer) => {
  const found = await own(db, { roomIds: [...roomIds], userId: viewer().userId });
  const index = new Map(found.map((participation) => [participation.roomId, participation]));
  return roomIds.map((id) => index.get(id) ?? null);
};

const isConnected = sql.raw('(p.joined_at is not null and p.left_at is null)');

/** Whether anybody is connected to a room now. */
export async function isAnybodyIn(db: Executor, roomId: string): Promise<boolean> {
  const [found] = await rows<{ somebody: boolean }>(
    db,
    sql`select exists (select from participations p where p.room_id = ${roomId} and ${isConnected}) as somebody`,
  );
  return found?.somebody ?? false;
}

const counted = prepareRaw<{ roomId: string; size: number }, Meeter & { roomIds: readonly string[] }>(sql`
  select p.room_id as "roomId", count(*)::int as size
  from participations p join meetings g on g.id = p.room_id
  where p.room_id = any(${sql.placeholder('roomIds')}::uuid[]) and (${isConnected} or p.in_person)
    and not ${unmet(sql`g.organization_id`, sql`g.audience_id`)}
  group by p.room_id`);

/** How many people are in meetings now, or there in person, as far as the viewer meets them: as many as the lists of them name. */
export const presentIn: Batch<string, number> = async (db, roomIds, viewer) => {
  const found = await counted(db, { ...meeterOf(viewer()), roomIds: [...roomIds] });
  const sizes = new Map(found.map(({ roomId, size }) => [roomId, size]));
  return roomIds.map((id) => sizes.get(id) ?? 0);
};

/** Is connected to the room now, as far as has been heard. */
export const isPresent = ({ joinedAt, leftAt }: { joinedAt: unknown; leftAt: unknown }): boolean =>
  joinedAt !== null && leftAt === null;

/**
 * Who was let into a meeting or a call that goes on, or is in it, and no longer belongs to those for whom it is, or by a session that
 * has ended. The rooms are named
 * as text, as tables of higher floors are in the views of `audiences`: who may be in one is looked at for all at once.
 */
const withoutPlace = (among: SQL): SQL => sql`
  with rooms as (
    select 'MEETING' as kind, m.id, m.audience_id from meetings m where m.state = 'LIVE'
    union all
    select 'CALL', c.id, h.audience_id from calls c join chats h on h.id = c.chat_id where c.state in ('RINGING', 'ACTIVE')
  )
  select r.kind as "roomKind", r.id as "roomId", p.id as identity
  from rooms r join participations p on p.room_id = r.id
  where ${among} and (p.admitted_at is not null or (p.joined_at is not null and p.left_at is null))
    and (
      not exists (
        select from audience_members m where m.audience_id = r.audience_id and m.user_id = p.user_id and m.until is null)
      or exists (select from sessions s where s.id = p.session_id and s.ended_at is not null))`;

const allWithoutPlace = prepareRaw<Room & { identity: string }>(withoutPlace(sql`true`));
const oneWithoutPlace = prepareRaw<Room & { identity: string }, { identity: string }>(
  withoutPlace(sql`p.id = ${sql.placeholder('identity')}::uuid`),
);

export const uninvited = (db: Executor): Promise<(Room & { identity: string })[]> => allWithoutPlace(db, {});

/** Whether that is still so of one of them. */
export const isUninvited = async (db: Executor, identity: string): Promise<boolean> =>
  (await oneWithoutPlace(db, { identity })).length > 0;

const later = prepareRaw<{ isBack: boolean }, { identity: string; asOf: string }>(sql`
  select p.admitted_at > ${sql.placeholder('asOf')}::timestamptz or exists (
    select from participation_stays s
    where s.participation_id = p.id and s.left_at is null and s.joined_at > ${sql.placeholder('asOf')}::timestamptz) as "isBack"
  from participations p where p.id = ${sql.placeholder('identity')}::uuid`);

/** Whether somebody has been let in anew since, or has come into the room again. */
export async function isBack(db: Executor, identity: string, asOf: string): Promise<boolean> {
  const [found] = await later(db, { identity, asOf });
  return found?.isBack ?? false;
}
