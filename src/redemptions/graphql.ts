import { NameRequired } from '../accounts/commands.ts';
import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { codeArgument, InviteType } from '../invites/graphql.ts';
import { canInvite } from '../invites/policy.ts';
import { type InviteRedemption, redemptionsOf } from '../invites/queries.ts';
import { AlreadyRequested } from '../join-requests/commands.ts';
import { JoinRequestType } from '../join-requests/graphql.ts';
import { AlreadyMember } from '../memberships/commands.ts';
import { MembershipType } from '../memberships/graphql.ts';
import { InviteExhausted, InviteExpired, InviteRevoked, type Redemption, redeemInvite } from './commands.ts';

builder.objectType(InviteExhausted, {
  name: 'InviteExhausted',
  interfaces: [ErrorInterface],
  description: '`INVITE_EXHAUSTED`: all uses are taken.',
});
builder.objectType(InviteExpired, {
  name: 'InviteExpired',
  interfaces: [ErrorInterface],
  description: '`INVITE_EXPIRED`: its time is over.',
});
builder.objectType(InviteRevoked, {
  name: 'InviteRevoked',
  interfaces: [ErrorInterface],
  description:
    '`INVITE_REVOKED`: annulled, or its creator has lost the right to invite, its group was archived, or its child has left.',
});

const RedemptionType = builder.objectRef<InviteRedemption>('InviteRedemption').implement({
  description: 'One person’s use of an invite.',
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'Who used it.',
      resolve: ({ userId, organizationId }, _args, ctx) => ctx.loadExisting(personOf, { userId, organizationId }),
    }),
    redeemedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was used.' }),
  }),
});

builder.objectField(InviteType, 'redemptions', (t) =>
  t.connection({
    perViewer: true,
    type: RedemptionType,
    nullable: true,
    description: 'Who used it, newest first. Null: not for this viewer, who may no longer invite people so.',
    resolve: (invite, args, ctx) =>
      canInvite(ctx.viewer, { id: invite.groupId, organizationId: invite.organizationId }, invite.role)
        ? listed(ctx, args, redemptionsOf, { parentId: invite.id, filter: null })
        : null,
  }),
);

const RedeemPayload = builder.objectRef<Redemption>('RedeemInvitePayload').implement({
  description: 'What using an invite gave: exactly one of the two.',
  fields: (t) => ({
    membership: t.field({
      type: MembershipType,
      nullable: true,
      description: 'The membership, which begins at once.',
      resolve: ({ membership }) => membership,
    }),
    joinRequest: t.field({
      type: JoinRequestType,
      nullable: true,
      description:
        'The request that an administrator decides on: the invite requires approval, two people have come by it for its child ' +
        'before, or an administrator has sent the viewer away before.',
      resolve: ({ joinRequest }) => joinRequest,
    }),
  }),
});

builder.mutationField('redeemInvite', (t) =>
  t.fieldWithInput({
    type: RedeemPayload,
    description:
      'Uses an invite (§2.1.7, 2.2.3, 2.4.1): the link fixes group and role. A repeat by the same person returns what the ' +
      'first gave while that lasts, and takes no further use. Whoever comes has a name: the account’s, or the one given here.',
    errors: {
      types: [
        InvalidState,
        NameRequired,
        InviteExhausted,
        InviteExpired,
        InviteRevoked,
        AlreadyMember,
        AlreadyRequested,
      ],
    },
    input: {
      code: t.input.string(codeArgument),
      familyName: t.input.string({
        description: 'Of who has no name yet: up to 100 characters. Who has one keeps it.',
      }),
      givenName: t.input.string({ description: 'As `familyName`.' }),
      patronymic: t.input.string({ description: 'As `familyName`, for those who have one.' }),
    },
    resolve: async (_root, { input }, ctx) => {
      const redemption = await redeemInvite(ctx.db, ctx.viewer, input);
      // They may see more now than when they asked: the organization, say.
      ctx.become(await ctx.services.viewerOfSession(ctx.viewer.sessionId));
      return redemption;
    },
  }),
);
