import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { canKeepChat } from '../chats/policy.ts';
import { chatById, ownOf } from '../chats/queries.ts';
import type { Database } from '../database/connect.ts';
import { InvalidState } from '../errors.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { asLeft } from '../message-pasts/queries.ts';
import { MessageType, shownMessage, whichMessage } from '../messages/graphql.ts';
import { canDeleteMessage, canEditMessage, canOversee, canSeeAuthor } from '../messages/policy.ts';
import { messageById } from '../messages/queries.ts';
import type { MessageRevision } from '../messages/tables.ts';
import type { Viewer } from '../viewer.ts';
import { deleteMessage, editMessage, pinMessage, unpinMessage } from './commands.ts';
import { revisionsOf } from './queries.ts';

const MessageRevisionType = builder.objectRef<MessageRevision>('MessageRevision').implement({
  description: 'What a message said before it was edited.',
  fields: (t) => ({
    text: t.exposeString('text', { description: 'The words.' }),
    replacedAt: t.expose('createdAt', { type: 'DateTime', description: 'Until when it said so.' }),
    replacedBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who changed it. Null: its author, whom the viewer does not meet.',
      resolve: async ({ replacedBy, messageId }, _args, ctx) => {
        const message = await ctx.loadExisting(messageById, messageId);
        const hidden = replacedBy === message.authorId && !ctx.sees(canSeeAuthor, message);
        return hidden
          ? null
          : ctx.loadExisting(personOf, { userId: replacedBy, organizationId: message.organizationId });
      },
    }),
  }),
});

builder.objectFields(MessageType, (t) => ({
  editedAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When its words were last changed; null: never.',
    resolve: async (message, _args, ctx) => {
      const past = await asLeft(ctx, message);
      if (!past) return message.editedAt;
      return past.editedAt === null ? null : new Date(past.editedAt);
    },
  }),
  isPinned: t.boolean({
    description: 'Whether it is pinned.',
    resolve: async (message, _args, ctx) => {
      const past = message.pinnedAt && (await asLeft(ctx, message));
      return message.pinnedAt !== null && (!past || message.pinnedAt <= new Date(past.leftAt));
    },
  }),
  revisions: t.connection({
    perViewer: true,
    type: MessageRevisionType,
    nullable: true,
    description:
      'What it said before, latest first; nothing once it is deleted. Null: not for this viewer (only its author, and the ' +
      'staff of the chat).',
    resolve: async (message, args, ctx) =>
      canOversee(ctx.viewer, message, await ownOf(ctx, { id: message.chatId }))
        ? listed(ctx, args, revisionsOf, { parentId: message.id, filter: null })
        : null,
  }),
  viewerCanEdit: t.boolean({
    perViewer: true,
    description: 'Whether the viewer may change its words: its author, for 24 hours, while they may write there.',
    resolve: async (message, _args, ctx) => {
      const [own, chat] = await Promise.all([
        ownOf(ctx, { id: message.chatId }),
        ctx.loadExisting(chatById, message.chatId),
      ]);
      return canEditMessage(ctx.viewer, message, own, chat, new Date());
    },
  }),
  viewerCanDelete: t.boolean({
    perViewer: true,
    description:
      'Whether the viewer may delete it: its author while they take part; the staff of a chat what families said; of a CUSTOM ' +
      'chat those who manage it.',
    resolve: async (message, _args, ctx) => {
      const [own, chat] = await Promise.all([
        ownOf(ctx, { id: message.chatId }),
        ctx.loadExisting(chatById, message.chatId),
      ]);
      const managed = { ...chat, ...own };
      const keeps = canKeepChat(ctx.viewer, managed, own);
      return message.state === 'SENT' && canDeleteMessage(ctx.viewer, message, own, managed, keeps);
    },
  }),
}));

builder.mutationField('editMessage', (t) =>
  t.fieldWithInput({
    type: MessageType,
    description:
      'Changes the words of a message: its author, for 24 hours. All who take part hear of it and see that it was edited; its author ' +
      'and the staff of the chat also what it said before. A poll’s question stays.',
    errors: { types: [InvalidState] },
    input: {
      messageId: t.input.id(whichMessage),
      text: t.input.string({
        required: true,
        description: 'What it says from now on: up to 4,000 characters; without files at least one.',
      }),
    },
    resolve: (_root, { input: { messageId, ...changes } }, ctx) =>
      shownMessage(ctx, editMessage(ctx.db, ctx.viewer, idOf('Message', messageId), changes)),
  }),
);

/** A mutation that takes a message and nothing else. */
export function messageMutation(
  name: string,
  description: string,
  command: (db: Database, viewer: Viewer, messageId: string) => Promise<string>,
): void {
  builder.mutationField(name, (t) =>
    t.fieldWithInput({
      type: MessageType,
      description: `${description} Repeating it changes nothing.`,
      errors: { types: [InvalidState] },
      input: { messageId: t.input.id(whichMessage) },
      resolve: (_root, { input }, ctx) =>
        shownMessage(ctx, command(ctx.db, ctx.viewer, idOf('Message', input.messageId))),
    }),
  );
}

messageMutation(
  'deleteMessage',
  'Deletes a message for good, with its files and all that it ever said: nobody reads it any more, and a tombstone stays in its ' +
    'place. What was forwarded from it stays with who forwarded it. See `viewerCanDelete`.',
  deleteMessage,
);
messageMutation(
  'pinMessage',
  'Keeps a message at hand for all who take part: the staff of the chat; between two, both.',
  pinMessage,
);
messageMutation('unpinMessage', 'Lets a pinned message stand where it was said. Who may pin it.', unpinMessage);
