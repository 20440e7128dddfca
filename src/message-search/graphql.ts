import { ViewerType } from '../accounts/graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import { idOrNone } from '../graphql/ids.ts';
import { searchDescription, sought } from '../graphql/search.ts';
import { MessageType } from '../messages/graphql.ts';
import type { Message } from '../messages/queries.ts';
import { pageOfFound, sizeOfFound } from './queries.ts';

builder.objectField(ViewerType, 'messages', (t) =>
  t.connection({
    perViewer: true,
    type: MessageType,
    description:
      'Messages with some words in all the viewer’s chats, past ones among them, as far as they may read them; the latest written ' +
      'first. Of one chat: `Chat.messages(search:)`.',
    args: {
      search: t.arg.string({ required: true, description: searchDescription }),
      organizationId: t.arg.id({ description: 'Only of this organization.' }),
    },
    resolve: (_viewer, { search, organizationId, ...page }, { db, viewer }) => {
      const words = {
        // Without a word in it nothing is sought, and nothing found.
        search: sought(search) ?? '',
        organizationId: organizationId ? idOrNone('Organization', organizationId) : null,
      };
      return connection<Message>(
        page,
        (part) => pageOfFound(db, viewer, words, part),
        () => sizeOfFound(db, viewer, words),
      );
    },
  }),
);
