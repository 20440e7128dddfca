import { ChatType, shownChat, whichChat } from '../chats/graphql.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { markChatRead, muteChat, saveChatDraft, unmuteChat } from './commands.ts';

builder.mutationField('markChatRead', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Marks a chat as read, up to a message or to its last, and its missed calls as seen: call it when the chat is opened. A mark ' +
      'never goes back. The viewer’s other devices hear of it; of a DIRECT chat the other hears what was read, too.',
    errors: {},
    input: {
      chatId: t.input.id(whichChat),
      upTo: t.input.int({ description: 'Up to the message with this number; to the last one without.' }),
    },
    resolve: async (_root, { input }, ctx) => {
      const id = idOf('Chat', input.chatId);
      await markChatRead(ctx.db, ctx.viewer, id, input.upTo ?? null);
      return shownChat(ctx, id);
    },
  }),
);

builder.mutationField('muteChat', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Keeps a chat quiet for the viewer: it notifies of nothing but meetings and what is URGENT, mentions them, answers them or ' +
      'asks them to acknowledge it. It is read as before.',
    errors: {},
    input: {
      chatId: t.input.id(whichChat),
      until: t.input.field({
        type: 'DateTime',
        description: 'Until when, at most a year; without: until `unmuteChat`.',
      }),
    },
    resolve: async (_root, { input }, ctx) => {
      const id = idOf('Chat', input.chatId);
      await muteChat(ctx.db, ctx.viewer, id, input.until ?? null);
      return shownChat(ctx, id);
    },
  }),
);

builder.mutationField('unmuteChat', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description: 'Lets a chat notify the viewer again. Repeating it changes nothing.',
    errors: {},
    input: { chatId: t.input.id(whichChat) },
    resolve: async (_root, { input }, ctx) => {
      const id = idOf('Chat', input.chatId);
      await unmuteChat(ctx.db, ctx.viewer, id);
      return shownChat(ctx, id);
    },
  }),
);

builder.mutationField('saveChatDraft', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Keeps what the viewer has begun to write, for their other devices. Sending a message there forgets it.',
    errors: {},
    input: {
      chatId: t.input.id(whichChat),
      text: t.input.string({ description: 'Up to 4,000 characters; null or empty: nothing.' }),
    },
    resolve: async (_root, { input: { chatId, ...draft } }, ctx) => {
      const id = idOf('Chat', chatId);
      await saveChatDraft(ctx.db, ctx.viewer, id, draft);
      return shownChat(ctx, id);
    },
  }),
);
