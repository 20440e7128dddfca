import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { LastAdministrator } from '../memberships/commands.ts';
import { MembershipType } from '../memberships/graphql.ts';
import { canDecideVerification, canListVerifications, canSeeMembership } from '../memberships/policy.ts';
import { membershipById } from '../memberships/queries.ts';
import type { Verification } from '../memberships/tables.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import type { Viewer } from '../viewer.ts';
import { confirmVerification, rejectVerification, revokeVerification, submitVerification } from './commands.ts';
import { latestVerification, verificationById, verificationsOf } from './queries.ts';

const VerificationStateEnum = builder.enumType('VerificationState', {
  description: 'Where the confirmation of the status «employee» stands.',
  values: {
    PENDING: { description: 'Waits for an administrator.' },
    VERIFIED: { description: 'Confirmed: the person is verified staff.' },
    REJECTED: { description: 'Refused with a reason; may be submitted anew.' },
    REVOKED: { description: 'Taken away, or ended with the employment.' },
  } as const,
});

const canSee = (viewer: Viewer, verification: Verification): boolean =>
  verification.userId === viewer.userId || canListVerifications(viewer, verification.organizationId);

const VerificationType = builder.objectRef<Verification>('Verification');
builder.node(VerificationType, {
  description:
    'An employee’s request that their status be confirmed (§2.1.11). Seen by that employee and by administrators.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(verificationById, canSee),
  fields: (t) => ({
    membership: t.field({
      type: MembershipType,
      description: 'Whose status: the employee’s membership.',
      resolve: ({ membershipId }, _args, ctx) => ctx.loadExisting(membershipById, membershipId),
    }),
    state: t.field({ type: VerificationStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    evidence: t.exposeString('evidence', { nullable: true, description: 'What the employee wrote to prove it.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it was rejected or revoked.' }),
    submittedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was submitted.' }),
    decidedAt: t.expose('decidedAt', { type: 'DateTime', nullable: true, description: 'When it was last decided.' }),
    decidedBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who decided; null while it waits.',
      resolve: ({ decidedBy, organizationId }, _args, ctx) =>
        decidedBy ? ctx.load(personOf, { userId: decidedBy, organizationId }) : null,
    }),
    viewerCanDecide: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may confirm, reject or revoke it: administrators, not on themselves.',
      resolve: (verification, _args, ctx) => canDecideVerification(ctx.viewer, verification),
    }),
  }),
});

showOrganization(VerificationType);

builder.objectField(OrganizationType, 'verifications', (t) =>
  t.connection({
    perViewer: true,
    type: VerificationType,
    nullable: true,
    description: 'Requests to confirm the status «employee», newest first. Null: not for this viewer.',
    args: { state: t.arg({ type: VerificationStateEnum, description: 'Only in this state.' }) },
    resolve: ({ id }, args, ctx) => {
      if (!canListVerifications(ctx.viewer, id)) return null;
      return listed(ctx, args, verificationsOf, { parentId: id, filter: { state: args.state ?? null } });
    },
  }),
);

builder.objectField(MembershipType, 'verification', (t) =>
  t.field({
    type: VerificationType,
    nullable: true,
    description: 'The employee’s newest request to be confirmed. Null: none yet, or not for this viewer.',
    resolve: async ({ id }, _args, ctx) => {
      const latest = await ctx.load(latestVerification, id);
      return latest && ctx.sees(canSee, latest) ? latest : null;
    },
  }),
);

builder.objectField(MembershipType, 'isVerified', (t) =>
  t.boolean({
    nullable: true,
    description: 'Whether the status «employee» is confirmed. Null: not for this viewer.',
    resolve: async (membership, _args, ctx) =>
      ctx.sees(canSeeMembership, membership)
        ? (await ctx.load(latestVerification, membership.id))?.state === 'VERIFIED'
        : null,
  }),
);

const errors = { types: [InvalidState] };
const verificationId = { required: true, description: 'Which request.' } as const;
const reason = { required: true, description: 'Why; the employee reads it. Up to 500 characters.' } as const;

builder.mutationField('submitVerification', (t) =>
  t.fieldWithInput({
    type: VerificationType,
    description:
      'Asks that the viewer’s own status «employee» be confirmed (§2.2.4, 2.3.2). While one waits, a repeat replaces its ' +
      'evidence; after a rejection it is a new one.',
    errors,
    input: {
      membershipId: t.input.id({ required: true, description: 'The viewer’s own membership as an employee.' }),
      evidence: t.input.string({ description: 'What proves it: up to 2,000 characters.' }),
    },
    resolve: (_root, { input }, ctx) =>
      submitVerification(ctx.db, ctx.viewer, { ...input, membershipId: idOf('Membership', input.membershipId) }),
  }),
);

builder.mutationField('confirmVerification', (t) =>
  t.fieldWithInput({
    type: VerificationType,
    description: 'Confirms the status «employee» (§2.1.11). Administrators, not on themselves.',
    errors,
    input: { verificationId: t.input.id(verificationId) },
    resolve: (_root, { input }, ctx) =>
      confirmVerification(ctx.db, ctx.viewer, { verificationId: idOf('Verification', input.verificationId) }),
  }),
);

builder.mutationField('rejectVerification', (t) =>
  t.fieldWithInput({
    type: VerificationType,
    description: 'Refuses to confirm, with a reason; the employee may submit again. Administrators, not on themselves.',
    errors,
    input: { verificationId: t.input.id(verificationId), reason: t.input.string(reason) },
    resolve: (_root, { input }, ctx) =>
      rejectVerification(ctx.db, ctx.viewer, { ...input, verificationId: idOf('Verification', input.verificationId) }),
  }),
);

builder.mutationField('revokeVerification', (t) =>
  t.fieldWithInput({
    type: VerificationType,
    description:
      'Takes a confirmed status away, and the right to administer that hangs on it. Administrators, not on themselves.',
    errors: { types: [InvalidState, LastAdministrator] },
    input: { verificationId: t.input.id(verificationId), reason: t.input.string(reason) },
    resolve: (_root, { input }, ctx) =>
      revokeVerification(ctx.db, ctx.viewer, { ...input, verificationId: idOf('Verification', input.verificationId) }),
  }),
);

liveEvent('VerificationChanged', {
  concerns: 'ORGANIZATION',
  kinds: { VERIFICATION_SUBMITTED: 'Submitted, or its evidence replaced.', VERIFICATION_DECIDED: 'Decided.' },
  description:
    'A request to confirm the status «employee» was submitted or decided. For administrators and the employee.',
  subject: { name: 'verification', type: VerificationType, by: verificationById, canSee },
});
