import { follow } from '../audiences/queries.ts';
import { InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { afterDescription, kindsOf, liveEvent, liveUnion } from '../graphql/live.ts';
import { GroupType, showGroup } from '../groups/graphql.ts';
import type { Follower } from '../log/follower.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import {
  archiveChannel,
  createChannel,
  muteChannel,
  restoreChannel,
  unmuteChannel,
  updateChannel,
} from './commands.ts';
import { canKeepChannels, canPublish, canReadChannel, canSuggest } from './policy.ts';
import { channelById, channelsOf, channelsOfGroup, muteOf } from './queries.ts';
import type { Channel } from './tables.ts';

export const ChannelKindEnum = builder.enumType('ChannelKind', {
  description: 'Who reads a channel.',
  values: {
    COMMUNITY: { description: 'Everybody in the organization («сообщество»).' },
    STAFF: { description: 'Administrators and confirmed staff («канал „Сотрудники“»).' },
    GROUP: { description: 'Everybody in one group, administrators and the head.' },
  } as const,
});

const ChannelStateEnum = builder.enumType('ChannelState', {
  description: 'Where a channel stands.',
  values: {
    ACTIVE: { description: 'In use.' },
    ARCHIVED: { description: 'Put away, by itself or with its group: read, but nothing is told there any more.' },
  } as const,
});

export const CommentingEnum = builder.enumType('Commenting', {
  description: 'Whether readers may comment.',
  values: {
    OFF: { description: 'Nobody comments.' },
    MODERATED: { description: 'Comments are shown once somebody who publishes there has approved them.' },
    OPEN: { description: 'Comments are shown at once.' },
  } as const,
});

export const ChannelType = builder.objectRef<Channel>('Channel');
builder.node(ChannelType, {
  description: 'A place where the institution tells its people (§2.1.14). Seen by its readers.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(channelById, canReadChannel),
  fields: (t) => ({
    kind: t.field({ type: ChannelKindEnum, description: 'Who reads it.', resolve: ({ kind }) => kind }),
    isSystem: t.exposeBoolean('isSystem', {
      description: 'Whether it is the one that is always there: of the organization, or of the group.',
    }),
    name: t.exposeString('name', { description: 'Its name; a group’s own channel has that of the group.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for, where given.' }),
    commenting: t.field({
      type: CommentingEnum,
      description: 'What new posts allow unless told otherwise.',
      resolve: ({ commenting }) => commenting,
    }),
    state: t.field({ type: ChannelStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    archivedAt: t.expose('archivedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was put away; null: it is in use.',
    }),
    viewerIsMuted: t.boolean({
      perViewer: true,
      description:
        'Whether the viewer wants no notifications from it now; what asks to be acknowledged is told all the same.',
      resolve: async ({ id }, _args, ctx) => (await ctx.load(muteOf, id)) !== null,
    }),
    viewerMutedUntil: t.field({
      perViewer: true,
      type: 'DateTime',
      nullable: true,
      description: 'Until when; null: not muted, or until it is unmuted.',
      resolve: async ({ id }, _args, ctx) => (await ctx.load(muteOf, id))?.mutedUntil ?? null,
    }),
    viewerCanPublish: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may publish posts in it, decide on suggested ones and moderate comments.',
      resolve: (channel, _args, ctx) => canPublish(ctx.viewer, channel),
    }),
    viewerCanSuggest: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may suggest posts for it (§2.2.5).',
      resolve: (channel, _args, ctx) => canSuggest(ctx.viewer, channel),
    }),
    viewerCanUpdate: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may edit it, and put it away unless it is a system channel.',
      resolve: ({ organizationId }, _args, ctx) => canKeepChannels(ctx.viewer, organizationId),
    }),
  }),
});

showOrganization(ChannelType);
showGroup(ChannelType, 'Whose channel it is, of the kind GROUP.');

builder.objectField(OrganizationType, 'channels', (t) =>
  t.connection({
    perViewer: true,
    type: ChannelType,
    description: 'The channels that the viewer reads, newest first.',
    args: {
      kind: t.arg({ type: ChannelKindEnum, description: 'Only of this kind.' }),
      state: t.arg({ type: ChannelStateEnum, description: 'Only in this state; both unless told.' }),
    },
    resolve: ({ id }, { kind = null, state = null, ...page }, ctx) =>
      listed(ctx, page, channelsOf, { parentId: id, filter: { kind, state } }),
  }),
);

builder.objectField(GroupType, 'channels', (t) =>
  t.connection({
    perViewer: true,
    type: ChannelType,
    description: 'The group’s channels, newest first; the oldest is its own. Empty for who is not of the group.',
    resolve: ({ id }, page, ctx) =>
      listed(ctx, page, channelsOfGroup, { parentId: id, filter: { kind: null, state: null } }),
  }),
);

const which = { required: true, description: 'Which channel.' } as const;
const names = {
  name: 'Up to 100 characters.',
  description: 'What it is for: up to 500 characters.',
  commenting: 'What new posts allow unless told otherwise.',
};

builder.mutationField('createChannel', (t) =>
  t.fieldWithInput({
    type: ChannelType,
    description: 'Adds a channel beside those that are always there, for the same readers. Administrators.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'In which organization.' }),
      kind: t.input.field({ type: ChannelKindEnum, required: true, description: 'Who reads it.' }),
      groupId: t.input.id({ description: 'Of which group in use; of the kind GROUP, and only then.' }),
      name: t.input.string({ required: true, description: names.name }),
      description: t.input.string({ description: names.description }),
      commenting: t.input.field({ type: CommentingEnum, description: `${names.commenting} OFF unless given.` }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first channel.',
      }),
    },
    resolve: (_root, { input: { organizationId, groupId, ...wish } }, ctx) =>
      createChannel(ctx.db, ctx.viewer, {
        ...wish,
        organizationId: idOf('Organization', organizationId),
        groupId: groupId && idOf('Group', groupId),
      }),
  }),
);

builder.mutationField('updateChannel', (t) =>
  t.fieldWithInput({
    type: ChannelType,
    description: 'Edits a channel; what is left out stays. Administrators.',
    errors: { types: [InvalidState] },
    input: {
      channelId: t.input.id(which),
      name: t.input.string({ description: `${names.name} Not of a group’s own channel.` }),
      description: t.input.string({ description: `${names.description} Null clears it.` }),
      commenting: t.input.field({ type: CommentingEnum, description: names.commenting }),
    },
    resolve: (_root, { input: { channelId, ...changes } }, ctx) =>
      updateChannel(ctx.db, ctx.viewer, idOf('Channel', channelId), changes),
  }),
);

builder.mutationField('archiveChannel', (t) =>
  t.fieldWithInput({
    type: ChannelType,
    description: 'Puts a channel away: it can still be read. Not a system channel. Administrators.',
    errors: { types: [InvalidState] },
    input: { channelId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => archiveChannel(ctx.db, ctx.viewer, idOf('Channel', input.channelId)),
  }),
);

builder.mutationField('restoreChannel', (t) =>
  t.fieldWithInput({
    type: ChannelType,
    description: 'Takes a channel into use again; one of a group only while the group is in use. Administrators.',
    errors: { types: [InvalidState] },
    input: { channelId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => restoreChannel(ctx.db, ctx.viewer, idOf('Channel', input.channelId)),
  }),
);

builder.mutationField('muteChannel', (t) =>
  t.fieldWithInput({
    type: ChannelType,
    description:
      'Keeps a channel quiet for the viewer: no notifications but of what asks to be acknowledged. What is told there is read all ' +
      'the same.',
    errors: { types: [InvalidState] },
    input: {
      channelId: t.input.id(which),
      until: t.input.field({ type: 'DateTime', description: 'Within a year; without it until `unmuteChannel`.' }),
    },
    resolve: (_root, { input }, ctx) =>
      muteChannel(ctx.db, ctx.viewer, idOf('Channel', input.channelId), input.until ?? null),
  }),
);

builder.mutationField('unmuteChannel', (t) =>
  t.fieldWithInput({
    type: ChannelType,
    description: 'Lets a channel notify the viewer again.',
    errors: { types: [InvalidState] },
    input: { channelId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => unmuteChannel(ctx.db, ctx.viewer, idOf('Channel', input.channelId)),
  }),
);

liveEvent('ChannelChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    CHANNEL_CREATED: 'Made.',
    CHANNEL_UPDATED: 'Edited.',
    CHANNEL_ARCHIVED: 'Put away.',
    CHANNEL_RESTORED: 'In use again.',
  },
  description: 'A channel was made or changed. For its readers.',
  subject: { name: 'channel', type: ChannelType, by: channelById, canSee: canReadChannel },
});

liveEvent('ChannelMarked', {
  concerns: 'PERSON',
  kinds: {
    CHANNEL_READ: 'The viewer has read on, here or on another device.',
    CHANNEL_MUTED: 'The viewer muted it, or unmuted it.',
  },
  description: 'What the viewer keeps for themself about a channel has changed. For their own devices.',
  subject: { name: 'channel', type: ChannelType, by: channelById, canSee: canReadChannel },
});

/** Follows what is told of one channel, or of all that the viewer reads in an organization. @throws NotFound, InvalidInput */
export async function followChannels(
  ctx: Context,
  { channelId, organizationId, after }: FollowedChannels,
  kinds: ReadonlySet<string>,
): Promise<Follower> {
  if (channelId && !organizationId) {
    const placeId = idOf('Channel', channelId);
    const channel = await ctx.load(channelById, placeId);
    if (!channel) throw new NotFound();
    return follow(ctx, { of: { audienceId: channel.audienceId }, scope: 'ANCHOR', kinds, placeId }, after);
  }
  if (!organizationId || channelId) throw new InvalidInput('channelId', 'INVALID_EITHER_OR');
  const of = { kind: 'MEMBERS', organizationId: idOf('Organization', organizationId) } as const;
  return follow(ctx, { of, scope: 'ORGANIZATION', kinds }, after);
}

interface FollowedChannels {
  readonly channelId?: string | null | undefined;
  readonly organizationId?: string | null | undefined;
  readonly after?: string | null | undefined;
}

const ChannelEvent = liveUnion(
  'ChannelEvent',
  'Something that happened in a channel, or the end of the stream.',
  'ORGANIZATION',
);

builder.subscriptionField('channelEvents', (t) =>
  t.field({
    type: ChannelEvent,
    description:
      'Everything that happens in one channel and is for the viewer: what is published, edited, pinned, deleted and ' +
      'commented; to those who publish there also suggestions, comments that wait and acknowledgements, and to ' +
      'each what is told to them alone. It ends when the viewer reads it no longer.',
    args: {
      channelId: t.arg.id({ required: true, description: 'Which channel.' }),
      after: t.arg({ type: 'Cursor', description: afterDescription }),
    },
    subscribe: async (_root, { channelId, after }, ctx) => {
      const placeId = idOf('Channel', channelId);
      const channel = await ctx.load(channelById, placeId);
      if (!channel) throw new NotFound();
      const of = { audienceId: channel.audienceId };
      return follow(ctx, { of, scope: 'ORGANIZATION', kinds: kindsOf(), placeId }, after);
    },
    resolve: (event) => event,
  }),
);
