import { ViewerType } from '../accounts/graphql.ts';
import { BroadcastType } from '../broadcasts/graphql.ts';
import { broadcastById } from '../broadcasts/queries.ts';
import { CallType } from '../calls/graphql.ts';
import { seenCall } from '../calls/queries.ts';
import { ChannelType } from '../channels/graphql.ts';
import { ChatType } from '../chats/graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import { globalId, idOrNone } from '../graphql/ids.ts';
import { MeetingType } from '../meetings/graphql.ts';
import { meetingById } from '../meetings/queries.ts';
import { MessageType } from '../messages/graphql.ts';
import { messageById } from '../messages/queries.ts';
import { mutedReach } from '../notices/queries.ts';
import { showOrganization } from '../organizations/graphql.ts';
import { PostType } from '../posts/graphql.ts';
import { postById } from '../posts/queries.ts';
import {
  countCap,
  cursors,
  type Notification,
  pageOfNotifications,
  sizeOfNotifications,
  tellingOfBroadcasts,
  tellingOfMeetings,
  tellingOfMessages,
  tellingOfPosts,
} from './queries.ts';

const NotificationKindEnum = builder.enumType('NotificationKind', {
  description: 'Why something notifies the viewer: of several reasons for a message the one that presses most.',
  values: {
    URGENT: { description: 'A message that is URGENT: in a muted chat and in quiet hours, too.' },
    MENTION: { description: 'A message that names the viewer: in a muted chat, too.' },
    REPLY: { description: 'A message that answers one of the viewer’s: in a muted chat, too.' },
    MESSAGE: { description: 'A message in a chat that is not muted.' },
    POST: { description: 'A post in a channel that is not muted.' },
    ACKNOWLEDGEMENT: {
      description: 'A message or post that the viewer is to acknowledge: of a muted chat or channel, too.',
    },
    BROADCAST: {
      description:
        'A broadcast that the viewer may watch, of a channel that is not muted: it goes on and they have not joined it, or it was ' +
        'to start less than an hour ago, or begins soon (`remindBefore`).',
    },
    MEETING: {
      description:
        'A meeting for the viewer, of a muted chat, too: it goes on and they have not come, or it was to start less than an hour ' +
        'ago, or begins soon (`remindBefore`).',
    },
    MISSED_CALL: {
      description:
        'Calls of the last 30 days in a chat that is not muted, which the viewer has missed; until they open it (`markChatRead`).',
    },
  } as const,
});

const NotificationType = builder.objectRef<Notification>('Notification').implement({
  description:
    'Something to tell the viewer of: what is unread in a chat or channel, what they are to acknowledge, what begins or goes on, calls ' +
    'that they have missed. It goes when that is read, acknowledged, joined or over, on whichever device; nothing has to be done ' +
    'with it itself.',
  fields: (t) => ({
    id: t.id({
      description:
        'The same for all messages that are told of one chat, for its missed calls, for all posts of one channel, and for one thing ' +
        'to acknowledge or to join: a device shows the newer in place of the older. Not readable by `node`.',
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
      description: 'Of a message or missed calls: their chat. Null: of something else.',
      resolve: ({ chat }) => chat,
    }),
    message: t.field({
      type: MessageType,
      nullable: true,
      description: 'The message; of a chat the latest unread one that notifies. Null: of something else.',
      resolve: async ({ messageId }, _args, ctx) => {
        const message = messageId && (await ctx.load(messageById, messageId));
        // Only where somebody takes part does anything notify them.
        return message ? { ...message, leftAt: null } : null;
      },
    }),
    channel: t.field({
      type: ChannelType,
      nullable: true,
      description: 'Of a post: its channel. Null: of something else; a `broadcast` has its own.',
      resolve: async ({ postId }, _args, ctx) => (postId ? (await ctx.loadExisting(postById, postId)).channel : null),
    }),
    post: t.field({
      type: PostType,
      nullable: true,
      description: 'The post; of a channel the latest unread one. Null: of something else.',
      resolve: ({ postId }, _args, ctx) => (postId ? ctx.load(postById, postId) : null),
    }),
    broadcast: t.field({
      type: BroadcastType,
      nullable: true,
      description: 'The broadcast: its `state` says whether it goes on. Null: of something else.',
      resolve: ({ broadcastId }, _args, ctx) => (broadcastId ? ctx.load(broadcastById, broadcastId) : null),
    }),
    meeting: t.field({
      type: MeetingType,
      nullable: true,
      description: 'The meeting: its `state` says whether it goes on. Null: of something else.',
      resolve: ({ meetingId }, _args, ctx) => (meetingId ? ctx.load(meetingById, meetingId) : null),
    }),
    call: t.field({
      type: CallType,
      nullable: true,
      description: 'The latest of the missed calls. Null: of something else.',
      resolve: ({ callId }, _args, ctx) => (callId ? ctx.load(seenCall, callId) : null),
    }),
    count: t.exposeInt('count', {
      description:
        `How many unread messages or posts there notify, or calls were missed: ${countCap} stands for as many or more. What is to ` +
        'be acknowledged or joined counts by itself.',
    }),
    occurredAt: t.expose('occurredAt', {
      type: 'DateTime',
      description:
        'When it was said or published; when a broadcast or meeting began, or before that when its reminder was due; when the call ' +
        'was over.',
    }),
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
      'for each message and post that they are to acknowledge, for each broadcast and meeting that begins or goes on, and for each ' +
      'chat with missed calls. A muted chat notifies of nothing but meetings and what is URGENT, names them, ' +
      `answers them (among its latest ${mutedReach} messages) or is to be acknowledged, a muted channel only of the last. What ` +
      'they say, host or call themselves never does.',
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

const beginningDescription =
  'From when on the viewer’s device may ring for it: the end of the quiet hours in which it began or, before that, in which its ' +
  'reminder was due, or at once. Null: it does not notify them (see `Notification.kind`), or not yet.';

builder.objectField(BroadcastType, 'viewerNotifyAt', (t) =>
  t.field({
    perViewer: true,
    type: 'DateTime',
    nullable: true,
    description: beginningDescription,
    resolve: ({ id }, _args, ctx) => ctx.load(tellingOfBroadcasts, id),
  }),
);

builder.objectField(MeetingType, 'viewerNotifyAt', (t) =>
  t.field({
    perViewer: true,
    type: 'DateTime',
    nullable: true,
    description: beginningDescription,
    resolve: ({ id }, _args, ctx) => ctx.load(tellingOfMeetings, id),
  }),
);
