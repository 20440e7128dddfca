import { type SQL, sql } from 'drizzle-orm';
import { asChat, askerOf, type Chat, chatAsJson, type FoundChat } from '../chats/queries.ts';
import type { Database } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Page } from '../graphql/connections.ts';
import type { Batch } from '../graphql/context.ts';
import {
  audiencesHeard,
  callsOf,
  channelsHeard,
  chatsHeard,
  heard,
  isAsked,
  isBroadcastTold,
  isCallTold,
  isMeetingTold,
  isPostAsked,
  isPostTold,
  isTold,
  isUrgent,
  items,
  me,
  type Places,
  places,
  toldAt,
  weight,
} from '../notices/queries.ts';
import { type QuietHours, quietSince } from '../quiet-hours/policy.ts';
import { hoursThere, quietHoursIn } from '../quiet-hours/queries.ts';
import type { Viewer } from '../viewer.ts';
import { kindOf, ringsAt, type Weight } from './policy.ts';

/** More unread messages or posts of one place are not counted, nor missed calls. */
export const countCap = 100;

/** As what the viewer is told of what was found; null: as the message says. */
const kinds = {
  CHAT: null,
  CHANNEL: 'POST',
  ASKED: 'ACKNOWLEDGEMENT',
  BROADCAST: 'BROADCAST',
  MEETING: 'MEETING',
  CALL: 'MISSED_CALL',
} as const;

/** Something that the viewer is notified of. */
export interface Notification {
  /** Of the place whose unread or missed it tells of, or of the one thing that it tells of. */
  readonly id: string;
  /** Orders it among others. */
  readonly cursor: string;
  readonly kind: ReturnType<typeof kindOf> | Exclude<(typeof kinds)[keyof typeof kinds], null>;
  readonly organizationId: string;
  readonly chat: Chat | null;
  readonly messageId: string | null;
  readonly postId: string | null;
  readonly broadcastId: string | null;
  readonly meetingId: string | null;
  readonly callId: string | null;
  readonly count: number;
  readonly occurredAt: Date;
  readonly notifyAt: Date;
}

interface FoundItem extends Weight {
  readonly id: string;
  readonly source: keyof typeof kinds;
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
        when 'CALL' then (select count(*)::int from (
          select from chats_heard c join (${callsOf}) on ${isCallTold} where c.id = i.chat_id limit ${sql.raw(String(countCap))}) n)
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
  const takesPart = organizationIds.map((id) => viewer.takesPartIn(id));
  const now = new Date();
  const dueBefore = organizationIds.map(
    (_id, index) => quietSince(hours[index] ?? null, now)?.toISOString() ?? 'infinity',
  );
  return { ...askerOf(viewer), organizationIds, takesPart, dueBefore };
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
  return {
    ...found,
    // Of one chat both what is unread and what was missed may be told.
    id: source === 'CALL' && chat ? `${chat.id}/calls` : found.id,
    cursor: `${at}_${found.id}`,
    kind: kinds[source] ?? kindOf({ isUrgent, isMention, isReply }),
    chat: chat && asChat(chat),
    broadcastId: source === 'BROADCAST' ? found.id : null,
    meetingId: source === 'MEETING' ? found.id : null,
    callId: source === 'CALL' ? found.id : null,
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

/** When broadcasts notify the viewer, in one statement; null: one does not, or not yet. */
export const tellingOfBroadcasts = tellingOf(sql`
  with places as materialized (${places}),
  channels_heard as materialized (${channelsHeard} where h.id in (select b.channel_id from broadcasts b where b.id = ${ids}))
  select b.id, ${toldAt('b')} as at, false as "isUrgent", ${hoursThere} as hours
  from broadcasts b join channels_heard h on ${isBroadcastTold}
  join organizations o on o.id = h.organization_id
  left join quiet_hours q on q.user_id = ${me}
  where b.id = ${ids}`);

/** When meetings notify the viewer, in one statement; null: one does not, or not yet. */
export const tellingOfMeetings = tellingOf(sql`
  with places as materialized (${places})
  select t.id, ${toldAt('t')} as at, false as "isUrgent", ${hoursThere} as hours
  from meetings t join (${audiencesHeard}) a on a.audience_id = t.audience_id
  join places p on ${isMeetingTold}
  join organizations o on o.id = t.organization_id
  left join quiet_hours q on q.user_id = ${me}
  where t.id = ${ids}`);
