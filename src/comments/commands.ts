import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { audit } from '../audit/commands.ts';
import { isPublisher } from '../channels/policy.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { forget } from '../forgetting/commands.ts';
import { idempotencyKey, line, requiredProse, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { visitOrganization } from '../organizations/commands.ts';
import {
  addToPost,
  type HeldPost,
  holdPost,
  participantsOnly,
  publishersOnly,
  tellPublishers,
} from '../posts/commands.ts';
import { canTakePart } from '../posts/policy.ts';
import type { Viewer } from '../viewer.ts';
import { canComment, canEditComment, canModerate, canSeeComment } from './policy.ts';
import { type Comment, commentById } from './queries.ts';
import { type CommentRow, comments } from './tables.ts';

const text = requiredProse(2000);
const AddComment = z.object({ text, idempotencyKey });

/**
 * Comments on a post; where comments are moderated, and the author does not publish there, it waits for approval.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function addComment(db: Database, viewer: Viewer, postId: string, input: unknown): Promise<CommentRow> {
  const wish = valid(AddComment, input);
  return addToPost(db, viewer, postId, async (tx, { post, viewer: fresh }) => {
    if (!canTakePart(fresh, post)) throw participantsOnly(post);
    if (!canComment(fresh, post)) throw new InvalidInput('postId', 'INVALID_COMMENTING_OFF');
    const waits = post.commenting === 'MODERATED' && !isPublisher(fresh, post.channel);
    const { organizationId, channelId } = post;
    const [comment] = await tx
      .insert(comments)
      .values({
        ...wish,
        organizationId,
        channelId,
        postId,
        authorId: viewer.userId,
        ...(waits ? { state: 'PENDING' } : { state: 'PUBLISHED', shownAt: sql`now()` }),
      })
      .onConflictDoNothing({ target: [comments.authorId, comments.idempotencyKey] })
      .returning();
    if (!comment) return firstOf(tx, viewer, postId, wish);
    await tellOf(tx, post, comment, waits ? 'COMMENT_SUBMITTED' : 'COMMENT_ADDED');
    return comment;
  });
}

async function firstOf(
  tx: Transaction,
  { userId }: Viewer,
  postId: string,
  { idempotencyKey: key, text }: z.output<typeof AddComment>,
): Promise<CommentRow> {
  const [first] = await tx
    .select()
    .from(comments)
    .where(and(eq(comments.authorId, userId), eq(comments.idempotencyKey, key ?? '')));
  const isOther = first?.state !== 'DELETED' && first?.text !== text && !first?.editedAt;
  if (!first || first.postId !== postId || isOther) throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first;
}

const UpdateComment = z.object({ text });

/** Changes one's own comment; where comments are moderated it waits again. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function updateComment(
  db: Database,
  viewer: Viewer,
  commentId: string,
  input: unknown,
): Promise<CommentRow> {
  const wish = valid(UpdateComment, input);
  return change(db, viewer, commentId, async (tx, { comment: before, post, viewer: fresh }) => {
    if (before.authorId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
    if (before.state !== 'PENDING' && before.state !== 'PUBLISHED') throw new InvalidState(before.state);
    if (post.state !== 'PUBLISHED') throw new InvalidState(post.state);
    if (!canTakePart(fresh, post)) throw participantsOnly(post);
    if (!canEditComment(fresh, before)) throw new InvalidInput('commentId', 'INVALID_COMMENTING_OFF');
    if (before.text === wish.text) return before;
    const waits = post.commenting === 'MODERATED' && !isPublisher(fresh, post.channel);
    const state = waits ? 'PENDING' : before.state;
    const comment = await set(tx, before, { ...wish, state, editedAt: sql`now()` });
    // Who read it before must not go on reading it.
    if (before.state === 'PUBLISHED') await tellOf(tx, post, comment, 'COMMENT_EDITED');
    if (state === 'PENDING') await tellOf(tx, post, comment, 'COMMENT_SUBMITTED');
    return comment;
  });
}

/**
 * Shows a comment that waits, or was rejected; with `read`, only if it still says that. Repeating it changes nothing.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export const approveComment = (
  db: Database,
  viewer: Viewer,
  commentId: string,
  read: string | null = null,
): Promise<CommentRow> =>
  moderate(db, viewer, commentId, async (tx, before, post) => {
    if (read !== null && read !== before.text) throw new InvalidInput('text', 'INVALID_CHANGED_SINCE');
    if (before.state === 'PUBLISHED') return before;
    if (before.state === 'DELETED') throw new InvalidState(before.state);
    const shownAt = before.shownAt ?? sql`now()`;
    const comment = await set(tx, before, { state: 'PUBLISHED', reason: null, shownAt, ...by(viewer) });
    await tellOf(tx, post, comment, 'COMMENT_ADDED');
    await record(tx, viewer, comment, 'approve');
    return comment;
  });

const Reason = z.object({ reason: line(500) });

/** Does not show a comment, or no longer; its author reads why. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function rejectComment(
  db: Database,
  viewer: Viewer,
  commentId: string,
  input: unknown,
): Promise<CommentRow> {
  const { reason } = valid(Reason, input);
  return moderate(db, viewer, commentId, async (tx, before, post) => {
    if (before.state === 'DELETED') throw new InvalidState(before.state);
    if (before.state === 'REJECTED' && before.reason === reason) return before;
    const comment = await set(tx, before, { state: 'REJECTED', reason, ...by(viewer) });
    if (before.state === 'PUBLISHED') await tellOf(tx, post, comment, 'COMMENT_REMOVED');
    await tellPublishers(tx, post, { kind: 'COMMENT_REJECTED', subjectId: commentId }, comment.authorId);
    await record(tx, viewer, comment, 'reject', reason);
    return comment;
  });
}

/** Deletes one's own comment; a tombstone is left of it where it was shown. Repeating it changes nothing. @throws NotFound, Forbidden */
export const deleteComment = (db: Database, viewer: Viewer, commentId: string): Promise<CommentRow> =>
  change(db, viewer, commentId, async (tx, { comment: before, post }) => {
    if (before.authorId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
    if (before.state === 'DELETED') return before;
    const wasShown = before.state === 'PUBLISHED';
    await forget(tx, viewer.userId, { type: 'Comment', id: commentId, organizationId: before.organizationId });
    const comment = await set(tx, before, { state: 'DELETED' });
    await tellOf(tx, post, comment, wasShown ? 'COMMENT_REMOVED' : 'COMMENT_WITHDRAWN');
    return comment;
  });

const by = ({ userId }: Viewer) => ({ decidedBy: userId, decidedAt: sql`now()` });

const moderate = (
  db: Database,
  viewer: Viewer,
  commentId: string,
  make: (tx: Transaction, comment: Comment, post: HeldPost) => Promise<CommentRow>,
): Promise<CommentRow> =>
  change(db, viewer, commentId, (tx, { comment, post, viewer: fresh }) => {
    if (comment.authorId === viewer.userId && isPublisher(fresh, post.channel)) throw new Forbidden('FORBIDDEN_OWN');
    if (!canModerate(fresh, comment)) throw publishersOnly({ ...post.channel, state: 'ACTIVE' });
    return make(tx, comment, post);
  });

interface Held {
  readonly comment: Comment;
  readonly post: HeldPost;
  readonly viewer: Viewer;
}

/** @throws NotFound, InvalidState */
async function change(
  db: Database,
  viewer: Viewer,
  commentId: string,
  make: (tx: Transaction, held: Held) => Promise<CommentRow>,
): Promise<CommentRow> {
  return transact(db, async (tx) => {
    const [known] = await tx.select().from(comments).where(eq(comments.id, commentId));
    if (!known) throw new NotFound();
    const { viewer: fresh } = await visitOrganization(tx, viewer, known.organizationId);
    const post = await holdPost(tx, known.postId, 'share');
    await tx.select({ id: comments.id }).from(comments).where(eq(comments.id, commentId)).for('update');
    const [comment] = await commentById(tx, [commentId], () => fresh);
    if (!comment || !canSeeComment(fresh, comment)) throw new NotFound();
    return make(tx, { comment, post, viewer: fresh });
  });
}

async function set(
  tx: Transaction,
  { id }: CommentRow,
  changes: Parameters<ReturnType<typeof tx.update<typeof comments>>['set']>[0],
): Promise<CommentRow> {
  const [comment] = await tx.update(comments).set(changes).where(eq(comments.id, id)).returning();
  if (!comment) throw new NotFound();
  return comment;
}

/** What readers do not see is told to those who moderate, and to its author. */
const forAll: ReadonlySet<string> = new Set(['COMMENT_ADDED', 'COMMENT_EDITED', 'COMMENT_REMOVED']);

async function tellOf(tx: Transaction, post: HeldPost, { id, authorId }: CommentRow, kind: string): Promise<void> {
  if (!forAll.has(kind)) return tellPublishers(tx, post, { kind, subjectId: id }, authorId);
  const { organizationId, channel } = post;
  await append(tx, {
    kind,
    organizationId,
    audienceId: channel.audienceId,
    subjectId: id,
    payload: { placeId: channel.id },
  });
}

const record = (
  tx: Transaction,
  { userId }: Viewer,
  { id, organizationId }: CommentRow,
  deed: string,
  reason: string | null = null,
): Promise<void> =>
  audit(tx, userId, { action: `comment.${deed}`, target: { type: 'Comment', id }, organizationId, reason });
