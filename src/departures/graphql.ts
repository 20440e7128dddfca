import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { LastAdministrator } from '../memberships/commands.ts';
import { MembershipType, RoleEnum } from '../memberships/graphql.ts';
import type { Membership } from '../memberships/tables.ts';
import { endMembership, leaveOrganization } from './commands.ts';

const errors = { types: [InvalidState, LastAdministrator] };

builder.mutationField('endMembership', (t) =>
  t.fieldWithInput({
    type: MembershipType,
    description:
      'Ends a membership for good. Ending employment also ends the work in groups (§2.1.12), the status of employee and the ' +
      'right to administer; a guardian stands for no child there any more. Administrators; one’s own is left with ' +
      '`leaveOrganization`.',
    errors,
    input: {
      membershipId: t.input.id({ required: true, description: 'Whose membership.' }),
      reason: t.input.string({ required: true, description: 'Why; the member reads it. Up to 500 characters.' }),
    },
    resolve: (_root, { input }, ctx) =>
      endMembership(ctx.db, ctx.viewer, { ...input, membershipId: idOf('Membership', input.membershipId) }),
  }),
);

const LeavePayload = builder.objectRef<{ memberships: Membership[] }>('LeaveOrganizationPayload').implement({
  description: 'What was left.',
  fields: (t) => ({
    memberships: t.field({
      type: [MembershipType],
      description: 'The memberships that ended.',
      resolve: ({ memberships }) => memberships,
    }),
  }),
});

builder.mutationField('leaveOrganization', (t) =>
  t.fieldWithInput({
    type: LeavePayload,
    description: 'Ends the viewer’s own memberships in an organization: all, or those in one role.',
    errors,
    input: {
      organizationId: t.input.id({ required: true, description: 'Which organization.' }),
      role: t.input.field({ type: RoleEnum, description: 'Only in this role.' }),
    },
    resolve: async (_root, { input }, ctx) => ({
      memberships: await leaveOrganization(ctx.db, ctx.viewer, {
        ...input,
        organizationId: idOf('Organization', input.organizationId),
      }),
    }),
  }),
);
