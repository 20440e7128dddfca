import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { showGroup } from '../groups/graphql.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { canReadChat } from './policy.ts';
import { chatById, chatsOf } from './queries.ts';
import type { Chat } from './tables.ts';

const ChatKindEnum = builder.enumType('ChatKind', {
  description: 'Whose chat it is.',
  values: {
    DIRECT: { description: 'Of two people.' },
    CUSTOM: { description: 'Made for a purpose.' },
    HEAD_STAFF: { description: 'Of the head and the confirmed staff; always there (§2.2.6a).' },
    GROUP_GUARDIANS: { description: 'Of a group’s staff and guardians (§2.2.6b).' },
  } as const,
});

const ChatStateEnum = builder.enumType('ChatState', {
  description: 'Where a chat stands.',
  values: {
    ACTIVE: { description: 'People write in it.' },
    READ_ONLY: { description: 'Frozen: read, not written; as when its group was archived.' },
    ARCHIVED: { description: 'Put away for good.' },
  } as const,
});

const ChatType = builder.objectRef<Chat>('Chat');
builder.node(ChatType, {
  description: 'A place where people talk. Seen by those who take part.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(chatById, canReadChat),
  fields: (t) => ({
    kind: t.field({ type: ChatKindEnum, description: 'Whose chat it is.', resolve: ({ kind }) => kind }),
    name: t.exposeString('name', { description: 'Its name.' }),
    state: t.field({ type: ChatStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
  }),
});

showOrganization(ChatType);
showGroup(ChatType, 'Whose staff and guardians it is for.');

builder.objectField(OrganizationType, 'chats', (t) =>
  t.connection({
    perViewer: true,
    type: ChatType,
    description: 'The organization’s chats that the viewer takes part in, newest first.',
    resolve: ({ id }, args, ctx) => listed(ctx, args, chatsOf, { parentId: id, filter: null }),
  }),
);
