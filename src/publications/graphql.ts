import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { PostType, shownPost } from '../posts/graphql.ts';
import {
  archivePost,
  cancelScheduledPost,
  pinPost,
  publishPost,
  restorePost,
  schedulePost,
  unpinPost,
} from './commands.ts';

const which = { required: true, description: 'Which post.' } as const;
const errors = { types: [InvalidState] };

builder.mutationField('publishPost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Publishes a post now, to those who read the channel at this moment, live (§2.1.14): one’s own draft, or what was approved. ' +
      'Administrators; in a group’s channel also the head and the group’s staff.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shownPost(ctx, publishPost(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('schedulePost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Has a post published at a time; given again, the time changes. Whoever schedules it must still be allowed to publish by ' +
      'then: otherwise it waits, SUGGESTED or APPROVED, for those who are. As `publishPost`.',
    errors,
    input: {
      postId: t.input.id(which),
      publishAt: t.input.field({ type: 'DateTime', required: true, description: 'When: within a year.' }),
    },
    resolve: (_root, { input }, ctx) =>
      shownPost(ctx, schedulePost(ctx.db, ctx.viewer, idOf('Post', input.postId), input.publishAt)),
  }),
);

builder.mutationField('cancelScheduledPost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Takes a scheduled publication back; the post is approved, or a draft, as before. As `publishPost`.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) =>
      shownPost(ctx, cancelScheduledPost(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('pinPost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Keeps a published post above the others. Repeating it changes nothing. As `publishPost`.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shownPost(ctx, pinPost(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('unpinPost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Lets a post stand where its time puts it. Repeating it changes nothing. As `publishPost`.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shownPost(ctx, unpinPost(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('archivePost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Takes a published post out of the feeds; its readers find it among the ARCHIVED. As `publishPost`.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shownPost(ctx, archivePost(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('restorePost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Puts an archived post back into the feeds, at its old place. As `publishPost`.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shownPost(ctx, restorePost(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);
