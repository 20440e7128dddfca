import { and, eq, isNull, notInArray, type SQL, sql } from 'drizzle-orm';
import { userByPhone } from '../accounts/commands.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { prepareRaw, unseen } from '../database/statements.ts';
import { append, transact } from '../log/append.ts';
import type { EndingReason } from '../log/outlet.ts';
import { type AudienceKind, audienceMembers, audiences } from './tables.ts';

/** A new, empty audience of an organization, or of something in it. */
export async function createAudience(
  tx: Transaction,
  organizationId: string,
  kind: AudienceKind,
  subjectId: string | null = null,
): Promise<string> {
  const [audience] = await tx
    .insert(audiences)
    .values({ organizationId, kind, subjectId })
    .returning({ id: audiences.id });
  if (!audience) throw new Error('insert returned no row');
  return audience.id;
}

/** Somebody who came into an audience, or, with the row of when they were in it, has gone. */
interface Change {
  readonly id: string | null;
  readonly audienceId: string;
  readonly userId: string;
  readonly capacity: string;
  /** They are not in it in another capacity. */
  readonly last: boolean;
}

/**
 * Makes the stored members of an organization's audiences equal to the derived ones, for some people or for everybody,
 * and writes each coming and going into the log, so that streams begin and end at their place in it. Call it after
 * changing a cause, in the same transaction, holding the organization's lock. Who comes back to a chat where nothing was said
 * meanwhile has never been away: what they had not read is unread still.
 */
export async function settleAudiences(
  tx: Transaction,
  organizationId: string,
  userIds: readonly string[] | 'everybody',
  reason: EndingReason = 'MEMBERSHIP_CHANGED',
): Promise<void> {
  if (userIds.length === 0) return;
  const changes = await changesOf(tx, organizationId, userIds);
  const [came, gone] = [changes.filter(({ id }) => id === null), changes.filter(({ id }) => id !== null)];
  if (changes.length === 0) return;
  await awaitSenders(tx, changes);
  const column = (some: readonly Change[], name: keyof Change) =>
    sql`${sql.param(some.map(({ [name]: value }) => value))}`;
  await rows(
    tx,
    sql`
    with gone as materialized (
      select g.*, nextval(pg_get_serial_sequence('log_events', 'id')) as event_id
      from unnest(${column(gone, 'id')}::uuid[], ${column(gone, 'audienceId')}::uuid[], ${column(gone, 'userId')}::uuid[],
        ${column(gone, 'last')}::boolean[]) g (id, audience_id, user_id, last)
    ),
    came as materialized (
      select d.*, nextval(pg_get_serial_sequence('log_events', 'id')) as event_id
      from unnest(${column(came, 'audienceId')}::uuid[], ${column(came, 'userId')}::uuid[],
        ${column(came, 'capacity')}::text[]) d (audience_id, user_id, capacity)
    ),
    ended as (
      update audience_members set until = now(), until_event = gone.event_id,
        until_number = coalesce((select last_number from chats where chats.audience_id = gone.audience_id), 0)
      from gone where audience_members.id = gone.id
    ),
    began as (
      insert into audience_members (audience_id, user_id, capacity, since_event, since_number)
      select audience_id, user_id, capacity, event_id, coalesce((
        select case when former.until_number = chats.last_number then former.since_number else chats.last_number end
        from chats left join lateral (
          select m.since_number, m.until_number from audience_members m
          where (m.audience_id, m.user_id, m.capacity) = (came.audience_id, came.user_id, came.capacity)
          order by m.id desc limit 1) former on true
        where chats.audience_id = came.audience_id), 0)
      from came
    )
    insert into log_events (id, audience_id, organization_id, kind, subject_id, payload)
    select event_id, audience_id, ${organizationId}::uuid, 'ACCESS_ENDED', user_id,
      jsonb_build_object('userId', user_id, 'last', last, 'reason', ${reason}::text) from gone
    union all
    select event_id, audience_id, ${organizationId}::uuid, 'ACCESS_BEGAN', user_id,
      (select jsonb_strip_nulls(jsonb_build_object('userId', user_id, 'audience', kind, 'subjectId', a.subject_id))
        from audiences a where a.id = audience_id)
    from came`,
  );
}

/**
 * In what the stored members differ from the derived ones, where the people are among these. In an order of its own, not
 * the plan's: in the same, lists show who came together.
 */
const differences = (organizationId: SQL, among: SQL): SQL => sql`
  with derived as (
    select audience_id, user_id, capacity from derived_audience_members
    where organization_id = ${organizationId} and ${among}
  ),
  stored as (
    select m.id, m.audience_id, m.user_id, m.capacity from audience_members m join audiences a on a.id = m.audience_id
    where a.organization_id = ${organizationId} and m.until is null and ${among}
  )
  select s.id, s.audience_id as "audienceId", s.user_id as "userId", s.capacity,
    not exists (select from derived d where d.audience_id = s.audience_id and d.user_id = s.user_id) as last
  from stored s
  where not exists (select from derived d where (d.audience_id, d.user_id, d.capacity) = (s.audience_id, s.user_id, s.capacity))
  union all
  select null, d.audience_id, d.user_id, d.capacity, false
  from derived d
  where not exists (select from stored s where (s.audience_id, s.user_id, s.capacity) = (d.audience_id, d.user_id, d.capacity))
  order by "userId", "audienceId", capacity`;

/** Some people and, because whether somebody takes part in a chat may depend on who else does, those with whom they share one. */
const ofPeople = (userIds: SQL): SQL => sql`user_id = any(array(
  select unnest(${userIds}) union
  select other.user_id from chat_members one join chat_members other on other.chat_id = one.chat_id
  where one.user_id = any(${userIds}) and one.left_at is null and other.left_at is null))`;

/** To plan them takes ten times as long as to run them. */
const differencesOfFew = prepareRaw<Change, { organizationId: string; userIds: readonly string[] }>(
  differences(unseen('organizationId', 'uuid'), ofPeople(unseen('userIds', 'uuid[]'))),
);

const differencesOfAll = prepareRaw<Change, { organizationId: string }>(
  differences(unseen('organizationId', 'uuid'), sql`true`),
);

const manyPeople = 100;

async function changesOf(
  tx: Transaction,
  organizationId: string,
  userIds: readonly string[] | 'everybody',
): Promise<Change[]> {
  if (userIds !== 'everybody' && userIds.length <= manyPeople)
    return differencesOfFew(tx, { organizationId, userIds: [...userIds] });
  // Postgres may know nothing yet of many people, as after a roster was imported into an empty database: it would take them
  // for one, and look through all of them again for each audience.
  await tx.execute(sql`set local enable_nestloop = off`);
  const changes =
    userIds === 'everybody'
      ? await differencesOfAll(tx, { organizationId })
      : await rows<Change>(
          tx,
          differences(sql`${organizationId}::uuid`, ofPeople(sql`${sql.param([...userIds])}::uuid[]`)),
        );
  await tx.execute(sql`set local enable_nestloop = on`);
  return changes;
}

/**
 * Waits for what is being said in the chats that people come into or leave: it was said before. Only then are the numbers
 * and the places in the log taken that divide what they read from what they do not. In the order in which who says something
 * locks: their own row, then the chat.
 */
async function awaitSenders(tx: Transaction, changes: readonly Change[]): Promise<void> {
  const audienceIds = [...new Set(changes.map(({ audienceId }) => audienceId))];
  const going = changes.flatMap(({ id }) => id ?? []);
  await rows(tx, sql`select from audience_members where id = any(${sql.param(going)}::uuid[]) order by id for update`);
  await rows(
    tx,
    sql`select from chats where audience_id = any(${sql.param(audienceIds)}::uuid[]) order by id for no key update`,
  );
}

/** Makes the platform's operators exactly the people with these phones (E.164). Runs at every start. */
export async function setOperators(db: Database, phones: readonly string[]): Promise<void> {
  await transact(db, async (tx) => {
    await tx.insert(audiences).values({ kind: 'OPERATORS' }).onConflictDoNothing();
    const [audience] = await tx.select().from(audiences).where(eq(audiences.kind, 'OPERATORS')).for('update');
    if (!audience) throw new Error('the operators’ audience is missing');
    const operators = await Promise.all(phones.map((phone) => userByPhone(tx, { phone, locale: 'ru' })));
    const ids = operators.map(({ id }) => id);
    const inAudience = and(eq(audienceMembers.audienceId, audience.id), isNull(audienceMembers.until));
    const nextEvent = sql<number>`nextval(pg_get_serial_sequence('log_events', 'id'))`;
    const former = await tx
      .update(audienceMembers)
      .set({ until: sql`now()`, untilEvent: nextEvent })
      .where(and(inAudience, ids.length > 0 ? notInArray(audienceMembers.userId, ids) : undefined))
      .returning();
    const present = new Set((await tx.select().from(audienceMembers).where(inAudience)).map(({ userId }) => userId));
    const added = ids.filter((id) => !present.has(id));
    const came = added.length
      ? await tx
          .insert(audienceMembers)
          .values(
            added.map((userId) => ({ audienceId: audience.id, userId, capacity: 'OPERATOR', sinceEvent: nextEvent })),
          )
          .returning()
      : [];
    const event = (kind: string, userId: string, id: number | null) =>
      ({
        id,
        audienceId: audience.id,
        kind,
        subjectId: userId,
        payload: { userId, last: true, audience: 'OPERATORS' },
      }) as const;
    await append(
      tx,
      ...former.map((member) => event('ACCESS_ENDED', member.userId, member.untilEvent)),
      ...came.map((member) => event('ACCESS_BEGAN', member.userId, member.sinceEvent)),
    );
  });
}
