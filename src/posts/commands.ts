import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { attach, deleteFilesOf, replaceFiles } from '../attachments/commands.ts';
import { audit, type Deed } from '../audit/commands.ts';
import { visitChannel } from '../channels/commands.ts';
import { canPublish, canSuggest } from '../channels/policy.ts';
import { type Channel, channels, commenting } from '../channels/tables.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { forget } from '../forgetting/commands.ts';
import { idempotencyKey, requiredProse, valid } from '../input.ts';
import { append, type NewEvent, transact } from '../log/append.ts';
import { visitOrganization } from '../organizations/commands.ts';
import type { Viewer } from '../viewer.ts';
import { canDeletePost, canEditPost, canKeepPost, canSeePost } from './policy.ts';
import { type PostRow, type PostStep, postColumns, postSteps, posts } from './tables.ts';

/** Characters of a post, and files attached to it. */
const maxLength = 10_000;
const fileLimits = { field: 'fileIds', max: 20 };

/** A post as commands hold it: its row, locked, with the channel. */
export type HeldPost = PostRow & { readonly channel: Channel };

const content = z.object({
  text: requiredProse(maxLength),
  fileIds: z.array(z.string()).nullish(),
  acknowledgementRequired: z.boolean().nullish(),
  commenting: z.enum(commenting.enumValues).nullish(),
});

const DraftPost = content.extend({ channelId: z.string(), idempotencyKey });

/** Begins a post; nobody else sees it yet. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function draftPost(db: Database, viewer: Viewer, input: unknown): Promise<PostRow> {
  const { fileIds, ...wish } = valid(DraftPost, input);
  return transact(db, async (tx) => {
    const { channel, viewer: fresh } = await visitChannel(tx, viewer, wish.channelId);
    if (!canPublish(fresh, channel) && !canSuggest(fresh, channel)) throw publishersOnly(channel);
    const [made] = await tx
      .insert(posts)
      .values({
        ...wish,
        organizationId: channel.organizationId,
        authorId: viewer.userId,
        acknowledgementRequired: wish.acknowledgementRequired ?? false,
        commenting: wish.commenting ?? channel.commenting,
      })
      .onConflictDoNothing({ target: [posts.authorId, posts.idempotencyKey] })
      .returning(postColumns);
    if (!made) return firstOf(tx, viewer, wish);
    await attach(
      tx,
      { kind: 'POST', id: made.id, organizationId: channel.organizationId },
      fileIds ?? [],
      viewer,
      fileLimits,
    );
    const post = { ...made, channel };
    await takeStep(tx, viewer.userId, post, 'DRAFTED', { text: post.text });
    await tellMakers(tx, post, 'POST_DRAFTED');
    return post;
  });
}

export const publishersOnly = ({ state, kind }: Pick<Channel, 'state' | 'kind'>): Forbidden | InvalidState =>
  state === 'ACTIVE'
    ? new Forbidden(kind === 'GROUP' ? 'FORBIDDEN_GROUP_STAFF' : 'FORBIDDEN_ADMINISTRATORS')
    : new InvalidState(state);

/** Why somebody who sees a post may not react to it or comment on it. */
export const participantsOnly = ({ channel }: HeldPost): Forbidden | InvalidState =>
  channel.state === 'ACTIVE' ? new Forbidden('FORBIDDEN_UNVERIFIED') : new InvalidState(channel.state);

async function firstOf(
  tx: Transaction,
  { userId }: Viewer,
  { idempotencyKey: key, channelId, text }: Pick<z.output<typeof DraftPost>, 'idempotencyKey' | 'channelId' | 'text'>,
): Promise<PostRow> {
  const [first] = await tx
    .select(postColumns)
    .from(posts)
    .where(and(eq(posts.authorId, userId), eq(posts.idempotencyKey, key ?? '')));
  const [drafted] = first
    ? await tx
        .select()
        .from(postSteps)
        .where(and(eq(postSteps.postId, first.id), eq(postSteps.kind, 'DRAFTED')))
    : [];
  const isOther = first?.state !== 'DELETED' && drafted?.text !== text;
  if (!first || first.channelId !== channelId || isOther) throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first;
}

const UpdatePost = content.partial();

/**
 * Changes what a post says; what is left out stays. Once published it counts as edited, and its readers hear of it; whom an
 * acknowledgement is asked of does not change any more. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function updatePost(db: Database, viewer: Viewer, postId: string, input: unknown): Promise<PostRow> {
  const { fileIds, ...given } = valid(UpdatePost, input);
  return changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    const isOver = before.state === 'ARCHIVED' || before.state === 'DELETED';
    if (isOver && canKeepPost(fresh, before)) throw new InvalidState(before.state);
    if (!canEditPost(fresh, before)) throw publishersOnly(before.channel);
    const text = given.text ?? before.text;
    const required = given.acknowledgementRequired ?? before.acknowledgementRequired;
    const isPublished = before.state === 'PUBLISHED';
    if (isPublished && required !== before.acknowledgementRequired)
      throw new InvalidInput('acknowledgementRequired', 'INVALID_PUBLISHED');
    const owner = { kind: 'POST', id: postId, organizationId: before.organizationId } as const;
    const filesChanged = fileIds ? await replaceFiles(tx, owner, fileIds, viewer, fileLimits) : false;
    const wordsChanged = text !== before.text;
    const commenting = given.commenting ?? before.commenting;
    const settingsChanged = required !== before.acknowledgementRequired || commenting !== before.commenting;
    if (!wordsChanged && !filesChanged && !settingsChanged) return before;
    const post = await setPost(tx, before, {
      text,
      acknowledgementRequired: required,
      commenting,
      editedAt: isPublished && (wordsChanged || filesChanged) ? sql`now()` : before.editedAt,
    });
    await takeStep(tx, viewer.userId, post, 'EDITED', { text: wordsChanged ? text : null });
    await (isPublished ? tellReaders(tx, post, 'POST_EDITED') : tellMakers(tx, post, 'POST_CHANGED'));
    if (isPublished) await recordPost(tx, viewer.userId, post, 'update', { before: told(before), after: told(post) });
    return post;
  });
}

const told = ({ text, commenting }: PostRow) => ({ text, commenting });

/**
 * Deletes a post for good, with its files, its comments and all that it ever said: of a published one its readers keep a tombstone,
 * and its history keeps the steps alone. @throws NotFound, Forbidden, InvalidState
 */
export const deletePost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    if (!canDeletePost(fresh, before)) throw publishersOnly({ ...before.channel, state: 'ACTIVE' });
    if (before.state === 'DELETED') return before;
    await deleteFilesOf(tx, { kind: 'POST', id: postId });
    await forget(tx, viewer.userId, { type: 'Post', id: postId, organizationId: before.organizationId });
    const post = await setPost(tx, before, { state: 'DELETED', pinnedAt: null, publishAt: null, scheduledBy: null });
    await takeStep(tx, viewer.userId, post, 'DELETED');
    await (post.publishedAt ? tellReaders(tx, post, 'POST_DELETED') : tellMakers(tx, post, 'POST_CHANGED', before));
    await recordPost(tx, viewer.userId, post, 'delete', { before: { state: before.state } });
    return post;
  });

/** Who does something with a post, as of now. */
interface Held {
  readonly post: HeldPost;
  readonly viewer: Viewer;
}

/** Changes a post that the viewer sees, while nobody else does and nobody's rights change. @throws NotFound, InvalidState */
export const changePost = <Result>(
  db: Database,
  viewer: Viewer,
  postId: string,
  make: (tx: Transaction, held: Held) => Promise<Result>,
): Promise<Result> => withPost(db, viewer, postId, 'update', make);

/** Adds something to a published post that the viewer sees, as many may do at once. @throws NotFound, InvalidState */
export const addToPost = <Result>(
  db: Database,
  viewer: Viewer,
  postId: string,
  make: (tx: Transaction, held: Held) => Promise<Result>,
): Promise<Result> =>
  withPost(db, viewer, postId, 'share', (tx, held) => {
    if (held.post.state !== 'PUBLISHED') throw new InvalidState(held.post.state);
    return make(tx, held);
  });

async function withPost<Result>(
  db: Database,
  viewer: Viewer,
  postId: string,
  lock: 'update' | 'share',
  make: (tx: Transaction, held: Held) => Promise<Result>,
): Promise<Result> {
  return transact(db, async (tx) => {
    const [known] = await tx.select({ organizationId: posts.organizationId }).from(posts).where(eq(posts.id, postId));
    if (!known) throw new NotFound();
    const { viewer: fresh } = await visitOrganization(tx, viewer, known.organizationId);
    const post = await holdPost(tx, postId, lock);
    if (!canSeePost(fresh, post)) throw new NotFound();
    return make(tx, { post, viewer: fresh });
  });
}

/** A post, locked. @throws NotFound */
export async function holdPost(
  tx: Transaction,
  postId: string,
  lock: 'update' | 'share' = 'update',
): Promise<HeldPost> {
  const [found] = await tx
    .select({ post: postColumns, channel: channels })
    .from(posts)
    .innerJoin(channels, eq(channels.id, posts.channelId))
    .where(eq(posts.id, postId))
    .for(lock, { of: posts });
  if (!found) throw new NotFound();
  return { ...found.post, channel: found.channel };
}

export async function setPost(
  tx: Transaction,
  { id, channel }: HeldPost,
  changes: Parameters<ReturnType<typeof tx.update<typeof posts>>['set']>[0],
): Promise<HeldPost> {
  const [post] = await tx
    .update(posts)
    .set({ ...changes, changedAt: sql`now()` })
    .where(eq(posts.id, id))
    .returning(postColumns);
  if (!post) throw new NotFound();
  return { ...post, channel };
}

/** Writes down what became of a post. `actorId` null: the platform itself. */
export async function takeStep(
  tx: Transaction,
  actorId: string | null,
  { id: postId }: PostRow,
  kind: PostStep['kind'],
  said: Partial<Pick<PostStep, 'text' | 'note'>> = {},
): Promise<void> {
  await tx.insert(postSteps).values({ postId, actorId, kind, ...said });
}

const about = ({ id, organizationId, channelId }: PostRow, kind: string): Omit<NewEvent, 'audienceId'> => ({
  kind,
  organizationId,
  subjectId: id,
  payload: { placeId: channelId },
});

/** Tells the readers of a post's channel. */
export const tellReaders = (tx: Transaction, post: HeldPost, kind: string): Promise<void> =>
  append(tx, { ...about(post, kind), audienceId: post.channel.audienceId });

/**
 * Tells whoever publishes in a post's channel, and its author, each once. What was a draft, and is no more than that, is its
 * author's alone.
 */
export async function tellMakers(tx: Transaction, post: HeldPost, kind: string, before = post): Promise<void> {
  const isPrivate = before.state === 'DRAFT' && (post.state === 'DRAFT' || post.state === 'DELETED');
  if (isPrivate) await append(tx, { ...about(post, kind), audienceId: post.authorId });
  else await tellPublishers(tx, post, { kind, subjectId: post.id }, post.authorId);
}

/**
 * Tells whoever publishes in a post's channel, and one person more, each once, of something about it. In a group's channel these
 * are its staff; administrators and the head, who publish there too, are told alone.
 */
export async function tellPublishers(
  tx: Transaction,
  { organizationId, channel }: HeldPost,
  what: Pick<NewEvent, 'kind' | 'subjectId'>,
  userId: string,
): Promise<void> {
  const event = { ...what, organizationId, payload: { placeId: channel.id } };
  const alone = await rows<{ id: string }>(
    tx,
    sql`
    select p.id from (
      select ${userId}::uuid as id union
      select user_id from active_standings
      where organization_id = ${organizationId} and ${channel.kind} = 'GROUP' and (administrator or (position = 'HEAD' and verified))
    ) p where not exists (
      select from audience_members m
      where m.audience_id = ${channel.publishersAudienceId} and m.user_id = p.id and m.until is null)`,
  );
  const told = [channel.publishersAudienceId, ...alone.map(({ id }) => id)];
  await append(tx, ...told.map((audienceId) => ({ ...event, audienceId })));
}

export const recordPost = (
  tx: Transaction,
  actorId: string | null,
  { id, organizationId }: PostRow,
  deed: string,
  said: Pick<Deed, 'before' | 'after' | 'reason'> = {},
): Promise<void> =>
  audit(tx, actorId, { ...said, action: `post.${deed}`, target: { type: 'Post', id }, organizationId });
