import { eq, sql } from 'drizzle-orm';
import { freezeRecipients } from '../acknowledgements/commands.ts';
import { viewerOf } from '../audiences/queries.ts';
import { channels } from '../channels/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { InvalidState } from '../errors.ts';
import { demandComingYear } from '../input.ts';
import { cancel, reschedule, type TaskKind } from '../jobs/tasks.ts';
import { transact } from '../log/append.ts';
import { lockOrganization } from '../organizations/commands.ts';
import {
  changePost,
  type HeldPost,
  holdPost,
  publishersOnly,
  recordPost,
  setPost,
  takeStep,
  tellMakers,
  tellReaders,
} from '../posts/commands.ts';
import { canKeepPost, canPublishPost } from '../posts/policy.ts';
import { type PostRow, posts } from '../posts/tables.ts';
import type { Viewer } from '../viewer.ts';

/** From where a post may be published: one's own draft, what was approved, and what was to be published later. */
const publishable: ReadonlySet<PostRow['state']> = new Set(['DRAFT', 'APPROVED', 'SCHEDULED']);

/**
 * Publishes a post now (§2.1.14): for those who read the channel at this moment, live. One that is published stays so.
 * @throws NotFound, Forbidden, InvalidState
 */
export const publishPost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post, viewer: fresh }) => {
    if (!canPublishPost(fresh, post)) throw publishersOnly(post.channel);
    if (post.state === 'PUBLISHED') return post;
    if (!publishable.has(post.state)) throw new InvalidState(post.state);
    if (post.state === 'SCHEDULED') await cancel(tx, scheduledPublication, postId);
    return publish(tx, post, viewer.userId);
  });

async function publish(tx: Transaction, before: HeldPost, publisherId: string): Promise<PostRow> {
  // Of what is published in one channel at the same time, what stands later is also seen later: read marks rely on it.
  await tx.select({ id: channels.id }).from(channels).where(eq(channels.id, before.channelId)).for('no key update');
  const post = await setPost(tx, before, {
    state: 'PUBLISHED',
    place: sql`uuidv7()`,
    publishedAt: sql`clock_timestamp()`,
    publishedBy: publisherId,
    publishAt: null,
    scheduledBy: null,
    ...(await freezeRecipients(tx, before)),
  });
  await takeStep(tx, publisherId, post, 'PUBLISHED');
  await tellReaders(tx, post, 'POST_PUBLISHED');
  await recordPost(tx, publisherId, post, 'publish', { before: { state: before.state } });
  return post;
}

/**
 * Has a post published at a time, within a year; given again, the time changes. Whoever schedules it must still be allowed to
 * publish by then. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export const schedulePost = (db: Database, viewer: Viewer, postId: string, at: Date): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    if (!canPublishPost(fresh, before)) throw publishersOnly(before.channel);
    if (!publishable.has(before.state)) throw new InvalidState(before.state);
    demandComingYear('publishAt', at);
    if (before.publishAt?.getTime() === at.getTime()) return before;
    const post = await setPost(tx, before, { state: 'SCHEDULED', publishAt: at, scheduledBy: viewer.userId });
    await reschedule(tx, scheduledPublication, { postId }, { at, key: postId });
    await takeStep(tx, viewer.userId, post, 'SCHEDULED', { note: at.toISOString() });
    await tellMakers(tx, post, 'POST_SCHEDULED');
    await recordPost(tx, viewer.userId, post, 'schedule', { after: { publishAt: at.toISOString() } });
    return post;
  });

/** Takes a scheduled publication back: the post is what it was before. @throws NotFound, Forbidden, InvalidState */
export const cancelScheduledPost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    if (!canKeepPost(fresh, before)) throw publishersOnly({ ...before.channel, state: 'ACTIVE' });
    if (before.state === 'DRAFT' || before.state === 'APPROVED') return before;
    if (before.state !== 'SCHEDULED') throw new InvalidState(before.state);
    await cancel(tx, scheduledPublication, postId);
    const post = await unschedule(tx, before, 'DRAFT');
    await takeStep(tx, viewer.userId, post, 'UNSCHEDULED');
    await tellMakers(tx, post, 'POST_CHANGED', before);
    await recordPost(tx, viewer.userId, post, 'cancelSchedule');
    return post;
  });

/** What was approved stays approved. */
const unschedule = (tx: Transaction, post: HeldPost, otherwise: 'DRAFT' | 'SUGGESTED'): Promise<HeldPost> =>
  setPost(tx, post, { state: post.approvedBy ? 'APPROVED' : otherwise, publishAt: null, scheduledBy: null });

/** Publishes what was scheduled, if its time has come and whoever scheduled it may still publish there. */
export const scheduledPublication: TaskKind<{ readonly postId: string }> = {
  name: 'scheduled-publication',
  run: (db, { postId }) =>
    transact(db, async (tx) => {
      const [known] = await tx.select({ organizationId: posts.organizationId }).from(posts).where(eq(posts.id, postId));
      const organization = known ? await lockOrganization(tx, known.organizationId, 'share') : null;
      if (!organization) return;
      const post = await holdPost(tx, postId);
      const [due] = await tx
        .select({ isDue: sql<boolean>`${posts.publishAt} <= clock_timestamp()` })
        .from(posts)
        .where(eq(posts.id, postId));
      // Taken back meanwhile, or put off: then another task waits for its time.
      if (post.state !== 'SCHEDULED' || !post.scheduledBy || !due?.isDue) return;
      const scheduler = await viewerOf(tx, post.scheduledBy);
      if (organization.state === 'ACTIVE' && canPublishPost(scheduler, post)) await publish(tx, post, scheduler.userId);
      else await refuse(tx, post);
    }),
};

async function refuse(tx: Transaction, before: HeldPost): Promise<void> {
  // Not its author's alone: whoever scheduled it may be gone, and what was to be told must not be lost.
  const post = await unschedule(tx, before, 'SUGGESTED');
  await takeStep(tx, null, post, 'REFUSED');
  await tellMakers(tx, post, 'POST_REFUSED', before);
  await recordPost(tx, null, post, 'refuse', { before: { state: before.state }, after: { state: post.state } });
}

/** Keeps a published post above the others. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const pinPost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  keepPost(db, viewer, postId, async (tx, before) => {
    if (before.pinnedAt) return before;
    if (before.state !== 'PUBLISHED') throw new InvalidState(before.state);
    const post = await setPost(tx, before, { pinnedAt: sql`now()` });
    await tellReaders(tx, post, 'POST_PINNED');
    await recordPost(tx, viewer.userId, post, 'pin');
    return post;
  });

/** Lets a post stand where its time puts it. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const unpinPost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  keepPost(db, viewer, postId, async (tx, before) => {
    if (!before.pinnedAt) return before;
    const post = await setPost(tx, before, { pinnedAt: null });
    await tellReaders(tx, post, 'POST_UNPINNED');
    await recordPost(tx, viewer.userId, post, 'unpin');
    return post;
  });

/** Takes a post out of the feeds; its readers still find it among the archived. @throws NotFound, Forbidden, InvalidState */
export const archivePost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  keepPost(db, viewer, postId, async (tx, before) => {
    if (before.state === 'ARCHIVED') return before;
    if (before.state !== 'PUBLISHED') throw new InvalidState(before.state);
    const post = await setPost(tx, before, { state: 'ARCHIVED', pinnedAt: null });
    await takeStep(tx, viewer.userId, post, 'ARCHIVED');
    await tellReaders(tx, post, 'POST_ARCHIVED');
    await recordPost(tx, viewer.userId, post, 'archive');
    return post;
  });

/** Puts an archived post back into the feeds, at its old place. @throws NotFound, Forbidden, InvalidState */
export const restorePost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  keepPost(db, viewer, postId, async (tx, before) => {
    if (before.state === 'PUBLISHED') return before;
    if (before.state !== 'ARCHIVED') throw new InvalidState(before.state);
    const post = await setPost(tx, before, { state: 'PUBLISHED' });
    await takeStep(tx, viewer.userId, post, 'RESTORED');
    await tellReaders(tx, post, 'POST_RESTORED');
    await recordPost(tx, viewer.userId, post, 'restore');
    return post;
  });

const keepPost = (
  db: Database,
  viewer: Viewer,
  postId: string,
  make: (tx: Transaction, post: HeldPost) => Promise<PostRow>,
): Promise<PostRow> =>
  changePost(db, viewer, postId, (tx, { post, viewer: fresh }) => {
    if (!canKeepPost(fresh, post)) throw publishersOnly({ ...post.channel, state: 'ACTIVE' });
    return make(tx, post);
  });
