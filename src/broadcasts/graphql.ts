import { UserType, ViewerType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { follow } from '../audiences/queries.ts';
import { ChannelType, followChannels } from '../channels/graphql.ts';
import { channelById } from '../channels/queries.ts';
import type { Database } from '../database/connect.ts';
import { InvalidState, NotFound } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { afterDescription, kindsOf, liveEvent, liveUnion } from '../graphql/live.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import type { Viewer } from '../viewer.ts';
import { endBroadcast, startBroadcast } from './commands.ts';
import { canRunBroadcast, canSeeBroadcast, canWatch, isHostOf, isOver } from './policy.ts';
import {
  type Broadcast,
  broadcastById,
  broadcastsIn,
  broadcastsOf,
  pageOfBroadcasts,
  sizeOfBroadcasts,
} from './queries.ts';
import type { BroadcastRow } from './tables.ts';

const BroadcastStateEnum = builder.enumType('BroadcastState', {
  description: 'Where a broadcast stands. From ENDED and CANCELLED nothing leads on.',
  values: {
    SCHEDULED: { description: 'Planned.' },
    LIVE: { description: 'Going on; in each channel one at a time.' },
    ENDED: { description: 'Over.' },
    CANCELLED: { description: 'Called off before it began: see `reason`.' },
  } as const,
});

export const QuestioningEnum = builder.enumType('Questioning', {
  description: 'Whether those who watch may ask the host in writing.',
  values: {
    OFF: { description: 'Nobody asks.' },
    MODERATED: { description: 'A question is shown to all once somebody who runs the broadcast has approved it.' },
    OPEN: { description: 'Questions are shown at once.' },
  } as const,
});

const Ingest = builder.objectRef<{ url: string; streamKey: string }>('BroadcastIngest').implement({
  description: 'What the host’s program (OBS, for one) has to know to send the picture.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'The server, by RTMP.' }),
    streamKey: t.exposeString('streamKey', {
      description: 'What proves that it is the host: to be told to nobody. `rotateStreamKey` replaces it.',
    }),
  }),
});

export const BroadcastType = builder.objectRef<Broadcast>('Broadcast');
builder.node(BroadcastType, {
  description: 'The institution goes live for the readers of a channel (§2.1.15). Seen by them.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(broadcastById, canSeeBroadcast),
  fields: (t) => ({
    channel: t.field({
      type: ChannelType,
      description: 'For whose readers it is.',
      resolve: ({ channelId }, _args, ctx) => ctx.loadExisting(channelById, channelId),
    }),
    title: t.exposeString('title', { description: 'What it is called: up to 200 characters.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What it is about, where given: up to 2,000 characters.',
    }),
    state: t.field({ type: BroadcastStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    host: t.field({
      type: UserType,
      description: 'Who speaks and sends the picture.',
      resolve: ({ hostId, organizationId }, _args, ctx) =>
        ctx.loadExisting(personOf, { userId: hostId, organizationId }),
    }),
    startsAt: t.expose('startsAt', { type: 'DateTime', description: 'When it is to start, or was.' }),
    remindBefore: t.exposeInt('remindBefore', {
      nullable: true,
      description: 'How many minutes before that the channel’s readers are reminded. Null: not at all.',
    }),
    questioning: t.field({
      type: QuestioningEnum,
      description: 'Whether questions are taken.',
      resolve: (broadcast) => broadcast.questioning,
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it began; null: it has not.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null: it is not.',
    }),
    cancelledAt: t.expose('cancelledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was called off; null: it was not.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why it was called off, where that was said.',
    }),
    isReceiving: t.boolean({
      description:
        'Whether the host’s picture is coming now. Players show it some seconds later; when it stops, the broadcast waits for it ' +
        'for a while (a minute, unless this installation has it otherwise) and then ends.',
      resolve: ({ streamId }) => streamId !== null,
    }),
    recordingUrl: t.exposeString('recordingUrl', {
      nullable: true,
      description: 'Where it can be seen again, once somebody has said so; an https address.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was planned.' }),
    viewerCanWatch: t.boolean({
      perViewer: true,
      description:
        'Whether the viewer may watch it while it is LIVE (`joinBroadcast`): not an employee whose status is not confirmed.',
      resolve: (broadcast, _args, ctx) => canWatch(ctx.viewer, broadcast),
    }),
    viewerCanRun: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may change, start, end and cancel it, mind its questions and see who watched.',
      resolve: (broadcast, _args, ctx) => canRunBroadcast(ctx.viewer, broadcast),
    }),
    viewerIngest: t.field({
      perViewer: true,
      type: Ingest,
      nullable: true,
      description:
        'Where and by which key the picture is to be sent. To send it starts the broadcast. Null: the viewer is not its host, it is ' +
        'over, or this installation has no media server.',
      resolve: (broadcast, _args, { viewer, services: { streaming } }) =>
        streaming && !isOver(broadcast) && isHostOf(viewer, broadcast)
          ? { url: streaming.ingestUrl, streamKey: streaming.keyOf(broadcast) }
          : null,
    }),
  }),
});

showOrganization(BroadcastType);

const stateArg = 'Only in this state; all unless told.';
const inOrder = 'by when they start, the latest first';

builder.objectField(ChannelType, 'broadcasts', (t) =>
  t.connection({
    perViewer: true,
    type: BroadcastType,
    description: `Its broadcasts, ${inOrder}.`,
    args: { state: t.arg({ type: BroadcastStateEnum, description: stateArg }) },
    resolve: ({ id }, { state = null, ...page }, ctx) =>
      listed(ctx, page, broadcastsIn, { parentId: id, filter: { state } }),
  }),
);

builder.objectField(OrganizationType, 'broadcasts', (t) =>
  t.connection({
    perViewer: true,
    type: BroadcastType,
    description: `The broadcasts of the channels that the viewer reads, ${inOrder}.`,
    args: { state: t.arg({ type: BroadcastStateEnum, description: stateArg }) },
    resolve: ({ id }, { state = null, ...page }, ctx) =>
      listed(ctx, page, broadcastsOf, { parentId: id, filter: { state } }),
  }),
);

builder.objectField(ViewerType, 'broadcasts', (t) =>
  t.connection({
    perViewer: true,
    type: BroadcastType,
    description: `The broadcasts of all channels that the viewer reads, in all their organizations, ${inOrder}.`,
    args: { state: t.arg({ type: BroadcastStateEnum, description: stateArg }) },
    resolve: (viewer, { state = null, ...page }, ctx) =>
      connection<Broadcast>(
        page,
        (part) => pageOfBroadcasts(ctx.db, viewer, { state }, part),
        () => sizeOfBroadcasts(ctx.db, viewer, { state }),
        ({ place }) => place,
      ),
  }),
);

/** A broadcast as queries read it. */
export const shownBroadcast = async (ctx: Context, changed: Promise<Pick<BroadcastRow, 'id'>>): Promise<Broadcast> =>
  ctx.loadExisting(broadcastById, (await changed).id);

export const whichBroadcast = { required: true, description: 'Which broadcast.' } as const;

/** A mutation that takes a broadcast and nothing else. */
export function broadcastMutation(
  name: string,
  description: string,
  command: (db: Database, viewer: Viewer, broadcastId: string) => Promise<BroadcastRow>,
): void {
  builder.mutationField(name, (t) =>
    t.fieldWithInput({
      type: BroadcastType,
      description,
      errors: { types: [InvalidState] },
      input: { broadcastId: t.input.id(whichBroadcast) },
      resolve: (_root, { input }, ctx) =>
        shownBroadcast(ctx, command(ctx.db, ctx.viewer, idOf('Broadcast', input.broadcastId))),
    }),
  );
}

broadcastMutation(
  'startBroadcast',
  'Goes live, and tells everybody who reads the channel (`broadcastStarted`); to send the picture does the same. Its host, and who ' +
    'leads. One broadcast of a channel at a time. Repeating it changes nothing.',
  startBroadcast,
);

broadcastMutation(
  'endBroadcast',
  'Ends a broadcast that is LIVE, for good. Its host, and who leads. It also ends some time after the picture has stopped, and after ' +
    '12 hours at the latest. Repeating it changes nothing.',
  endBroadcast,
);

const BroadcastStarted = liveEvent('BroadcastStarted', {
  concerns: 'ORGANIZATION',
  kinds: { BROADCAST_STARTED: 'A broadcast has begun.' },
  description: 'A broadcast has begun. For the channel’s readers.',
  subject: { name: 'broadcast', type: BroadcastType, by: broadcastById, canSee: canSeeBroadcast },
});

liveEvent('BroadcastChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    BROADCAST_SCHEDULED: 'A broadcast was planned.',
    BROADCAST_UPDATED: 'It was changed.',
    BROADCAST_CANCELLED: 'It was called off.',
    BROADCAST_REMINDED: 'It begins soon: as long before as its `remindBefore` says.',
    BROADCAST_STREAM_BEGAN: 'Its picture is coming.',
    BROADCAST_STREAM_ENDED: 'Its picture has stopped; it may come again.',
    BROADCAST_ENDED: 'It is over.',
    BROADCAST_RECORDED: 'Where it can be seen again was said, or taken back.',
  },
  description: 'A broadcast was planned or changed. For the channel’s readers.',
  subject: { name: 'broadcast', type: BroadcastType, by: broadcastById, canSee: canSeeBroadcast },
});

const BroadcastStartedEvent = liveUnion(
  'BroadcastStartedEvent',
  'A broadcast has begun, or the stream has ended.',
  BroadcastStarted,
);

builder.subscriptionField('broadcastStarted', (t) =>
  t.field({
    type: BroadcastStartedEvent,
    description:
      'Broadcasts, the moment they begin: of one channel, or of all that the viewer reads in an organization. It ends when the ' +
      'viewer may read there no longer.',
    args: {
      channelId: t.arg.id({ description: 'Of this channel. Either this or `organizationId`.' }),
      organizationId: t.arg.id({ description: 'Of this organization. Either this or `channelId`.' }),
      after: t.arg({ type: 'Cursor', description: afterDescription }),
    },
    subscribe: (_root, args, ctx) => followChannels(ctx, args, kindsOf(BroadcastStarted)),
    resolve: (event) => event,
  }),
);

const BroadcastEvent = liveUnion(
  'BroadcastEvent',
  'Something that happened to a broadcast, or the end of the stream.',
  'ORGANIZATION',
);

builder.subscriptionField('broadcastEvents', (t) =>
  t.field({
    type: BroadcastEvent,
    description:
      'Everything that happens to one broadcast and is for the viewer: how it begins, changes and ends, whether its picture comes, ' +
      'questions; to those who run it also questions that wait. It ends when the viewer reads its channel no longer.',
    args: {
      broadcastId: t.arg.id(whichBroadcast),
      after: t.arg({ type: 'Cursor', description: afterDescription }),
    },
    subscribe: async (_root, { broadcastId, after }, ctx) => {
      const placeId = idOf('Broadcast', broadcastId);
      const broadcast = await ctx.load(broadcastById, placeId);
      if (!broadcast) throw new NotFound();
      const of = { audienceId: broadcast.channel.audienceId };
      return follow(ctx, { of, scope: 'ORGANIZATION', kinds: kindsOf(), placeId }, after);
    },
    resolve: (event) => event,
  }),
);
