import { type ChannelPlace, canPublish, canReadChannel, isPublisher } from '../channels/policy.ts';
import type { Channel } from '../channels/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { PostRow } from './tables.ts';

/** A post as rules ask about it: with the channel that it is in. */
export type PostPlace = Pick<PostRow, 'state' | 'authorId'> & {
  readonly publishedAt: Date | string | null;
  readonly channel: ChannelPlace & Pick<Channel, 'state'>;
};

/**
 * Sees a post: what was published, its channel's readers, also what is left of it; before that its author, and once it is
 * more than a draft whoever publishes there.
 */
export function canSeePost(viewer: Viewer, post: PostPlace): boolean {
  if (!canReadChannel(viewer, post.channel)) return false;
  return post.publishedAt !== null || canSeeHistory(viewer, post);
}

/** Sees what became of a post step by step: its author, and whoever publishes there once it is more than a draft. */
export const canSeeHistory = (viewer: Viewer, post: PostPlace): boolean =>
  canReadChannel(viewer, post.channel) &&
  (isAuthor(viewer, post) || (isMoreThanDraft(post) && isPublisher(viewer, post.channel)));

const isMoreThanDraft = ({ state, publishedAt }: PostPlace): boolean =>
  publishedAt !== null || (state !== 'DRAFT' && state !== 'DELETED');

const isAuthor = (viewer: Viewer, { authorId }: Pick<PostPlace, 'authorId'>): boolean => authorId === viewer.userId;

/** Changes what a post says: a draft its author, later whoever publishes there. */
export const canEditPost = (viewer: Viewer, post: PostPlace): boolean =>
  post.state === 'DRAFT'
    ? isAuthor(viewer, post)
    : post.state !== 'ARCHIVED' && post.state !== 'DELETED' && canPublish(viewer, post.channel);

/** Publishes a post, now or later: one's own draft, or what has been approved (§2.1.14). */
export const canPublishPost = (viewer: Viewer, post: PostPlace): boolean =>
  canPublish(viewer, post.channel) && (post.state !== 'DRAFT' || isAuthor(viewer, post));

/** Decides on what others suggest (§2.2.5). */
export const canDecideSuggestion = (viewer: Viewer, post: PostPlace): boolean => canPublish(viewer, post.channel);

/** Pins, archives and moderates what is published, also in a channel that was put away. */
export const canKeepPost = (viewer: Viewer, { channel }: PostPlace): boolean => isPublisher(viewer, channel);

/** Deletes a post: what was never published its author, else whoever publishes there. */
export const canDeletePost = (viewer: Viewer, post: PostPlace): boolean =>
  canKeepPost(viewer, post) || (post.publishedAt === null && isAuthor(viewer, post));

/** Reacts and comments: readers, but not employees whose status is not confirmed (§3). */
export const canTakePart = (viewer: Viewer, post: PostPlace): boolean =>
  canSeePost(viewer, post) && post.channel.state === 'ACTIVE' && viewer.takesPartIn(post.channel.organizationId);
