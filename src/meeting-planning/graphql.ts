import { ChatType } from '../chats/graphql.ts';
import { ownOf } from '../chats/queries.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { GroupType } from '../groups/graphql.ts';
import { MeetingFormatEnum, MeetingType, shownMeeting, whichMeeting } from '../meetings/graphql.ts';
import { canScheduleMeeting } from '../meetings/policy.ts';
import { capacitiesIn } from '../meetings/queries.ts';
import { organizationById } from '../organizations/queries.ts';
import { cancelMeeting, scheduleMeeting, updateMeeting } from './commands.ts';

builder.objectField(ChatType, 'viewerCanScheduleMeeting', (t) =>
  t.boolean({
    perViewer: true,
    description:
      'Whether the viewer may plan meetings of those who take part here: its staff, and who leads among them; not while it is frozen.',
    resolve: async (chat, _args, ctx) => {
      const { capacities } = await ownOf(ctx, chat);
      const { organizationId, state } = chat;
      return canScheduleMeeting(ctx.viewer, { organizationId, groupId: null, venueState: state }, capacities);
    },
  }),
);

builder.objectField(GroupType, 'viewerCanScheduleMeeting', (t) =>
  t.boolean({
    perViewer: true,
    description:
      'Whether the viewer may plan meetings of everybody in it: administrators, the head, and staff assigned to it.',
    resolve: async ({ id: groupId, kind, organizationId, audienceId, state }, _args, ctx) => {
      const organization = await ctx.loadExisting(organizationById, organizationId);
      const theirs = kind === 'STAFF' ? organization.staffAudienceId : audienceId;
      const capacities = await ctx.load(capacitiesIn, theirs);
      return canScheduleMeeting(ctx.viewer, { organizationId, groupId, venueState: state }, capacities);
    },
  }),
);

const errors = { types: [InvalidState] };
const title = 'What it is about: 1 to 200 characters.';
const agenda = 'What is to be talked about, as plain text: up to 4,000 characters.';
const location = 'Of a HYBRID meeting, and required there: in which room, up to 300 characters. Of none else.';
const remindBefore = 'How many minutes before the start people are reminded: up to 10,080; null: not at all.';

builder.mutationField('scheduleMeeting', (t) =>
  t.fieldWithInput({
    type: MeetingType,
    description:
      'Plans a meeting of those who take part in a chat, or of everybody in a group (§2.2.6, 2.3.4); the viewer is its host. ' +
      'Administrators and the head: of every group, and of chats in which they take part; confirmed staff: of their own groups, and ' +
      'of chats in which they take part as staff. Those for whom it is hear of it.',
    errors,
    input: {
      chatId: t.input.id({ description: 'Of which chat; or give `groupId`.' }),
      groupId: t.input.id({ description: 'Of which group; or give `chatId`.' }),
      title: t.input.string({ required: true, description: title }),
      agenda: t.input.string({ description: agenda }),
      format: t.input.field({ type: MeetingFormatEnum, required: true, description: 'How people meet.' }),
      location: t.input.string({ description: location }),
      startsAt: t.input.field({ type: 'DateTime', description: 'When: within a year. Now unless given.' }),
      endsAt: t.input.field({
        type: 'DateTime',
        description: 'When it is to be over: at most a day later. An hour later unless given.',
      }),
      remindBefore: t.input.int({ description: `${remindBefore} 15 unless given.` }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first meeting.',
      }),
    },
    resolve: (_root, { input: { chatId, groupId, ...wish } }, ctx) => {
      const audience = {
        chatId: chatId ? idOf('Chat', chatId) : null,
        groupId: groupId ? idOf('Group', groupId) : null,
      };
      return shownMeeting(ctx, scheduleMeeting(ctx.db, ctx.viewer, { ...wish, ...audience }));
    },
  }),
);

builder.mutationField('updateMeeting', (t) =>
  t.fieldWithInput({
    type: MeetingType,
    description:
      'Changes a meeting; what is left out stays. While it is LIVE only `title`, `agenda`, `location` and `endsAt`. Who runs it; ' +
      'those for whom it is hear of it. Repeating it changes nothing.',
    errors,
    input: {
      meetingId: t.input.id(whichMeeting),
      title: t.input.string({ description: title }),
      agenda: t.input.string({ description: `${agenda} Null: none.` }),
      format: t.input.field({ type: MeetingFormatEnum, description: 'How people meet.' }),
      location: t.input.string({ description: location }),
      startsAt: t.input.field({
        type: 'DateTime',
        description: 'When: within a year. Without `endsAt` it lasts as long as before.',
      }),
      endsAt: t.input.field({ type: 'DateTime', description: 'When it is to be over: at most a day after the start.' }),
      remindBefore: t.input.int({ description: remindBefore }),
    },
    resolve: (_root, { input: { meetingId, ...changes } }, ctx) =>
      shownMeeting(ctx, updateMeeting(ctx.db, ctx.viewer, idOf('Meeting', meetingId), changes)),
  }),
);

builder.mutationField('cancelMeeting', (t) =>
  t.fieldWithInput({
    type: MeetingType,
    description:
      'Calls a planned meeting off, for good; those for whom it is hear of it. Who runs it. Repeating it changes nothing.',
    errors,
    input: {
      meetingId: t.input.id(whichMeeting),
      reason: t.input.string({ description: 'Why, for those for whom it is: up to 500 characters.' }),
    },
    resolve: (_root, { input: { meetingId, reason } }, ctx) =>
      shownMeeting(ctx, cancelMeeting(ctx.db, ctx.viewer, idOf('Meeting', meetingId), { reason })),
  }),
);
