import { UserType } from '../accounts/graphql.ts';
import { canSeePerson } from '../audiences/policy.ts';
import { listOfPeople } from '../chat-members/graphql.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { asLeft } from '../message-pasts/queries.ts';
import { MessageType, shownMessage, whichMessage } from '../messages/graphql.ts';
import { reactionsMet } from '../messages/policy.ts';
import { ownMarks } from '../messages/queries.ts';
import { few } from '../posts/graphql.ts';
import { maxEmojis } from '../reactions/commands.ts';
import { ReactionCountType } from '../reactions/graphql.ts';
import { addMessageReaction, removeMessageReaction } from './commands.ts';
import { type Reactor, reactorsOf } from './queries.ts';

const MessageReactorType = builder.objectRef<Reactor>('MessageReactor').implement({
  description: 'Somebody who reacted to a message.',
  fields: (t) => ({
    user: t.field({ type: UserType, description: 'The person.', resolve: ({ user }) => user }),
    emojis: t.stringList({ description: 'With what, the first first.', resolve: ({ emojis }) => [...emojis] }),
  }),
});

builder.objectFields(MessageType, (t) => ({
  reactions: t.field({
    type: [ReactionCountType],
    complexity: few,
    description:
      'How often people reacted in which way, the most frequent first; at most 20 different ones. As `reactors`, of those whom the ' +
      'viewer meets.',
    resolve: async (message, _args, ctx) => {
      if (message.state === 'DELETED') return [];
      const reacted = { ...message, ...(await asLeft(ctx, message)) };
      return reactionsMet(reacted, (person) => ctx.sees(canSeePerson, person)).slice(0, maxEmojis);
    },
  }),
  reactors: t.connection({
    perViewer: true,
    type: MessageReactorType,
    description: 'Who reacted, as far as the viewer meets them: families’ LIMITED guardians are left out (§4.11).',
    resolve: async (message, args, ctx) => {
      const past = await asLeft(ctx, message);
      return listOfPeople(ctx, args, reactorsOf, { messageId: message.id, leftAt: past?.leftAt ?? null });
    },
  }),
  viewerReactions: t.stringList({
    perViewer: true,
    description: 'The emojis with which the viewer has reacted.',
    resolve: async ({ id, state }, _args, ctx) =>
      state === 'DELETED' ? [] : [...(await ctx.load(ownMarks, id)).emojis],
  }),
}));

const oneEmoji = { required: true, description: 'One emoji.' } as const;

builder.mutationField('addMessageReaction', (t) =>
  t.fieldWithInput({
    type: MessageType,
    description: 'Reacts to a message, live for all who take part. Who may write there. Repeating it changes nothing.',
    errors: { types: [InvalidState] },
    input: { messageId: t.input.id(whichMessage), emoji: t.input.string(oneEmoji) },
    resolve: (_root, { input }, ctx) =>
      shownMessage(ctx, addMessageReaction(ctx.db, ctx.viewer, idOf('Message', input.messageId), input.emoji)),
  }),
);

builder.mutationField('removeMessageReaction', (t) =>
  t.fieldWithInput({
    type: MessageType,
    description: 'Takes a reaction back. Repeating it changes nothing.',
    errors: { types: [InvalidState] },
    input: { messageId: t.input.id(whichMessage), emoji: t.input.string(oneEmoji) },
    resolve: (_root, { input }, ctx) =>
      shownMessage(ctx, removeMessageReaction(ctx.db, ctx.viewer, idOf('Message', input.messageId), input.emoji)),
  }),
);
