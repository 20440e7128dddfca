import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { RoleEnum } from '../memberships/graphql.ts';
import { MessageType, shownMessage, whichMessage } from '../messages/graphql.ts';
import { said } from '../sending/graphql.ts';
import { forwardMessage } from './commands.ts';

builder.mutationField('forwardMessage', (t) =>
  t.fieldWithInput({
    type: MessageType,
    description:
      'Says in a chat what was said in another one of the same organization, with its files. It is the viewer’s message; what it ' +
      'was forwarded from is shown to those alone who may read that as well.',
    errors: { types: [InvalidState] },
    input: {
      messageId: t.input.id(whichMessage),
      chatId: t.input.id({ required: true, description: 'Where to say it.' }),
      capacity: t.input.field({ type: RoleEnum, description: said.capacity }),
      clientMessageId: t.input.string({ required: true, description: said.clientMessageId }),
    },
    resolve: (_root, { input: { messageId, chatId, ...wish } }, ctx) =>
      shownMessage(
        ctx,
        forwardMessage(ctx.db, ctx.viewer, {
          ...wish,
          messageId: idOf('Message', messageId),
          chatId: idOf('Chat', chatId),
        }),
      ),
  }),
);
