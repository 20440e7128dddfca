import { UserType } from '../accounts/graphql.ts';
import { canSeePerson } from '../audiences/policy.ts';
import { follow } from '../audiences/queries.ts';
import { ChatType } from '../chats/graphql.ts';
import { canReadAt } from '../chats/policy.ts';
import { type Chat, chatById, ownOf, seesChat } from '../chats/queries.ts';
import { NotFound } from '../errors.ts';
import { FileType } from '../files/graphql.ts';
import { fileOwner } from '../files/queries.ts';
import { builder } from '../graphql/builder.ts';
import { connection, type PageArguments } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { afterDescription, kindsOf, liveEvent, liveUnion } from '../graphql/live.ts';
import { searchDescription, sought } from '../graphql/search.ts';
import { RoleEnum } from '../memberships/graphql.ts';
import { asLeft } from '../message-pasts/queries.ts';
import { few } from '../posts/graphql.ts';
import type { Role } from '../viewer.ts';
import { canSeeAuthor } from './policy.ts';
import {
  type HistoryFilter,
  hearsMessage,
  type Message,
  messageAt,
  messageById,
  ownMarks,
  pageOfMessages,
  seesMessage,
  sizeOfMessages,
} from './queries.ts';
import { maxFiles, maxMentions } from './tables.ts';

export const MessageStateEnum = builder.enumType('MessageState', {
  description: 'Where a message stands.',
  values: {
    SCHEDULED: { description: 'To be sent at `sendAt`; its author’s alone.' },
    SENT: { description: 'Said.' },
    FAILED: { description: 'Its time came, but it could not be sent: see `failure`. Its author’s alone.' },
    CANCELLED: { description: 'Taken back before it was sent. Its author’s alone; `text` is empty.' },
    DELETED: { description: 'Gone: what is left is that it was there. `text` is empty.' },
  } as const,
});

export const MessagePriorityEnum = builder.enumType('MessagePriority', {
  description: 'How much a message presses.',
  values: {
    NORMAL: { description: 'Like any other.' },
    IMPORTANT: { description: 'Of weight; only the staff of a chat.' },
    URGENT: {
      description: 'Notifies at once, in quiet hours and muted chats too; only administrators and the head.',
    },
  } as const,
});

const MessageFailureEnum = builder.enumType('MessageFailure', {
  description: 'Why a scheduled message was not sent.',
  values: {
    ACCESS_LOST: { description: 'Its author took part in the chat no longer.' },
    CHAT_CLOSED: { description: 'The chat was frozen or put away.' },
  } as const,
});

export const MessageType = builder.objectRef<Message>('Message');

/** A message that another one names, if whoever looks may read it: one that is for all who take part needs no asking. */
async function named(ctx: Context, id: string | null, isForAll: boolean): Promise<Message | null> {
  const message = id ? await ctx.load(messageById, id) : null;
  if (!message || message.number === null) return null;
  const { audienceId, chatId, number } = message;
  const seen = await ctx.belongs(
    audienceId,
    async () => canReadAt(await ownOf(ctx, { id: chatId }), number),
    async () => isForAll,
  );
  return seen ? message : null;
}

builder.node(MessageType, {
  description:
    'What somebody says in a chat. Seen by those who took part when it was said; of chats with their whole past also by those ' +
    'who came later.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: (ids, ctx): Promise<(Message | null)[]> =>
    Promise.all(
      ids.map(async (id) => {
        const message = await ctx.load(messageById, id);
        return message && (await seesMessage(ctx, message)) ? message : null;
      }),
    ),
  fields: (t) => ({
    chat: t.field({
      type: ChatType,
      nullable: true,
      description: 'Where it is said. Null: it was not sent, and the viewer sees that chat no longer.',
      resolve: async ({ chatId, number }, _args, ctx): Promise<Chat | null> => {
        const chat = await ctx.loadExisting(chatById, chatId);
        return number !== null || (await seesChat(ctx, chat)) ? chat : null;
      },
    }),
    number: t.exposeInt('number', {
      nullable: true,
      description: 'Its place in the chat: from 1, without a gap. Null: not sent.',
    }),
    author: t.field({
      type: UserType,
      nullable: true,
      description:
        'Who says it. Null: not for this viewer. A guardian whose contacts are LIMITED is named to the staff of their child’s ' +
        'group and whoever leads, and to nobody else (§4.11).',
      resolve: (message, _args, ctx) => (ctx.sees(canSeeAuthor, message) ? message.author : null),
    }),
    capacity: t.field({
      type: RoleEnum,
      description: 'As what they say it: one who works here and has a child here chooses.',
      resolve: ({ capacity }) => capacity as Role, // a column that only roles of memberships are written to
    }),
    viewerIsAuthor: t.boolean({
      perViewer: true,
      description: 'Whether the viewer says it.',
      resolve: ({ authorId }, _args, ctx) => authorId === ctx.viewer.userId,
    }),
    clientMessageId: t.string({
      perViewer: true,
      nullable: true,
      description: 'The key under which the viewer sent it. Null: somebody else did.',
      resolve: (message, _args, ctx) => (message.authorId === ctx.viewer.userId ? message.clientMessageId : null),
    }),
    state: t.field({ type: MessageStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    text: t.string({
      description:
        'What it says, as it was written: up to 4,000 characters. Empty: deleted. Who left the chat reads what it said then, and ' +
        'sees edits, pins and reactions as they were.',
      resolve: async (message, _args, ctx) => (await asLeft(ctx, message))?.text ?? message.text,
    }),
    attachments: t.field({
      type: [FileType],
      complexity: few,
      description: `The files that go with it, at most ${maxFiles}.`,
      resolve: ({ files }) => [...files],
    }),
    replyTo: t.field({
      type: MessageType,
      nullable: true,
      description: 'What it answers. Null: nothing, or not for this viewer.',
      resolve: ({ replyToId, replyIsForAll }, _args, ctx) => named(ctx, replyToId, replyIsForAll),
    }),
    isForwarded: t.boolean({
      description: 'Whether it was forwarded from another message.',
      resolve: ({ forwardedFromId }) => forwardedFromId !== null,
    }),
    forwardedFrom: t.field({
      perViewer: true,
      type: MessageType,
      nullable: true,
      description: 'What it was forwarded from. Null: nothing, or not for this viewer.',
      resolve: ({ forwardedFromId }, _args, ctx) => named(ctx, forwardedFromId, false),
    }),
    mentions: t.field({
      type: [UserType],
      complexity: few,
      description:
        `The people it names, at most ${maxMentions}, as far as the viewer meets them. They are notified also where they have ` +
        'muted the chat.',
      resolve: ({ mentioned, organizationId }, _args, ctx) =>
        mentioned.filter((person) => ctx.sees(canSeePerson, { ...person, userId: person.id, organizationId })),
    }),
    viewerIsMentioned: t.boolean({
      perViewer: true,
      description: 'Whether it names the viewer.',
      resolve: ({ mentions }, _args, ctx) => mentions.includes(ctx.viewer.userId),
    }),
    priority: t.field({
      type: MessagePriorityEnum,
      description: 'How much it presses.',
      resolve: ({ priority }) => priority,
    }),
    acknowledgementRequired: t.exposeBoolean('acknowledgementRequired', {
      description: 'Whether those who take part are asked to take note of it (`acknowledgeMessage`).',
    }),
    sentAt: t.expose('sentAt', { type: 'DateTime', nullable: true, description: 'When it was said. Null: not sent.' }),
    sendAt: t.expose('sendAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is, or was, to be sent. Null: at once.',
    }),
    failure: t.field({
      type: MessageFailureEnum,
      nullable: true,
      description: 'Why it was not sent; null unless FAILED.',
      resolve: ({ failure }) => failure,
    }),
    readCount: t.int({
      perViewer: true,
      description:
        'How many of the others who take part have read it, as far as the viewer meets them. As of now; 0 for who has left.',
      resolve: async (message, _args, ctx) =>
        (await asLeft(ctx, message)) ? 0 : (await ctx.load(ownMarks, message.id)).readCount,
    }),
  }),
});

fileOwner('MESSAGE', {
  by: messageById,
  sees: async (ctx, message) => message.state !== 'DELETED' && (await seesMessage(ctx, message)),
});

/** What the viewer may read of a chat, latest first. */
async function historyOf(ctx: Context, chat: Chat, filter: HistoryFilter, page: PageArguments) {
  const own = await ownOf(ctx, chat);
  return connection<Message>(
    page,
    (part) => pageOfMessages(ctx.db, chat.id, own, filter, part),
    () => sizeOfMessages(ctx.db, chat.id, own, filter),
    ({ number }) => String(number),
    /^[1-9][0-9]{0,14}$/,
  );
}

builder.objectField(ChatType, 'messages', (t) =>
  t.connection({
    perViewer: true,
    type: MessageType,
    description:
      'What was said, latest first, as far as the viewer may read it: from when they came until they left, or of a chat with its ' +
      'whole past all of it. A cursor is a message’s `number`. What comes meanwhile is told by `messageSent` and `viewerEvents`.',
    args: {
      pinnedOnly: t.arg.boolean({ defaultValue: false, description: 'Only those that are pinned.' }),
      search: t.arg.string({ description: searchDescription }),
    },
    resolve: (chat, { pinnedOnly, search, ...page }, ctx) =>
      historyOf(ctx, chat, { pinned: pinnedOnly === true, search: sought(search) }, page),
  }),
);

builder.objectField(ChatType, 'lastMessage', (t) =>
  t.field({
    perViewer: true,
    type: MessageType,
    nullable: true,
    description: 'The last message that the viewer may read. Null: none.',
    resolve: async (chat, _args, ctx) => {
      const { lastNumber: number, leftAt } = await ownOf(ctx, chat);
      const last = number > 0 ? await ctx.load(messageAt, { chatId: chat.id, number }) : null;
      return last && { ...last, leftAt };
    },
  }),
);

export const whichMessage = { required: true, description: 'Which message.' } as const;

/** A message as the viewer sees it after something was done with it. */
export const shownMessage = async (ctx: Context, changed: Promise<string>): Promise<Message> =>
  ctx.loadExisting(messageById, await changed);

export const MessageSent = liveEvent('MessageSent', {
  concerns: 'ORGANIZATION',
  kinds: { MESSAGE_SENT: 'Something was said.' },
  description: 'Something was said in a chat. For those who take part.',
  subject: { name: 'message', type: MessageType, by: messageById, sees: hearsMessage },
});

liveEvent('MessageChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    MESSAGE_EDITED: 'Its words were changed.',
    MESSAGE_DELETED: 'It was deleted.',
    MESSAGE_PINNED: 'It was pinned.',
    MESSAGE_UNPINNED: 'It is pinned no longer.',
    MESSAGE_REACTED: 'Somebody reacted to it, or no longer.',
    MESSAGE_ACKNOWLEDGED: 'Somebody has acknowledged it. For its author, and that person.',
    MESSAGE_SCHEDULED:
      'The viewer has scheduled it, or changed what is scheduled. For the viewer alone; as those that follow.',
    MESSAGE_CANCELLED: 'The viewer has taken it back before it was sent.',
    MESSAGE_FAILED: 'Its time came, but it could not be sent.',
  },
  description: 'A message was changed, or something was done with it.',
  subject: { name: 'message', type: MessageType, by: messageById, sees: seesMessage },
});

const MessageSentEvent = liveUnion('MessageSentEvent', 'Something was said, or the stream has ended.', MessageSent);
const ChatEvent = liveUnion(
  'ChatEvent',
  'Something that happened in a chat, or the end of the stream.',
  'ORGANIZATION',
);

async function followChat(ctx: Context, id: string, kinds: ReadonlySet<string>, after: string | null | undefined) {
  const placeId = idOf('Chat', id);
  const chat = await ctx.load(chatById, placeId);
  if (!chat) throw new NotFound();
  return follow(ctx, { of: { audienceId: chat.audienceId }, scope: 'ANCHOR', kinds, placeId }, after);
}

const followed = { required: true, description: 'Which chat.' } as const;

builder.subscriptionField('messageSent', (t) =>
  t.field({
    type: MessageSentEvent,
    description: 'New messages of a chat, the moment they are sent. It ends when the viewer takes part no longer.',
    args: { chatId: t.arg.id(followed), after: t.arg({ type: 'Cursor', description: afterDescription }) },
    subscribe: (_root, { chatId, after }, ctx) => followChat(ctx, chatId, kindsOf(MessageSent), after),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('chatEvents', (t) =>
  t.field({
    type: ChatEvent,
    description:
      'Everything that happens in a chat: messages, their edits and deletions, reactions, polls, who comes and goes, and what the ' +
      'viewer does there on another device. It ends when the viewer takes part no longer.',
    args: { chatId: t.arg.id(followed), after: t.arg({ type: 'Cursor', description: afterDescription }) },
    subscribe: (_root, { chatId, after }, ctx) => followChat(ctx, chatId, kindsOf(), after),
    resolve: (event) => event,
  }),
);
