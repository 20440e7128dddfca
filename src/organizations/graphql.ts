import type { ObjectRef } from '@pothos/core';
import { LocaleEnum } from '../accounts/graphql.ts';
import { follow } from '../audiences/queries.ts';
import { InvalidState } from '../errors.ts';
import { builder, type Types } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import { idOf, maybeIdOf } from '../graphql/ids.ts';
import { afterDescription, kindsOf, liveEvent, liveUnion } from '../graphql/live.ts';
import { restoreOrganization, suspendOrganization, updateOrganization } from './commands.ts';
import { canGovernOrganizations, canSeeOrganization, canUpdateOrganization } from './policy.ts';
import { allOrganizations, countOrganizations, organizationById } from './queries.ts';
import type { Organization } from './tables.ts';

export const OrganizationKindEnum = builder.enumType('OrganizationKind', {
  description: 'What kind of institution it is.',
  values: { KINDERGARTEN: { description: 'A kindergarten.' }, SCHOOL: { description: 'A school.' } } as const,
});

const OrganizationStateEnum = builder.enumType('OrganizationState', {
  description: 'Where an organization stands.',
  values: {
    ACTIVE: { description: 'Open to its members.' },
    SUSPENDED: { description: 'Closed by the platform’s operator; everything is kept.' },
    ARCHIVED: { description: 'Closed for good.' },
  } as const,
});

export const OrganizationType = builder.objectRef<Organization>('Organization');
builder.node(OrganizationType, {
  description: 'An institution’s closed space. Seen by its active members and the platform’s operators.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: (ids, ctx) =>
    Promise.all(ids.map((id) => (canSeeOrganization(ctx.viewer, id) ? ctx.load(organizationById, id) : null))),
  fields: (t) => ({
    kind: t.field({
      type: OrganizationKindEnum,
      description: 'What kind of institution.',
      resolve: ({ kind }) => kind,
    }),
    name: t.exposeString('name', { description: 'Its name.' }),
    address: t.exposeString('address', { nullable: true, description: 'Its postal address, where given.' }),
    website: t.exposeString('website', { nullable: true, description: 'Its site (https), where given.' }),
    timeZone: t.exposeString('timeZone', { description: 'Its time zone, as in `Europe/Moscow`.' }),
    locale: t.field({ type: LocaleEnum, description: 'Its language.', resolve: ({ locale }) => locale }),
    studentsAllowed: t.exposeBoolean('studentsAllowed', {
      description:
        'Whether students may have accounts. Off unless the institution turns it on; in a kindergarten it stays off.',
    }),
    guardianChatsAllowed: t.exposeBoolean('guardianChatsAllowed', {
      description:
        'Whether guardians may begin chats with the staff of their children’s groups. Off unless the institution turns it on.',
    }),
    quietFrom: t.string({
      nullable: true,
      description:
        'From what time of day, by its time zone, its people are not to be disturbed: `21:00`. They may choose otherwise ' +
        '(`setQuietHours`). Null: never quiet.',
      resolve: ({ quietFrom }) => quietFrom?.slice(0, 5) ?? null,
    }),
    quietUntil: t.string({
      nullable: true,
      description: 'Until what time of day, on the next day if it is not behind `quietFrom`. Null: never quiet.',
      resolve: ({ quietUntil }) => quietUntil?.slice(0, 5) ?? null,
    }),
    state: t.field({ type: OrganizationStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    suspensionReason: t.exposeString('suspensionReason', { nullable: true, description: 'Why it is suspended.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When its space was opened.' }),
    changedAt: t.expose('changedAt', { type: 'DateTime', description: 'When its data were last changed.' }),
    viewerCanUpdate: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may edit its data (`updateOrganization`).',
      resolve: ({ id }, _args, ctx) => canUpdateOrganization(ctx.viewer, id),
    }),
    viewerCanSuspend: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may close and reopen it.',
      resolve: (_organization, _args, ctx) => canGovernOrganizations(ctx.viewer),
    }),
  }),
});

/** Hangs the field `organization` on a type whose rows belong to one. */
export function showOrganization<Row extends { organizationId: string | null }>(type: ObjectRef<Types, Row>): void {
  builder.objectField(type, 'organization', (t) =>
    t.field({
      type: OrganizationType,
      nullable: true,
      description: 'The organization it belongs to. Null: none, or not for this viewer.',
      resolve: ({ organizationId }, _args, ctx) =>
        organizationId && ctx.sees(canSeeOrganization, organizationId)
          ? ctx.load(organizationById, organizationId)
          : null,
    }),
  );
}

builder.queryField('organization', (t) =>
  t.field({
    type: OrganizationType,
    nullable: true,
    description: 'An organization by its id. Null: absent, or not for this viewer.',
    args: { id: t.arg.id({ required: true, description: 'The organization’s id.' }) },
    resolve: (_root, args, ctx) => {
      const id = maybeIdOf('Organization', args.id);
      return id && canSeeOrganization(ctx.viewer, id) ? ctx.load(organizationById, id) : null;
    },
  }),
);

builder.queryField('organizations', (t) =>
  t.connection({
    perViewer: true,
    type: OrganizationType,
    nullable: true,
    description: 'All organizations of the installation, newest first, for its operators. Null: not for this viewer.',
    args: { state: t.arg({ type: OrganizationStateEnum, description: 'Only those in this state.' }) },
    resolve: (_root, args, ctx) =>
      canGovernOrganizations(ctx.viewer)
        ? connection(
            args,
            (page) => allOrganizations(ctx.db, args.state, page),
            () => countOrganizations(ctx.db, args.state),
          )
        : null,
  }),
);

builder.mutationField('updateOrganization', (t) =>
  t.fieldWithInput({
    type: OrganizationType,
    description: 'Edits an organization’s data and policy (§2.1.4); what is left out stays. Administrators only.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'Which organization.' }),
      name: t.input.string({ description: 'Up to 200 characters.' }),
      address: t.input.string({ description: 'Up to 500 characters; null clears it.' }),
      website: t.input.string({ description: 'An https address; null clears it.' }),
      timeZone: t.input.string({ description: 'As in `Europe/Moscow`.' }),
      locale: t.input.field({ type: LocaleEnum, description: 'Its language.' }),
      studentsAllowed: t.input.boolean({ description: 'Whether students may have accounts.' }),
      guardianChatsAllowed: t.input.boolean({
        description: 'Whether guardians may begin chats with the staff of their children’s groups.',
      }),
      quietFrom: t.input.string({
        description:
          'From what time of day people are not to be disturbed: `21:00`. Null, with `quietUntil`: never quiet.',
      }),
      quietUntil: t.input.string({ description: 'Until what time of day; another than `quietFrom`.' }),
    },
    resolve: (_root, { input: { organizationId, ...changes } }, ctx) =>
      updateOrganization(ctx.db, ctx.viewer, idOf('Organization', organizationId), changes),
  }),
);

builder.mutationField('suspendOrganization', (t) =>
  t.fieldWithInput({
    type: OrganizationType,
    description:
      'Closes an organization to everybody in it at once: their subscriptions end, what is in it becomes NOT_FOUND. Nothing ' +
      'is deleted. Operators only.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'Which organization.' }),
      reason: t.input.string({ required: true, description: 'Why; its members read it. Up to 500 characters.' }),
    },
    resolve: (_root, { input }, ctx) =>
      suspendOrganization(ctx.db, ctx.viewer, idOf('Organization', input.organizationId), input.reason),
  }),
);

builder.mutationField('restoreOrganization', (t) =>
  t.fieldWithInput({
    type: OrganizationType,
    description: 'Opens a suspended organization again, as it was. Operators only.',
    errors: { types: [InvalidState] },
    input: { organizationId: t.input.id({ required: true, description: 'Which organization.' }) },
    resolve: (_root, { input }, ctx) =>
      restoreOrganization(ctx.db, ctx.viewer, idOf('Organization', input.organizationId)),
  }),
);

liveEvent('OrganizationChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    ORGANIZATION_UPDATED: 'Its data were edited.',
    ORGANIZATION_SUSPENDED: 'It was closed by an operator.',
    ORGANIZATION_RESTORED: 'It was opened again.',
  },
  description: 'An organization’s data or state changed. For its members, and in part for operators.',
  subject: {
    name: 'organization',
    type: OrganizationType,
    by: organizationById,
    canSee: (viewer, { id }) => canSeeOrganization(viewer, id),
  },
});

const OrganizationEvent = liveUnion(
  'OrganizationEvent',
  'Something that happened in an organization, or the end of the stream.',
  'ORGANIZATION',
);
const ViewerEvent = liveUnion(
  'ViewerEvent',
  'Something that happened where the viewer may see it, or the end of the stream.',
);

builder.subscriptionField('organizationEvents', (t) =>
  t.field({
    type: OrganizationEvent,
    description:
      'Everything in one organization that the viewer may hear of, as it happens: a member hears its changes, an ' +
      'administrator also requests, people, invites. It follows the viewer’s rights as they change, and ends with them.',
    args: {
      organizationId: t.arg.id({ required: true, description: 'Which organization.' }),
      after: t.arg({ type: 'Cursor', description: afterDescription }),
    },
    subscribe: (_root, args, ctx) => {
      const of = { kind: 'MEMBERS', organizationId: idOf('Organization', args.organizationId) } as const;
      return follow(ctx, { of, scope: 'ORGANIZATION', kinds: kindsOf() }, args.after);
    },
    resolve: (event) => event,
  }),
);

builder.subscriptionField('viewerEvents', (t) =>
  t.field({
    type: ViewerEvent,
    description:
      'Everything that concerns the viewer, in all their organizations and in their account: one subscription is enough for ' +
      'a whole client. It ends when the session does.',
    args: { after: t.arg({ type: 'Cursor', description: afterDescription }) },
    subscribe: (_root, args, ctx) => follow(ctx, { of: 'VIEWER', scope: 'READER', kinds: kindsOf() }, args.after),
    resolve: (event) => event,
  }),
);
