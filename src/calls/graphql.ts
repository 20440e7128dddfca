import { UserType, ViewerType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { listOfPeople } from '../chat-members/graphql.ts';
import { ChatType, shownChat } from '../chats/graphql.ts';
import { ownOf } from '../chats/queries.ts';
import { builder } from '../graphql/builder.ts';
import { connection, type PageArguments } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { idOrNone } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { showOrganization } from '../organizations/graphql.ts';
import { ParticipationType } from '../participations/graphql.ts';
import { participationsOf } from '../participations/queries.ts';
import { tellAt } from '../quiet-hours/policy.ts';
import { quietHoursIn } from '../quiet-hours/queries.ts';
import { canEndCall, canSeeParticipants, hasMissed, isOpen, type OwnPart, obstacleToCalling, rings } from './policy.ts';
import {
  activeCall,
  type Call,
  type CallFilter,
  callById,
  pageOfCalls,
  seenCall,
  seesCall,
  sizeOfCalls,
} from './queries.ts';

const CallStateEnum = builder.enumType('CallState', {
  description: 'Where a call stands.',
  values: {
    RINGING: { description: 'Nobody has answered yet: for 45 seconds at most.' },
    ACTIVE: { description: 'Somebody has answered.' },
    ENDED: { description: 'Over, after somebody had answered.' },
    MISSED: { description: 'Over before anybody answered.' },
    DECLINED: { description: 'Everybody who was called declined.' },
  } as const,
});

export const CallKindEnum = builder.enumType('CallKind', {
  description: 'How people call. Whoever takes part may still turn on their camera.',
  values: { AUDIO: { description: 'To hear each other.' }, VIDEO: { description: 'To see each other, too.' } } as const,
});

const nothing: OwnPart = {
  wasCalled: false,
  hasAnswered: false,
  hasDeclined: false,
  isThere: false,
  hasStayed: false,
};

/** What the viewer has done about a call. */
const partOf = async (ctx: Context, { id }: Call): Promise<OwnPart> => (await ctx.load(seenCall, id))?.part ?? nothing;

export const CallType = builder.objectRef<Call>('Call');
builder.node(CallType, {
  description: 'Somebody calls those who take part in a chat (§1.3). Seen by who took part in it meanwhile.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: (ids, ctx): Promise<(Call | null)[]> => Promise.all(ids.map((id) => ctx.load(seenCall, id))),
  fields: (t) => ({
    chat: t.field({
      perViewer: true,
      type: ChatType,
      description: 'Of which chat.',
      resolve: ({ chatId }, _args, ctx) => shownChat(ctx, chatId),
    }),
    caller: t.field({
      type: UserType,
      description: 'Who calls.',
      resolve: ({ callerId, organizationId }, _args, ctx) =>
        ctx.loadExisting(personOf, { userId: callerId, organizationId }),
    }),
    kind: t.field({ type: CallKindEnum, description: 'How.', resolve: ({ kind }) => kind }),
    state: t.field({ type: CallStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    startedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began to ring.' }),
    ringsUntil: t.expose('ringsUntil', {
      type: 'DateTime',
      description: 'Until when devices ring that have not reacted.',
    }),
    answeredAt: t.expose('answeredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was first answered; null: it was not, or not yet.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null: it goes on.',
    }),
    participations: t.connection({
      perViewer: true,
      type: ParticipationType,
      description:
        'Who has answered or declined, whoever did last first; families’ LIMITED guardians are left out (§4.11). None to who left the ' +
        'chat before the call was over.',
      args: {
        hereOnly: t.arg.boolean({ defaultValue: false, description: 'Only those who are in it now.' }),
      },
      resolve: async (call, { hereOnly, ...args }, ctx) => {
        const { organizationId, chat } = call;
        const roomId = canSeeParticipants(await partOf(ctx, call)) ? call.id : idOrNone('Call', '');
        const room = { roomId, audienceId: chat.audienceId, organizationId };
        return listOfPeople(ctx, args, participationsOf, { ...room, hereOnly: hereOnly === true });
      },
    }),
    viewerRings: t.boolean({
      perViewer: true,
      description:
        'Whether the viewer’s device is to ring now: they were called and have reacted on none of their devices, the chat is not ' +
        'muted, and it is not their quiet hours. Ask again by each event of the call; after `ringsUntil` nothing rings.',
      resolve: async (call, _args, ctx) => {
        const [part, own, hours] = await Promise.all([
          partOf(ctx, call),
          ownOf(ctx, { id: call.chatId }),
          ctx.load(quietHoursIn, call.organizationId),
        ]);
        const now = new Date();
        return rings(ctx.viewer, call, part, { now, isMuted: own.isMuted, isQuiet: tellAt(hours, now) > now });
      },
    }),
    viewerMissed: t.boolean({
      perViewer: true,
      description: 'Whether the viewer was called, and did nothing about it until it was over.',
      resolve: async (call, _args, ctx) => hasMissed(ctx.viewer, call, await partOf(ctx, call)),
    }),
    viewerIsIn: t.boolean({
      perViewer: true,
      description: 'Whether the viewer is in it now, on one of their devices.',
      resolve: async (call, _args, ctx) => isOpen(call) && (await partOf(ctx, call)).isThere,
    }),
    viewerCanEnd: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may end it for everybody.',
      resolve: async (call, _args, ctx) =>
        isOpen(call) && canEndCall(ctx.viewer, await ownOf(ctx, { id: call.chatId }), call.chat, call),
    }),
  }),
});

showOrganization(CallType);

type Obstacle = ReturnType<typeof obstacleToCalling> | 'NOT_CONFIGURED';
const ObstacleEnum = builder.enumType('CallObstacle', {
  description: 'What keeps somebody from calling those in a chat that they read.',
  values: {
    NOT_CONFIGURED: { description: 'This installation has no server for calls.' },
    NOT_STAFF: { description: 'Several people are called by the staff; they may answer.' },
    READ_ONLY: { description: 'The chat is frozen.' },
    ARCHIVED: { description: 'The chat was put away.' },
    LEFT: { description: 'They take part no longer.' },
  } as const,
});

const CallPermission = builder.objectRef<{ obstacle: Obstacle }>('CallPermission').implement({
  description: 'Whether somebody may call, and if not, why.',
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

const callsIn = ({ db, viewer }: Context, filter: CallFilter, page: PageArguments) =>
  connection<Call>(
    page,
    (part) => pageOfCalls(db, viewer, filter, part),
    () => sizeOfCalls(db, viewer, filter),
  );

const missedOnly = 'Only those that the viewer has missed.';

builder.objectFields(ChatType, (t) => ({
  viewerCanCall: t.field({
    perViewer: true,
    type: CallPermission,
    description: 'Whether the viewer may call those who take part.',
    resolve: async (chat, _args, ctx): Promise<{ obstacle: Obstacle }> =>
      ctx.services.conferencing
        ? { obstacle: obstacleToCalling(await ownOf(ctx, chat), chat) }
        : { obstacle: 'NOT_CONFIGURED' },
  }),
  activeCall: t.field({
    perViewer: true,
    type: CallType,
    nullable: true,
    description: 'The call that goes on here. Null: none, or not for this viewer.',
    resolve: ({ id }, _args, ctx) => ctx.load(activeCall, id),
  }),
  calls: t.connection({
    perViewer: true,
    type: CallType,
    description: 'The calls while the viewer took part here, latest first.',
    args: { missedOnly: t.arg.boolean({ defaultValue: false, description: missedOnly }) },
    resolve: ({ id: chatId }, { missedOnly: missed, ...page }, ctx) =>
      callsIn(ctx, { chatId, organizationId: null, missedOnly: missed === true }, page),
  }),
}));

builder.objectField(ViewerType, 'calls', (t) =>
  t.connection({
    perViewer: true,
    type: CallType,
    description: 'The calls in all chats in which the viewer took part meanwhile, latest first.',
    args: {
      organizationId: t.arg.id({ description: 'Only in this organization.' }),
      missedOnly: t.arg.boolean({ defaultValue: false, description: missedOnly }),
    },
    resolve: (_viewer, { organizationId, missedOnly: missed, ...page }, ctx) => {
      const known = organizationId ? idOrNone('Organization', organizationId) : null;
      return callsIn(ctx, { chatId: null, organizationId: known, missedOnly: missed === true }, page);
    },
  }),
);

liveEvent('CallChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    CALL_STARTED: 'Somebody calls: ring if `viewerRings`.',
    CALL_ANSWERED: 'It was first answered.',
    CALL_DECLINED: 'It is over: everybody who was called declined.',
    CALL_MISSED: 'It is over, and nobody has answered.',
    CALL_ENDED: 'It is over.',
    CALL_JOINED: 'The viewer has answered, here or on another device: stop ringing.',
    CALL_SILENCED: 'The viewer has declined, here or on another device: stop ringing.',
    CALL_LEFT: 'The viewer has hung up, here or on another device.',
  },
  description:
    'Somebody calls, or a call has changed. For those who take part in the chat; the last three for oneself.',
  subject: { name: 'call', type: CallType, by: callById, sees: seesCall },
});
