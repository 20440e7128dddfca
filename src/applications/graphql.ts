import { UserType, ViewerType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { OrderType } from '../administrators/graphql.ts';
import { InvalidState, RateLimited } from '../errors.ts';
import { FileType } from '../files/graphql.ts';
import { fileOwner, filesOf } from '../files/queries.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import { idOf, maybeIdOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { OrderInput } from '../memberships/graphql.ts';
import { OrganizationKindEnum, showOrganization } from '../organizations/graphql.ts';
import {
  approveOrganizationApplication,
  rejectOrganizationApplication,
  requestOrganizationApplicationChanges,
  resubmitOrganizationApplication,
  submitOrganizationApplication,
  withdrawOrganizationApplication,
} from './commands.ts';
import { canDecideApplication, canListApplications, canSeeApplication } from './policy.ts';
import { allApplications, applicationById, applicationsOfUser, countApplications } from './queries.ts';
import type { Application } from './tables.ts';

const ApplicationStateEnum = builder.enumType('OrganizationApplicationState', {
  description: 'Where an application stands.',
  values: {
    SUBMITTED: { description: 'Waits for an operator.' },
    CHANGES_REQUESTED: { description: 'Waits for the applicant: see `reason`, then resubmit.' },
    APPROVED: { description: 'The organization is there.' },
    REJECTED: { description: 'Refused for good: see `reason`.' },
    WITHDRAWN: { description: 'Taken back by the applicant.' },
  } as const,
});

const AdministratorType = builder.objectRef<Application>('ApplicationAdministrator').implement({
  description: 'Whom the order appoints to administer: the phone gets the first, reserved grant (§2.1.3).',
  fields: (t) => ({
    familyName: t.exposeString('familyName', { description: 'Family name.' }),
    givenName: t.exposeString('givenName', { description: 'Given name.' }),
    patronymic: t.exposeString('patronymic', { nullable: true, description: 'Patronymic, for those who have one.' }),
    phone: t.exposeString('phone', { description: 'E.164: `+79161234567`.' }),
    email: t.exposeString('email', { description: 'E-mail address.' }),
  }),
});

const ApplicationType = builder.objectRef<Application>('OrganizationApplication');
builder.node(ApplicationType, {
  description: 'An institution’s application to open its space (§2.1.2). Seen by who made it and by the operators.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(applicationById, canSeeApplication),
  fields: (t) => ({
    kind: t.field({
      type: OrganizationKindEnum,
      description: 'What kind of institution.',
      resolve: ({ kind }) => kind,
    }),
    organizationName: t.exposeString('organizationName', { description: 'The institution’s name.' }),
    address: t.exposeString('address', { nullable: true, description: 'Its postal address, where given.' }),
    order: t.field({
      type: OrderType,
      description: 'The order that appoints the administrator.',
      resolve: ({ orderNumber, orderDate }) => ({ number: orderNumber, date: orderDate }),
    }),
    orderFile: t.field({
      type: FileType,
      nullable: true,
      description: 'A copy of that order. Null: none was given.',
      resolve: async ({ id }, _args, ctx) => (await ctx.load(filesOf, id))[0] ?? null,
    }),
    administrator: t.field({
      type: AdministratorType,
      description: 'Whom it appoints.',
      resolve: (application) => application,
    }),
    applicant: t.field({
      type: UserType,
      description: 'Who made the application.',
      resolve: ({ applicantId, organizationId }, _args, ctx) =>
        ctx.loadExisting(personOf, { userId: applicantId, organizationId }),
    }),
    state: t.field({ type: ApplicationStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it was rejected, or what must change.' }),
    submittedAt: t.expose('submittedAt', { type: 'DateTime', description: 'When it was last submitted.' }),
    decidedAt: t.expose('decidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When an operator last answered.',
    }),
    viewerCanDecide: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may approve it, reject it or ask for changes: operators, not their own.',
      resolve: (application, _args, ctx) => canDecideApplication(ctx.viewer, application),
    }),
  }),
});

showOrganization(ApplicationType);
fileOwner('APPLICATION', { by: applicationById, sees: (ctx, application) => ctx.sees(canSeeApplication, application) });

builder.queryField('organizationApplication', (t) =>
  t.field({
    type: ApplicationType,
    nullable: true,
    description: 'An application by its id. Null: absent, or not for this viewer.',
    args: { id: t.arg.id({ required: true, description: 'The application’s id.' }) },
    resolve: async (_root, args, ctx) => {
      const id = maybeIdOf('OrganizationApplication', args.id);
      const application = id ? await ctx.load(applicationById, id) : null;
      return application && ctx.sees(canSeeApplication, application) ? application : null;
    },
  }),
);

builder.queryField('organizationApplications', (t) =>
  t.connection({
    perViewer: true,
    type: ApplicationType,
    nullable: true,
    description: 'The queue of applications, newest first, for operators. Null: not for this viewer.',
    args: { state: t.arg({ type: ApplicationStateEnum, description: 'Only in this state.' }) },
    resolve: (_root, args, ctx) =>
      canListApplications(ctx.viewer)
        ? connection(
            args,
            (page) => allApplications(ctx.db, args.state, page),
            () => countApplications(ctx.db, args.state),
          )
        : null,
  }),
);

builder.objectField(ViewerType, 'organizationApplications', (t) =>
  t.connection({
    perViewer: true,
    type: ApplicationType,
    description: 'The applications that the viewer made, newest first.',
    args: { state: t.arg({ type: ApplicationStateEnum, description: 'Only in this state.' }) },
    resolve: ({ userId }, args, ctx) =>
      listed(ctx, args, applicationsOfUser, { parentId: userId, filter: { state: args.state } }),
  }),
);

const InstitutionInput = builder.inputType('ApplicationOrganizationInput', {
  description: 'The institution that applies.',
  fields: (t) => ({
    kind: t.field({ type: OrganizationKindEnum, required: true, description: 'What kind.' }),
    name: t.string({ required: true, description: 'Its name: up to 200 characters.' }),
    address: t.string({ description: 'Its postal address: up to 500 characters.' }),
  }),
});

const AdministratorInput = builder.inputType('ApplicationAdministratorInput', {
  description: 'Whom the order appoints to administer.',
  fields: (t) => ({
    familyName: t.string({ required: true, description: 'Up to 100 characters.' }),
    givenName: t.string({ required: true, description: 'Up to 100 characters.' }),
    patronymic: t.string({ description: 'Up to 100 characters.' }),
    phone: t.string({ required: true, description: 'The mobile phone that will sign in: `+79161234567`.' }),
    email: t.string({ required: true, description: 'An e-mail address.' }),
  }),
});

const withOrder = <Input extends { orderFileId?: string | null | undefined }>(input: Input) => ({
  ...input,
  orderFileId: input.orderFileId ? idOf('File', input.orderFileId) : null,
});

builder.mutationField('submitOrganizationApplication', (t) =>
  t.fieldWithInput({
    type: ApplicationType,
    description: 'Applies to open an institution’s space (§2.1.2). Anybody signed in; limited per address.',
    errors: { types: [RateLimited] },
    input: {
      organization: t.input.field({ type: InstitutionInput, required: true, description: 'The institution.' }),
      order: t.input.field({
        type: OrderInput,
        required: true,
        description: 'The order that appoints the administrator.',
      }),
      orderFileId: t.input.id({ description: 'A copy of the order: a READY file of one’s own.' }),
      administrator: t.input.field({ type: AdministratorInput, required: true, description: 'Whom it appoints.' }),
      idempotencyKey: t.input.string({
        description: 'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      submitOrganizationApplication(ctx.db, ctx.viewer, withOrder(input), () =>
        ctx.services.limitAddress(ctx.asking.address),
      ),
  }),
);

const errors = { types: [InvalidState] };
const whichApplication = { required: true, description: 'Which application.' } as const;

builder.mutationField('resubmitOrganizationApplication', (t) =>
  t.fieldWithInput({
    type: ApplicationType,
    description: 'Sends one’s own application again, after an operator asked for changes.',
    errors,
    input: {
      applicationId: t.input.id(whichApplication),
      organization: t.input.field({ type: InstitutionInput, required: true, description: 'The institution.' }),
      order: t.input.field({
        type: OrderInput,
        required: true,
        description: 'The order that appoints the administrator.',
      }),
      orderFileId: t.input.id({
        description:
          'Another copy of the order, in the place of the first, which is deleted. Left out: the first stays.',
      }),
      administrator: t.input.field({ type: AdministratorInput, required: true, description: 'Whom it appoints.' }),
    },
    resolve: (_root, { input }, ctx) =>
      resubmitOrganizationApplication(ctx.db, ctx.viewer, {
        ...withOrder(input),
        applicationId: idOf('OrganizationApplication', input.applicationId),
      }),
  }),
);

builder.mutationField('withdrawOrganizationApplication', (t) =>
  t.fieldWithInput({
    type: ApplicationType,
    description: 'Takes back one’s own application before it is decided.',
    errors,
    input: { applicationId: t.input.id(whichApplication) },
    resolve: (_root, { input }, ctx) =>
      withdrawOrganizationApplication(ctx.db, ctx.viewer, idOf('OrganizationApplication', input.applicationId)),
  }),
);

builder.mutationField('approveOrganizationApplication', (t) =>
  t.fieldWithInput({
    type: ApplicationType,
    description:
      'Opens the institution’s space, all at once: organization, group «Staff», channels COMMUNITY and STAFF, chat ' +
      'HEAD_STAFF, and the administrator’s reserved grant. Operators, not their own.',
    errors,
    input: { applicationId: t.input.id(whichApplication) },
    resolve: (_root, { input }, ctx) =>
      approveOrganizationApplication(ctx.db, ctx.viewer, idOf('OrganizationApplication', input.applicationId)),
  }),
);

builder.mutationField('rejectOrganizationApplication', (t) =>
  t.fieldWithInput({
    type: ApplicationType,
    description: 'Refuses an application for good. Operators, not their own.',
    errors,
    input: {
      applicationId: t.input.id(whichApplication),
      reason: t.input.string({ required: true, description: 'Why; the applicant reads it. Up to 1,000 characters.' }),
    },
    resolve: (_root, { input }, ctx) =>
      rejectOrganizationApplication(ctx.db, ctx.viewer, {
        ...input,
        applicationId: idOf('OrganizationApplication', input.applicationId),
      }),
  }),
);

builder.mutationField('requestOrganizationApplicationChanges', (t) =>
  t.fieldWithInput({
    type: ApplicationType,
    description: 'Sends an application back to the applicant. Operators, not their own.',
    errors,
    input: {
      applicationId: t.input.id(whichApplication),
      reason: t.input.string({
        required: true,
        description: 'What must change; the applicant reads it. Up to 1,000 characters.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      requestOrganizationApplicationChanges(ctx.db, ctx.viewer, {
        ...input,
        applicationId: idOf('OrganizationApplication', input.applicationId),
      }),
  }),
);

liveEvent('OrganizationApplicationChanged', {
  concerns: 'PERSON',
  kinds: { APPLICATION_SUBMITTED: 'Submitted.', APPLICATION_CHANGED: 'Answered, resubmitted or withdrawn.' },
  description: 'An application was submitted or changed. For the operators and for who made it.',
  subject: { name: 'application', type: ApplicationType, by: applicationById, canSee: canSeeApplication },
});
