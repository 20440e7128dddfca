import { ViewerType } from '../accounts/graphql.ts';
import { calendarOf } from '../documents/calendar.ts';
import { builder } from '../graphql/builder.ts';
import { maybeIdOf } from '../graphql/ids.ts';
import { MeetingType } from '../meetings/graphql.ts';
import { calendarCap, meetingsForCalendar } from '../meetings/queries.ts';
import type { MeetingRow } from '../meetings/tables.ts';
import { canSeeOrganization } from '../organizations/policy.ts';
import { organizationById } from '../organizations/queries.ts';

/** Nobody is named in it: calendars go to places that are not ours. */
const entryOf = ({ agenda, state, ...meeting }: MeetingRow) => ({
  ...meeting,
  description: agenda,
  isCancelled: state === 'CANCELLED',
});

builder.objectField(MeetingType, 'iCalendar', (t) =>
  t.string({
    description:
      'The meeting as an iCalendar document (RFC 5545), for people’s own calendars: serve it as `text/calendar`. Its UID stays the ' +
      'same and SEQUENCE grows with each change, so a newer one replaces the older; what was called off is CANCELLED there. ' +
      'Nobody is named in it.',
    resolve: (meeting) => calendarOf(meeting.title, [entryOf(meeting)]),
  }),
);

builder.objectField(ViewerType, 'iCalendar', (t) =>
  t.string({
    perViewer: true,
    nullable: true,
    complexity: 100,
    description:
      'All meetings of one organization that are for the viewer, from a month ago to a year ahead, as one iCalendar document: the ' +
      `first ${calendarCap} of them. Null: not for this viewer.`,
    args: { organizationId: t.arg.id({ required: true, description: 'Of which organization.' }) },
    resolve: async (viewer, args, ctx) => {
      const id = maybeIdOf('Organization', args.organizationId);
      const organization = id && (await ctx.load(organizationById, id));
      if (!organization || !canSeeOrganization(viewer, organization.id)) return null;
      const meetings = await meetingsForCalendar(ctx.db, viewer, organization.id);
      return calendarOf(organization.name, meetings.map(entryOf));
    },
  }),
);
