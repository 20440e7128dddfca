import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { showChild } from '../children/graphql.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { GroupType, showGroup } from '../groups/graphql.ts';
import { PositionEnum, RoleEnum } from '../memberships/graphql.ts';
import { roleEnum } from '../memberships/tables.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { createInvite, revokeInvite, revokeUnclaimedInvites } from './commands.ts';
import { canInvite, canInviteSomewhere, canListInvites, canRevokeInvite, canSeeInvite, fits } from './policy.ts';
import { type InvitePreview, inviteById, invitesOf, previewInvite, stateOf } from './queries.ts';
import type { Invite } from './tables.ts';

const InviteStateEnum = builder.enumType('InviteState', {
  description:
    'Where an invite stands by itself. Using it also asks whether whoever made it may still invite people so.',
  values: {
    REVOKED: { description: 'Annulled.' },
    EXHAUSTED: { description: 'All uses are taken.' },
    EXPIRED: { description: 'Its time is over.' },
    ACTIVE: { description: 'Can be redeemed.' },
  } as const,
});

export const InviteType = builder.objectRef<Invite>('Invite');
builder.node(InviteType, {
  description:
    'A link into one group in one role (§2.1.7). Seen by administrators and by the verified employee who made it.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(inviteById, canSeeInvite),
  fields: (t) => ({
    role: t.field({ type: RoleEnum, description: 'In which role.', resolve: ({ role }) => role }),
    position: t.field({
      type: PositionEnum,
      nullable: true,
      description: 'The position it gives an employee, if any.',
      resolve: ({ position }) => position,
    }),
    state: t.field({ type: InviteStateEnum, description: 'Where it stands.', resolve: (invite) => stateOf(invite) }),
    maxUses: t.exposeInt('maxUses', { description: 'How many people may use it.' }),
    useCount: t.exposeInt('useCount', { description: 'How many have; 0: unclaimed.' }),
    requiresApproval: t.exposeBoolean('requiresApproval', {
      description: 'Whether using it makes a join request for an administrator to decide, instead of a membership.',
    }),
    intendedPhone: t.exposeString('intendedPhone', {
      nullable: true,
      description: 'The only phone that may use it (E.164). Null: whoever has the link.',
    }),
    createdBy: t.field({
      type: UserType,
      description: 'Who made it; it dies with their right to invite.',
      resolve: ({ createdBy, organizationId }, _args, ctx) =>
        ctx.loadExisting(personOf, { userId: createdBy, organizationId }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it is good.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was annulled; null: it was not.',
    }),
    viewerCanRevoke: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may annul it.',
      resolve: (invite, _args, ctx) => canRevokeInvite(ctx.viewer, invite),
    }),
  }),
});

showOrganization(InviteType);
showGroup(InviteType, 'Into which group: a child’s own, where it has one.');
showChild(InviteType, 'For which child a guardian or a student comes.');

builder.objectField(OrganizationType, 'invites', (t) =>
  t.connection({
    perViewer: true,
    type: InviteType,
    nullable: true,
    description: 'Invites, newest first: administrators see all, verified staff their own. Null: not for this viewer.',
    args: {
      state: t.arg({ type: InviteStateEnum, description: 'Only in this state.' }),
      unclaimed: t.arg.boolean({ description: 'Only those that nobody has used.' }),
    },
    resolve: ({ id }, args, ctx) =>
      canListInvites(ctx.viewer, id)
        ? listed(ctx, args, invitesOf, { parentId: id, filter: { state: args.state, unclaimed: args.unclaimed } })
        : null,
  }),
);

builder.objectField(OrganizationType, 'viewerCanInvite', (t) =>
  t.field({
    perViewer: true,
    type: [RoleEnum],
    description: 'The roles in which the viewer may invite people, to one group or another (`Group.viewerCanInvite`).',
    resolve: ({ id }, _args, ctx) => roleEnum.enumValues.filter((role) => canInviteSomewhere(ctx.viewer, id, role)),
  }),
);

builder.objectField(GroupType, 'viewerCanInvite', (t) =>
  t.field({
    perViewer: true,
    type: [RoleEnum],
    description: 'The roles in which the viewer may invite people to the group.',
    resolve: (group, _args, ctx) =>
      roleEnum.enumValues.filter((role) => fits(role, group) && canInvite(ctx.viewer, group, role)),
  }),
);

const PreviewType = builder.objectRef<InvitePreview>('InvitePreview').implement({
  description: 'What a code leads to, before signing in: names only.',
  fields: (t) => ({
    organizationName: t.exposeString('organizationName', { description: 'The institution.' }),
    groupName: t.exposeString('groupName', { description: 'The group that redeeming leads into.' }),
    role: t.field({ type: RoleEnum, description: 'The role that redeeming gives.', resolve: ({ role }) => role }),
  }),
});

export const codeArgument = { required: true, description: 'The code of the link.' } as const;

builder.queryField('invitePreview', (t) =>
  t.field({
    type: PreviewType,
    nullable: true,
    anonymous: true,
    description: 'What a code leads to. Null: it cannot be redeemed (any more). Limited per address.',
    args: { code: t.arg.string(codeArgument) },
    resolve: async (_root, { code }, ctx) => {
      await ctx.services.limitAddress(ctx.asking.address);
      return previewInvite(ctx.db, code);
    },
  }),
);

const CreateInvitePayload = builder
  .objectRef<{ invite: Invite; code: string | null }>('CreateInvitePayload')
  .implement({
    description: 'A new invite.',
    fields: (t) => ({
      invite: t.field({ type: InviteType, description: 'The invite.', resolve: ({ invite }) => invite }),
      inviteCode: t.exposeString('code', {
        nullable: true,
        description:
          'The code for the link: 256 random bits, shown this once. Null: a repeat; the first answer had it.',
      }),
    }),
  });

builder.mutationField('createInvite', (t) =>
  t.fieldWithInput({
    type: CreateInvitePayload,
    description:
      'Makes an invite into a group in a role (§2.1.7). Employees come to the group «Staff»; guardians and students come for ' +
      'a child, to its group: by one link at most 4, within 30 days. Administrators invite anybody, the head and the staff of the child’s group guardians (§2.4.1).',
    errors: { types: [InvalidState] },
    input: {
      groupId: t.input.id({ description: 'Into which group; a child’s own, where it has one, need not be told.' }),
      childId: t.input.id({ description: 'For which child a guardian or a student comes.' }),
      role: t.input.field({ type: RoleEnum, required: true, description: 'In which role.' }),
      position: t.input.field({
        type: PositionEnum,
        description: 'For employees: the position it gives, except HEAD.',
      }),
      maxUses: t.input.int({
        description:
          'How many people may use it: 1 to 1,000, for a child 1 to 4 (on the third and fourth an administrator decides), for a ' +
          'student 1; 1 unless told.',
      }),
      expiresAt: t.input.field({
        type: 'DateTime',
        description: 'Until when: within a year, for a child within 30 days; 14 days unless told.',
      }),
      requiresApproval: t.input.boolean({
        description: 'Whether an administrator decides on each use; no unless told.',
      }),
      intendedPhone: t.input.string({ description: 'The only phone that may use it.' }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first invite.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      createInvite(ctx.db, ctx.viewer, {
        ...input,
        groupId: input.groupId ? idOf('Group', input.groupId) : null,
        childId: input.childId ? idOf('Child', input.childId) : null,
      }),
  }),
);

builder.mutationField('revokeInvite', (t) =>
  t.fieldWithInput({
    type: InviteType,
    description: 'Annuls an invite at once (§2.1.13); who has used it stays. Administrators, and whoever made it.',
    errors: { types: [InvalidState] },
    input: { inviteId: t.input.id({ required: true, description: 'Which invite.' }) },
    resolve: (_root, { input }, ctx) => revokeInvite(ctx.db, ctx.viewer, idOf('Invite', input.inviteId)),
  }),
);

const RevokeUnclaimedPayload = builder.objectRef<{ invites: Invite[] }>('RevokeUnclaimedInvitesPayload').implement({
  description: 'What was annulled.',
  fields: (t) => ({
    revokedCount: t.int({ description: 'How many invites were annulled.', resolve: ({ invites }) => invites.length }),
  }),
});

builder.mutationField('revokeUnclaimedInvites', (t) =>
  t.fieldWithInput({
    type: RevokeUnclaimedPayload,
    description:
      'Annuls every invite that nobody has used (§2.1.13): administrators all of them, verified staff their own.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'In which organization.' }),
      groupId: t.input.id({ description: 'Only into this group.' }),
      createdBefore: t.input.field({ type: 'DateTime', description: 'Only those made before this instant.' }),
    },
    resolve: async (_root, { input }, ctx) => ({
      invites: await revokeUnclaimedInvites(ctx.db, ctx.viewer, {
        ...input,
        organizationId: idOf('Organization', input.organizationId),
        groupId: input.groupId ? idOf('Group', input.groupId) : null,
      }),
    }),
  }),
);

liveEvent('InviteChanged', {
  concerns: 'ORGANIZATION',
  kinds: { INVITE_CREATED: 'Made.', INVITE_REDEEMED: 'Used by a person.', INVITE_REVOKED: 'Annulled.' },
  description: 'An invite was made, used or annulled. For administrators and for who made it.',
  subject: { name: 'invite', type: InviteType, by: inviteById, canSee: canSeeInvite },
});
