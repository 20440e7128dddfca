import { canSeePerson } from '../audiences/policy.ts';
import { isPublisher } from '../channels/policy.ts';
import { canSeePost, canTakePart, type PostPlace } from '../posts/policy.ts';
import type { PostRow } from '../posts/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { CommentRow } from './tables.ts';

/** A comment as rules ask about it: with its post, and the groups where its author is somebody's LIMITED guardian. */
export type CommentPlace = Pick<CommentRow, 'state' | 'authorId'> & {
  readonly shownAt?: Date | null;
  readonly post: PostPlace & Pick<PostRow, 'commenting'>;
  readonly limitedIn: readonly (string | null)[];
};

const isAuthor = (viewer: Viewer, { authorId }: Pick<CommentPlace, 'authorId'>): boolean => authorId === viewer.userId;

/** Sees a comment: the post's readers what is shown, its author and whoever publishes there also what waits or was rejected. */
export const canSeeComment = (viewer: Viewer, comment: CommentPlace): boolean =>
  canSeePost(viewer, comment.post) &&
  comment.post.state !== 'DELETED' &&
  (comment.state === 'PUBLISHED' || isTombstone(comment) || canSeeDecision(viewer, comment));

/** What its author took back before it was shown leaves nothing to its readers. */
const isTombstone = ({ state, shownAt }: CommentPlace): boolean => state === 'DELETED' && shownAt != null;

/** Sees who decided about a comment, and why. */
export const canSeeDecision = (viewer: Viewer, comment: CommentPlace): boolean =>
  isAuthor(viewer, comment) || isPublisher(viewer, comment.post.channel);

/** Sees who wrote a comment. */
export const canSeeCommenter = (viewer: Viewer, comment: CommentPlace & Pick<CommentRow, 'organizationId'>): boolean =>
  canSeePerson(viewer, { ...comment, userId: comment.authorId });

/** Comments on a post that is published and lets people comment. */
export const canComment = (viewer: Viewer, post: PostPlace & Pick<PostRow, 'commenting'>): boolean =>
  canTakePart(viewer, post) && post.state === 'PUBLISHED' && post.commenting !== 'OFF';

/** Changes what one's own comment says, while one could still comment. */
export const canEditComment = (viewer: Viewer, comment: CommentPlace): boolean =>
  isAuthor(viewer, comment) &&
  (comment.state === 'PENDING' || comment.state === 'PUBLISHED') &&
  canComment(viewer, comment.post);

/** Takes one's own comment back. */
export const canDeleteComment = (viewer: Viewer, comment: CommentPlace): boolean =>
  isAuthor(viewer, comment) && comment.state !== 'DELETED';

/** Approves and rejects what others comment: whoever publishes there. */
export const canModerate = (viewer: Viewer, comment: CommentPlace): boolean =>
  !isAuthor(viewer, comment) && isPublisher(viewer, comment.post.channel);
