import { ContactType, UserType } from '../accounts/graphql.ts';
import { personOf, userById } from '../accounts/queries.ts';
import { ChildType, showChild } from '../children/graphql.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { showOrganization } from '../organizations/graphql.ts';
import { revokeGuardianLink, setGuardianContactVisibility } from './commands.ts';
import {
  canReachGuardian,
  canRevokeGuardianLink,
  canSeeGuardianLink,
  canSetContactVisibility,
  type GuardianLink,
} from './policy.ts';
import { guardianLinkById, guardiansOf } from './queries.ts';

const GuardianLinkStateEnum = builder.enumType('GuardianLinkState', {
  description: 'Where it stands that somebody stands for a child.',
  values: {
    PENDING: { description: 'The institution has named the person, who has not joined yet.' },
    ACTIVE: { description: 'The person has joined; while the child is enrolled, they reach what is its group’s.' },
    REVOKED: { description: 'Over.' },
  } as const,
});

const ContactVisibilityEnum = builder.enumType('ContactVisibility', {
  description: 'Whether a guardian is shown to the other guardians.',
  values: {
    FULL: { description: 'By name.' },
    LIMITED: {
      description:
        'Not at all: in no list that other guardians see, and in no number. LIMITED for one child is so for all their children here.',
    },
  } as const,
});

const GuardianLinkType = builder.objectRef<GuardianLink>('GuardianLink');
builder.node(GuardianLinkType, {
  description:
    'That a person stands for a child (§2.4). Seen by administrators, the head and the staff of the child’s group, by that ' +
    'person, and, unless they are LIMITED for any child here, by the child’s other guardians.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(guardianLinkById, canSeeGuardianLink),
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'Who stands for it.',
      resolve: ({ userId, organizationId }, _args, ctx) => ctx.loadExisting(personOf, { userId, organizationId }),
    }),
    contact: t.field({
      type: ContactType,
      nullable: true,
      description: 'How to reach them. Null: not for this viewer; other families never.',
      resolve: (link, _args, ctx) => (ctx.sees(canReachGuardian, link) ? ctx.load(userById, link.userId) : null),
    }),
    state: t.field({ type: GuardianLinkStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    contactVisibility: t.field({
      type: ContactVisibilityEnum,
      description: 'Whether other guardians see them.',
      resolve: ({ contactVisibility }) => contactVisibility,
    }),
    reason: t.string({
      nullable: true,
      description: 'Why it was revoked. Null: it was not, no reason, or not for this viewer.',
      resolve: (link, _args, ctx) => (ctx.sees(canReachGuardian, link) ? link.reason : null),
    }),
    linkedAt: t.expose('activatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when; null: the person has not joined yet.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when; null: it is not over.',
    }),
    viewerCanRevoke: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may revoke it.',
      resolve: (link, _args, ctx) => link.state !== 'REVOKED' && canRevokeGuardianLink(ctx.viewer, link),
    }),
    viewerCanSetContactVisibility: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may hide them from other guardians, and show them again.',
      resolve: (link, _args, ctx) => link.state !== 'REVOKED' && canSetContactVisibility(ctx.viewer, link),
    }),
  }),
});

showOrganization(GuardianLinkType);
showChild(GuardianLinkType, 'For which child.');

builder.objectField(ChildType, 'guardians', (t) =>
  t.connection({
    perViewer: true,
    type: GuardianLinkType,
    description: 'Who stands for it, as far as the viewer may know, newest first.',
    args: { includeRevoked: t.arg.boolean({ defaultValue: false, description: 'Also those for whom it is over.' }) },
    resolve: ({ id }, { includeRevoked, ...page }, ctx) =>
      listed(ctx, page, guardiansOf, { parentId: id, filter: { includeRevoked: includeRevoked === true } }),
  }),
);

const which = { required: true, description: 'Which link.' } as const;

builder.mutationField('revokeGuardianLink', (t) =>
  t.fieldWithInput({
    type: GuardianLinkType,
    description:
      'Ends that somebody stands for a child, at once and everywhere it reaches; without another child here their ' +
      'membership ends too. Administrators. A repeat changes nothing.',
    errors: { types: [InvalidState] },
    input: {
      guardianLinkId: t.input.id(which),
      reason: t.input.string({ required: true, description: 'Why; the person reads it. Up to 500 characters.' }),
    },
    resolve: (_root, { input }, ctx) =>
      revokeGuardianLink(ctx.db, ctx.viewer, { ...input, guardianLinkId: idOf('GuardianLink', input.guardianLinkId) }),
  }),
);

builder.mutationField('setGuardianContactVisibility', (t) =>
  t.fieldWithInput({
    type: GuardianLinkType,
    description:
      'Hides a guardian from the child’s other guardians, in every list, or shows them again. Administrators, and the ' +
      'guardian themself.',
    errors: { types: [InvalidState] },
    input: {
      guardianLinkId: t.input.id(which),
      contactVisibility: t.input.field({
        type: ContactVisibilityEnum,
        required: true,
        description: 'Whether others see them from now on.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      setGuardianContactVisibility(ctx.db, ctx.viewer, {
        ...input,
        guardianLinkId: idOf('GuardianLink', input.guardianLinkId),
      }),
  }),
);

liveEvent('GuardianLinkChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    GUARDIAN_LINKED: 'Somebody stands for a child from now on.',
    GUARDIAN_UNLINKED: 'Somebody stands for a child no longer.',
    GUARDIAN_CONTACT_VISIBILITY_SET: 'Somebody was hidden from other guardians, or shown again.',
  },
  description: 'Who stands for a child changed. For administrators, the staff of its group, and that person.',
  subject: { name: 'guardianLink', type: GuardianLinkType, by: guardianLinkById, canSee: canSeeGuardianLink },
});
