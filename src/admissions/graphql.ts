import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { globalId, idOf } from '../graphql/ids.ts';
import { JoinRequestType, whichRequest } from '../join-requests/graphql.ts';
import { AlreadyMember } from '../memberships/commands.ts';
import { RevocationType } from '../revocations/graphql.ts';
import {
  approveJoinRequest,
  approveJoinRequests,
  type BulkApproval,
  RevokedBefore,
  rejectJoinRequest,
} from './commands.ts';

builder.objectType(RevokedBefore, {
  name: 'RevokedBefore',
  interfaces: [ErrorInterface],
  description:
    '`REVOKED_BEFORE`: an administrator has sent this person away before. Show the revocations, and approve once more with ' +
    '`despiteRevocations: true`.',
  fields: (t) => ({
    earlierRevocations: t.field({
      type: [RevocationType],
      description: 'As in `JoinRequest.revocations`.',
      resolve: ({ revocations }) => [...revocations],
    }),
  }),
});

builder.mutationField('approveJoinRequest', (t) =>
  t.fieldWithInput({
    type: JoinRequestType,
    description:
      'Approves a request: the person is a member from now on. Administrators, not their own. Somebody who was sent away before ' +
      'is let in with `despiteRevocations` alone, and stays LIMITED where they were. A repeat changes nothing.',
    errors: { types: [InvalidState, AlreadyMember, RevokedBefore] },
    input: {
      joinRequestId: t.input.id(whichRequest),
      childId: t.input.id({
        description: 'For which child a guardian or a student comes; one that the invite named need not be told.',
      }),
      despiteRevocations: t.input.boolean({
        description:
          'Whether who decides has read `JoinRequest.revocations`; needed where there are any. Kept in the audit log.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      approveJoinRequest(ctx.db, ctx.viewer, idOf('JoinRequest', input.joinRequestId), {
        childId: input.childId ? idOf('Child', input.childId) : null,
        despiteRevocations: input.despiteRevocations ?? false,
      }),
  }),
);

const SkippedType = builder.objectRef<BulkApproval['skipped'][number]>('SkippedJoinRequest').implement({
  description: 'A request that was not approved, and why.',
  fields: (t) => ({
    joinRequestId: t.id({
      description: 'Which request.',
      resolve: ({ joinRequestId }) => globalId('JoinRequest', joinRequestId),
    }),
    code: t.string({
      description: 'Why not: `NOT_FOUND`, `INVALID_STATE`, `REVOKED_BEFORE` …',
      resolve: ({ error }) => error.code,
    }),
    message: t.string({
      description: 'Why not, for people.',
      resolve: ({ error }, _args, ctx) => error.messageIn(ctx.locale),
    }),
  }),
});

const BulkApprovalType = builder.objectRef<BulkApproval>('ApproveJoinRequestsPayload').implement({
  description: 'What came of each request.',
  fields: (t) => ({
    approved: t.field({ type: [JoinRequestType], description: 'Those approved.', resolve: ({ approved }) => approved }),
    skipped: t.field({
      type: [SkippedType],
      description: 'Those not approved, with the reason.',
      resolve: ({ skipped }) => skipped,
    }),
  }),
});

builder.mutationField('approveJoinRequests', (t) =>
  t.fieldWithInput({
    type: BulkApprovalType,
    description:
      'Approves up to 100 requests in one transaction; those that cannot be approved are skipped and named, and so are those of ' +
      'people who were sent away before: each of them is decided alone.',
    errors: {},
    input: { joinRequestIds: t.input.idList({ required: true, description: 'Which requests: 1 to 100.' }) },
    resolve: (_root, { input }, ctx) =>
      approveJoinRequests(
        ctx.db,
        ctx.viewer,
        input.joinRequestIds.map((id) => idOf('JoinRequest', id)),
      ),
  }),
);

builder.mutationField('rejectJoinRequest', (t) =>
  t.fieldWithInput({
    type: JoinRequestType,
    description:
      'Rejects a request with a reason; the person may ask again after 7 days. Administrators, not their own.',
    errors: { types: [InvalidState] },
    input: {
      joinRequestId: t.input.id(whichRequest),
      reason: t.input.string({ required: true, description: 'Why; the person reads it. Up to 500 characters.' }),
    },
    resolve: (_root, { input }, ctx) =>
      rejectJoinRequest(ctx.db, ctx.viewer, { ...input, joinRequestId: idOf('JoinRequest', input.joinRequestId) }),
  }),
);
