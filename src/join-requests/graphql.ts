import { NameRequired } from '../accounts/commands.ts';
import { ContactType, UserType, ViewerType } from '../accounts/graphql.ts';
import { personOf, userById } from '../accounts/queries.ts';
import { follow } from '../audiences/queries.ts';
import { showChild } from '../children/graphql.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { globalId, idOf } from '../graphql/ids.ts';
import { afterDescription, kindsOf, liveEvent, liveUnion } from '../graphql/live.ts';
import { AlreadyMember } from '../memberships/commands.ts';
import { MembershipType, PositionEnum, RoleEnum } from '../memberships/graphql.ts';
import { canSeeMembership } from '../memberships/policy.ts';
import { membershipById } from '../memberships/queries.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { organizationById } from '../organizations/queries.ts';
import { few } from '../posts/graphql.ts';
import { RevocationType } from '../revocations/graphql.ts';
import { revocationsOf } from '../revocations/queries.ts';
import { AlreadyRequested, CoolDown, submitJoinRequest, withdrawJoinRequest } from './commands.ts';
import { canDecideJoinRequest, canListJoinRequests, canSeeJoinRequest } from './policy.ts';
import { joinRequestById, joinRequestsOf, joinRequestsOfUser, stateOf } from './queries.ts';
import type { JoinRequest } from './tables.ts';

builder.objectType(AlreadyRequested, {
  name: 'AlreadyRequested',
  interfaces: [ErrorInterface],
  description: '`ALREADY_REQUESTED`: a request for this role is waiting already.',
  fields: (t) => ({
    joinRequestId: t.id({
      description: 'The request that waits.',
      resolve: ({ joinRequestId }) => globalId('JoinRequest', joinRequestId),
    }),
  }),
});
builder.objectType(CoolDown, {
  name: 'CoolDown',
  interfaces: [ErrorInterface],
  description: '`COOL_DOWN`: rejected less than 7 days ago.',
  fields: (t) => ({ until: t.expose('until', { type: 'DateTime', description: 'When asking is allowed again.' }) }),
});

const JoinRequestStateEnum = builder.enumType('JoinRequestState', {
  description: 'Where a join request stands.',
  values: {
    PENDING: { description: 'Waits for an administrator, at most 30 days.' },
    APPROVED: { description: 'The person is a member.' },
    REJECTED: { description: 'Refused with a reason; may be asked anew after 7 days.' },
    WITHDRAWN: { description: 'Taken back by the person.' },
    EXPIRED: { description: 'Nobody decided within 30 days; may be asked anew.' },
  } as const,
});

export const JoinRequestType = builder.objectRef<JoinRequest>('JoinRequest');
builder.node(JoinRequestType, {
  description: 'A person’s wish to become a member in a role (§2.1.10). Seen by the person and by administrators.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(joinRequestById, canSeeJoinRequest),
  fields: (t) => ({
    organizationName: t.string({
      description: 'The name of the organization that is to be joined.',
      resolve: async ({ organizationId }, _args, ctx) =>
        (await ctx.loadExisting(organizationById, organizationId)).name,
    }),
    requester: t.field({
      type: UserType,
      description: 'Who asks.',
      resolve: ({ userId, organizationId }, _args, ctx) => ctx.loadExisting(personOf, { userId, organizationId }),
    }),
    contact: t.field({
      type: ContactType,
      nullable: true,
      description: 'How to reach who asks, so that an administrator can make sure. Null: not for this viewer.',
      resolve: (request, _args, ctx) =>
        ctx.sees(canSeeJoinRequest, request) ? ctx.load(userById, request.userId) : null,
    }),
    role: t.field({ type: RoleEnum, description: 'As what the person wants to join.', resolve: ({ role }) => role }),
    position: t.field({
      type: PositionEnum,
      nullable: true,
      description: 'The position an employee asks for, or the invite gives.',
      resolve: ({ position }) => position,
    }),
    revocations: t.field({
      type: [RevocationType],
      nullable: true,
      complexity: few,
      description:
        'How administrators have sent this person away before, the latest first; of a decided request, until then. Empty: they ' +
        'never did. Null: not for this viewer (administrators only).',
      resolve: async ({ userId, organizationId, decidedAt: until }, _args, ctx) =>
        ctx.sees(canListJoinRequests, organizationId)
          ? [...(await ctx.load(revocationsOf, { userId, organizationId, until }))]
          : null,
    }),
    note: t.exposeString('note', { nullable: true, description: 'What the person wrote.' }),
    state: t.field({ type: JoinRequestStateEnum, description: 'Where it stands.', resolve: stateOf }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it was rejected.' }),
    membership: t.field({
      type: MembershipType,
      nullable: true,
      description: 'The membership that came of it. Null: none, or not for this viewer.',
      resolve: async ({ membershipId }, _args, ctx) => {
        const membership = membershipId ? await ctx.load(membershipById, membershipId) : null;
        return membership && ctx.sees(canSeeMembership, membership) ? membership : null;
      },
    }),
    submittedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was submitted.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it waits.' }),
    decidedAt: t.expose('decidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was decided or withdrawn.',
    }),
    viewerCanDecide: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may approve and reject it: administrators, not their own.',
      resolve: (request, _args, ctx) => canDecideJoinRequest(ctx.viewer, request),
    }),
  }),
});

showOrganization(JoinRequestType);
showChild(JoinRequestType, 'For which child a guardian or a student comes, once it is known.');

builder.objectField(OrganizationType, 'joinRequests', (t) =>
  t.connection({
    perViewer: true,
    type: JoinRequestType,
    nullable: true,
    description: 'Join requests, newest first. Administrators only. Null: not for this viewer.',
    args: { state: t.arg({ type: JoinRequestStateEnum, description: 'Only in this state.' }) },
    resolve: ({ id }, args, ctx) =>
      canListJoinRequests(ctx.viewer, id)
        ? listed(ctx, args, joinRequestsOf, { parentId: id, filter: { state: args.state } })
        : null,
  }),
);

builder.objectField(OrganizationType, 'viewerCanDecideJoinRequests', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether `joinRequests` is for the viewer, to be decided by them.',
    resolve: ({ id }, _args, ctx) => canListJoinRequests(ctx.viewer, id),
  }),
);

builder.objectField(ViewerType, 'joinRequests', (t) =>
  t.connection({
    perViewer: true,
    type: JoinRequestType,
    description: 'The viewer’s own join requests, newest first.',
    args: { state: t.arg({ type: JoinRequestStateEnum, description: 'Only in this state.' }) },
    resolve: ({ userId }, args, ctx) =>
      listed(ctx, args, joinRequestsOfUser, { parentId: userId, filter: { state: args.state } }),
  }),
);

const keyDescription =
  'A key of the client’s own for this one wish, 8 to 100 characters: a repeat with it returns the first result.';

builder.mutationField('submitJoinRequest', (t) =>
  t.fieldWithInput({
    type: JoinRequestType,
    description:
      'Asks to become a member in a role (§2.1.10). The administrators hear of it at once. One request for a role at a time; ' +
      '7 days between a rejection and the next.',
    errors: { types: [NameRequired, AlreadyMember, AlreadyRequested, CoolDown] },
    input: {
      organizationId: t.input.id({ required: true, description: 'Which organization; its people give its id.' }),
      role: t.input.field({ type: RoleEnum, required: true, description: 'As what to join.' }),
      position: t.input.field({ type: PositionEnum, description: 'For an employee: the position, except HEAD.' }),
      note: t.input.string({ description: 'A word to the administrators: up to 1,000 characters.' }),
      familyName: t.input.string({
        description: 'Of who has no name yet: up to 100 characters. Who has one keeps it.',
      }),
      givenName: t.input.string({ description: 'As `familyName`.' }),
      patronymic: t.input.string({ description: 'As `familyName`, for those who have one.' }),
      idempotencyKey: t.input.string({ description: keyDescription }),
    },
    resolve: (_root, { input }, ctx) =>
      submitJoinRequest(ctx.db, ctx.viewer, { ...input, organizationId: idOf('Organization', input.organizationId) }),
  }),
);

export const whichRequest = { required: true, description: 'Which request.' } as const;

builder.mutationField('withdrawJoinRequest', (t) =>
  t.fieldWithInput({
    type: JoinRequestType,
    description: 'Takes back one’s own request while it waits.',
    errors: { types: [InvalidState] },
    input: { joinRequestId: t.input.id(whichRequest) },
    resolve: (_root, { input }, ctx) =>
      withdrawJoinRequest(ctx.db, ctx.viewer, idOf('JoinRequest', input.joinRequestId)),
  }),
);

const JoinRequestSubmitted = liveEvent('JoinRequestSubmitted', {
  concerns: 'ORGANIZATION',
  kinds: { JOIN_REQUEST_SUBMITTED: 'Submitted.' },
  description: 'Somebody asks to join. For administrators.',
  subject: { name: 'joinRequest', type: JoinRequestType, by: joinRequestById, canSee: canSeeJoinRequest },
});
const JoinRequestDecided = liveEvent('JoinRequestDecided', {
  concerns: 'ORGANIZATION',
  kinds: { JOIN_REQUEST_DECIDED: 'Decided.' },
  description: 'A join request was approved or rejected. For the person who asked, and for administrators.',
  subject: { name: 'joinRequest', type: JoinRequestType, by: joinRequestById, canSee: canSeeJoinRequest },
});
liveEvent('JoinRequestWithdrawn', {
  concerns: 'ORGANIZATION',
  kinds: { JOIN_REQUEST_WITHDRAWN: 'Taken back.', JOIN_REQUEST_EXPIRED: 'Waited too long.' },
  description: 'A join request waits no longer, undecided. For the person who asked, and for administrators.',
  subject: { name: 'joinRequest', type: JoinRequestType, by: joinRequestById, canSee: canSeeJoinRequest },
});

const SubmittedUnion = liveUnion(
  'JoinRequestSubmittedEvent',
  'A join request, or the end of the stream.',
  JoinRequestSubmitted,
);
const DecidedUnion = liveUnion('JoinRequestDecidedEvent', 'A decision, or the end of the stream.', JoinRequestDecided);

builder.subscriptionField('joinRequestSubmitted', (t) =>
  t.field({
    type: SubmittedUnion,
    description:
      'Each join request to an organization, the moment it is submitted (§2.1.10). For its administrators; to anybody else ' +
      'the organization is NOT_FOUND.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Which organization.' }),
      after: t.arg({ type: 'Cursor', description: afterDescription }),
    },
    subscribe: (_root, args, ctx) => {
      const of = { kind: 'ADMINISTRATORS', organizationId: idOf('Organization', args.organizationId) } as const;
      return follow(ctx, { of, scope: 'ANCHOR', kinds: kindsOf(JoinRequestSubmitted) }, args.after);
    },
    resolve: (event) => event,
  }),
);

builder.subscriptionField('joinRequestDecided', (t) =>
  t.field({
    type: DecidedUnion,
    description: 'The decisions on the viewer’s own join requests, the moment they are made.',
    args: { after: t.arg({ type: 'Cursor', description: afterDescription }) },
    subscribe: (_root, { after }, ctx) =>
      follow(ctx, { of: 'VIEWER', scope: 'ANCHOR', kinds: kindsOf(JoinRequestDecided) }, after),
    resolve: (event) => event,
  }),
);
