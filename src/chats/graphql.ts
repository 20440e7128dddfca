import { UserType, ViewerType } from '../accounts/graphql.ts';
import { NotFound } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { connection, type PageArguments } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { idOrNone, maybeIdOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { showGroup } from '../groups/graphql.ts';
import { RoleEnum } from '../memberships/graphql.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { canDisturb, canKeepChat, canManageChat, canStress, canWriteIn, obstacleTo, takesPart } from './policy.ts';
import {
  type Chat,
  type ChatFilter,
  chatById,
  cursorOfChat,
  ownOf,
  pageOfChats,
  seenChat,
  seesChat,
  sizeOfChats,
  unreadIn,
} from './queries.ts';

export const ChatKindEnum = builder.enumType('ChatKind', {
  description: 'Whose chat it is.',
  values: {
    DIRECT: { description: 'Of two people; it is there while each has the other.' },
    CUSTOM: { description: 'Made for a purpose (§2.2.6c).' },
    HEAD_STAFF: { description: 'Of the head and the confirmed staff; always there (§2.2.6a).' },
    GROUP_GUARDIANS: { description: 'Of a group’s staff and guardians (§2.2.6b).' },
  } as const,
});

const ChatStateEnum = builder.enumType('ChatState', {
  description: 'Where a chat stands.',
  values: {
    ACTIVE: { description: 'People write in it.' },
    READ_ONLY: { description: 'Frozen: read, not written; as when its group was archived.' },
    ARCHIVED: { description: 'Put away for good; it can still be read.' },
  } as const,
});

export const HistoryVisibilityEnum = builder.enumType('HistoryVisibility', {
  description: 'What of a chat’s past those read who come later.',
  values: {
    FROM_JOIN: { description: 'Nothing that was said before they came.' },
    ALL: { description: 'All of it.' },
  } as const,
});

const ObstacleEnum = builder.enumType('WriteObstacle', {
  description: 'What keeps somebody from writing in a chat that they read.',
  values: {
    READ_ONLY: { description: 'The chat is frozen.' },
    ARCHIVED: { description: 'The chat was put away.' },
    LEFT: { description: 'They take part no longer, and read what was said while they did (§4.6).' },
  } as const,
});

type Obstacle = ReturnType<typeof obstacleTo>;
const WritePermission = builder.objectRef<{ obstacle: Obstacle }>('WritePermission').implement({
  description: 'Whether somebody may write, and if not, why.',
  fields: (t) => ({
    allowed: t.boolean({ description: 'Whether they may.', resolve: ({ obstacle }) => obstacle === null }),
    reason: t.field({
      type: ObstacleEnum,
      nullable: true,
      description: 'What keeps them from it; null where nothing does.',
      resolve: ({ obstacle }) => obstacle,
    }),
  }),
});

export const ChatType = builder.objectRef<Chat>('Chat');
builder.node(ChatType, {
  description:
    'A place where people talk. Seen by those who take part, and for what was said meanwhile by those who did.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: (ids, ctx): Promise<(Chat | null)[]> => Promise.all(ids.map((id) => ctx.load(seenChat, id))),
  fields: (t) => ({
    kind: t.field({ type: ChatKindEnum, description: 'Whose chat it is.', resolve: ({ kind }) => kind }),
    name: t.exposeString('name', {
      nullable: true,
      description: 'Its name. Null for a DIRECT one: show `counterpart`.',
    }),
    counterpart: t.field({
      perViewer: true,
      type: UserType,
      nullable: true,
      description: 'Of a DIRECT chat: the other of the two. Null for all others.',
      resolve: async (chat, _args, ctx) => (await ownOf(ctx, chat)).counterpart,
    }),
    state: t.field({ type: ChatStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    historyVisibility: t.field({
      type: HistoryVisibilityEnum,
      description: 'What of its past those read who come later.',
      resolve: (chat) => chat.historyVisibility,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    viewerCapacities: t.field({
      perViewer: true,
      type: [RoleEnum],
      complexity: 1,
      description:
        'As what the viewer takes part: one who works here and has a child here may be both. Empty: no longer.',
      resolve: async (chat, _args, ctx) => (await ownOf(ctx, chat)).capacities,
    }),
    viewerCanWrite: t.field({
      perViewer: true,
      type: WritePermission,
      description: 'Whether the viewer may write, react and vote here.',
      resolve: async (chat, _args, ctx) => ({ obstacle: obstacleTo(await ownOf(ctx, chat), chat) }),
    }),
    viewerCanManage: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may name it, change who takes part, and close it; only of a CUSTOM one.',
      resolve: async (chat, _args, ctx) => {
        const own = await ownOf(ctx, chat);
        return canManageChat(ctx.viewer, { ...chat, ...own }, own);
      },
    }),
    viewerCanPin: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may pin messages here: its staff; between two, both.',
      resolve: async (chat, _args, ctx) => {
        const own = await ownOf(ctx, chat);
        return canWriteIn(own, chat) && canKeepChat(ctx.viewer, { ...chat, ...own }, own);
      },
    }),
    viewerCanStress: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may call messages important, and ask that note be taken of them: its staff.',
      resolve: async (chat, _args, ctx) => {
        const own = await ownOf(ctx, chat);
        return canWriteIn(own, chat) && canStress(own);
      },
    }),
    viewerCanDisturb: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may send URGENT messages here: administrators and the head.',
      resolve: async (chat, _args, ctx) => {
        const own = await ownOf(ctx, chat);
        return canWriteIn(own, chat) && canDisturb(ctx.viewer, chat, own);
      },
    }),
    viewerLeft: t.boolean({
      perViewer: true,
      description: 'Whether the viewer takes part no longer, and reads what was said while they did.',
      resolve: async (chat, _args, ctx) => !takesPart(await ownOf(ctx, chat)),
    }),
    lastNumber: t.int({
      perViewer: true,
      description: 'The number of the last message that the viewer may read; 0: none. Numbers have no gaps.',
      resolve: async (chat, _args, ctx) => (await ownOf(ctx, chat)).lastNumber,
    }),
    viewerReadThrough: t.int({
      perViewer: true,
      description: 'The number of the last message that the viewer has read, on whichever device; 0: none.',
      resolve: async (chat, _args, ctx) => (await ownOf(ctx, chat)).readThrough,
    }),
    viewerUnreadCount: t.int({
      perViewer: true,
      description: 'How many messages the viewer has not read since they came. One’s own count as read.',
      resolve: async (chat, _args, ctx) => unreadIn(await ownOf(ctx, chat)),
    }),
    viewerDraft: t.string({
      perViewer: true,
      nullable: true,
      description: 'What the viewer has begun to write here, on whichever device (`saveChatDraft`). Null: nothing.',
      resolve: async (chat, _args, ctx) => (await ownOf(ctx, chat)).draft,
    }),
    viewerMuted: t.boolean({
      perViewer: true,
      description: 'Whether the viewer has muted it. It can be read all the same.',
      resolve: async (chat, _args, ctx) => (await ownOf(ctx, chat)).isMuted,
    }),
    viewerMutedUntil: t.field({
      perViewer: true,
      type: 'DateTime',
      nullable: true,
      description: 'Until when it is muted; null: it is not, or until `unmuteChat`.',
      resolve: async (chat, _args, ctx) => (await ownOf(ctx, chat)).mutedUntil,
    }),
  }),
});

showOrganization(ChatType);
showGroup(ChatType, 'Whose staff and guardians it is for.');

builder.queryField('chat', (t) =>
  t.field({
    type: ChatType,
    nullable: true,
    description: 'A chat by its id. Null: absent, or not for this viewer.',
    args: { id: t.arg.id({ required: true, description: 'The chat’s id.' }) },
    resolve: (_root, args, ctx) => {
      const id = maybeIdOf('Chat', args.id);
      return id ? ctx.load(seenChat, id) : null;
    },
  }),
);

/** The viewer's chats, in one list. */
const chatsOf = ({ db, viewer }: Context, filter: ChatFilter, page: PageArguments) =>
  connection<Chat>(
    page,
    (part) => pageOfChats(db, viewer, filter, part),
    () => sizeOfChats(db, viewer, filter),
    cursorOfChat(filter.past),
  );

const chatArgs = {
  kind: 'Only of this kind.',
  past: 'Those in which the viewer took part once and no longer, newest first, instead of those in which they do.',
};

builder.objectField(ViewerType, 'chats', (t) =>
  t.connection({
    perViewer: true,
    type: ChatType,
    description:
      'The chats in which the viewer takes part, in all their organizations; where something was said last first.',
    args: {
      organizationId: t.arg.id({ description: 'Only of this organization.' }),
      kind: t.arg({ type: ChatKindEnum, description: chatArgs.kind }),
      past: t.arg.boolean({ defaultValue: false, description: chatArgs.past }),
    },
    resolve: (_viewer, { organizationId, kind, past, ...page }, ctx) => {
      const known = organizationId ? idOrNone('Organization', organizationId) : null;
      return chatsOf(ctx, { organizationId: known, kind: kind ?? null, past: past === true }, page);
    },
  }),
);

builder.objectField(OrganizationType, 'chats', (t) =>
  t.connection({
    perViewer: true,
    type: ChatType,
    description: 'The organization’s chats in which the viewer takes part, where something was said last first.',
    args: {
      kind: t.arg({ type: ChatKindEnum, description: chatArgs.kind }),
      past: t.arg.boolean({ defaultValue: false, description: chatArgs.past }),
    },
    resolve: ({ id: organizationId }, { kind, past, ...page }, ctx) =>
      chatsOf(ctx, { organizationId, kind: kind ?? null, past: past === true }, page),
  }),
);

/** A chat as the viewer sees it after they have done something to it. @throws NotFound when they see it no longer */
export async function shownChat(ctx: Context, id: string): Promise<Chat> {
  const chat = await ctx.load(seenChat, id);
  if (!chat) throw new NotFound();
  return chat;
}

export const whichChat = { required: true, description: 'Which chat.' } as const;

liveEvent('ChatChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    CHAT_CREATED: 'A chat was made, or the viewer was put into it.',
    CHAT_UPDATED: 'Its name or state was changed.',
    CHAT_MEMBERS_CHANGED: 'People were put into it or taken out, or have left.',
    CHAT_READ:
      'The viewer has read on or seen what calls they missed, here or on another device; of a DIRECT chat: one of the two has read on.',
    CHAT_MUTED: 'The viewer has muted it, or no longer.',
    CHAT_DRAFT_SAVED: 'The viewer has begun to write, or gave it up.',
  },
  description: 'A chat was changed, or what the viewer keeps about it.',
  subject: { name: 'chat', type: ChatType, by: chatById, sees: seesChat },
});
