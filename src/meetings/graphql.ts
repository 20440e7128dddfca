import { UserType, ViewerType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { ChatType } from '../chats/graphql.ts';
import { chatById, seesChat } from '../chats/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { GroupType, showGroup } from '../groups/graphql.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { endMeeting, startMeeting } from './commands.ts';
import { canRunMeeting } from './policy.ts';
import {
  capacitiesIn,
  type Meeting,
  meetingById,
  meetingsInChat,
  meetingsOf,
  meetingsOfGroup,
  pageOfMeetings,
  seesMeeting,
  sizeOfMeetings,
} from './queries.ts';
import type { MeetingRow } from './tables.ts';

const MeetingStateEnum = builder.enumType('MeetingState', {
  description: 'Where a meeting stands. What has ENDED or was CANCELLED stays so.',
  values: {
    SCHEDULED: { description: 'Planned; nobody is let in yet.' },
    LIVE: { description: 'It goes on: `joinMeeting`.' },
    ENDED: { description: 'It is over.' },
    CANCELLED: { description: 'It was called off before it began; `reason` may say why.' },
  } as const,
});

export const MeetingFormatEnum = builder.enumType('MeetingFormat', {
  description: 'How people meet.',
  values: {
    ONLINE: { description: 'By video alone.' },
    HYBRID: { description: 'In a room (`location`), and by video for those who are not there.' },
  } as const,
});

export const MeetingType = builder.objectRef<Meeting>('Meeting');
builder.node(MeetingType, {
  description:
    'People meet at a time, by video or also in a room (§2.2.6): those who take part in a chat, or everybody of a group. Seen by ' +
    'them, while they belong there.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: (ids, ctx): Promise<(Meeting | null)[]> =>
    Promise.all(
      ids.map(async (id) => {
        const meeting = await ctx.load(meetingById, id);
        return meeting && (await seesMeeting(ctx, meeting)) ? meeting : null;
      }),
    ),
  fields: (t) => ({
    title: t.exposeString('title', { description: 'What it is about: up to 200 characters.' }),
    agenda: t.exposeString('agenda', {
      nullable: true,
      description: 'What is to be talked about, as plain text; null: nothing is said of it.',
    }),
    state: t.field({ type: MeetingStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    format: t.field({ type: MeetingFormatEnum, description: 'How people meet.', resolve: ({ format }) => format }),
    location: t.exposeString('location', {
      nullable: true,
      description: 'Of a HYBRID meeting: in which room. Null: it is ONLINE.',
    }),
    startsAt: t.expose('startsAt', { type: 'DateTime', description: 'When it is to start. Lists are ordered by it.' }),
    endsAt: t.expose('endsAt', {
      type: 'DateTime',
      description:
        'When it is to be over. One that nobody has ended ends by itself: an hour later if nobody is in it, or twelve hours after ' +
        'its start (not before this time) whoever is.',
    }),
    remindBefore: t.exposeInt('remindBefore', {
      nullable: true,
      description: 'How many minutes before the start people are reminded (MEETING_REMINDED); null: not at all.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was started; null: it was not.',
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
      description: 'Why it was called off. Null: it was not, or nothing was said of it.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was planned.' }),
    host: t.field({
      type: UserType,
      description: 'Who planned it and runs it.',
      resolve: ({ hostId, organizationId }, _args, ctx) =>
        ctx.loadExisting(personOf, { userId: hostId, organizationId }),
    }),
    chat: t.field({
      type: ChatType,
      nullable: true,
      description: 'For whom it is: those who take part in this chat. Null: it is for a `group`.',
      resolve: async ({ chatId }, _args, ctx) => {
        const chat = chatId ? await ctx.loadExisting(chatById, chatId) : null;
        return chat && (await seesChat(ctx, chat)) ? chat : null;
      },
    }),
    viewerCanRun: t.boolean({
      perViewer: true,
      description:
        'Whether the viewer may start and end it, change and cancel it, and keep its attendance, as its state allows: its host ' +
        'while they still answer for those who meet, and administrators and the head among these; when the host is gone, whoever does.',
      resolve: async (meeting, _args, ctx) =>
        canRunMeeting(ctx.viewer, meeting, await ctx.load(capacitiesIn, meeting.audienceId)),
    }),
  }),
});

showOrganization(MeetingType);
showGroup(MeetingType, 'For whom it is: everybody of this group, and who leads; of «Staff» all confirmed staff.');

const filter = { description: 'Only in this state; all unless told.' };

builder.objectField(ChatType, 'meetings', (t) =>
  t.connection({
    perViewer: true,
    type: MeetingType,
    description: 'The meetings of those who take part, the latest start first. None to who takes part no longer.',
    args: { state: t.arg({ type: MeetingStateEnum, ...filter }) },
    resolve: ({ id }, { state = null, ...page }, ctx) =>
      listed(ctx, page, meetingsInChat, { parentId: id, filter: { state } }),
  }),
);

builder.objectField(GroupType, 'meetings', (t) =>
  t.connection({
    perViewer: true,
    type: MeetingType,
    description: 'The meetings of everybody in it, the latest start first; none to whom they are not for.',
    args: { state: t.arg({ type: MeetingStateEnum, ...filter }) },
    resolve: ({ id }, { state = null, ...page }, ctx) =>
      listed(ctx, page, meetingsOfGroup, { parentId: id, filter: { state } }),
  }),
);

builder.objectField(OrganizationType, 'meetings', (t) =>
  t.connection({
    perViewer: true,
    type: MeetingType,
    description: 'The meetings here that are for the viewer, the latest start first.',
    args: { state: t.arg({ type: MeetingStateEnum, ...filter }) },
    resolve: ({ id }, { state = null, ...page }, ctx) =>
      listed(ctx, page, meetingsOf, { parentId: id, filter: { state } }),
  }),
);

builder.objectField(ViewerType, 'meetings', (t) =>
  t.connection({
    perViewer: true,
    type: MeetingType,
    description:
      'The meetings that are for the viewer, in all their organizations, the latest start first. For what comes next ask for ' +
      '`state: SCHEDULED` and the `last` of them.',
    args: { state: t.arg({ type: MeetingStateEnum, ...filter }) },
    resolve: (viewer, { state = null, ...page }, ctx) =>
      connection<Meeting>(
        page,
        (part) => pageOfMeetings(ctx.db, viewer, { state }, part),
        () => sizeOfMeetings(ctx.db, viewer, { state }),
        ({ place }) => place,
      ),
  }),
);

/** A meeting as queries read it. */
export const shownMeeting = async (ctx: Context, changed: Promise<Pick<MeetingRow, 'id'>>): Promise<Meeting> =>
  ctx.loadExisting(meetingById, (await changed).id);

export const whichMeeting = { required: true, description: 'Which meeting.' } as const;
const meetingErrors = { types: [InvalidState] };

builder.mutationField('startMeeting', (t) =>
  t.fieldWithInput({
    type: MeetingType,
    description:
      'Lets people in, whenever whoever runs it says so; those for whom it is hear of it (MEETING_STARTED). Repeating it changes ' +
      'nothing.',
    errors: meetingErrors,
    input: { meetingId: t.input.id(whichMeeting) },
    resolve: (_root, { input }, ctx) =>
      shownMeeting(ctx, startMeeting(ctx.db, ctx.viewer, idOf('Meeting', input.meetingId))),
  }),
);

builder.mutationField('endMeeting', (t) =>
  t.fieldWithInput({
    type: MeetingType,
    description:
      'Ends a meeting for all, for good: the room is closed, and tickets open it no more. Who runs it. Repeating it changes nothing.',
    errors: meetingErrors,
    input: { meetingId: t.input.id(whichMeeting) },
    resolve: (_root, { input }, ctx) =>
      shownMeeting(ctx, endMeeting(ctx.db, ctx.viewer, idOf('Meeting', input.meetingId))),
  }),
);

liveEvent('MeetingChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    MEETING_SCHEDULED: 'A meeting was planned.',
    MEETING_UPDATED: 'Its words, time or place were changed.',
    MEETING_CANCELLED: 'It was called off.',
    MEETING_REMINDED: 'It begins soon: in `remindBefore` minutes.',
    MEETING_STARTED: 'It has begun: `joinMeeting`.',
    MEETING_JOINED: 'The viewer was let in, here or on another device.',
    MEETING_ENDED: 'It is over.',
  },
  description: 'A meeting was planned or changed, begins, or is over. For those for whom it is.',
  subject: { name: 'meeting', type: MeetingType, by: meetingById, sees: seesMeeting },
});
