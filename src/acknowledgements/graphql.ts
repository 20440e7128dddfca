import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { ChildType } from '../children/graphql.ts';
import { canSeeChild } from '../children/policy.ts';
import { childById } from '../children/queries.ts';
import { InvalidState, RateLimited } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { PostType, postMutation, shownPost } from '../posts/graphql.ts';
import { canKeepPost } from '../posts/policy.ts';
import { ownMarks, type Post } from '../posts/queries.ts';
import { acknowledgePost, remindUnacknowledged } from './commands.ts';
import {
  type ConcernedChild,
  concernedChildren,
  countConcernedChildren,
  countRecipients,
  type Recipient,
  reachOf,
  recipientsOf,
} from './queries.ts';

/** The children among some whose record the viewer may read. */
async function childrenFor(ctx: Context, ids: readonly string[]) {
  const children = await Promise.all(ids.map((id) => ctx.loadExisting(childById, id)));
  return children.filter((child) => ctx.sees(canSeeChild, child));
}

const RecipientType = builder.objectRef<Recipient>('PostRecipient').implement({
  description: 'Somebody for whom a post was when it was published.',
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'Who.',
      resolve: ({ id, organizationId }, _args, ctx) => ctx.loadExisting(personOf, { userId: id, organizationId }),
    }),
    children: t.field({
      type: [ChildType],
      description: 'The children whom it concerned through them; empty for staff.',
      resolve: ({ childIds }, _args, ctx) => childrenFor(ctx, childIds),
    }),
    acknowledgedAt: t.expose('acknowledgedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When they acknowledged it; null: not yet.',
    }),
  }),
});

const ConcernedChildType = builder.objectRef<ConcernedChild>('PostChild').implement({
  description: 'A child whom a post concerned when it was published.',
  fields: (t) => ({
    child: t.field({
      type: ChildType,
      nullable: true,
      description: 'Which child. Null: not for this viewer any more.',
      resolve: async ({ id }, _args, ctx) => (await childrenFor(ctx, [id]))[0] ?? null,
    }),
    acknowledgedBy: t.field({
      type: [UserType],
      description: 'Who has acknowledged it for the child; empty: nobody yet.',
      resolve: ({ acknowledgedByIds, organizationId }, _args, ctx) =>
        Promise.all(acknowledgedByIds.map((userId) => ctx.loadExisting(personOf, { userId, organizationId }))),
    }),
  }),
});

const acknowledgedDescription =
  'Only those who have, or only those who have not and can still read it; all of them unless told.';

const ReachType = builder.objectRef<Post>('PostReach').implement({
  description:
    'Whom a post that asks to be acknowledged has reached. It is for those who could read it when it was published; who came ' +
    'later does not count. For those who publish there.',
  fields: (t) => ({
    recipientCount: t.int({
      description: 'For how many people it was.',
      resolve: async ({ id }, _args, ctx) => (await ctx.load(reachOf, id)).recipientCount,
    }),
    acknowledgedCount: t.int({
      description: 'How many of them have acknowledged it.',
      resolve: async ({ id }, _args, ctx) => (await ctx.load(reachOf, id)).acknowledgedCount,
    }),
    childCount: t.int({
      description: 'How many children it concerned.',
      resolve: async ({ id }, _args, ctx) => (await ctx.load(reachOf, id)).childCount,
    }),
    acknowledgedChildCount: t.int({
      description: 'For how many of them somebody has acknowledged it.',
      resolve: async ({ id }, _args, ctx) => (await ctx.load(reachOf, id)).acknowledgedChildCount,
    }),
    recipients: t.connection({
      type: RecipientType,
      description: 'The people for whom it was.',
      args: { acknowledged: t.arg.boolean({ description: acknowledgedDescription }) },
      resolve: ({ id }, { acknowledged = null, ...page }, ctx) =>
        connection(
          page,
          (part) => recipientsOf(ctx.db, id, acknowledged, part),
          () => countRecipients(ctx.db, id, acknowledged),
        ),
    }),
    children: t.connection({
      type: ConcernedChildType,
      description: 'The children whom it concerned: one of theirs is enough.',
      args: { acknowledged: t.arg.boolean({ description: acknowledgedDescription }) },
      resolve: ({ id }, { acknowledged = null, ...page }, ctx) =>
        connection(
          page,
          (part) => concernedChildren(ctx.db, id, acknowledged, part),
          () => countConcernedChildren(ctx.db, id, acknowledged),
        ),
    }),
    remindedAt: t.expose('remindedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When those who had not acknowledged it were last reminded; null: never.',
    }),
  }),
});

builder.objectField(PostType, 'reach', (t) =>
  t.field({
    perViewer: true,
    type: ReachType,
    nullable: true,
    description:
      'Whom it has reached. Null: its acknowledgement is not required, it is not published, or not for this viewer.',
    resolve: (post, _args, ctx) =>
      post.acknowledgementRequired && post.publishedAt && canKeepPost(ctx.viewer, post) ? post : null,
  }),
);

builder.objectField(PostType, 'viewerMustAcknowledge', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether it is for the viewer to acknowledge, and they have not yet.',
    resolve: async ({ id, state }, _args, ctx) => {
      const { isAsked, acknowledgedAt } = await ctx.load(ownMarks, id);
      return state === 'PUBLISHED' && isAsked && acknowledgedAt === null;
    },
  }),
);

builder.objectField(PostType, 'viewerAcknowledgedAt', (t) =>
  t.field({
    perViewer: true,
    type: 'DateTime',
    nullable: true,
    description: 'When the viewer acknowledged it; null: not yet.',
    resolve: async ({ id }, _args, ctx) => (await ctx.load(ownMarks, id)).acknowledgedAt,
  }),
);

postMutation(
  'acknowledgePost',
  'Says that the viewer has taken note of a post that asks for it. Whoever reads it may; those for whom it was count. ' +
    'Repeating it changes nothing.',
  acknowledgePost,
);

const ReminderPayload = builder
  .objectRef<{ readonly postId: string; readonly remindedCount: number }>('RemindUnacknowledgedPayload')
  .implement({
    description: 'Who was reminded.',
    fields: (t) => ({
      post: t.field({
        type: PostType,
        description: 'The post.',
        resolve: ({ postId }, _args, ctx) => shownPost(ctx, Promise.resolve({ id: postId })),
      }),
      remindedCount: t.exposeInt('remindedCount', { description: 'How many people.' }),
    }),
  });

builder.mutationField('remindUnacknowledged', (t) =>
  t.fieldWithInput({
    type: ReminderPayload,
    description:
      'Reminds everybody who was asked to acknowledge a post, has not, and still reads it: each hears of it alone. Once an hour ' +
      'for each post. Those who publish there.',
    errors: { types: [InvalidState, RateLimited] },
    input: { postId: t.input.id({ required: true, description: 'Which post.' }) },
    resolve: async (_root, { input }, ctx) => {
      const { post, remindedCount } = await remindUnacknowledged(ctx.db, ctx.viewer, idOf('Post', input.postId));
      return { postId: post.id, remindedCount };
    },
  }),
);
