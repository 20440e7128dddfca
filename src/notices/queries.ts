import { type SQL, sql } from 'drizzle-orm';
import { missedSince } from '../calls/queries.ts';
import { type Asker, counts } from '../chats/queries.ts';
import { noRow } from '../graphql/ids.ts';

/** Of a muted chat only the latest are looked through for what is told all the same. */
export const mutedReach = 1_000;

/** Who asks. */
export const me = sql`${sql.placeholder('userId')}::uuid`;

/**
 * Where the viewer is, whether they do more there than read, and before when it must have come there to be told of by now.
 */
export const places = sql`
  select p.id, p.takes_part, p.due_before
  from unnest(${sql.placeholder('organizationIds')}::uuid[], ${sql.placeholder('takesPart')}::boolean[],
    ${sql.placeholder('dueBefore')}::timestamptz[]) p (id, takes_part, due_before)`;

export interface Places extends Asker {
  readonly organizationIds: readonly string[];
  readonly takesPart: readonly boolean[];
  readonly dueBefore: readonly string[];
}

const isMuted = sql.raw('k.muted_at is not null and coalesce(k.muted_until > now(), true)');

/** The chats in which the viewer takes part, each with the number behind which it may notify them, and what was said while they did. */
export const chatsHeard = sql`
  select c.id, c.organization_id, c.kind, c.group_id, c.audience_id, c.last_number, p.due_before, ${isMuted} as is_muted,
    k.calls_seen_at, s.stretches,
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

export const isUrgent = sql`m.priority = 'URGENT'`;
export const isMention = sql`${me} = any(m.mentions)`;
// As a value: of an exists, Postgres may read all that the viewer ever wrote.
export const isReply = sql`coalesce((select r.author_id from messages r where r.id = m.reply_to_id) = ${me}, false)`;
const isDue = sql`(m.sent_at < c.due_before or ${isUrgent})`;

/** Messages `m` of a chat `c` of which the viewer is told with the chat. What is to be acknowledged is told by itself. */
export const isTold = sql`
  m.chat_id = c.id and m.number > c.behind and m.state = 'SENT' and m.author_id <> ${me} and not m.acknowledgement_required
  and ${isDue} and (not c.is_muted or ${isUrgent} or ${isMention} or ${isReply})`;

/** Messages `m` of a chat `c` that were said when the viewer took part, and that they are to acknowledge yet. */
export const isAsked = sql`
  m.chat_id = c.id and m.acknowledgement_required and m.state = 'SENT' and m.author_id <> ${me} and ${isDue}
  and c.stretches @> m.number
  and (select a.user_id from message_acknowledgements a where a.message_id = m.id and a.user_id = ${me}) is null`;

/** The channels that the viewer reads and has not muted, each with the place behind which its posts are unread. */
export const channelsHeard = sql`
  select h.id, h.organization_id, h.state, p.takes_part, p.due_before, s.since,
    coalesce(k.read_through, ${sql.raw(`'${noRow}'`)}) as behind, ${isMuted} as is_muted
  from places p
  join channels h on h.organization_id = p.id
  join (
    select audience_id, min(since) as since from audience_members
    where user_id = ${me} and until is null group by audience_id) s on s.audience_id = h.audience_id
  left join channel_marks k on k.channel_id = h.id and k.user_id = ${me}`;

/** Posts `t` of a channel `h` of which the viewer is told with the channel. */
export const isPostTold = sql`
  t.channel_id = h.id and t.state = 'PUBLISHED' and t.author_id <> ${me} and not t.acknowledgement_required
  and not h.is_muted and t.place > h.behind and t.published_at >= h.since and t.published_at < h.due_before`;

/** Posts `t` of a channel `h` that the viewer is to acknowledge yet. */
export const isPostAsked = sql`
  t.channel_id = h.id and t.state = 'PUBLISHED' and t.acknowledgement_required and t.published_at < h.due_before
  and exists (select from post_recipients r where r.post_id = t.id and r.user_id = ${me})
  and (select a.user_id from post_acknowledgements a where a.post_id = t.id and a.user_id = ${me}) is null`;

/** A broadcast or meeting that people are told of: it goes on, or its reminder has come and it is not an hour late. */
const isNear = (what: 'b' | 't'): SQL =>
  sql.raw(`(${what}.state in ('SCHEDULED', 'LIVE') and (${what}.state = 'LIVE'
    or ${what}.starts_at - ${what}.remind_before * interval '1 minute' <= now() and ${what}.starts_at > now() - interval '1 hour'))`);

/** When they are told of it: as it begins, or by its reminder, and not before it was planned. */
export const toldAt = (what: 'b' | 't'): SQL =>
  sql.raw(`case ${what}.state when 'LIVE' then ${what}.started_at
    else greatest(${what}.starts_at - ${what}.remind_before * interval '1 minute', ${what}.created_at) end`);

/** Broadcasts `b` of a channel `h` that the viewer may watch soon, or now and has not come yet. In one put away none begins. */
export const isBroadcastTold = sql`
  b.channel_id = h.id and ${isNear('b')} and (b.state = 'LIVE' or h.state = 'ACTIVE')
  and h.takes_part and not h.is_muted and b.host_id <> ${me} and ${toldAt('b')} < h.due_before
  and (select a.user_id from broadcast_attendances a where a.broadcast_id = b.id and a.user_id = ${me}) is null`;

/** The audiences that the viewer belongs to. */
export const audiencesHeard = sql`
  select distinct audience_id from audience_members where user_id = ${me} and until is null`;

/**
 * Meetings `t`, in a place `p`, of an audience `a`, where the viewer is expected soon, or now and has not come yet. Of a muted
 * chat, too: it is for few, and they wait for each other. In a place that is frozen or put away none begins.
 */
export const isMeetingTold = sql`
  t.audience_id = a.audience_id and ${isNear('t')}
  and (t.state = 'LIVE' or coalesce((select c.state::text from chats c where c.id = t.chat_id),
    (select g.state::text from groups g where g.id = t.group_id)) = 'ACTIVE')
  and p.id = t.organization_id and p.takes_part and t.host_id <> ${me}
  and ${toldAt('t')} < p.due_before
  and (select r.user_id from participations r where r.room_id = t.id and r.user_id = ${me}
    and (r.admitted_at is not null or r.joined_at is not null or r.in_person)) is null`;

/** Calls `l` of a chat `c` that the viewer, who did `p` about them, has missed since they looked there last. */
export const isCallTold = sql`
  l.chat_id = c.id and not c.is_muted and l.ended_at < c.due_before and ${missedSince(sql`c.calls_seen_at`)}`;

/** Calls of a chat `c`, with what the viewer did about them, `p`. */
export const callsOf = sql`calls l left join participations p on p.room_id = l.id and p.user_id = ${me}`;

export const heard = sql`places as materialized (${places}), chats_heard as materialized (${chatsHeard}),
  channels_heard as materialized (${channelsHeard})`;

/**
 * One for each chat and channel with something unread, of the latest of it; one for whatever is to be acknowledged, and for each
 * broadcast and meeting; one for each chat with missed calls, of the latest.
 */
export const items = sql`
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
  join channels_heard h on ${isPostAsked}
  union all
  select b.id, 'BROADCAST', h.organization_id, null, null, null, b.at
  from channels_heard h cross join lateral (
    select b.id, ${toldAt('b')} as at from broadcasts b where ${isBroadcastTold} offset 0) b
  union all
  select t.id, 'MEETING', t.organization_id, null, null, null, t.at
  from (${audiencesHeard}) a cross join lateral (
    select t.id, t.organization_id, ${toldAt('t')} as at from meetings t join places p on ${isMeetingTold} offset 0) t
  union all
  select l.id, 'CALL', c.organization_id, c.id, null, null, l.ended_at
  from chats_heard c cross join lateral (
    select l.id, l.ended_at from ${callsOf} where ${isCallTold} order by l.id desc limit 1) l`;

/** What a message weighs. */
export const weight = sql`${isUrgent} as "isUrgent", ${isMention} as "isMention", ${isReply} as "isReply"`;
