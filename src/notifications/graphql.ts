import { ViewerType } from '../accounts/graphql.ts';
import { ChannelType } from '../channels/graphql.ts';
import { ChatType } from '../chats/graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import { globalId, idOrNone } from '../graphql/ids.ts';
import { MessageType } from '../messages/graphql.ts';
import { messageById } from '../messages/queries.ts';
import { showOrganization } from '../organizations/graphql.ts';
import { PostType } from '../posts/graphql.ts';
import { postById } from '../posts/queries.ts';
import {
  countCap,
  cursors,
  mutedReach,
  type Notification,
  pageOfNotifications,
  sizeOfNotifications,
  tellingOfMessages,
  tellingOfPosts,
} from './queries.ts';

const NotificationKindEnum = builder.enumType('NotificationKind', {
  description: 'Why something notifies the viewer: of several reasons the one that presses most.',
  values: {
    URGENT: { description: 'A message that is URGENT: in a muted chat and in quiet hours, too.' },
    MENTION: { description: 'A message that names the viewer: in a muted chat, too.' },
    REPLY: { description: 'A message that answers one of the viewer’s: in a muted chat, too.' },
    MESSAGE: { description: 'A message in a chat that is not muted.' },
    POST: { description: 'A post in a channel that is not muted.' },
    ACKNOWLEDGEMENT: {
      description: 'A message or post that the viewer is to acknowledge: of a muted chat or channel, too.',
    },
  } as const,
});

const NotificationType = builder.objectRef<Notification>('Notification').implement({
  description:
    'Something to tell the viewer of: what is unread in a chat or channel, or what they are to acknowledge. It goes when that is ' +
    'read or acknowledged, on whichever device; nothing has to be done with it itself.',
  fields: (t) => ({
    id: t.id({
      description:
        'The same for all that is told of one chat or channel, and for one thing to acknowledge: a device shows the newer in place ' +
        'of the older. Not readable by `node`.',
      resolve: ({ id }) => globalId('Notification', id),
    }),
    kind: t.field({
      type: NotificationKindEnum,
      description: 'Why: of a chat as its `message` notifies.',
      resolve: ({ kind }) => kind,
    }),
    chat: t.field({
      type: ChatType,
      nullable: true,
      description: 'Of a message: its chat. Null: of a post.',
      resolve: ({ chat }) => chat,
    }),
    message: t.field({
      type: MessageType,
      nullable: true,
      description: 'The message; of a chat the latest unread one that notifies. Null: of a post.',
      resolve: ({ messageId }, _args, ctx) => (messageId ? ctx.load(messageById, messageId) : null),
    }),
    channel: t.field({
      type: ChannelType,
      nullable: true,
      description: 'Of a post: its channel. Null: of a message.',
      resolve: async ({ postId }, _args, ctx) => (postId ? (await ctx.loadExisting(postById, postId)).channel : null),
    }),
    post: t.field({
      type: PostType,
      nullable: true,
      description: 'The post; of a channel the latest unread one. Null: of a message.',
      resolve: ({ postId }, _args, ctx) => (postId ? ctx.load(postById, postId) : null),
    }),
    count: t.exposeInt('count', {
      description:
        `How many unread messages or posts there notify: ${countCap} stands for as many or more. What is to be acknowledged ` +
        'counts by itself.',
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When it was said or published.' }),
    notifyAt: t.expose('notifyAt', {
      type: 'DateTime',
      description:
        'From when on a device may ring: the end of the quiet hours in which it came, or at once. By the quiet hours as they are now.',
    }),
    isQuiet: t.boolean({
      description: 'Whether `notifyAt` is still to come.',
      resolve: ({ notifyAt }) => notifyAt > new Date(),
    }),
  }),
});

showOrganization(NotificationType);

builder.objectField(ViewerType, 'notifications', (t) =>
  t.connection({
    perViewer: true,
    type: NotificationType,
    description:
      'What the viewer is to be told of, latest first: one for each chat and each channel with something unread that notifies, one ' +
      'for each message and post that they are to acknowledge. A muted chat notifies of nothing but what is URGENT, names them, ' +
      `answers them (among its latest ${mutedReach} messages) or is to be acknowledged, a muted channel only of the last. What ` +
      'they say themselves never does.',
    args: {
      organizationId: t.arg.id({ description: 'Only of this organization.' }),
      dueOnly: t.arg.boolean({
        defaultValue: false,
        description:
          'Only what may ring by now (`notifyAt`): what came in quiet hours that still last is left out, and counts for nothing.',
      }),
    },
    resolve: (_viewer, { organizationId, dueOnly, ...page }, ctx) => {
      const known = organizationId ? idOrNone('Organization', organizationId) : null;
      const filter = { organizationId: known, dueOnly: dueOnly === true };
      return connection<Notification>(
        page,
        (part) => pageOfNotifications(ctx.db, ctx.viewer, filter, part),
        () => sizeOfNotifications(ctx.db, ctx.viewer, filter),
        ({ cursor }) => cursor,
        cursors,
      );
    },
  }),
);

const notifyAtDescription =
  'From when on the viewer’s device may ring for it: the end of the quiet hours in which it came, or at once. Null: it does not ' +
  'notify them: their own, deleted, read on some device, or muted.';

builder.objectField(MessageType, 'viewerNotifyAt', (t) =>
  t.field({
    perViewer: true,
    type: 'DateTime',
    nullable: true,
    description: notifyAtDescription,
    resolve: ({ id }, _args, ctx) => ctx.load(tellingOfMessages, id),
  }),
);

builder.objectField(PostType, 'viewerNotifyAt', (t) =>
  t.field({
    perViewer: true,
    type: 'DateTime',
    nullable: true,
    description: notifyAtDescription,
    resolve: ({ id }, _args, ctx) => ctx.load(tellingOfPosts, id),
  }),
);
