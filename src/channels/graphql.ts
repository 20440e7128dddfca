import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { canReadChannel } from './policy.ts';
import { channelById, channelsOf } from './queries.ts';
import type { Channel } from './tables.ts';

const ChannelKindEnum = builder.enumType('ChannelKind', {
  description: 'What a channel is for.',
  values: {
    COMMUNITY: { description: 'For everybody in the organization («сообщество»); always there.' },
    STAFF: { description: 'For confirmed staff («канал „Сотрудники“»); always there.' },
    GROUP: { description: 'For one group.' },
  } as const,
});

const ChannelType = builder.objectRef<Channel>('Channel');
builder.node(ChannelType, {
  description: 'A place where the institution tells its people (§2.1.14). Seen by its readers.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(channelById, canReadChannel),
  fields: (t) => ({
    kind: t.field({ type: ChannelKindEnum, description: 'What it is for.', resolve: ({ kind }) => kind }),
    name: t.exposeString('name', { description: 'Its name.' }),
  }),
});

showOrganization(ChannelType);

builder.objectField(OrganizationType, 'channels', (t) =>
  t.connection({
    perViewer: true,
    type: ChannelType,
    description: 'The channels that the viewer reads, newest first.',
    resolve: ({ id }, args, ctx) => listed(ctx, args, channelsOf, { parentId: id, filter: null }),
  }),
);
