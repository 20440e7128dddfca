import { UserType } from '../accounts/graphql.ts';
import { ChildType } from '../children/graphql.ts';
import { canSeeChild } from '../children/policy.ts';
import { childById } from '../children/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { idOf } from '../graphql/ids.ts';
import { PollOptionType, PollType, shownPoll, whichPoll } from '../polls/graphql.ts';
import { canSeeVoters } from '../polls/policy.ts';
import { electorsIn, placeOf } from '../polls/queries.ts';
import { retractVote, VoteIsFinal, vote } from './commands.ts';
import { answerId, type Voter, votersOf } from './queries.ts';

builder.objectType(VoteIsFinal, {
  name: 'VoteIsFinal',
  description:
    '`VOTE_IS_FINAL`: an anonymous vote was cast. Nobody knows which one it is, so it can be neither changed nor taken back.',
  interfaces: [ErrorInterface],
});

const VoterType = builder.objectRef<Voter>('PollVoter').implement({
  description: 'Somebody who chose an answer.',
  fields: (t) => ({
    user: t.field({ type: UserType, description: 'Who cast the vote.', resolve: ({ user }) => user }),
    child: t.field({
      perViewer: true,
      type: ChildType,
      nullable: true,
      description: 'For which child. Null: for themself, or the child’s record is not for this viewer.',
      resolve: async ({ childId }, _args, ctx) => {
        const child = childId ? await ctx.loadExisting(childById, childId) : null;
        return child && canSeeChild(ctx.viewer, child) ? child : null;
      },
    }),
  }),
});

builder.objectField(PollOptionType, 'voters', (t) =>
  t.connection({
    perViewer: true,
    type: VoterType,
    nullable: true,
    description:
      'Who chose it, in no order of time: for the staff who take part, as far as they meet them. Families see how many, never who ' +
      '(§4.11). Null: the poll is anonymous, its results are not shown to this viewer, or not yet, or they are not one of the staff, or ' +
      'take part in the chat no longer.',
    resolve: async ({ poll, position }, args, ctx) => {
      if (poll.anonymous) return null;
      const [place, electors] = await Promise.all([placeOf(ctx, poll), ctx.load(electorsIn, poll.id)]);
      if (!canSeeVoters(ctx.viewer, poll, place, electors)) return null;
      return listed(ctx, args, votersOf, { parentId: answerId(poll.id, position), filter: null });
    },
  }),
);

const childIds =
  'In a poll for children: for which of the viewer’s children. Without: for all for whom they have not voted yet, or else for all.';

builder.mutationField('vote', (t) =>
  t.fieldWithInput({
    type: PollType,
    description:
      'Votes in a poll; see its `viewerCanVote` and `viewerElectors`. While it is open, another vote takes the place of the viewer’s ' +
      'former one; of an anonymous poll a vote is final. For a child each of its guardians votes, and the child counts once, at the end ' +
      '(`PollElectorate`). Repeating it changes nothing.',
    errors: { types: [InvalidState, VoteIsFinal] },
    input: {
      pollId: t.input.id(whichPoll),
      positions: t.input.intList({
        required: true,
        description: 'The `position` of what is chosen: one, or if the poll is `multiple` at least one.',
      }),
      childIds: t.input.idList({ description: childIds }),
    },
    resolve: (_root, { input: { pollId, positions, childIds } }, ctx) =>
      shownPoll(ctx, vote(ctx.db, ctx.viewer, idOf('Poll', pollId), { positions, childIds: childrenOf(childIds) })),
  }),
);

builder.mutationField('retractVote', (t) =>
  t.fieldWithInput({
    type: PollType,
    description:
      'Takes the viewer’s own vote back while the poll is open; never of an anonymous one. Who may vote. Repeating it changes nothing.',
    errors: { types: [InvalidState, VoteIsFinal] },
    input: {
      pollId: t.input.id(whichPoll),
      childIds: t.input.idList({ description: 'In a poll for children: of which of them. Without: of all.' }),
    },
    resolve: (_root, { input: { pollId, childIds } }, ctx) =>
      shownPoll(ctx, retractVote(ctx.db, ctx.viewer, idOf('Poll', pollId), { childIds: childrenOf(childIds) })),
  }),
);

const childrenOf = (ids: readonly string[] | null | undefined) => ids?.map((id) => idOf('Child', id));
