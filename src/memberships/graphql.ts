import { ContactType, UserType, ViewerType } from '../accounts/graphql.ts';
import { personOf, userById } from '../accounts/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { organizationById } from '../organizations/queries.ts';
import {
  AlreadyMember,
  appointHead,
  LastAdministrator,
  renameMember,
  restoreMembership,
  suspendMembership,
} from './commands.ts';
import {
  canChangeMembership,
  canListMembers,
  canReachMember,
  canReadReason,
  canRenameMember,
  canSeeMembership,
} from './policy.ts';
import { membershipById, membershipsOfUser, membersOf } from './queries.ts';
import type { Membership } from './tables.ts';

builder.objectType(LastAdministrator, {
  name: 'LastAdministrator',
  interfaces: [ErrorInterface],
  description: '`LAST_ADMIN`: an active organization must keep an administrator. Appoint another one first.',
});
builder.objectType(AlreadyMember, {
  name: 'AlreadyMember',
  interfaces: [ErrorInterface],
  description: '`ALREADY_MEMBER`: the person is a member in this role already; a suspended membership counts.',
});

export const RoleEnum = builder.enumType('Role', {
  description: 'As what a person belongs to an organization. One person may have several memberships.',
  values: {
    EMPLOYEE: { description: 'Works there («сотрудник»).' },
    GUARDIAN: { description: 'A parent or legal guardian («родитель, законный представитель»).' },
    STUDENT: { description: 'Learns there («обучающийся»); only where the organization allows it.' },
  } as const,
});

export const PositionEnum = builder.enumType('Position', {
  description: 'What an employee does there.',
  values: {
    HEAD: { description: 'The head; at most one. Given by `appointHead` alone.' },
    DEPUTY_HEAD: { description: 'A deputy head.' },
    EDUCATOR: { description: 'An educator or teacher.' },
    ASSISTANT: { description: 'An educator’s assistant.' },
    SPECIALIST: { description: 'A specialist: speech therapist, psychologist, music.' },
    OFFICE: { description: 'Office and administration.' },
    OTHER: { description: 'Other staff.' },
  } as const,
});

const MembershipStateEnum = builder.enumType('MembershipState', {
  description: 'Where a membership stands.',
  values: {
    ACTIVE: { description: 'Gives access.' },
    SUSPENDED: { description: 'Gives no access until it is restored.' },
    ENDED: { description: 'Over. A new period is a new membership.' },
  } as const,
});

const MembershipEndEnum = builder.enumType('MembershipEnd', {
  description: 'How a membership ended.',
  values: {
    LEFT: { description: 'The member left.' },
    REMOVED: { description: 'An administrator ended it.' },
    CHILDREN_LEFT: { description: 'No child of the family is left there; it begins anew when one comes back.' },
  } as const,
});

export const MembershipType = builder.objectRef<Membership>('Membership');
builder.node(MembershipType, {
  description:
    'One period of a person in an organization in one role; the role never changes. Seen by the person, by administrators ' +
    'and the head, by verified staff an employee’s and those of the families in their groups.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(membershipById, canSeeMembership),
  fields: (t) => ({
    organizationName: t.string({
      description: 'The name of the organization, as it is now.',
      resolve: async ({ organizationId }, _args, ctx) =>
        (await ctx.loadExisting(organizationById, organizationId)).name,
    }),
    suspensionReason: t.string({
      nullable: true,
      description: 'Why the whole organization is suspended. Null: it is not, or this membership is not active.',
      resolve: async ({ organizationId, state }, _args, ctx) =>
        state === 'ACTIVE' ? (await ctx.loadExisting(organizationById, organizationId)).suspensionReason : null,
    }),
    user: t.field({
      type: UserType,
      description: 'The person.',
      resolve: ({ userId, organizationId }, _args, ctx) => ctx.loadExisting(personOf, { userId, organizationId }),
    }),
    contact: t.field({
      type: ContactType,
      nullable: true,

      description:
        'How to reach the person. Null: not for this viewer: verified staff reach those who work in their own groups, and their ' +
        'families; whoever leads everybody.',
      resolve: (membership, _args, ctx) =>
        ctx.sees(canReachMember, membership) ? ctx.load(userById, membership.userId) : null,
    }),
    role: t.field({
      type: RoleEnum,
      description: 'As what the person belongs to the organization.',
      resolve: ({ role }) => role,
    }),
    position: t.field({
      type: PositionEnum,
      nullable: true,
      description: 'An employee’s position; null where none is given, and for other roles.',
      resolve: ({ position }) => position,
    }),
    state: t.field({ type: MembershipStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    reason: t.string({
      nullable: true,
      description: 'Why it was suspended or ended. Null: no reason, or not for this viewer (the person, and leaders).',
      resolve: (membership, _args, ctx) => (ctx.sees(canReadReason, membership) ? membership.reason : null),
    }),
    startedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null while it lasts.',
    }),
    endedBy: t.field({
      type: MembershipEndEnum,
      nullable: true,
      description: 'How it ended; null while it lasts.',
      resolve: ({ endedBy }) => endedBy,
    }),
    viewerCanRename: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may say what the organization calls the person.',
      resolve: (membership, _args, ctx) => canRenameMember(ctx.viewer, membership),
    }),
    viewerCanChange: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may suspend, restore and end it.',
      resolve: (membership, _args, ctx) => canChangeMembership(ctx.viewer, membership) && membership.state !== 'ENDED',
    }),
  }),
});

showOrganization(MembershipType);

const filterArgs = {
  role: 'Only in this role.',
  state: 'Only in this state; without it all that have not ended.',
};

builder.objectField(OrganizationType, 'members', (t) =>
  t.connection({
    perViewer: true,
    type: MembershipType,
    nullable: true,
    description:
      'The memberships, newest first. Administrators and the head see all, verified staff the employees and the families in ' +
      'their groups. Null: not for this viewer.',
    args: {
      role: t.arg({ type: RoleEnum, description: filterArgs.role }),
      state: t.arg({ type: MembershipStateEnum, description: filterArgs.state }),
    },
    resolve: ({ id }, args, ctx) => {
      if (!canListMembers(ctx.viewer, id)) return null;
      return listed(ctx, args, membersOf, { parentId: id, filter: { role: args.role, state: args.state } });
    },
  }),
);

builder.objectField(OrganizationType, 'viewerCanListMembers', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether `members` is for the viewer.',
    resolve: ({ id }, _args, ctx) => canListMembers(ctx.viewer, id),
  }),
);

builder.objectField(ViewerType, 'memberships', (t) =>
  t.connection({
    perViewer: true,
    type: MembershipType,
    description: 'The viewer’s own memberships, newest first.',
    args: { state: t.arg({ type: MembershipStateEnum, description: filterArgs.state }) },
    resolve: ({ userId }, args, ctx) => {
      return listed(ctx, args, membershipsOfUser, { parentId: userId, filter: { state: args.state } });
    },
  }),
);

const changeErrors = { types: [InvalidState, LastAdministrator] };
const whichMembership = { required: true, description: 'Whose membership.' } as const;

builder.mutationField('suspendMembership', (t) =>
  t.fieldWithInput({
    type: MembershipType,
    description:
      'Takes a member’s access, at once and everywhere, until `restoreMembership`. Administrators; not one’s own.',
    errors: changeErrors,
    input: {
      membershipId: t.input.id(whichMembership),
      reason: t.input.string({ required: true, description: 'Why; the member reads it. Up to 500 characters.' }),
    },
    resolve: (_root, { input }, ctx) =>
      suspendMembership(ctx.db, ctx.viewer, { ...input, membershipId: idOf('Membership', input.membershipId) }),
  }),
);

builder.mutationField('restoreMembership', (t) =>
  t.fieldWithInput({
    type: MembershipType,
    description: 'Gives a suspended member’s access back. Administrators; not one’s own.',
    errors: changeErrors,
    input: { membershipId: t.input.id(whichMembership) },
    resolve: (_root, { input }, ctx) =>
      restoreMembership(ctx.db, ctx.viewer, { membershipId: idOf('Membership', input.membershipId) }),
  }),
);

builder.mutationField('renameMember', (t) =>
  t.fieldWithInput({
    type: MembershipType,
    description:
      'Says what the organization calls a member, at once and everywhere in it, also in what they wrote before; nowhere else. ' +
      'Members do not rename themselves (`updateProfile`). The audit log keeps the name before and after. Administrators, of ' +
      'themselves too. A repeat changes nothing.',
    errors: { types: [InvalidState] },
    input: {
      membershipId: t.input.id({
        required: true,
        description: 'Any membership of theirs there, also one that has ended.',
      }),
      familyName: t.input.string({ required: true, description: 'Up to 100 characters.' }),
      givenName: t.input.string({ required: true, description: 'Up to 100 characters.' }),
      patronymic: t.input.string({ description: 'Up to 100 characters; null, or left out: none.' }),
    },
    resolve: (_root, { input }, ctx) =>
      renameMember(ctx.db, ctx.viewer, { ...input, membershipId: idOf('Membership', input.membershipId) }),
  }),
);

export const OrderInput = builder.inputType('OrderInput', {
  description: 'The order («приказ») by which the institution decides.',
  fields: (t) => ({
    number: t.string({ required: true, description: 'Its number: up to 50 characters.' }),
    date: t.field({ type: 'Date', required: true, description: 'The day it was signed.' }),
  }),
});

builder.mutationField('appointHead', (t) =>
  t.fieldWithInput({
    type: MembershipType,
    description:
      'Makes a verified employee the head (§2.2). Whoever was head before stays an employee, without a position. ' +
      'Administrators only.',
    errors: { types: [InvalidState] },
    input: {
      membershipId: t.input.id({ required: true, description: 'An active, verified employee’s membership.' }),
      order: t.input.field({ type: OrderInput, description: 'The order of appointment, for the audit log.' }),
    },
    resolve: (_root, { input }, ctx) =>
      appointHead(ctx.db, ctx.viewer, { ...input, membershipId: idOf('Membership', input.membershipId) }),
  }),
);

liveEvent('MembershipChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    MEMBERSHIP_STARTED: 'A person became a member.',
    MEMBERSHIP_SUSPENDED: 'A member’s access was taken.',
    MEMBERSHIP_RESTORED: 'A member’s access was given back.',
    MEMBERSHIP_ENDED: 'A member left or was removed.',
    MEMBER_RENAMED: 'The organization calls a member otherwise.',
    HEAD_APPOINTED: 'An employee became the head.',
    HEAD_REPLACED: 'The head became an employee without a position, because another was appointed.',
  },
  description:
    'A membership began, changed or ended, or its person has another name there. For administrators and for the member.',
  subject: { name: 'membership', type: MembershipType, by: membershipById, canSee: canSeeMembership },
});
