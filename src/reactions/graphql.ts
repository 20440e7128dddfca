import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { few, PostType, shownPost } from '../posts/graphql.ts';
import { canTakePart } from '../posts/policy.ts';
import { ownMarks } from '../posts/queries.ts';
import { addReaction, removeReaction } from './commands.ts';

export const ReactionCountType = builder
  .objectRef<{ readonly emoji: string; readonly count: number }>('ReactionCount')
  .implement({
    description: 'How often people reacted in one way. Who they are is not told (§4.11).',
    fields: (t) => ({
      emoji: t.exposeString('emoji', { description: 'One emoji.' }),
      count: t.exposeInt('count', { description: 'How many people.' }),
    }),
  });

builder.objectField(PostType, 'reactions', (t) =>
  t.field({
    type: [ReactionCountType],
    complexity: few,
    description: 'The reactions, the most frequent first; at most 20 different ones. As of when it is read.',
    resolve: ({ reactionCounts, state }) => (state === 'DELETED' ? [] : reactionCounts),
  }),
);

builder.objectField(PostType, 'viewerReactions', (t) =>
  t.stringList({
    perViewer: true,
    description: 'The emojis with which the viewer has reacted.',
    resolve: async ({ id, state }, _args, ctx) =>
      state === 'DELETED' ? [] : [...(await ctx.load(ownMarks, id)).emojis],
  }),
);

builder.objectField(PostType, 'viewerCanReact', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may react: readers, but not employees whose status is not confirmed (§3).',
    resolve: (post, _args, ctx) => post.state === 'PUBLISHED' && canTakePart(ctx.viewer, post),
  }),
);

builder.mutationField('addReaction', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Reacts to a published post. Repeating it changes nothing. The viewer’s other devices hear of it; everybody else sees ' +
      'the counts when they look.',
    errors: { types: [InvalidState] },
    input: {
      postId: t.input.id({ required: true, description: 'Which post.' }),
      emoji: t.input.string({ required: true, description: 'One emoji.' }),
    },
    resolve: (_root, { input }, ctx) =>
      shownPost(ctx, addReaction(ctx.db, ctx.viewer, idOf('Post', input.postId), input.emoji)),
  }),
);

builder.mutationField('removeReaction', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Takes a reaction back. Repeating it changes nothing.',
    errors: { types: [InvalidState] },
    input: {
      postId: t.input.id({ required: true, description: 'Which post.' }),
      emoji: t.input.string({ required: true, description: 'The emoji.' }),
    },
    resolve: (_root, { input }, ctx) =>
      shownPost(ctx, removeReaction(ctx.db, ctx.viewer, idOf('Post', input.postId), input.emoji)),
  }),
);
