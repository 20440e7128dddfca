import { UserType } from '../accounts/graphql.ts';
import { listOfPeople } from '../chat-members/graphql.ts';
import { ownOf } from '../chats/queries.ts';
import { builder } from '../graphql/builder.ts';
import { noRow } from '../graphql/ids.ts';
import { messageMutation } from '../message-edits/graphql.ts';
import { asLeft } from '../message-pasts/queries.ts';
import { MessageType } from '../messages/graphql.ts';
import { canOversee } from '../messages/policy.ts';
import { ownMarks } from '../messages/queries.ts';
import { acknowledgeMessage } from './commands.ts';
import { type Recipient, readersOf, recipientsOf } from './queries.ts';

const MessageReaderType = builder.objectRef<Pick<Recipient, 'id' | 'user'>>('MessageReader').implement({
  description: 'Somebody who has read a message.',
  fields: (t) => ({ user: t.field({ type: UserType, description: 'The person.', resolve: ({ user }) => user }) }),
});

const MessageRecipientType = builder.objectRef<Recipient>('MessageRecipient').implement({
  description: 'Somebody who is asked to take note of a message.',
  fields: (t) => ({
    user: t.field({ type: UserType, description: 'The person.', resolve: ({ user }) => user }),
    acknowledgedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When they did; null: they have not.',
      resolve: ({ acknowledgedAt }) => (acknowledgedAt ? new Date(acknowledgedAt) : null),
    }),
  }),
});

builder.objectFields(MessageType, (t) => ({
  readers: t.connection({
    perViewer: true,
    type: MessageReaderType,
    description:
      'Who of those who take part has read it, besides its author, as far as the viewer meets them: families’ LIMITED guardians ' +
      'are left out (§4.11).',
    // Whoever reads it after the viewer has left is not for them.
    resolve: async (message, args, ctx) =>
      listOfPeople(ctx, args, readersOf, { messageId: (await asLeft(ctx, message)) ? noRow : message.id }),
  }),
  recipients: t.connection({
    perViewer: true,
    type: MessageRecipientType,
    nullable: true,
    description:
      'Whom it asks to take note of it, and who has. Null: it asks nobody, or not for this viewer (only its author, and the staff ' +
      'of the chat).',
    args: { acknowledged: t.arg.boolean({ description: 'Only those who have, or have not.' }) },
    resolve: async (message, { acknowledged, ...args }, ctx) => {
      const own = await ownOf(ctx, { id: message.chatId });
      if (!message.acknowledgementRequired || own.leftAt || !canOversee(ctx.viewer, message, own)) return null;
      return listOfPeople(ctx, args, recipientsOf, { messageId: message.id, acknowledged: acknowledged ?? null });
    },
  }),
  viewerAcknowledgedAt: t.field({
    perViewer: true,
    type: 'DateTime',
    nullable: true,
    description: 'When the viewer took note of it; null: they have not.',
    resolve: async ({ id }, _args, ctx) => (await ctx.load(ownMarks, id)).acknowledgedAt,
  }),
}));

messageMutation(
  'acknowledgeMessage',
  'Takes note of a message that asks for it (`acknowledgementRequired`): those who take part. Its author hears of it.',
  acknowledgeMessage,
);
