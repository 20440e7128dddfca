import { eq, sql } from 'drizzle-orm';
import { audit } from '../audit/commands.ts';
import { tellChat, visitChat } from '../chats/commands.ts';
import { canReadAt } from '../chats/policy.ts';
import { chats } from '../chats/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidState, NotFound } from '../errors.ts';
import { cancel, type TaskKind } from '../jobs/tasks.ts';
import { append, transact } from '../log/append.ts';
import { messages } from '../messages/tables.ts';
import { lockOrganization, visitOrganization } from '../organizations/commands.ts';
import { holdPost, tellMakers } from '../posts/commands.ts';
import { canSeePost } from '../posts/policy.ts';
import type { Viewer } from '../viewer.ts';
import { canClosePoll, type PollPlace } from './policy.ts';
import { type PollRow, polls } from './tables.ts';

/** A poll as somebody who does something with it finds it, locked, and who they are, as of now. */
export interface HeldPoll {
  readonly poll: PollRow;
  /** Its deadline has passed, though it may not have been closed by it yet. */
  readonly isDue: boolean;
  readonly place: PollPlace;
  /** The id of its chat or channel. */
  readonly placeId: string;
  readonly viewer: Viewer;
}

/** Does something with a poll that the viewer sees. Who holds it for a change waits for all who vote. @throws NotFound */
export const withPoll = <Result>(
  db: Database,
  viewer: Viewer,
  pollId: string,
  lock: 'share' | 'no key update',
  make: (tx: Transaction, held: HeldPoll) => Promise<Result>,
): Promise<Result> =>
  transact(db, async (tx) => {
    const [known] = await tx.select().from(polls).where(eq(polls.id, pollId));
    if (!known) throw new NotFound();
    const found = known.messageId
      ? await visitMessage(tx, viewer, known.messageId)
      : await visitPost(tx, viewer, known.organizationId, known.postId ?? '');
    const held = await holdPoll(tx, pollId, lock);
    if (!held) throw new NotFound();
    return make(tx, { ...held, ...found });
  });

async function holdPoll(tx: Transaction, pollId: string, lock: 'share' | 'no key update') {
  const isDue = sql<boolean>`coalesce(${polls.closesAt} <= clock_timestamp(), false)`;
  const [held] = await tx.select({ poll: polls, isDue }).from(polls).where(eq(polls.id, pollId)).for(lock);
  return held ?? null;
}

type Visited = Pick<HeldPoll, 'place' | 'placeId' | 'viewer'>;

async function visitMessage(tx: Transaction, viewer: Viewer, messageId: string): Promise<Visited> {
  const [known] = await tx.select({ chatId: messages.chatId }).from(messages).where(eq(messages.id, messageId));
  if (!known) throw new NotFound();
  const { chat, own, viewer: fresh } = await visitChat(tx, viewer, known.chatId);
  const message = await holdMessage(tx, messageId);
  if (message?.state !== 'SENT' || message.number === null || !canReadAt(own, message.number)) throw new NotFound();
  return { place: { chat: { ...chat, ...own }, own }, placeId: chat.id, viewer: fresh };
}

/** A message, which whoever deletes it waits for. */
async function holdMessage(tx: Transaction, messageId: string | null) {
  const { state, number } = messages;
  const [message] = await tx
    .select({ state, number })
    .from(messages)
    .where(eq(messages.id, messageId ?? ''))
    .for('share');
  return message ?? null;
}

async function visitPost(tx: Transaction, viewer: Viewer, organizationId: string, postId: string): Promise<Visited> {
  const { viewer: fresh } = await visitOrganization(tx, viewer, organizationId);
  const post = await holdPost(tx, postId, 'share');
  if (post.state === 'DELETED' || !canSeePost(fresh, post)) throw new NotFound();
  return { place: { post }, placeId: post.channelId, viewer: fresh };
}

/**
 * Ends the voting, for good. Repeating it changes nothing. What was not published yet has no voting to end.
 * @throws NotFound, Forbidden, InvalidState
 */
export const closePoll = (db: Database, viewer: Viewer, pollId: string): Promise<void> =>
  withPoll(db, viewer, pollId, 'no key update', async (tx, { poll, place, viewer: fresh }) => {
    if (!canClosePoll(fresh, poll, place)) throw new Forbidden('FORBIDDEN_POLL_CREATOR');
    if ('post' in place && place.post.publishedAt === null) throw new InvalidState(place.post.state);
    if (poll.state === 'CLOSED') return;
    await close(tx, poll);
    if (poll.closesAt) await cancel(tx, pollDeadline, pollId);
    if (poll.creatorId === viewer.userId) return;
    const { id, organizationId } = poll;
    const states = { before: { state: 'OPEN' }, after: { state: 'CLOSED' } };
    await audit(tx, viewer.userId, { ...states, action: 'poll.close', target: { type: 'Poll', id }, organizationId });
  });

async function close(tx: Transaction, poll: PollRow): Promise<void> {
  if (poll.electorate === 'CHILD' && !poll.anonymous) await countEachChildOnce(tx, poll);
  // Past its deadline nobody has voted, however late it is closed by it.
  const closedAt = sql`least(${polls.closesAt}, clock_timestamp())`;
  await tx.update(polls).set({ state: 'CLOSED', closedAt }).where(eq(polls.id, poll.id));
  await tellPlace(tx, poll, 'POLL_CLOSED');
}

/**
 * Of several guardians' votes for one child counts that of one who is not hidden from the others, and among those the latest: a parent
 * who found their own vote missing would know that the other has voted (§4.11).
 */
async function countEachChildOnce(tx: Transaction, { id, organizationId }: PollRow): Promise<void> {
  await tx.execute(sql`
    with ranked as (
      select v.elector, v.user_id, row_number() over (
        partition by v.elector
        order by exists (select from hidden_people h where h.user_id = v.user_id and h.organization_id = ${organizationId}),
          (select max(w.created_at) from poll_votes w where (w.poll_id, w.elector, w.user_id) = (v.poll_id, v.elector, v.user_id)) desc,
          v.user_id) as rank
      from poll_voters v where v.poll_id = ${id})
    update poll_voters v set is_counted = false
    from ranked r where v.poll_id = ${id} and r.elector = v.elector and r.user_id = v.user_id and r.rank > 1`);
  await tx.execute(sql`
    update poll_options o set vote_count = (
      select count(*) from poll_votes w
      join poll_voters v on v.poll_id = w.poll_id and v.elector = w.elector and v.user_id = w.user_id and v.is_counted
      where w.poll_id = o.poll_id and w.position = o.position)
    where o.poll_id = ${id}`);
}

/** Tells whoever reads the place of a poll; of a post that is not published yet, who makes it. */
export async function tellPlace(tx: Transaction, poll: PollRow, kind: string): Promise<void> {
  const { id: subjectId, organizationId, messageId, postId } = poll;
  if (messageId) {
    const [found] = await tx
      .select({ chat: chats })
      .from(chats)
      .innerJoin(messages, eq(messages.chatId, chats.id))
      .where(eq(messages.id, messageId));
    if (found) await tellChat(tx, found.chat, kind, subjectId);
    return;
  }
  const post = await holdPost(tx, postId ?? '', 'share');
  if (post.publishedAt === null) return tellMakers(tx, post, 'POST_CHANGED');
  const { channel } = post;
  await append(tx, {
    kind,
    organizationId,
    subjectId,
    audienceId: channel.audienceId,
    payload: { placeId: channel.id },
  });
}

/** Closes a poll when its time has come, unless it has gone with what carried it. */
export const pollDeadline: TaskKind<{ readonly pollId: string }> = {
  name: 'poll-deadline',
  run: (db, { pollId }) =>
    transact(db, async (tx) => {
      const [known] = await tx.select().from(polls).where(eq(polls.id, pollId));
      if (!known) return;
      await lockOrganization(tx, known.organizationId, 'share');
      const carrier = known.postId ? await holdPost(tx, known.postId, 'share') : await holdMessage(tx, known.messageId);
      const held = await holdPoll(tx, pollId, 'no key update');
      if (carrier?.state !== 'DELETED' && held?.isDue && held.poll.state === 'OPEN') await close(tx, held.poll);
    }),
};
