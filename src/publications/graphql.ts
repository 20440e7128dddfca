import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { PostType, postMutation, shownPost } from '../posts/graphql.ts';
import {
  archivePost,
  cancelScheduledPost,
  pinPost,
  publishPost,
  restorePost,
  schedulePost,
  unpinPost,
} from './commands.ts';

postMutation(
  'publishPost',
  'Publishes a post now, to those who read the channel at this moment, live (§2.1.14): one’s own draft, or what was approved. ' +
    'Administrators; in a group’s channel also the head and the group’s staff.',
  publishPost,
);

builder.mutationField('schedulePost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Has a post published at a time; given again, the time changes. Whoever schedules it must still be allowed to publish by ' +
      'then: otherwise it waits, SUGGESTED or APPROVED, for those who are. As `publishPost`.',
    errors: { types: [InvalidState] },
    input: {
      postId: t.input.id({ required: true, description: 'Which post.' }),
      publishAt: t.input.field({ type: 'DateTime', required: true, description: 'When: within a year.' }),
    },
    resolve: (_root, { input }, ctx) =>
      shownPost(ctx, schedulePost(ctx.db, ctx.viewer, idOf('Post', input.postId), input.publishAt)),
  }),
);

postMutation(
  'cancelScheduledPost',
  'Takes a scheduled publication back; the post is approved, or a draft, as before. As `publishPost`.',
  cancelScheduledPost,
);

postMutation(
  'pinPost',
  'Keeps a published post above the others. Repeating it changes nothing. As `publishPost`.',
  pinPost,
);

postMutation(
  'unpinPost',
  'Lets a post stand where its time puts it. Repeating it changes nothing. As `publishPost`.',
  unpinPost,
);

postMutation(
  'archivePost',
  'Takes a published post out of the feeds; its readers find it among the ARCHIVED. As `publishPost`.',
  archivePost,
);

postMutation(
  'restorePost',
  'Puts an archived post back into the feeds, at its old place. As `publishPost`.',
  restorePost,
);
