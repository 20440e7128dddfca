import { listOfPeople } from '../chat-members/graphql.ts';
import { InvalidState, NotConfigured } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf, idOrNone } from '../graphql/ids.ts';
import { MeetingType, shownMeeting, whichMeeting } from '../meetings/graphql.ts';
import { canRunMeeting, type JoinObstacle, obstacleToJoin } from '../meetings/policy.ts';
import { capacitiesIn } from '../meetings/queries.ts';
import { JoinTicketType, ParticipationType } from '../participations/graphql.ts';
import { ownParticipation, participationsOf, presentIn } from '../participations/queries.ts';
import { type Admission, joinMeeting, leaveMeeting, recordMeetingAttendance } from './commands.ts';

const JoinObstacleEnum = builder.enumType('MeetingJoinObstacle', {
  description: 'What keeps somebody from joining a meeting that they see.',
  values: {
    NOT_STARTED: { description: 'It has not begun; MEETING_STARTED tells when it does.' },
    OVER: { description: 'It is over, or was called off.' },
    UNVERIFIED: { description: 'Their status of employee is not confirmed (§3).' },
    NOT_CONFIGURED: { description: 'This installation has no server for video (NotConfigured).' },
  } as const,
});

const JoinPermission = builder.objectRef<{ obstacle: JoinObstacle | null }>('MeetingJoinPermission').implement({
  description: 'Whether somebody may join a meeting now, and if not, why.',
  fields: (t) => ({
    allowed: t.boolean({ description: 'Whether they may.', resolve: ({ obstacle }) => obstacle === null }),
    reason: t.field({
      type: JoinObstacleEnum,
      nullable: true,
      description: 'What keeps them from it; null where nothing does.',
      resolve: ({ obstacle }) => obstacle,
    }),
  }),
});

builder.objectFields(MeetingType, (t) => ({
  viewerCanJoin: t.field({
    perViewer: true,
    type: JoinPermission,
    description: 'Whether the viewer may join it now.',
    resolve: (meeting, _args, { viewer, services }) => ({
      obstacle: obstacleToJoin(viewer, meeting, services.conferencing !== null),
    }),
  }),
  viewerParticipation: t.field({
    perViewer: true,
    type: ParticipationType,
    nullable: true,
    description: 'The viewer’s own part in it. Null: they were neither let in nor noted as there in person.',
    resolve: ({ id }, _args, ctx) => ctx.load(ownParticipation, id),
  }),
  presentCount: t.int({
    perViewer: true,
    description:
      'How many people are there, as far as the viewer meets them: connected now, or noted as there in person. As of when it is read.',
    resolve: ({ id }, _args, ctx) => ctx.load(presentIn, id),
  }),
  participations: t.connection({
    perViewer: true,
    type: ParticipationType,
    description:
      'Who takes part, whoever came last first. To those who run it everybody who was let in or there in person, with when (§2.2.7); ' +
      'to others, while it is LIVE, who was let in and has not left, and who is there in person. A guardian whose contacts are ' +
      'LIMITED is in no list of other families (§4.11).',
    resolve: async (meeting, args, ctx) => {
      const { id: roomId, audienceId, organizationId, state } = meeting;
      const runs = canRunMeeting(ctx.viewer, meeting, await ctx.load(capacitiesIn, audienceId));
      const hereOnly = !runs;
      // Nobody is in a room that is not open.
      const room = runs || state === 'LIVE' ? roomId : idOrNone('Meeting', '');
      return listOfPeople(ctx, args, participationsOf, { roomId: room, audienceId, organizationId, hereOnly });
    },
  }),
}));

const JoinPayload = builder.objectRef<Admission>('JoinMeetingPayload').implement({
  description: 'The viewer is let in.',
  fields: (t) => ({
    meeting: t.field({
      type: MeetingType,
      description: 'The meeting.',
      resolve: ({ meetingId }, _args, ctx) => shownMeeting(ctx, Promise.resolve({ id: meetingId })),
    }),
    participation: t.field({
      perViewer: true,
      type: ParticipationType,
      description: 'The viewer’s part in it.',
      resolve: ({ meetingId }, _args, ctx) => ctx.loadExisting(ownParticipation, meetingId),
    }),
    ticket: t.field({
      type: JoinTicketType,
      nullable: true,
      description: 'With this one connects. Null: a HYBRID meeting where there is no video; one comes in person.',
      resolve: ({ ticket }) => ticket,
    }),
  }),
});

builder.mutationField('joinMeeting', (t) =>
  t.fieldWithInput({
    type: JoinPayload,
    description:
      'Lets the viewer into a meeting that is LIVE and for them. LiveKit learns neither their name nor their id: who is who there is ' +
      'in `participations`. That they are there counts once LiveKit says so. Repeating it gives another ticket; the viewer’s other ' +
      'devices hear of the first (MEETING_JOINED).',
    errors: { types: [InvalidState, NotConfigured] },
    input: { meetingId: t.input.id(whichMeeting) },
    resolve: (_root, { input }, { db, viewer, services }) =>
      joinMeeting(db, viewer, idOf('Meeting', input.meetingId), services.conferencing),
  }),
);

builder.mutationField('leaveMeeting', (t) =>
  t.fieldWithInput({
    type: MeetingType,
    description:
      'Ends the viewer’s connection, on whichever device it is; they may join again. Who disconnects by themself need not do it. ' +
      'Repeating it changes nothing.',
    errors: { types: [InvalidState] },
    input: { meetingId: t.input.id(whichMeeting) },
    resolve: (_root, { input }, ctx) =>
      shownMeeting(ctx, leaveMeeting(ctx.db, ctx.viewer, idOf('Meeting', input.meetingId))),
  }),
);

builder.mutationField('recordMeetingAttendance', (t) =>
  t.fieldWithInput({
    type: MeetingType,
    description:
      'Notes who is there in person, or is not, of a HYBRID meeting that is LIVE or has ENDED (§2.2.7). Who runs it. Repeating it ' +
      'changes nothing.',
    errors: { types: [InvalidState] },
    input: {
      meetingId: t.input.id(whichMeeting),
      userIds: t.input.idList({ required: true, description: 'Ids of users for whom the meeting is: 1 to 500.' }),
      present: t.input.boolean({ required: true, description: 'Whether they are there in person; no takes it back.' }),
    },
    resolve: (_root, { input: { meetingId, userIds, present } }, ctx) => {
      const people = userIds.map((id) => idOrNone('User', id));
      const id = idOf('Meeting', meetingId);
      return shownMeeting(ctx, recordMeetingAttendance(ctx.db, ctx.viewer, id, { userIds: people, present }));
    },
  }),
);
