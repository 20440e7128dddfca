import { UserType } from '../accounts/graphql.ts';
import { BroadcastType, broadcastMutation, whichBroadcast } from '../broadcasts/graphql.ts';
import type { Broadcast } from '../broadcasts/queries.ts';
import { listOfPeople } from '../chat-members/graphql.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import type { Playback } from '../streaming/streaming.ts';
import { joinBroadcast, leaveBroadcast } from './commands.ts';
import { canSeeAttendance } from './policy.ts';
import { type Attendee, attendeesOf, watchersOf } from './queries.ts';

const AttendeeType = builder.objectRef<Attendee>('BroadcastAttendee').implement({
  description: 'Somebody who has watched a broadcast.',
  fields: (t) => ({
    user: t.field({ type: UserType, description: 'The person.', resolve: ({ user }) => user }),
    joinedAt: t.field({
      type: 'DateTime',
      description: 'When they first came.',
      resolve: ({ joinedAt }) => new Date(joinedAt),
    }),
    leftAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When they left, or were last seen. Null: they are watching.',
      resolve: ({ leftAt }) => (leftAt ? new Date(leftAt) : null),
    }),
    isWatching: t.exposeBoolean('isWatching', { description: 'Whether they watch now, as of a minute ago.' }),
    watchedSeconds: t.exposeInt('watchedSeconds', {
      description: 'For how many seconds in all they have watched, to about half a minute.',
    }),
  }),
});

builder.objectFields(BroadcastType, (t) => ({
  watchingCount: t.int({
    description: 'How many people watch it now, as of a minute ago.',
    resolve: ({ id }, _args, ctx) => ctx.load(watchersOf, id),
  }),
  attendance: t.connection({
    perViewer: true,
    type: AttendeeType,
    nullable: true,
    description:
      'Who has watched it, once each, the latest comers first. Null: not for this viewer (only who leads, and the host unless it is for all). Guardians whom the viewer ' +
      'does not meet are left out (§4.11).',
    resolve: (broadcast, args, ctx) =>
      canSeeAttendance(ctx.viewer, broadcast)
        ? listOfPeople(ctx, args, attendeesOf, { broadcastId: broadcast.id })
        : null,
  }),
}));

const PlaybackType = builder.objectRef<Playback>('BroadcastPlayback').implement({
  description: 'An address at which the viewer’s player finds the broadcast: HLS.',
  fields: (t) => ({
    url: t.exposeString('url', {
      description:
        'The playlist; what it names lies beside it. It is for this session alone and dies with the right to watch. For some seconds ' +
        'after the start there is nothing yet (404): try again.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description:
        'Until when it is good, some minutes: call `joinBroadcast` again before that, and go on with the new one.',
    }),
  }),
});

interface Joined {
  readonly broadcast: Broadcast;
  readonly playback: Playback | null;
}
const JoinedType = builder.objectRef<Joined>('JoinBroadcastPayload').implement({
  description: 'What somebody who watches a broadcast gets.',
  fields: (t) => ({
    broadcast: t.field({ type: BroadcastType, description: 'The broadcast.', resolve: ({ broadcast }) => broadcast }),
    playback: t.field({
      type: PlaybackType,
      nullable: true,
      description: 'Where it plays. Null: this installation has no media server.',
      resolve: ({ playback }) => playback,
    }),
  }),
});

builder.mutationField('joinBroadcast', (t) =>
  t.fieldWithInput({
    type: JoinedType,
    description:
      'Comes to watch a broadcast that is LIVE: the channel’s readers, but not employees whose status is not confirmed. That the viewer ' +
      'was there is recorded, once; call it again for an address that is good for longer.',
    errors: { types: [InvalidState] },
    input: { broadcastId: t.input.id(whichBroadcast) },
    resolve: async (_root, { input }, { db, viewer, services: { streaming } }): Promise<Joined> => {
      const broadcast = await joinBroadcast(db, viewer, idOf('Broadcast', input.broadcastId));
      const playing = { broadcastId: broadcast.id, sessionId: viewer.sessionId };
      return { broadcast, playback: streaming && (await streaming.playbackOf(playing)) };
    },
  }),
);

broadcastMutation(
  'leaveBroadcast',
  'Goes from a broadcast: the viewer is not counted among those who watch. Whoever merely closes their player is counted for up to a ' +
    'minute more. Repeating it changes nothing.',
  leaveBroadcast,
);
