import { InvalidState } from '../errors.ts';
import { builder, type Types } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { RoleEnum } from '../memberships/graphql.ts';
import { MessagePriorityEnum, MessageType } from '../messages/graphql.ts';
import { maxFiles, maxMentions } from '../messages/tables.ts';
import { sendMessage } from './commands.ts';

export const said = {
  text: 'What it says: up to 4,000 characters; without files at least one.',
  fileIds: `Files that the viewer has uploaded and that are attached to nothing, in their order: at most ${maxFiles}.`,
  replyToId: 'Which message of this chat it answers.',
  mentionedIds: `Ids of users whom it names and who take part: at most ${maxMentions}.`,
  capacity:
    'As what the viewer speaks, of their `viewerCapacities`; without: as the last time here, or as an employee.',
  clientMessageId:
    'A key of the client’s own for this one message, 8 to 100 characters: a repeat sends nothing, and returns the first.',
};

/** What a message is made of, now or later. */
export const messageInput = (input: PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>) => ({
  chatId: input.id({ required: true, description: 'Where.' }),
  text: input.string({ description: said.text }),
  fileIds: input.idList({ description: said.fileIds }),
  replyToId: input.id({ description: said.replyToId }),
  mentionedIds: input.idList({ description: said.mentionedIds }),
  priority: input.field({ type: MessagePriorityEnum, description: 'How much it presses; NORMAL unless given.' }),
  acknowledgementRequired: input.boolean({
    description:
      'Whether those who take part are asked to take note of it; only the staff of the chat. No unless given.',
  }),
  capacity: input.field({ type: RoleEnum, description: said.capacity }),
  clientMessageId: input.string({ required: true, description: said.clientMessageId }),
});

builder.mutationField('sendMessage', (t) =>
  t.fieldWithInput({
    type: MessageType,
    description:
      'Says something in a chat, live for all who take part. What its author had not read of the chat counts as read, and their ' +
      'draft there is forgotten.',
    errors: { types: [InvalidState] },
    input: messageInput(t.input),
    resolve: (_root, { input }, ctx) => sendMessage(ctx.db, ctx.viewer, wishOf(input)),
  }),
);

/** The rows that a message's input names. */
export const wishOf = <Input extends NamedByMessage>({ chatId, fileIds, replyToId, mentionedIds, ...rest }: Input) => ({
  ...rest,
  chatId: idOf('Chat', chatId),
  fileIds: fileIds?.map((id) => idOf('File', id)),
  replyToId: replyToId ? idOf('Message', replyToId) : null,
  mentionedIds: mentionedIds?.map((id) => idOf('User', id)),
});

interface NamedByMessage {
  readonly chatId: string;
  readonly fileIds?: readonly string[] | null | undefined;
  readonly replyToId?: string | null | undefined;
  readonly mentionedIds?: readonly string[] | null | undefined;
}
