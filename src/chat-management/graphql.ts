import { ChatType, shownChat, whichChat } from '../chats/graphql.ts';
import type { Database } from '../database/connect.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import type { Viewer } from '../viewer.ts';
import { archiveChat, makeChatReadOnly, reopenChat } from './commands.ts';

/** A mutation that takes a chat and nothing else. */
function chatMutation(
  name: string,
  description: string,
  command: (db: Database, viewer: Viewer, chatId: string) => Promise<void>,
): void {
  builder.mutationField(name, (t) =>
    t.fieldWithInput({
      type: ChatType,
      description: `${description} Repeating it changes nothing.`,
      errors: { types: [InvalidState] },
      input: { chatId: t.input.id(whichChat) },
      resolve: async (_root, { input }, ctx) => {
        const id = idOf('Chat', input.chatId);
        await command(ctx.db, ctx.viewer, id);
        return shownChat(ctx, id);
      },
    }),
  );
}

chatMutation(
  'makeChatReadOnly',
  'Freezes a CUSTOM chat: it is read, not written. Those who manage it.',
  makeChatReadOnly,
);
chatMutation('reopenChat', 'Lets people write in a frozen chat again. Those who manage it.', reopenChat);
chatMutation(
  'archiveChat',
  'Puts a CUSTOM chat away for good; it can still be read. Those who manage it.',
  archiveChat,
);
