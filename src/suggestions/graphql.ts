import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { PostType, postMutation, shownPost } from '../posts/graphql.ts';
import { approveSuggestion, rejectSuggestion, suggestPost, withdrawSuggestion } from './commands.ts';

postMutation(
  'suggestPost',
  'Hands one’s own draft to those who publish in the channel (§2.2.5). The head and confirmed staff.',
  suggestPost,
);

postMutation('withdrawSuggestion', 'Takes one’s own suggestion back, to go on with it as a draft.', withdrawSuggestion);

postMutation(
  'approveSuggestion',
  'Takes a suggestion up: `publishPost` and `schedulePost` follow. Those who publish in the channel.',
  approveSuggestion,
);

builder.mutationField('rejectSuggestion', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Gives a suggestion back with a comment; it is its author’s draft again, to be edited and suggested anew. Those who ' +
      'publish in the channel; as a draft they do not see it any more.',
    errors: { types: [InvalidState] },
    input: {
      postId: t.input.id({ required: true, description: 'Which post.' }),
      comment: t.input.string({
        required: true,
        description: 'What is to be better; its author reads it. Up to 1,000 characters.',
      }),
    },
    resolve: (_root, { input: { postId, ...said } }, ctx) =>
      shownPost(ctx, rejectSuggestion(ctx.db, ctx.viewer, idOf('Post', postId), said)),
  }),
);
