import { sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import { canReadAt } from '../chats/policy.ts';
import { ownOf, seenChat } from '../chats/queries.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Batch, Context } from '../graphql/context.ts';
import type { Message } from '../messages/queries.ts';
import { canSeePost } from '../posts/policy.ts';
import { type Post, postById } from '../posts/queries.ts';
import type { Viewer } from '../viewer.ts';
import type { Elector, PollPlace } from './policy.ts';
import type { PollRow } from './tables.ts';

export interface PollOption {
  readonly position: number;
  readonly text: string;
  readonly voteCount: number;
  readonly shownCount: number;
}

/** A poll with all that it shows, read in one statement. */
export interface Poll extends Omit<PollRow, 'idempotencyKey' | 'createdAt'> {
  readonly options: readonly PollOption[];
  readonly voterCount: number;
  readonly creator: PersonName;
  /** Of a poll in a chat: where it stands, and whether everybody who takes part now may read that. */
  readonly chatId: string | null;
  readonly audienceId: string | null;
  readonly number: number | null;
  readonly isSent: boolean;
  readonly isForAll: boolean;
  /** What carries it, where that has been read. */
  readonly message?: Message;
  readonly post?: Post;
}

type Found = Omit<Poll, 'closesAt' | 'closedAt'> & { closesAt: string | null; closedAt: string | null };

const pollsBy = (column: string) =>
  prepareRaw<Found, { ids: readonly string[] }>(sql`
  select p.id, p.organization_id as "organizationId", p.message_id as "messageId", p.post_id as "postId",
    p.creator_id as "creatorId", p.question, p.multiple, p.anonymous, p.electorate, p.results, p.state,
    p.closes_at as "closesAt", p.closed_at as "closedAt",
    (select json_agg(json_build_object('position', o.position, 'text', o.text, 'voteCount', o.vote_count, 'shownCount', o.shown_count) order by o.position)
      from poll_options o where o.poll_id = p.id) as options,
    (select count(distinct v.elector)::int from poll_voters v where v.poll_id = p.id) as "voterCount",
    ${personIn(sql`p.creator_id`, sql`p.organization_id`)} as creator,
    m.chat_id as "chatId", c.audience_id as "audienceId", m.number, coalesce(m.state = 'SENT', false) as "isSent",
    c.history_visibility = 'ALL' or not exists (
      select from audience_members w
      where w.audience_id = c.audience_id and w.until is null and w.since_number >= m.number) as "isForAll"
  from polls p
  left join messages m on m.id = p.message_id left join chats c on c.id = m.chat_id
  where ${sql.raw(column)} = any(${sql.placeholder('ids')}::uuid[])`);

const instant = (value: string | null): Date | null => (value === null ? null : new Date(value));

function pollBy(column: string, keyOf: (poll: Poll) => string | null): Batch<string, Poll | null> {
  const read = pollsBy(column);
  return async (db, ids) => {
    const found = (await read(db, { ids: [...ids] })).map(
      (row): Poll => ({ ...row, closesAt: instant(row.closesAt), closedAt: instant(row.closedAt) }),
    );
    const index = new Map(found.map((poll) => [keyOf(poll), poll]));
    return ids.map((id) => index.get(id) ?? null);
  };
}

/** Polls by their ids, whoever asks. */
export const pollById = pollBy('p.id', ({ id }) => id);
/** The polls that messages carry. */
export const pollOfMessage = pollBy('p.message_id', ({ messageId }) => messageId);
/** The polls of posts. */
export const pollOfPost = pollBy('p.post_id', ({ postId }) => postId);

const postOf = (ctx: Context, { post, postId }: Poll): Promise<Post> =>
  post ? Promise.resolve(post) : ctx.loadExisting(postById, postId ?? '');

/** Whether whoever looks sees a poll: with the message or the post that carries it. */
export async function seesPoll(ctx: Context, poll: Poll): Promise<boolean> {
  const { chatId, audienceId, number } = poll;
  if (chatId === null || audienceId === null || number === null) {
    if (poll.postId === null) return false;
    const post = await postOf(ctx, poll);
    return post.state !== 'DELETED' && ctx.sees(canSeePost, post);
  }
  if (!poll.isSent) return false;
  return ctx.belongs(
    audienceId,
    async () => canReadAt(await ownOf(ctx, { id: chatId }), number),
    async () => poll.isForAll,
  );
}

/** Where a poll is that the viewer sees. */
export async function placeOf(ctx: Context, poll: Poll): Promise<PollPlace> {
  if (poll.chatId === null) return { post: await postOf(ctx, poll) };
  const chat = await ctx.loadExisting(seenChat, poll.chatId);
  return { chat: { ...chat, ...chat.own }, own: chat.own };
}

/** For whom the viewer votes in a poll, and what of that is written down. */
export interface OwnElector extends Elector {
  /** Their own; empty where the poll is anonymous. */
  readonly positions: readonly number[];
}

interface Asker extends Record<string, unknown> {
  readonly ids: readonly string[];
  readonly userId: string;
  readonly childIds: readonly string[];
}

/** In a poll for children they vote for those of theirs who are of the place's group; where all are told, of the organization. */
const ownElectors = prepareRaw<OwnElector & { pollId: string }, Asker>(sql`
  select p.id as "pollId", e.elector, e.child_id as "childId", v.elector is not null as "hasVoted",
    array(
      select w.position from poll_votes w
      where w.poll_id = p.id and w.elector = e.elector and w.user_id = ${sql.placeholder('userId')}::uuid
      order by w.position) as positions
  from polls p
  left join messages m on m.id = p.message_id left join chats c on c.id = m.chat_id
  left join posts o on o.id = p.post_id left join channels h on h.id = o.channel_id
  cross join lateral (
    select ${sql.placeholder('userId')}::uuid as elector, null::uuid as child_id where p.electorate = 'PERSON'
    union all
    select k.id, k.id from children k
    where p.electorate = 'CHILD' and k.id = any(${sql.placeholder('childIds')}::uuid[])
      and k.organization_id = p.organization_id and (h.kind = 'COMMUNITY' or k.group_id = coalesce(c.group_id, h.group_id))
  ) e
  left join poll_voters v on v.poll_id = p.id and v.elector = e.elector and v.user_id = ${sql.placeholder('userId')}::uuid
  where p.id = any(${sql.placeholder('ids')}::uuid[])
  order by e.elector`);

const askerOf = ({ userId, children }: Viewer) => ({ userId, childIds: children });

/** For whom the viewer votes in polls, and how they have, in one statement. */
export const electorsIn: Batch<string, readonly OwnElector[]> = async (db, ids, viewer) => {
  const found = Map.groupBy(await ownElectors(db, { ...askerOf(viewer()), ids: [...ids] }), ({ pollId }) => pollId);
  return ids.map((id) => found.get(id) ?? []);
};
