import { UserType } from '../accounts/graphql.ts';
import { ChildType } from '../children/graphql.ts';
import { childById } from '../children/queries.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { MessageType } from '../messages/graphql.ts';
import { canSeeAuthor } from '../messages/policy.ts';
import { messageById } from '../messages/queries.ts';
import { few, PostType } from '../posts/graphql.ts';
import { postById } from '../posts/queries.ts';
import { closePoll } from './commands.ts';
import {
  canClosePoll,
  canSeeResults,
  isFinal,
  obstacleToVote,
  shownVoterCount,
  tellsVoterCount,
  type VoteObstacle,
} from './policy.ts';
import { electorsIn, type OwnElector, type Poll, type PollOption, placeOf, pollById, seesPoll } from './queries.ts';

const PollStateEnum = builder.enumType('PollState', {
  description: 'Where a poll stands.',
  values: {
    OPEN: { description: 'Votes are taken, until its deadline if it has one.' },
    CLOSED: { description: 'The voting is over, for good.' },
  } as const,
});

export const PollElectorateEnum = builder.enumType('PollElectorate', {
  description: 'Who has a vote in a poll.',
  values: {
    PERSON: { description: 'Each person who may write in the chat, or react to the post.' },
    CHILD: {
      description:
        'Each child of the group, or of the organization where the channel is for all. Each of its guardians votes for it and sees only ' +
        'their own vote; the child counts once, when the poll is closed: by the latest vote, of a guardian who is not LIMITED if one has ' +
        'voted. How the votes stand is shown then, whatever `results` says.',
    },
  } as const,
});

export const PollResultsEnum = builder.enumType('PollResults', {
  description:
    'When it is shown how the votes of a poll stand; nobody sees it earlier, its creator neither. An anonymous one shows nothing of ' +
    'fewer than five votes, also once it is closed: so few would say who chose what.',
  values: {
    ALWAYS: { description: 'At any time; of an anonymous one from five votes on, and after every five.' },
    AFTER_VOTE: { description: 'To who has voted; to all once it is closed.' },
    AFTER_CLOSE: { description: 'Once it is closed.' },
  } as const,
});

const VoteObstacleEnum = builder.enumType('VoteObstacle', {
  description: 'What keeps somebody from voting in a poll that they see.',
  values: {
    CLOSED: { description: 'It is closed, or its deadline has passed.' },
    PLACE_CLOSED: { description: 'The chat or channel is frozen or put away, or the post is not in the feeds.' },
    LEFT: { description: 'They take part in the chat no longer.' },
    UNVERIFIED: { description: 'Their status of employee is not confirmed (§3).' },
    NOT_CONCERNED: { description: 'It asks for votes for children, and none of theirs is meant.' },
    FINAL: { description: 'They have voted, and an anonymous vote cannot be changed.' },
  } as const,
});

const VotePermission = builder.objectRef<{ obstacle: VoteObstacle | null }>('VotePermission').implement({
  description: 'Whether somebody may vote, for themself or for one of their children at least, and if not, why.',
  fields: (t) => ({
    allowed: t.boolean({ description: 'Whether they may.', resolve: ({ obstacle }) => obstacle === null }),
    reason: t.field({
      type: VoteObstacleEnum,
      nullable: true,
      description: 'What keeps them from it; null where nothing does.',
      resolve: ({ obstacle }) => obstacle,
    }),
  }),
});

type ShownElector = OwnElector & { readonly poll: Poll; readonly obstacle: VoteObstacle | null };
const PollElectorType = builder.objectRef<ShownElector>('PollElector').implement({
  description: 'The viewer, or a child of theirs, as somebody who has a vote in a poll.',
  fields: (t) => ({
    child: t.field({
      type: ChildType,
      nullable: true,
      description: 'Which of their children. Null: the viewer themself.',
      resolve: ({ childId }, _args, ctx) => (childId ? ctx.loadExisting(childById, childId) : null),
    }),
    hasVoted: t.exposeBoolean('hasVoted', {
      description: 'Whether the viewer has voted for them. What another guardian of the child does is told to nobody.',
    }),
    canVote: t.boolean({
      description: 'Whether the viewer may vote for them now, or vote anew.',
      resolve: ({ poll, obstacle, ...elector }) => obstacle === null && !isFinal(poll, elector),
    }),
    positions: t.intList({
      nullable: true,
      description:
        'What the viewer chose; empty: nothing yet. Null: the poll is anonymous, and it was written down nowhere.',
      resolve: ({ poll, positions }) => (poll.anonymous ? null : [...positions]),
    }),
  }),
});

export interface ShownOption extends PollOption {
  readonly poll: Poll;
}

/** Whether the viewer sees how the votes stand. Only where that hangs on their own vote it is asked for. */
export const showsResults = async (ctx: Context, poll: Poll): Promise<boolean> =>
  canSeeResults(poll, []) || canSeeResults(poll, await ctx.load(electorsIn, poll.id));

export const PollOptionType = builder.objectRef<ShownOption>('PollOption').implement({
  description: 'One answer of a poll.',
  fields: (t) => ({
    position: t.exposeInt('position', { description: 'Its place, from 1: by it one votes.' }),
    text: t.exposeString('text', { description: 'What it says: up to 200 characters.' }),
    voteCount: t.int({
      perViewer: true,
      nullable: true,
      description:
        'How many votes it has; of an anonymous poll that is open, as of the last five. Null: not shown to this viewer, or not yet; see ' +
        '`results` of the poll.',
      resolve: async ({ poll, voteCount, shownCount }, _args, ctx) => {
        if (!(await showsResults(ctx, poll))) return null;
        return poll.anonymous && poll.state === 'OPEN' ? shownCount : voteCount;
      },
    }),
    viewerHasChosen: t.boolean({
      perViewer: true,
      nullable: true,
      description:
        'Whether the viewer has chosen it, for themself or for one of their children. Null: the poll is anonymous, and what ' +
        'somebody chose is written down nowhere.',
      resolve: async ({ poll, position }, _args, ctx) =>
        poll.anonymous ? null : (await ctx.load(electorsIn, poll.id)).some((one) => one.positions.includes(position)),
    }),
  }),
});

/** The audience of what is each one's alone to be shown. */
const nobodys = '';

async function obstacleFor(ctx: Context, poll: Poll): Promise<VoteObstacle | null> {
  const [place, electors] = await Promise.all([placeOf(ctx, poll), ctx.load(electorsIn, poll.id)]);
  return obstacleToVote(ctx.viewer, poll, place, electors, new Date());
}

export const PollType = builder.objectRef<Poll>('Poll');
builder.node(PollType, {
  description:
    'A question with two to twelve answers, in a message or a post (§1.3). Seen by who sees that; gone when that is deleted. ' +
    'Question and answers never change: what was asked wrong is closed and asked anew.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: (ids, ctx): Promise<(Poll | null)[]> =>
    Promise.all(
      ids.map(async (id) => {
        const poll = await ctx.load(pollById, id);
        return poll && (await seesPoll(ctx, poll)) ? poll : null;
      }),
    ),
  fields: (t) => ({
    question: t.exposeString('question', { description: 'What is asked: up to 500 characters.' }),
    options: t.field({
      type: [PollOptionType],
      complexity: few,
      description: 'The answers, in the order of their `position`.',
      resolve: (poll) => poll.options.map((option) => ({ ...option, poll })),
    }),
    multiple: t.exposeBoolean('multiple', { description: 'Whether several answers may be chosen.' }),
    anonymous: t.exposeBoolean('anonymous', {
      description:
        'Whether nobody can find out who chose what: it is written down nowhere. Who has voted is kept, and shown to nobody. ' +
        'Such a vote is final.',
    }),
    electorate: t.field({
      type: PollElectorateEnum,
      description: 'Who has a vote.',
      resolve: ({ electorate }) => electorate,
    }),
    results: t.field({
      type: PollResultsEnum,
      description: 'When it is shown how the votes stand.',
      resolve: ({ results }) => results,
    }),
    state: t.field({ type: PollStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    closesAt: t.expose('closesAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when votes are taken; then it is closed by itself. Null: until `closePoll`.',
    }),
    closedAt: t.expose('closedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null: it is open.',
    }),
    voterCount: t.int({
      nullable: true,
      description:
        'How many people have voted, or for how many children somebody has. As of when it is read; of an anonymous poll that is open in ' +
        'steps of five. Null: it asks for children, is open, and the viewer may not close it.',
      resolve: async (poll, _args, ctx) => {
        const closes = async () => canClosePoll(ctx.viewer, poll, await placeOf(ctx, poll));
        return tellsVoterCount(poll) || (await ctx.belongs(nobodys, closes)) ? shownVoterCount(poll) : null;
      },
    }),
    creator: t.field({
      type: UserType,
      nullable: true,
      description: 'Who asks. Null: a guardian who is not named to this viewer (§4.11).',
      resolve: async ({ messageId, message, creator }, _args, ctx) => {
        if (!messageId) return creator;
        return ctx.sees(canSeeAuthor, message ?? (await ctx.loadExisting(messageById, messageId))) ? creator : null;
      },
    }),
    chatMessage: t.field({
      type: MessageType,
      nullable: true,
      description: 'The message that carries it. Null: it is in a post.',
      resolve: ({ message, messageId }, _args, ctx) =>
        message ?? (messageId ? ctx.loadExisting(messageById, messageId) : null),
    }),
    post: t.field({
      type: PostType,
      nullable: true,
      description: 'The post that carries it. Null: it is in a chat.',
      resolve: ({ post, postId }, _args, ctx) => post ?? (postId ? ctx.loadExisting(postById, postId) : null),
    }),
    viewerCanSeeResults: t.boolean({
      perViewer: true,
      description: 'Whether the viewer sees how the votes stand.',
      resolve: (poll, _args, ctx) => showsResults(ctx, poll),
    }),
    viewerCanVote: t.field({
      perViewer: true,
      type: VotePermission,
      description: 'Whether the viewer may vote, or vote anew.',
      resolve: async (poll, _args, ctx) => ({ obstacle: await obstacleFor(ctx, poll) }),
    }),
    viewerElectors: t.field({
      perViewer: true,
      type: [PollElectorType],
      complexity: few,
      description: 'For whom the viewer has a vote: for themself, or for each of their children whom it concerns.',
      resolve: async (poll, _args, ctx) => {
        const [obstacle, electors] = await Promise.all([obstacleFor(ctx, poll), ctx.load(electorsIn, poll.id)]);
        // Of several children one may still have a vote to cast.
        const ofAll = obstacle === 'FINAL' ? null : obstacle;
        return electors.map((elector) => ({ ...elector, poll, obstacle: ofAll }));
      },
    }),
    viewerCanClose: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may close it: who created it, and who answers for what is said there.',
      resolve: async (poll, _args, ctx) =>
        poll.state === 'OPEN' && canClosePoll(ctx.viewer, poll, await placeOf(ctx, poll)),
    }),
  }),
});

/** A poll as the viewer sees it after they have done something with it. */
export const shownPoll = async (ctx: Context, changed: Promise<string>): Promise<Poll> =>
  ctx.loadExisting(pollById, await changed);

export const whichPoll = { required: true, description: 'Which poll.' } as const;

builder.mutationField('closePoll', (t) =>
  t.fieldWithInput({
    type: PollType,
    description:
      'Ends the voting for good, live for all who see it. Who created it; in a chat of more than two also its staff, in a CUSTOM one ' +
      'who manages it; in a channel who publishes there. Repeating it changes nothing.',
    errors: { types: [InvalidState] },
    input: { pollId: t.input.id(whichPoll) },
    resolve: (_root, { input }, ctx) => {
      const pollId = idOf('Poll', input.pollId);
      return shownPoll(
        ctx,
        closePoll(ctx.db, ctx.viewer, pollId).then(() => pollId),
      );
    },
  }),
);

liveEvent('PollChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    POLL_VOTED:
      'The viewer has voted, or taken their vote back, here or on another device. Of a poll in a chat that is not anonymous and ' +
      'shows its results always: somebody has.',
    POLL_CLOSED: 'It was closed, or its deadline came.',
  },
  description: 'Something was done with a poll.',
  subject: { name: 'poll', type: PollType, by: pollById, sees: seesPoll },
});
