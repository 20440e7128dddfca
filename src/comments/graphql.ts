import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { ChannelType } from '../channels/graphql.ts';
import { isPublisher } from '../channels/policy.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { PostType } from '../posts/graphql.ts';
import { canSeePost } from '../posts/policy.ts';
import { postById } from '../posts/queries.ts';
import { addComment, approveComment, deleteComment, rejectComment, updateComment } from './commands.ts';
import {
  canComment,
  canDeleteComment,
  canEditComment,
  canModerate,
  canSeeComment,
  canSeeCommenter,
  canSeeDecision,
} from './policy.ts';
import { type Comment, commentById, commentsOf, pendingIn } from './queries.ts';
import type { CommentRow } from './tables.ts';

const CommentStateEnum = builder.enumType('CommentState', {
  description: 'Where a comment stands.',
  values: {
    PENDING: { description: 'Waits for those who publish in the channel.' },
    PUBLISHED: { description: 'Shown to the post’s readers.' },
    REJECTED: { description: 'Not shown: see `reason`.' },
    DELETED: { description: 'Taken back by its author; `text` is empty.' },
  } as const,
});

const CommentType = builder.objectRef<Comment>('Comment');
builder.node(CommentType, {
  description:
    'What a reader says about a post. Shown to the post’s readers; while it waits, or was rejected, to its author and those who ' +
    'publish there.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(commentById, canSeeComment),
  fields: (t) => ({
    post: t.field({
      type: PostType,
      nullable: true,
      description: 'About which post. Null: not for this viewer any more.',
      resolve: async ({ postId }, _args, ctx) => {
        const post = await ctx.loadExisting(postById, postId);
        return ctx.sees(canSeePost, post) ? post : null;
      },
    }),
    author: t.field({
      type: UserType,
      nullable: true,
      description: 'Who wrote it. Null: a guardian who is not named to this viewer (§4.11).',
      resolve: (comment, _args, ctx) =>
        ctx.sees(canSeeCommenter, comment)
          ? ctx.loadExisting(personOf, { userId: comment.authorId, organizationId: comment.organizationId })
          : null,
    }),
    state: t.field({ type: CommentStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    text: t.string({
      description: 'What it says, as plain text: up to 2,000 characters.',
      resolve: ({ state, text }) => (state === 'DELETED' ? '' : text),
    }),
    reason: t.string({
      nullable: true,
      description: 'Why it was rejected. Null: it was not, or not for this viewer.',
      resolve: (comment, _args, ctx) => (comment.reason && ctx.sees(canSeeDecision, comment) ? comment.reason : null),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
    editedAt: t.expose('editedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last changed; null: never.',
    }),
    viewerCanEdit: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may change it.',
      resolve: (comment, _args, ctx) => canEditComment(ctx.viewer, comment),
    }),
    viewerCanDelete: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may take it back.',
      resolve: (comment, _args, ctx) => canDeleteComment(ctx.viewer, comment),
    }),
    viewerCanModerate: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may approve and reject it.',
      resolve: (comment, _args, ctx) => comment.state !== 'DELETED' && canModerate(ctx.viewer, comment),
    }),
  }),
});

builder.objectField(PostType, 'commentCount', (t) =>
  t.int({
    description: 'How many comments are shown; none of a deleted post.',
    resolve: ({ commentCount, state }) => (state === 'DELETED' ? 0 : commentCount),
  }),
);

builder.objectField(PostType, 'comments', (t) =>
  t.connection({
    perViewer: true,
    type: CommentType,
    description:
      'Its comments, latest first: those shown, the viewer’s own, and to those who publish there all. None of a deleted post.',
    args: { state: t.arg({ type: CommentStateEnum, description: 'Only in this state.' }) },
    resolve: ({ id, state: postState }, { state = null, ...page }, ctx) =>
      listed(ctx, page, commentsOf, { parentId: id, filter: { state, isGone: postState === 'DELETED' } }),
  }),
);

builder.objectField(PostType, 'viewerCanComment', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may comment on it.',
    resolve: (post, _args, ctx) => canComment(ctx.viewer, post),
  }),
);

builder.objectField(ChannelType, 'pendingComments', (t) =>
  t.connection({
    perViewer: true,
    type: CommentType,
    nullable: true,
    description: 'The comments that wait for approval, latest first. Null: not for this viewer.',
    resolve: (channel, page, ctx) =>
      isPublisher(ctx.viewer, channel) ? listed(ctx, page, pendingIn, { parentId: channel.id, filter: null }) : null,
  }),
);

/** A comment as queries read it. */
const shown = async (ctx: Context, changed: Promise<CommentRow>): Promise<Comment> =>
  ctx.loadExisting(commentById, (await changed).id);

const which = { required: true, description: 'Which comment.' } as const;
const errors = { types: [InvalidState] };
const text = { required: true, description: 'What it says, as plain text: 1 to 2,000 characters.' } as const;

builder.mutationField('addComment', (t) =>
  t.fieldWithInput({
    type: CommentType,
    description:
      'Comments on a published post. Where comments are MODERATED it waits for those who publish there. Readers, but not ' +
      'employees whose status is not confirmed.',
    errors,
    input: {
      postId: t.input.id({ required: true, description: 'Which post.' }),
      text: t.input.string(text),
      idempotencyKey: t.input.string({
        description: 'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first.',
      }),
    },
    resolve: (_root, { input: { postId, ...wish } }, ctx) =>
      shown(ctx, addComment(ctx.db, ctx.viewer, idOf('Post', postId), wish)),
  }),
);

builder.mutationField('updateComment', (t) =>
  t.fieldWithInput({
    type: CommentType,
    description: 'Changes one’s own comment; where comments are MODERATED it waits again.',
    errors,
    input: { commentId: t.input.id(which), text: t.input.string(text) },
    resolve: (_root, { input: { commentId, ...wish } }, ctx) =>
      shown(ctx, updateComment(ctx.db, ctx.viewer, idOf('Comment', commentId), wish)),
  }),
);

builder.mutationField('deleteComment', (t) =>
  t.fieldWithInput({
    type: CommentType,
    description:
      'Takes one’s own comment back; where it was shown, that it was there remains. Repeating it changes nothing.',
    errors,
    input: { commentId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shown(ctx, deleteComment(ctx.db, ctx.viewer, idOf('Comment', input.commentId))),
  }),
);

builder.mutationField('approveComment', (t) =>
  t.fieldWithInput({
    type: CommentType,
    description: 'Shows a comment that waits, or was rejected. Those who publish in the channel, not their own.',
    errors,
    input: {
      commentId: t.input.id(which),
      text: t.input.string({
        description:
          'What the viewer has read: a comment that says something else by now is not shown. Clients give it.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      shown(ctx, approveComment(ctx.db, ctx.viewer, idOf('Comment', input.commentId), input.text)),
  }),
);

builder.mutationField('rejectComment', (t) =>
  t.fieldWithInput({
    type: CommentType,
    description: 'Does not show a comment, or no longer. Those who publish in the channel, not their own.',
    errors,
    input: {
      commentId: t.input.id(which),
      reason: t.input.string({ required: true, description: 'Why; its author reads it. Up to 500 characters.' }),
    },
    resolve: (_root, { input: { commentId, ...said } }, ctx) =>
      shown(ctx, rejectComment(ctx.db, ctx.viewer, idOf('Comment', commentId), said)),
  }),
);

liveEvent('CommentChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    COMMENT_ADDED: 'A comment is shown.',
    COMMENT_EDITED: 'It was changed; null in place of the comment: it waits again.',
    COMMENT_REMOVED: 'It is shown no longer.',
    COMMENT_SUBMITTED: 'A comment waits. For those who publish there, and its author; as those that follow.',
    COMMENT_REJECTED: 'It was rejected.',
    COMMENT_WITHDRAWN: 'It was taken back before it was shown.',
  },
  description: 'A comment was written or changed. For the channel’s readers, as far as it is shown.',
  subject: { name: 'comment', type: CommentType, by: commentById, canSee: canSeeComment },
});
