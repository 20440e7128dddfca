import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { LastAdministrator } from '../memberships/commands.ts';
import { MembershipType, OrderInput } from '../memberships/graphql.ts';
import { canAppointAdministrators, canSeeAdministrators, canSeeMembership } from '../memberships/policy.ts';
import { membershipById } from '../memberships/queries.ts';
import type { AdministratorGrant } from '../memberships/tables.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { grantAdministrator, revokeAdministrator } from './commands.ts';
import { grantById, grantsOf } from './queries.ts';

const GrantStateEnum = builder.enumType('AdministratorGrantState', {
  description: 'Where a right to administer stands.',
  values: { ACTIVE: { description: 'In force.' }, REVOKED: { description: 'Taken away.' } } as const,
});

export const OrderType = builder.objectRef<{ number: string; date: string }>('Order').implement({
  description: 'The order («приказ») by which the institution decided.',
  fields: (t) => ({
    number: t.exposeString('number', { description: 'Its number.' }),
    date: t.expose('date', { type: 'Date', description: 'The day it was signed.' }),
  }),
});

const GrantType = builder.objectRef<AdministratorGrant>('AdministratorGrant');
builder.node(GrantType, {
  description: 'Somebody’s right to administer an organization (§2.1.1, 2.1.8). Seen by its members.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: async (ids, ctx) => {
    const found = await Promise.all(ids.map((id) => ctx.load(grantById, id)));
    return found.map((grant) => (grant && canSeeAdministrators(ctx.viewer, grant.organizationId) ? grant : null));
  },
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'The administrator.',
      resolve: ({ userId, organizationId }, _args, ctx) => ctx.loadExisting(personOf, { userId, organizationId }),
    }),
    membership: t.field({
      type: MembershipType,
      nullable: true,
      description: 'The membership it hangs on. Null: not for this viewer.',
      resolve: async ({ membershipId }, _args, ctx) => {
        const membership = await ctx.load(membershipById, membershipId);
        return membership && ctx.sees(canSeeMembership, membership) ? membership : null;
      },
    }),
    state: t.field({ type: GrantStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    reserved: t.exposeBoolean('reserved', {
      description: 'Whether it is the first one, reserved for the phone that the application named (§2.1.3).',
    }),
    order: t.field({
      type: OrderType,
      nullable: true,
      description: 'The order of appointment, where given.',
      resolve: ({ orderNumber, orderDate }) =>
        orderNumber && orderDate ? { number: orderNumber, date: orderDate } : null,
    }),
    grantedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was given.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was taken; null while in force.',
    }),
    viewerCanRevoke: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may take it away (the last one nobody may).',
      resolve: (grant, _args, ctx) => canAppointAdministrators(ctx.viewer, grant.organizationId),
    }),
  }),
});

showOrganization(GrantType);

builder.objectField(OrganizationType, 'administrators', (t) =>
  t.connection({
    perViewer: true,
    type: GrantType,
    nullable: true,
    description: 'Who administers, newest first; any member may know. Null: not for this viewer.',
    args: { revoked: t.arg.boolean({ defaultValue: false, description: 'Those whose right was taken, instead.' }) },
    resolve: ({ id }, args, ctx) => {
      if (!canSeeAdministrators(ctx.viewer, id)) return null;
      return listed(ctx, args, grantsOf, { parentId: id, filter: { revoked: args.revoked ?? false } });
    },
  }),
);

builder.objectField(OrganizationType, 'viewerCanAppointAdministrators', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may give and take the right to administer: administrators and the head.',
    resolve: ({ id }, _args, ctx) => canAppointAdministrators(ctx.viewer, id),
  }),
);

builder.mutationField('grantAdministrator', (t) =>
  t.fieldWithInput({
    type: GrantType,
    description:
      'Appoints a further administrator from the verified employees (§2.1.8, 2.2.2). Administrators and the head. A repeat ' +
      'returns the same grant.',
    errors: { types: [InvalidState] },
    input: {
      membershipId: t.input.id({ required: true, description: 'An active, verified employee’s membership.' }),
      order: t.input.field({ type: OrderInput, description: 'The order of appointment.' }),
    },
    resolve: (_root, { input }, ctx) =>
      grantAdministrator(ctx.db, ctx.viewer, { ...input, membershipId: idOf('Membership', input.membershipId) }),
  }),
);

builder.mutationField('revokeAdministrator', (t) =>
  t.fieldWithInput({
    type: GrantType,
    description:
      'Takes a right to administer, also one’s own; the last one stays (LAST_ADMIN). Administrators and the head.',
    errors: { types: [InvalidState, LastAdministrator] },
    input: { grantId: t.input.id({ required: true, description: 'Which grant.' }) },
    resolve: (_root, { input }, ctx) =>
      revokeAdministrator(ctx.db, ctx.viewer, { grantId: idOf('AdministratorGrant', input.grantId) }),
  }),
);

liveEvent('AdministratorChanged', {
  concerns: 'ORGANIZATION',
  kinds: { ADMINISTRATOR_GRANTED: 'Given.', ADMINISTRATOR_REVOKED: 'Taken.' },
  description: 'A right to administer was given or taken. For administrators and the person.',
  subject: {
    name: 'grant',
    type: GrantType,
    by: grantById,
    canSee: (viewer, grant) => grant.userId === viewer.userId || canSeeAdministrators(viewer, grant.organizationId),
  },
});
