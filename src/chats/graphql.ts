import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { GroupType } from '../groups/graphql.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { groupById } from '../groups/queries.ts';
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
    group: t.field({
      type: GroupType,
      nullable: true,
      description: 'Whose staff and guardians it is for. Null: it is not a group’s, or not for this viewer.',
      resolve: async ({ groupId }, _args, ctx) => {
        const group = groupId ? await ctx.loadExisting(groupById, groupId) : null;
        return group && ctx.sees(canSeeGroup, group) ? group : null;
      },
    }),
  }),
});

showOrganization(ChatType);

builder.objectField(OrganizationType, 'chats', (t) =>
  t.connection({
    perViewer: true,
    type: ChatType,
    description: 'The organization’s chats that the viewer takes part in, newest first.',
    resolve: ({ id }, args, ctx) => listed(ctx, args, chatsOf, { parentId: id, filter: null }),
  }),
);
