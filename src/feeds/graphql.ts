import { ViewerType } from '../accounts/graphql.ts';
import { ChannelKindEnum, ChannelType, followChannels } from '../channels/graphql.ts';
import { pageOfChannels, sizeOfChannels } from '../channels/queries.ts';
import { ChildType } from '../children/graphql.ts';
import { childById } from '../children/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { connection, type PageArguments } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { idOf, idOrNone } from '../graphql/ids.ts';
import { afterDescription, kindsOf, liveUnion } from '../graphql/live.ts';
import { searchDescription, sought } from '../graphql/search.ts';
import { OrganizationType } from '../organizations/graphql.ts';
import { few, PostPublished, PostStateEnum, PostType } from '../posts/graphql.ts';
import { type FeedFilter, pageOfFeed, postsIn, sizeOfFeed } from '../posts/queries.ts';
import { markChannelRead } from './commands.ts';
import { unreadIn } from './queries.ts';

builder.objectField(PostType, 'viewerChildren', (t) =>
  t.field({
    perViewer: true,
    type: [ChildType],
    complexity: few,
    description:
      'Which of the children whose guardian the viewer is it concerns: those of the group, or of the organization.',
    resolve: async ({ channel }, _args, ctx) => {
      const children = await Promise.all(ctx.viewer.children.map((id) => ctx.loadExisting(childById, id)));
      return children.filter(
        ({ organizationId, groupId }) =>
          organizationId === channel.organizationId &&
          (channel.kind === 'COMMUNITY' || (channel.kind === 'GROUP' && groupId === channel.groupId)),
      );
    },
  }),
);

builder.objectField(ChannelType, 'posts', (t) =>
  t.connection({
    perViewer: true,
    type: PostType,
    description:
      'Its posts in one state, latest first. What is not published yet is here for its author, and unless it is a draft for ' +
      'those who publish here.',
    args: {
      state: t.arg({ type: PostStateEnum, description: 'In which state; PUBLISHED unless told.' }),
      pinnedOnly: t.arg.boolean({ defaultValue: false, description: 'Only those that are pinned.' }),
      search: t.arg.string({ description: searchDescription }),
    },
    resolve: ({ id }, { state, pinnedOnly, search, ...page }, ctx) =>
      listed(ctx, page, postsIn, {
        parentId: id,
        filter: { state: state ?? 'PUBLISHED', pinned: pinnedOnly === true, search: sought(search) },
      }),
  }),
);

/** Nothing is found by an id that names nothing. */
const rowOf = (typename: string, id: string | null | undefined): string | null => (id ? idOrNone(typename, id) : null);

/** Posts of all channels that the viewer reads, in one list. */
const feedOf = ({ db, viewer }: Context, filter: FeedFilter, page: PageArguments) =>
  connection(
    page,
    (part) => pageOfFeed(db, filter, viewer, part),
    () => sizeOfFeed(db, filter, viewer),
    ({ place }) => place,
  );

builder.objectField(ViewerType, 'feed', (t) =>
  t.connection({
    perViewer: true,
    type: PostType,
    description:
      'What is published in all channels that the viewer reads, latest first; `viewerChildren` of each says which of their ' +
      'children it concerns. What comes meanwhile is told by `postPublished` and `viewerEvents`, and missed by nobody.',
    args: {
      organizationId: t.arg.id({ description: 'Only of this organization.' }),
      channelKind: t.arg({ type: ChannelKindEnum, description: 'Only of channels of this kind.' }),
      childId: t.arg.id({ description: 'Only what concerns this child of the viewer: of its group, and for all.' }),
      unacknowledgedOnly: t.arg.boolean({
        defaultValue: false,
        description: 'Only what the viewer is asked to acknowledge and has not.',
      }),
      search: t.arg.string({ description: searchDescription }),
    },
    resolve: (viewer, { organizationId, channelKind, childId, unacknowledgedOnly, search, ...page }, ctx) => {
      const child = rowOf('Child', childId);
      const filter: FeedFilter = {
        state: 'PUBLISHED',
        organizationId: rowOf('Organization', organizationId),
        channelKind: channelKind ?? null,
        childId: child && (viewer.isOfChild(child) ? child : rowOf('Child', 'nobody')),
        unacknowledged: unacknowledgedOnly === true,
        search: sought(search),
      };
      return feedOf(ctx, filter, page);
    },
  }),
);

builder.objectField(ViewerType, 'posts', (t) =>
  t.connection({
    perViewer: true,
    type: PostType,
    description: 'What the viewer has written and is not published yet, latest first: drafts, and what became of them.',
    args: {
      state: t.arg({ type: PostStateEnum, required: true, description: 'In which state; nothing is DELETED here.' }),
      organizationId: t.arg.id({ description: 'Only in this organization.' }),
    },
    resolve: (_viewer, { state, organizationId, ...page }, ctx) => {
      const filter = { ...everywhere, state, organizationId: rowOf('Organization', organizationId), ownOnly: true };
      return feedOf(ctx, filter, page);
    },
  }),
);

const everywhere = { organizationId: null, channelKind: null, childId: null } as const;

builder.objectField(OrganizationType, 'posts', (t) =>
  t.connection({
    perViewer: true,
    type: PostType,
    description:
      'The posts in one state in all its channels that the viewer reads, latest first. SUGGESTED is the queue of those who ' +
      'publish; others find their own there.',
    args: {
      state: t.arg({ type: PostStateEnum, description: 'In which state; PUBLISHED unless told.' }),
      search: t.arg.string({ description: searchDescription }),
    },
    resolve: ({ id: organizationId }, { state, search, ...page }, ctx) => {
      const filter = { ...everywhere, organizationId, state: state ?? 'PUBLISHED', search: sought(search) };
      return feedOf(ctx, filter, page);
    },
  }),
);

builder.objectField(ViewerType, 'channels', (t) =>
  t.connection({
    perViewer: true,
    type: ChannelType,
    description: 'The channels that the viewer reads, in all their organizations, newest first.',
    resolve: (viewer, args, ctx) =>
      connection(
        args,
        (page) => pageOfChannels(ctx.db, viewer, page),
        () => sizeOfChannels(ctx.db, viewer),
      ),
  }),
);

builder.objectField(ChannelType, 'viewerUnreadCount', (t) =>
  t.int({
    perViewer: true,
    description: 'How many of its posts the viewer has not read since they came: 100 stands for as many or more.',
    resolve: ({ id }, _args, ctx) => ctx.load(unreadIn, id),
  }),
);

builder.mutationField('markChannelRead', (t) =>
  t.fieldWithInput({
    type: ChannelType,
    description:
      'Marks a channel as read, up to a post or to its latest. A mark never goes back. The viewer’s other devices hear of it.',
    errors: { types: [InvalidState] },
    input: {
      channelId: t.input.id({ required: true, description: 'Which channel.' }),
      postId: t.input.id({ description: 'Up to which of its posts; to the latest without.' }),
    },
    resolve: (_root, { input: { channelId, postId } }, ctx) =>
      markChannelRead(ctx.db, ctx.viewer, idOf('Channel', channelId), postId ? idOf('Post', postId) : null),
  }),
);

const PostPublishedEvent = liveUnion(
  'PostPublishedEvent',
  'A post was published, or the stream has ended.',
  PostPublished,
);

builder.subscriptionField('postPublished', (t) =>
  t.field({
    type: PostPublishedEvent,
    description:
      'New posts, the moment they are published: of one channel, or of all that the viewer reads in an organization. It ends ' +
      'when the viewer may read there no longer.',
    args: {
      channelId: t.arg.id({ description: 'Of this channel. Either this or `organizationId`.' }),
      organizationId: t.arg.id({ description: 'Of this organization. Either this or `channelId`.' }),
      after: t.arg({ type: 'Cursor', description: afterDescription }),
    },
    subscribe: (_root, args, ctx) => followChannels(ctx, args, kindsOf(PostPublished)),
    resolve: (event) => event,
  }),
);
