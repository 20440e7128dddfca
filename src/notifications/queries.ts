import { type SQL, sql } from 'drizzle-orm';
import { type Asker, asChat, askerOf, type Chat, chatAsJson, counts, type FoundChat } from '../chats/queries.ts';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Page } from '../graphql/connections.ts';
import type { Batch } from '../graphql/context.ts';
import { noRow } from '../graphql/ids.ts';
import { type QuietHours, quietSince } from '../quiet-hours/policy.ts';
import { hoursThere, quietHoursIn } from '../quiet-hours/queries.ts';
import type { Viewer } from '../viewer.ts';
import { kindOf, ringsAt, type Weight } from './policy.ts';

/** More unread messages or posts of one place are not counted. */
export const countCap = 100;
/** Of a muted chat only the latest are looked through for what is told all the same. */
export const mutedReach = 1_000;

/** Something that the viewer is notified of. */
export interface Notification {
  /** Of the chat or channel whose unread it tells of, or of the message or post that is to be acknowledged. */
  readonly id: string;
  /** Orders it among others. */
  readonly cursor: string;
  readonly kind: ReturnType<typeof kindOf> | 'POST' | 'ACKNOWLEDGEMENT';
  readonly organizationId: string;
  readonly chat: Chat | null;
  readonly messageId: string | null;
  readonly postId: string | null;
  readonly count: number;
  readonly occurredAt: Date;
  readonly notifyAt: Date;
}

const me = sql`${sql.placeholder('userId')}::uuid`;

/** Where the viewer is, and before when it must have come there to be told of by now. */
const places = sql`
  select p.id, p.due_before
  from unnest(${sql.placeholder('organizationIds')}::uuid[], ${sql.placeholder('dueBefore')}::timestamptz[]) p (id, due_before)`;

interface Places extends Asker {
  readonly organizationIds: readonly string[];
  readonly dueBefore: readonly string[];
}

const isMuted = sql.raw('k.muted_at is not null and coalesce(k.muted_until > now(), true)');

/** The chats in which the viewer takes part, each with the number behind which it may notify them, and what was said while they did. */
const chatsHeard = sql`
  select c.id, c.organization_id, c.last_number, p.due_before, ${isMuted} as is_muted, s.stretches,
    greatest(s.since, k.read_through, case when ${isMuted} then c.last_number - ${sql.raw(String(mutedReach))} end) as behind
  from (
    select m.audience_id, min(m.since_number) filter (where m.until is null) as since,
      range_agg(int8range(m.since_number, m.until_number, '(]')) as stretches
    from audience_members m join chats c on c.audience_id = m.audience_id
    where m.user_id = ${me} and ${counts}
    group by m.audience_id having bool_or(m.until is null)) s
  join chats c on c.audience_id = s.audience_id
  join places p on p.id = c.organization_id
  left join chat_marks k on k.chat_id = c.id and k.user_id = ${me}`;

const isUrgent = sql`m.priority = 'URGENT'`;
const isMention = sql`${me} = any(m.mentions)`;
// As a value: of an exists, Postgres may read all that the viewer ever wrote.
const isReply = sql`coalesce((select r.author_id from messages r where r.id = m.reply_to_id) = ${me}, false)`;
const isDue = sql`(m.sent_at < c.due_before or ${isUrgent})`;

/** Messages `m` of a chat `c` of which the viewer is told with the chat. What is to be acknowledged is told by itself. */
const isTold = sql`
  m.chat_id = c.id and m.number > c.behind and m.state = 'SENT' and m.author_id <> ${me} and not m.acknowledgement_required
  and ${isDue} and (not c.is_muted or ${isUrgent} or ${isMention} or ${isReply})`;

/** Messages `m` of a chat `c` that were said when the viewer took part, and that they are to acknowledge yet. */
const isAsked = sql`
  m.chat_id = c.id and m.acknowledgement_required and m.state = 'SENT' and m.author_id <> ${me} and ${isDue}
  and c.stretches @> m.number
  and (select a.user_id from message_acknowledgements a where a.message_id = m.id and a.user_id = ${me}) is null`;

/** The channels that the viewer reads and has not muted, each with the place behind which its posts are unread. */
const channelsHeard = sql`
  select h.id, h.organization_id, p.due_before, s.since,
    coalesce(k.read_through, ${sql.raw(`'${noRow}'`)}) as behind, ${isMuted} as is_muted
  from places p
  join channels h on h.organization_id = p.id
  join (
    select audience_id, min(since) as since from audience_members
    where user_id = ${me} and until is null group by audience_id) s on s.audience_id = h.audience_id
  left join channel_marks k on k.channel_id = h.id and k.user_id = ${me}`;

/** Posts `t` of a channel `h` of which the viewer is told with the channel. */
const isPostTold = sql`
  t.channel_id = h.id and t.state = 'PUBLISHED' and t.author_id <> ${me} and not t.acknowledgement_required
  and not h.is_muted and t.place > h.behind and t.published_at >= h.since and t.published_at < h.due_before`;

/** Posts `t` of a channel `h` that the viewer is to acknowledge yet. */
const isPostAsked = sql`
  t.channel_id = h.id and t.state = 'PUBLISHED' and t.acknowledgement_required and t.published_at < h.due_before
  and exists (select from post_recipients r where r.post_id = t.id and r.user_id = ${me})
  and (select a.user_id from post_acknowledgements a where a.post_id = t.id and a.user_id = ${me}) is null`;

const heard = sql`places as materialized (${places}), chats_heard as materialized (${chatsHeard}),
  channels_heard as materialized (${channelsHeard})`;

/** One for each chat and channel with something unread, of the latest of it; and one for whatever is to be acknowledged. */
const items = sql`
  select c.id, 'CHAT' as source, c.organization_id, c.id as chat_id, m.id as message_id, null::uuid as post_id, m.sent_at as at
  from chats_heard c cross join lateral (
    select m.id, m.sent_at from messages m where ${isTold} order by m.number desc limit 1) m
  where c.last_number > c.behind
  union all
  select m.id, 'ASKED', c.organization_id, c.id, m.id, null, m.sent_at
  from chats_heard c cross join lateral (
    select m.id, m.sent_at from messages m where ${isAsked} order by m.number desc offset 0) m
  union all
  select h.id, 'CHANNEL', h.organization_id, null, null, t.id, t.published_at
  from channels_heard h cross join lateral (
    select t.id, t.published_at from posts t where ${isPostTold} order by t.place desc limit 1) t
  union all
  select t.id, 'ASKED', h.organization_id, null, null, t.id, t.published_at
  from (select distinct post_id from post_recipients where user_id = ${me}) r
  join posts t on t.id = r.post_id
  join channels_heard h on ${isPostAsked}`;

const weight = sql`${isUrgent} as "isUrgent", ${isMention} as "isMention", ${isReply} as "isReply"`;

interface FoundItem extends Weight {
  readonly id: string;
  readonly source: 'CHAT' | 'CHANNEL' | 'ASKED';
  readonly organizationId: string;
  readonly chat: FoundChat | null;
  readonly messageId: string | null;
  readonly postId: string | null;
  readonly count: number;
  /** Microseconds since 1970. */
  readonly at: number;
  readonly hours: QuietHours | null;
}

type Bound = { after: number | null; afterId: string | null; before: number | null; beforeId: string | null };

const bound = (name: 'after' | 'before', compared: SQL): SQL =>
  sql`(${sql.placeholder(name)}::bigint is null or (i.micros, i.id) ${compared}
    (${sql.placeholder(name)}::bigint, ${sql.placeholder(`${name}Id`)}::uuid))`;

const pageStatement = (direction: 'asc' | 'desc') =>
  prepareRaw<FoundItem, Places & Bound & { limit: number }>(sql`
    with ${heard},
    page as materialized (
      select i.* from (select x.*, (extract(epoch from x.at) * 1000000)::bigint as micros from (${items}) x) i
      where ${bound('after', sql`<`)} and ${bound('before', sql`>`)}
      order by i.micros ${sql.raw(direction)}, i.id ${sql.raw(direction)} limit ${sql.placeholder('limit')}::int
    )
    select i.id, i.source, i.organization_id as "organizationId", i.message_id as "messageId", i.post_id as "postId", i.micros as at,
      case i.source
        when 'CHAT' then (select count(*)::int from (
          select from chats_heard c join messages m on ${isTold} where c.id = i.id limit ${sql.raw(String(countCap))}) n)
        when 'CHANNEL' then (select count(*)::int from (
          select from channels_heard h join posts t on ${isPostTold} where h.id = i.id limit ${sql.raw(String(countCap))}) n)
        else 1 end as count,
      case when i.chat_id is not null then ${chatAsJson(sql`i.chat_id`)} end as chat,
      ${weight}, ${hoursThere} as hours
    from page i
    join organizations o on o.id = i.organization_id
    left join quiet_hours q on q.user_id = ${me}
    left join messages m on m.id = i.message_id
    order by i.micros ${sql.raw(direction)}, i.id ${sql.raw(direction)}`);

const forth = pageStatement('desc');
const back = pageStatement('asc');

const size = prepareRaw<{ size: number }, Places>(sql`with ${heard} select count(*)::int as size from (${items}) i`);

/** Which notifications. */
export interface NotificationFilter {
  readonly organizationId: string | null;
  /** Only those whose time has come. */
  readonly dueOnly: boolean;
}

async function placesOf(
  db: Database,
  viewer: Viewer,
  { organizationId, dueOnly }: NotificationFilter,
): Promise<Places> {
  const organizationIds = viewer.organizationsWhere((id) => organizationId === null || id === organizationId);
  const hours = dueOnly ? await quietHoursIn(db, organizationIds, () => viewer) : [];
  const now = new Date();
  const dueBefore = organizationIds.map(
    (_id, index) => quietSince(hours[index] ?? null, now)?.toISOString() ?? 'infinity',
  );
  return { ...askerOf(viewer), organizationIds, dueBefore };
}

/** What a cursor looks like: microseconds since 1970, and the notification. */
export const cursors = /^[1-9][0-9]{0,15}_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function boundOf({ after, before }: Page): Bound {
  const [afterAt, afterId = null] = after?.split('_') ?? [];
  const [beforeAt, beforeId = null] = before?.split('_') ?? [];
  return { after: afterAt ? Number(afterAt) : null, afterId, before: beforeAt ? Number(beforeAt) : null, beforeId };
}

/** A page of what the viewer is notified of, latest first. */
export async function pageOfNotifications(
  db: Database,
  viewer: Viewer,
  filter: NotificationFilter,
  page: Page,
): Promise<Notification[]> {
  const values = { ...(await placesOf(db, viewer, filter)), ...boundOf(page), limit: page.limit };
  return (await (page.inverted ? back : forth)(db, values)).map(asNotification);
}

export async function sizeOfNotifications(db: Database, viewer: Viewer, filter: NotificationFilter): Promise<number> {
  const [counted] = await size(db, await placesOf(db, viewer, filter));
  return counted?.size ?? 0;
}

function asNotification({ source, chat, at, hours, isUrgent, isMention, isReply, ...found }: FoundItem): Notification {
  const occurredAt = new Date(at / 1000);
  const message = found.messageId ? kindOf({ isUrgent, isMention, isReply }) : 'POST';
  return {
    ...found,
    cursor: `${at}_${found.id}`,
    kind: source === 'ASKED' ? 'ACKNOWLEDGEMENT' : message,
    chat: chat && asChat(chat),
    occurredAt,
    notifyAt: ringsAt(occurredAt, { isUrgent }, hours),
  };
}

/** When something notifies the viewer, by its id; null: it does not. */
function tellingOf(statement: SQL): Batch<string, Date | null> {
  const read = prepareRaw<Told, Places & { ids: readonly string[] }>(statement);
  return async (db, ids, viewer) => {
    const values = { ...(await placesOf(db, viewer(), { organizationId: null, dueOnly: false })), ids: [...ids] };
    const found = new Map((await read(db, values)).map((row) => [row.id, ringsAt(new Date(row.at), row, row.hours)]));
    return ids.map((id) => found.get(id) ?? null);
  };
}

interface Told extends Pick<Weight, 'isUrgent'> {
  readonly id: string;
  readonly at: string;
  readonly hours: QuietHours | null;
}

const ids = sql`any(${sql.placeholder('ids')}::uuid[])`;

/** When messages notify the viewer, in one statement; null: one does not, or has been read. */
export const tellingOfMessages = tellingOf(sql`
  with places as materialized (${places}),
  chats_heard as materialized (${chatsHeard} where c.id in (select m.chat_id from messages m where m.id = ${ids}))
  select m.id, m.sent_at as at, ${isUrgent} as "isUrgent", ${hoursThere} as hours
  from messages m join chats_heard c on (${isTold}) or (${isAsked})
  join organizations o on o.id = c.organization_id
  left join quiet_hours q on q.user_id = ${me}
  where m.id = ${ids}`);

/** When posts notify the viewer, in one statement; null: one does not, or has been read. */
export const tellingOfPosts = tellingOf(sql`
  with places as materialized (${places}),
  channels_heard as materialized (${channelsHeard} where h.id in (select t.channel_id from posts t where t.id = ${ids}))
  select t.id, t.published_at as at, false as "isUrgent", ${hoursThere} as hours
  from posts t join channels_heard h on (${isPostTold}) or (${isPostAsked})
  join organizations o on o.id = h.organization_id
  left join quiet_hours q on q.user_id = ${me}
  where t.id = ${ids}`);
