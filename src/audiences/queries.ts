import { eq, type SQL, sql } from 'drizzle-orm';
import { keepSessions } from '../accounts/commands.ts';
import { personIn } from '../accounts/queries.ts';
import { type Database, type Executor, rows, type Transaction } from '../database/connect.ts';
import { prepareRaw, unseen } from '../database/statements.ts';
import { NotFound, Unauthenticated } from '../errors.ts';
import type { Page } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import type { Follower } from '../log/follower.ts';
import type { Hub, Stay } from '../log/hub.ts';
import type { Audience, Reader, Topic } from '../log/reader.ts';
import type { Company } from '../log/source.ts';
import { hashSecret } from '../secrets.ts';
import { Viewer } from '../viewer.ts';
import { type AudienceKind, audiences } from './tables.ts';

/**
 * People's intervals in their audiences, as places in the log. Forgotten events count as the beginning of time, events
 * without a place yet as its end.
 */
const staysOfUsers = prepareRaw<Stay & { userId: string }, { userIds: readonly string[] }>(sql`
  select m.user_id as "userId", m.audience_id as id, a.organization_id as "organizationId", a.kind::text as kind, a.subject_id as "subjectId",
    case when b.id is null then 0 else coalesce(b.position::float8, 'infinity') end as since,
    case when m.until is null then 'infinity' when e.id is null then 0 else coalesce(e.position::float8, 'infinity') end as until
  from audience_members m
  join audiences a on a.id = m.audience_id
  left join log_events b on b.id = m.since_event
  left join log_events e on e.id = m.until_event
  where m.user_id = any(${unseen('userIds', 'uuid[]')})`);

/** Everything that people may see or ever could, in their order. */
export async function staysOf(db: Database, userIds: readonly string[]): Promise<Stay[][]> {
  const found = Map.groupBy(await staysOfUsers(db, { userIds }), ({ userId }) => userId);
  return userIds.map((id) => found.get(id) ?? []);
}

/** What a subscription is about: an audience, by its id or by its kind and whose it is; or the viewer alone. */
interface Wanted extends Omit<Topic, 'anchor'> {
  readonly of:
    | { readonly kind: AudienceKind; readonly organizationId: string }
    | { readonly kind: AudienceKind; readonly subjectId: string }
    | { readonly audienceId: string }
    | 'VIEWER';
}

/** Follows as the request's viewer. @throws NotFound when they may not, InvalidInput for a bad cursor */
export function follow(
  { services: { hub }, viewer, asking }: Context,
  { of, ...topic }: Wanted,
  after: string | null | undefined,
): Promise<Follower> {
  const reader = readerOf(hub, viewer);
  const anchor = (audience: Audience) => {
    if (of === 'VIEWER') return audience === reader.alone;
    if ('audienceId' in of) return audience.id === of.audienceId;
    const ofThem =
      'subjectId' in of ? audience.subjectId === of.subjectId : audience.organizationId === of.organizationId;
    return audience.kind === of.kind && ofThem;
  };
  return hub.follow(reader, viewer.sessionId, { anchor, ...topic }, asking.resumeAfter ?? after ?? null);
}

/** Follows nothing that the log tells, while the viewer is in an audience: only their company. @throws NotFound */
export function accompany(
  { services: { hub }, viewer }: Context,
  audienceId: string,
  company: Company,
): Promise<Follower> {
  const wanted = { anchor: ({ id }: Audience) => id === audienceId, scope: 'ANCHOR', kinds: noKinds } as const;
  return hub.follow(readerOf(hub, viewer), viewer.sessionId, wanted, null, company);
}

const noKinds: ReadonlySet<string> = new Set();

function readerOf(hub: Hub, { userId }: Viewer): Reader {
  const reader = hub.reader(userId);
  if (!reader) throw new Error('a transport must hold whoever subscribes');
  return reader;
}

const viewerColumns = sql.raw(`
  u.id as "userId", s.id as "sessionId", u.phone, u.locale::text as locale, s.used_at < now() - interval '1 hour' as stale,
  exists (
    select from audience_members m join audiences a on a.id = m.audience_id
    where a.kind = 'OPERATORS' and m.user_id = u.id and m.until is null
  ) as "isOperator",
  coalesce((
    select json_agg(json_build_object('organizationId', t.organization_id, 'membershipId', t.membership_id, 'role', t.role,
      'position', t.position, 'verified', t.verified, 'administrator', t.administrator,
      'groupIds', array(select distinct p.group_id from active_places p where p.membership_id = t.membership_id),
      'childIds', array(select p.child_id from active_places p where p.membership_id = t.membership_id and p.child_id is not null order by p.child_id)
    ) order by t.membership_id)
    from active_standings t where t.user_id = u.id
  ), '[]') as standings`);

type ViewerRow = ConstructorParameters<typeof Viewer>[0] & { stale: boolean };

const viewersByToken = prepareRaw<ViewerRow & { hash: string }, { hashes: readonly string[]; idleDays: number }>(sql`
  select ${viewerColumns}, encode(s.token_hash, 'hex') as hash from sessions s join users u on u.id = s.user_id
  where s.token_hash = any(array(select decode(unnest(${unseen('hashes', 'text[]')}), 'hex')))
    and s.ended_at is null and s.expires_at > now() and s.used_at > now() - make_interval(days => ${unseen('idleDays', 'int')})`);

const viewerBySession = prepareRaw<ViewerRow, { id: string }>(sql`
  select ${viewerColumns} from sessions s join users u on u.id = s.user_id
  where s.id = ${unseen('id', 'uuid')} and s.ended_at is null`);

/** Who holds each of some session tokens now, and what they are where; null where nobody does. */
export async function authenticate(
  db: Database,
  tokens: readonly string[],
  idleDays: number,
): Promise<(Viewer | null)[]> {
  const hashes = tokens.map((token) => hashSecret(token).toString('hex'));
  const found = await viewersByToken(db, { hashes, idleDays });
  const stale = found.filter((row) => row.stale).map(({ sessionId }) => sessionId);
  if (stale.length > 0) await keepSessions(db, stale, idleDays);
  const viewers = new Map(found.map((row) => [row.hash, new Viewer(row)]));
  return hashes.map((hash) => viewers.get(hash) ?? null);
}

const viewersBySession = prepareRaw<ViewerRow, { ids: readonly string[]; idleDays: number }>(sql`
  select ${viewerColumns} from sessions s join users u on u.id = s.user_id
  where s.id = any(${unseen('ids', 'uuid[]')})
    and s.ended_at is null and s.expires_at > now() and s.used_at > now() - make_interval(days => ${unseen('idleDays', 'int')})`);

/** Who holds each of some sessions now; null where it has ended. To ask so is no use of the session. */
export async function viewersOf(
  db: Database,
  sessionIds: readonly string[],
  idleDays: number,
): Promise<(Viewer | null)[]> {
  const found = await viewersBySession(db, { ids: [...new Set(sessionIds)], idleDays });
  const viewers = new Map(found.map((row) => [row.sessionId, new Viewer(row)]));
  return sessionIds.map((id) => viewers.get(id) ?? null);
}

/** The viewer as of now, inside a transaction: rules are checked on fresh rows. @throws Unauthenticated */
export async function freshViewer(tx: Transaction, viewer: Viewer): Promise<Viewer> {
  const [row] = await viewerBySession(tx, { id: viewer.sessionId });
  if (!row) throw new Unauthenticated();
  return new Viewer(row);
}

/** What somebody is now who is not the one asking: the creator of an invite. Their policies apply; they have no session. */
export async function viewerOf(db: Executor, userId: string): Promise<Viewer> {
  const [row] = await rows<ViewerRow>(
    db,
    sql`select ${viewerColumns} from users u left join sessions s on false where u.id = ${userId}`,
  );
  if (!row) throw new NotFound();
  return new Viewer({ ...row, sessionId: '' });
}

/** The audience of the platform's operators. */
export async function operatorsAudience(db: Pick<Database, 'select'>): Promise<string> {
  const [audience] = await db.select({ id: audiences.id }).from(audiences).where(eq(audiences.kind, 'OPERATORS'));
  if (!audience) throw new Error('the operators’ audience is missing');
  return audience.id;
}

/** Where the stored members differ from the derived ones: empty, or something is wrong. */
export function checkAudiences(
  db: Database,
): Promise<{ audienceId: string; userId: string; capacity: string; found: string }[]> {
  return rows(
    db,
    sql`
    with stored as (
      select m.audience_id, m.user_id, m.capacity from audience_members m join audiences a on a.id = m.audience_id
      where m.until is null and a.organization_id is not null
    ),
    derived as (select audience_id, user_id, capacity from derived_audience_members)
    select audience_id as "audienceId", user_id as "userId", capacity, 'MISSING' as found from (table derived except table stored) m
    union all
    select audience_id, user_id, capacity, 'EXTRA' from (table stored except table derived) e`,
  );
}

/**
 * Whom a viewer does not meet (`canSeePerson`), for a prepared list; with `meeterOf` for its values. `offset 0` has Postgres look for
 * each person by the index, instead of for all hidden people of all organizations first.
 */
export const hiddenFrom = (person: SQL, organization: SQL): SQL => sql`(
  ${person} <> ${sql.placeholder('userId')} and ${organization} <> all(${sql.placeholder('led')}::uuid[])
  and exists (select from hidden_people h where h.user_id = ${person} and h.organization_id = ${organization} offset 0)
  and not exists (
    select from hidden_people h
    where h.user_id = ${person} and h.organization_id = ${organization} and h.group_id = any(${sql.placeholder('taught')}::uuid[])
    offset 0))`;

/** Who of those in an audience meet one of some people (`canSeePerson`): all as one; or, where these are hidden, each alone. */
export async function audiencesMeeting(
  db: Executor,
  { audienceId, organizationId }: { readonly audienceId: string; readonly organizationId: string },
  userIds: readonly string[],
): Promise<string[]> {
  const people = sql`${sql.param([...userIds])}::uuid[]`;
  const [hidden] = await rows<{ groupIds: string[]; isAll: boolean }>(
    db,
    sql`
    select coalesce(array_agg(h.group_id::text) filter (where h.group_id is not null), '{}') as "groupIds",
      count(distinct h.user_id) = cardinality(${people}) as "isAll"
    from hidden_people h where h.organization_id = ${organizationId} and h.user_id = any(${people})`,
  );
  if (!hidden?.isAll) return [audienceId];
  const met = await rows<{ id: string }>(
    db,
    sql`
    select distinct m.user_id as id from audience_members m
    where m.audience_id = ${audienceId} and m.until is null and (
      m.user_id = any(${people})
      or exists (
        select from active_standings s where s.user_id = m.user_id and s.organization_id = ${organizationId}
          and (s.administrator or (s.position = 'HEAD' and s.verified)))
      or exists (
        select from active_places p
        where p.user_id = m.user_id and p.role = 'EMPLOYEE' and p.group_id = any(${sql.param(hidden.groupIds)}::uuid[])))`,
  );
  return met.map(({ id }) => id);
}

export interface Meeter extends Record<string, unknown> {
  readonly userId: string;
  readonly led: readonly string[];
  readonly taught: readonly string[];
}

/** What of the viewer decides whom they meet. */
export const meeterOf = (viewer: Viewer): Meeter => ({
  userId: viewer.userId,
  led: viewer.organizationsWhere((id) => viewer.leads(id)),
  taught: viewer.groupsTaught,
});

/** A list of people as the viewer meets them, each row with an id of its own by which it is ordered, the latest first. */
export interface People<Row, Values> {
  page(db: Database, viewer: Viewer, values: Values, page: Page): Promise<Row[]>;
  size(db: Database, viewer: Viewer, values: Values): Promise<number>;
}

/**
 * Builds such a list once: `columns` are what is read with each row beside its name, `from` whom it holds, ending in a WHERE that
 * leaves out whom the viewer does not meet (`hiddenFrom`); the person is `u`, `id` what orders, `organization` that in which they meet.
 */
export function peopleList<Row, Values extends Record<string, unknown>>(
  id: SQL,
  columns: SQL,
  from: SQL,
  organization: SQL,
): People<Row, Values> {
  const after = sql`${sql.placeholder('after')}::uuid`;
  const before = sql`${sql.placeholder('before')}::uuid`;
  const pageIn = (direction: 'asc' | 'desc') =>
    prepareRaw<Row>(sql`
      select ${id} as id, ${columns},
        ${personIn(sql`u.id`, organization)} as user
      ${from} and (${after} is null or ${id} < ${after}) and (${before} is null or ${id} > ${before})
      order by ${id} ${sql.raw(direction)} limit ${sql.placeholder('limit')}::int`);
  const pages = { asc: pageIn('asc'), desc: pageIn('desc') };
  const count = prepareRaw<{ size: number }>(sql`select count(*)::int as size ${from}`);
  return {
    page: (db, viewer, values, page) =>
      pages[page.inverted ? 'asc' : 'desc'](db, {
        ...values,
        ...meeterOf(viewer),
        after: page.after ?? null,
        before: page.before ?? null,
        limit: page.limit,
      }),
    size: async (db, viewer, values) => (await count(db, { ...values, ...meeterOf(viewer) }))[0]?.size ?? 0,
  };
}
