import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { PostType, shownPost } from '../posts/graphql.ts';
import { approveSuggestion, rejectSuggestion, suggestPost, withdrawSuggestion } from './commands.ts';

const which = { required: true, description: 'Which post.' } as const;
const errors = { types: [InvalidState] };

builder.mutationField('suggestPost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Hands one’s own draft to those who publish in the channel (§2.2.5). The head and confirmed staff.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shownPost(ctx, suggestPost(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('withdrawSuggestion', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Takes one’s own suggestion back, to go on with it as a draft.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) =>
      shownPost(ctx, withdrawSuggestion(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('approveSuggestion', (t) =>
  t.fieldWithInput({
    type: PostType,
    description: 'Takes a suggestion up: `publishPost` and `schedulePost` follow. Those who publish in the channel.',
    errors,
    input: { postId: t.input.id(which) },
    resolve: (_root, { input }, ctx) =>
      shownPost(ctx, approveSuggestion(ctx.db, ctx.viewer, idOf('Post', input.postId))),
  }),
);

builder.mutationField('rejectSuggestion', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Gives a suggestion back with a comment; it is its author’s draft again, to be edited and suggested anew. Those who ' +
      'publish in the channel; as a draft they do not see it any more.',
    errors,
    input: {
      postId: t.input.id(which),
      comment: t.input.string({
        required: true,
        description: 'What is to be better; its author reads it. Up to 1,000 characters.',
      }),
    },
    resolve: (_root, { input: { postId, ...said } }, ctx) =>
      shownPost(ctx, rejectSuggestion(ctx.db, ctx.viewer, idOf('Post', postId), said)),
  }),
);
