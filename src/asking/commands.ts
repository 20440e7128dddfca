import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { visitChat } from '../chats/commands.ts';
import { chats } from '../chats/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { demandComingYear, idempotencyKey, requiredProse, valid } from '../input.ts';
import { cancel, enqueue } from '../jobs/tasks.ts';
import { transact } from '../log/append.ts';
import { demandWriting, placeMessage } from '../messages/commands.ts';
import { messages } from '../messages/tables.ts';
import { pollDeadline } from '../polls/commands.ts';
import { canAskForChildren, canAskInChat, canAttachPoll, isOfFamilies } from '../polls/policy.ts';
import { type PollRow, pollElectorate, pollOptions, pollResults, polls } from '../polls/tables.ts';
import { changePost, type HeldPost, publishersOnly, setPost, takeStep, tellMakers } from '../posts/commands.ts';
import { canEditPost } from '../posts/policy.ts';
import type { PostRow } from '../posts/tables.ts';
import { capacityFor, clientMessageId } from '../sending/commands.ts';
import type { Viewer } from '../viewer.ts';

/** Characters of a question and of an answer, and answers of a poll. */
const maxQuestion = 500;
const maxOption = 200;
const optionCounts = { min: 2, max: 12 };

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const id = z
  .string()
  .nullish()
  .transform((value) => value ?? null);

const CreatePoll = z.object({
  chatId: id,
  postId: id,
  question: requiredProse(maxQuestion),
  options: z.array(requiredProse(maxOption)).min(optionCounts.min).max(optionCounts.max),
  multiple: flag,
  anonymous: flag,
  electorate: z
    .enum(pollElectorate.enumValues)
    .nullish()
    .transform((value) => value ?? 'PERSON'),
  results: z
    .enum(pollResults.enumValues)
    .nullish()
    .transform((value) => value ?? 'ALWAYS'),
  closesAt: z
    .date()
    .nullish()
    .transform((value) => value ?? null),
  capacity: z.enum(['EMPLOYEE', 'GUARDIAN', 'STUDENT']).nullish(),
  clientMessageId: clientMessageId.nullish(),
  idempotencyKey,
});
type Wish = z.output<typeof CreatePoll>;

/**
 * Asks a question in a chat, as a message, or in a post that is not published yet. Neither the question nor its answers change
 * any more. @returns the poll's id @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function createPoll(db: Database, viewer: Viewer, input: unknown): Promise<string> {
  const wish = valid(CreatePoll, input);
  const different = new Set(wish.options.map((option) => option.normalize('NFKC').toLowerCase()));
  if (different.size < wish.options.length) throw new InvalidInput('options', 'INVALID_POLL_OPTIONS');
  // Which vote of a child's guardians is the child's could not be decided in the end: nobody knows which one it was.
  if (wish.anonymous && wish.electorate === 'CHILD') throw new InvalidInput('anonymous', 'INVALID_POLL_CHILDREN');
  const { chatId, postId } = wish;
  if (chatId !== null && postId === null) return askInChat(db, viewer, chatId, wish);
  if (postId !== null && chatId === null) return askInPost(db, viewer, postId, wish);
  throw new InvalidInput('chatId', 'INVALID_POLL_PLACE');
}

const askInChat = (db: Database, viewer: Viewer, chatId: string, wish: Wish): Promise<string> =>
  transact(db, async (tx) => {
    const { chat, own } = await visitChat(tx, viewer, chatId);
    if (!wish.clientMessageId) throw new InvalidInput('clientMessageId', 'INVALID_POLL_KEY');
    // A repeat waits here for the first, and then finds it.
    await tx.select({ id: chats.id }).from(chats).where(eq(chats.id, chatId)).for('no key update');
    const first = await firstInChat(tx, viewer, chatId, wish.clientMessageId, wish);
    if (first) return first;
    demandWriting({ own, chat });
    const capacity = capacityFor(own, { capacity: wish.capacity ?? null });
    if (!canAskInChat(own, chat, capacity)) throw new Forbidden('FORBIDDEN_POLL');
    if (wish.anonymous && chat.kind === 'DIRECT') throw new InvalidInput('anonymous', 'INVALID_POLL_DIRECT');
    demandComingYear('closesAt', wish.closesAt);
    if (wish.electorate === 'CHILD') {
      if (!isOfFamilies({ chat: { ...chat, ...own }, own }))
        throw new InvalidInput('electorate', 'INVALID_POLL_ELECTORATE');
      if (!canAskForChildren(own, capacity)) throw new Forbidden('FORBIDDEN_CHAT_STAFF');
    }
    const messageId = await placeMessage(tx, chat, {
      authorId: viewer.userId,
      capacity,
      text: wish.question,
      clientMessageId: wish.clientMessageId,
    });
    return insertPoll(tx, viewer, wish, { organizationId: chat.organizationId, messageId });
  });

async function firstInChat(
  tx: Transaction,
  { userId }: Viewer,
  chatId: string,
  key: string,
  wish: Wish,
): Promise<string | null> {
  const [first] = await tx
    .select({ id: polls.id, question: polls.question, state: messages.state })
    .from(messages)
    .leftJoin(polls, eq(polls.messageId, messages.id))
    .where(and(eq(messages.authorId, userId), eq(messages.chatId, chatId), eq(messages.clientMessageId, key)));
  if (!first) return null;
  const isOther = first.state !== 'DELETED' && first.question !== wish.question;
  if (first.id === null || isOther) throw new InvalidInput('clientMessageId', 'KEY_REUSED');
  return first.id;
}

const askInPost = (db: Database, viewer: Viewer, postId: string, wish: Wish): Promise<string> =>
  changePost(db, viewer, postId, async (tx, { post, viewer: fresh }) => {
    const first = wish.idempotencyKey ? await firstByKey(tx, viewer, wish.idempotencyKey) : null;
    if (first && (first.postId !== postId || first.question !== wish.question))
      throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
    if (first) return first.id;
    demandAttachable(fresh, post);
    demandComingYear('closesAt', wish.closesAt);
    if (wish.electorate === 'CHILD' && !isOfFamilies({ post }))
      throw new InvalidInput('electorate', 'INVALID_POLL_ELECTORATE');
    const [other] = await tx.select({ id: polls.id }).from(polls).where(eq(polls.postId, postId));
    if (other) throw new InvalidInput('postId', 'INVALID_POLL_EXISTS');
    const made = await insertPoll(tx, viewer, wish, { organizationId: post.organizationId, postId });
    await postChanged(tx, viewer, post);
    return made;
  });

async function firstByKey(tx: Transaction, { userId }: Viewer, key: string): Promise<PollRow | null> {
  const [first] = await tx
    .select()
    .from(polls)
    .where(and(eq(polls.creatorId, userId), eq(polls.idempotencyKey, key)));
  return first ?? null;
}

function demandAttachable(viewer: Viewer, post: HeldPost): void {
  if (canAttachPoll(viewer, post)) return;
  throw canEditPost(viewer, post) || post.state === 'ARCHIVED' || post.state === 'DELETED'
    ? new InvalidState(post.state)
    : publishersOnly(post.channel);
}

async function postChanged(tx: Transaction, { userId }: Viewer, before: HeldPost): Promise<HeldPost> {
  const post = await setPost(tx, before, {});
  await takeStep(tx, userId, post, 'EDITED');
  await tellMakers(tx, post, 'POST_CHANGED');
  return post;
}

async function insertPoll(
  tx: Transaction,
  { userId: creatorId }: Viewer,
  { question, options, multiple, anonymous, electorate, results, closesAt, idempotencyKey: key }: Wish,
  owner: Pick<typeof polls.$inferInsert, 'organizationId' | 'messageId' | 'postId'>,
): Promise<string> {
  const rules = { multiple, anonymous, electorate, results, closesAt };
  const [poll] = await tx
    .insert(polls)
    .values({ ...owner, ...rules, creatorId, question, idempotencyKey: owner.postId ? key : null })
    .returning({ id: polls.id });
  if (!poll) throw new Error('insert returned no row');
  const { id: pollId } = poll;
  await tx.insert(pollOptions).values(options.map((text, index) => ({ pollId, text, position: index + 1 })));
  if (closesAt) await enqueue(tx, pollDeadline, { pollId }, { at: closesAt, key: pollId });
  return pollId;
}

/** Takes the poll off a post that is not published yet. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const removePoll = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post, viewer: fresh }) => {
    demandAttachable(fresh, post);
    const [poll] = await tx.select({ id: polls.id }).from(polls).where(eq(polls.postId, postId));
    if (!poll) return post;
    await cancel(tx, pollDeadline, poll.id);
    await tx.delete(pollOptions).where(eq(pollOptions.pollId, poll.id));
    await tx.delete(polls).where(eq(polls.id, poll.id));
    return postChanged(tx, viewer, post);
  });
