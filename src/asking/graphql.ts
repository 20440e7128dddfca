import { ChatType } from '../chats/graphql.ts';
import { ownOf } from '../chats/queries.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { RoleEnum } from '../memberships/graphql.ts';
import { MessageType } from '../messages/graphql.ts';
import { PollElectorateEnum, PollResultsEnum, PollType, shownPoll } from '../polls/graphql.ts';
import { canAskInChat, canAttachPoll } from '../polls/policy.ts';
import { pollOfMessage, pollOfPost } from '../polls/queries.ts';
import { PostType, postMutation } from '../posts/graphql.ts';
import { createPoll, removePoll } from './commands.ts';

builder.objectField(MessageType, 'poll', (t) =>
  t.field({
    type: PollType,
    nullable: true,
    description: 'The poll that it carries; its text is then the question. Null: none, or deleted.',
    resolve: async (message, _args, ctx) => {
      const poll = message.state === 'SENT' ? await ctx.load(pollOfMessage, message.id) : null;
      return poll && { ...poll, message };
    },
  }),
);

builder.objectField(PostType, 'poll', (t) =>
  t.field({
    type: PollType,
    nullable: true,
    description: 'The poll that it carries. Null: none, or deleted.',
    resolve: async (post, _args, ctx) => {
      const poll = post.state === 'DELETED' ? null : await ctx.load(pollOfPost, post.id);
      return poll && { ...poll, post };
    },
  }),
);

builder.objectField(ChatType, 'viewerCanCreatePoll', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may create polls here: whoever writes, but students.',
    resolve: async (chat, _args, ctx) => canAskInChat(await ownOf(ctx, chat), chat),
  }),
);

builder.objectField(PostType, 'viewerCanCreatePoll', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may attach a poll to it: until it is published, and while it has none.',
    resolve: async (post, _args, ctx) =>
      canAttachPoll(ctx.viewer, post) && (await ctx.load(pollOfPost, post.id)) === null,
  }),
);

builder.mutationField('createPoll', (t) =>
  t.fieldWithInput({
    type: PollType,
    description:
      'Asks a question: in a chat, as a message, by whoever writes there but students; or in a post that is not published yet, ' +
      'one in each, by whoever may edit it. Nothing of it can be edited afterwards: `closePoll`, or `removePoll`, and ask anew.',
    errors: { types: [InvalidState] },
    input: {
      chatId: t.input.id({ description: 'In which chat; or give `postId`.' }),
      postId: t.input.id({ description: 'In which post; or give `chatId`.' }),
      question: t.input.string({ required: true, description: 'What is asked: 1 to 500 characters.' }),
      options: t.input.stringList({
        required: true,
        description: 'The answers: 2 to 12, each different and of 1 to 200 characters.',
      }),
      multiple: t.input.boolean({ description: 'Whether several answers may be chosen. No unless given.' }),
      anonymous: t.input.boolean({
        description:
          'Whether it is to be written down nowhere who chose what. No unless given; not between two people, nor for children.',
      }),
      electorate: t.input.field({
        type: PollElectorateEnum,
        description:
          'Who has a vote; PERSON unless given. CHILD only by the staff, in the chat of a group’s guardians or in a post for ' +
          'a group or for all.',
      }),
      results: t.input.field({
        type: PollResultsEnum,
        description: 'When it is shown how the votes stand; ALWAYS unless given.',
      }),
      closesAt: t.input.field({
        type: 'DateTime',
        description: 'Until when votes are taken: within a year. Without: until `closePoll`.',
      }),
      capacity: t.input.field({
        type: RoleEnum,
        description: 'In a chat: as what the viewer asks; without: as the last time here, or as an employee.',
      }),
      clientMessageId: t.input.string({
        description:
          'In a chat required: a key of the client’s own for this one message, 8 to 100 characters. A repeat returns the first.',
      }),
      idempotencyKey: t.input.string({
        description:
          'In a post: a key of the client’s own for this one wish, 8 to 100 characters. A repeat returns the first.',
      }),
    },
    resolve: (_root, { input: { chatId, postId, ...wish } }, ctx) => {
      const place = { chatId: chatId ? idOf('Chat', chatId) : null, postId: postId ? idOf('Post', postId) : null };
      return shownPoll(ctx, createPoll(ctx.db, ctx.viewer, { ...wish, ...place }));
    },
  }),
);

postMutation(
  'removePoll',
  'Takes the poll off a post that is not published yet. Whoever may edit the post; repeating it changes nothing.',
  removePoll,
);
