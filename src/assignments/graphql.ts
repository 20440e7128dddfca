import { UserType } from '../accounts/graphql.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { GroupType, showGroup } from '../groups/graphql.ts';
import { MembershipType, PositionEnum } from '../memberships/graphql.ts';
import { canSeeMembership } from '../memberships/policy.ts';
import { membershipById } from '../memberships/queries.ts';
import { decisionInput, PlannedMovementType } from '../movements/graphql.ts';
import { showOrganization } from '../organizations/graphql.ts';
import { type Assigned, assignStaff, endStaffAssignment } from './commands.ts';
import { canAssignStaff, canSeeAssignment } from './policy.ts';
import { assignmentById, assignmentsOf, type StaffAssignment, staffOf } from './queries.ts';

const StaffAssignmentType = builder.objectRef<StaffAssignment>('StaffAssignment');
builder.node(StaffAssignmentType, {
  description:
    'An employee’s work in one group (§2.1.9): once their status is confirmed, it makes the group theirs. Seen by ' +
    'administrators and the head, by everybody in the group, and by the employee.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(assignmentById, canSeeAssignment),
  fields: (t) => ({
    user: t.field({ type: UserType, description: 'Who works there.', resolve: ({ user }) => user }),
    membership: t.field({
      type: MembershipType,
      nullable: true,
      description: 'Their membership, with how to reach them. Null: not for this viewer.',
      resolve: async ({ membershipId }, _args, ctx) => {
        const membership = await ctx.loadExisting(membershipById, membershipId);
        return ctx.sees(canSeeMembership, membership) ? membership : null;
      },
    }),
    position: t.field({ type: PositionEnum, description: 'As what.', resolve: ({ position }) => position }),
    startedOn: t.expose('startedOn', { type: 'Date', description: 'The first day.' }),
    endedOn: t.expose('endedOn', { type: 'Date', nullable: true, description: 'The last day; null: it goes on.' }),
    viewerCanEnd: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may end it.',
      resolve: ({ organizationId, endedOn }, _args, ctx) => !endedOn && canAssignStaff(ctx.viewer, organizationId),
    }),
  }),
});

showOrganization(StaffAssignmentType);
showGroup(StaffAssignmentType, 'In which group.');

const includeEnded = 'Also what is over.';

builder.objectField(GroupType, 'staff', (t) =>
  t.connection({
    perViewer: true,
    type: StaffAssignmentType,
    nullable: true,
    description: 'Who works in the group, newest first. Null: not for this viewer.',
    args: { includeEnded: t.arg.boolean({ defaultValue: false, description: includeEnded }) },
    resolve: ({ id, organizationId }, args, ctx) =>
      ctx.viewer.leads(organizationId) || ctx.viewer.isOfGroup(id)
        ? listed(ctx, args, staffOf, { parentId: id, filter: { includeEnded: args.includeEnded === true } })
        : null,
  }),
);

builder.objectField(MembershipType, 'assignments', (t) =>
  t.connection({
    perViewer: true,
    type: StaffAssignmentType,
    nullable: true,
    description: 'Where an employee works, as far as the viewer may know, newest first. Null: not for this viewer.',
    args: { includeEnded: t.arg.boolean({ defaultValue: false, description: includeEnded }) },
    resolve: (membership, args, ctx) =>
      canSeeMembership(ctx.viewer, membership)
        ? listed(ctx, args, assignmentsOf, {
            parentId: membership.id,
            filter: { includeEnded: args.includeEnded === true },
          })
        : null,
  }),
);

const AssignmentPayload = builder.objectRef<Assigned>('StaffAssignmentPayload').implement({
  description: 'What became of a decision about an employee’s work in a group.',
  fields: (t) => ({
    assignment: t.field({
      type: StaffAssignmentType,
      nullable: true,
      description: 'The assignment, as it is now. Null: it begins on a day to come.',
      resolve: ({ assignmentId }, _args, ctx) => (assignmentId ? ctx.load(assignmentById, assignmentId) : null),
    }),
    plannedMovements: t.field({
      type: [PlannedMovementType],
      description: 'What takes effect on a day to come: a beginning, an end, both or neither.',
      resolve: ({ plannedMovements }) => plannedMovements,
    }),
  }),
});

const errors = { types: [InvalidState] };

builder.mutationField('assignStaff', (t) =>
  t.fieldWithInput({
    type: AssignmentPayload,
    description:
      'Assigns an employee to a group in a position (§2.1.9, 2.3). A second position there is a second assignment; a repeat ' +
      'returns the first. Administrators.',
    errors,
    input: {
      groupId: t.input.id({ required: true, description: 'To which group; not «Staff», where all employees are.' }),
      membershipId: t.input.id({ required: true, description: 'An employee’s membership.' }),
      position: t.input.field({ type: PositionEnum, required: true, description: 'As what; not HEAD.' }),
      endsOn: t.input.field({ type: 'Date', description: 'The last day, where it is known: a day to come.' }),
      ...decisionInput(t.input),
    },
    resolve: (_root, { input }, ctx) =>
      assignStaff(ctx.db, ctx.viewer, {
        ...input,
        groupId: idOf('Group', input.groupId),
        membershipId: idOf('Membership', input.membershipId),
      }),
  }),
);

builder.mutationField('endStaffAssignment', (t) =>
  t.fieldWithInput({
    type: AssignmentPayload,
    description:
      'Ends an employee’s work in a group, today or on a day to come: the group is theirs no longer. Administrators. A ' +
      'repeat changes nothing.',
    errors,
    input: {
      staffAssignmentId: t.input.id({ required: true, description: 'Which assignment.' }),
      ...decisionInput(t.input),
    },
    resolve: (_root, { input }, ctx) =>
      endStaffAssignment(ctx.db, ctx.viewer, {
        ...input,
        staffAssignmentId: idOf('StaffAssignment', input.staffAssignmentId),
      }),
  }),
);

liveEvent('StaffAssignmentChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    STAFF_ASSIGNED: 'An employee begins to work in a group.',
    STAFF_ASSIGNMENT_ENDED: 'An employee’s work in a group ended.',
  },
  description: 'Who works in a group changed. For everybody in the group, administrators, the head and the employee.',
  subject: { name: 'staffAssignment', type: StaffAssignmentType, by: assignmentById, canSee: canSeeAssignment },
});
