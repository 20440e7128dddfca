import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { ChildType } from '../children/graphql.ts';
import { canSeeChild } from '../children/policy.ts';
import { childById } from '../children/queries.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder, type Types } from '../graphql/builder.ts';
import { liveEvent } from '../graphql/live.ts';
import { GroupType } from '../groups/graphql.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { groupById } from '../groups/queries.ts';
import { OrderInput, PositionEnum } from '../memberships/graphql.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { canReadMovements, canSeeMovement } from './policy.ts';
import { movementById, movementsOf, movementsOfChild, plannedMovementById, plannedMovementsOf } from './queries.ts';
import type { Movement, PlannedMovement } from './tables.ts';

const MovementKindEnum = builder.enumType('MovementKind', {
  description: 'How somebody moves (§2.1.12).',
  values: {
    ENROLLED: { description: 'A child gets a place in a group.' },
    TRANSFERRED: { description: 'A child goes on in another group.' },
    GRADUATED: { description: 'A child has finished here.' },
    WITHDRAWN: { description: 'A child leaves before.' },
    ASSIGNED: { description: 'An employee begins to work in a group.' },
    RELEASED: { description: 'An employee’s work in a group ends.' },
  } as const,
});

const PlannedMovementStateEnum = builder.enumType('PlannedMovementState', {
  description: 'Where a planned movement stands.',
  values: {
    PLANNED: { description: 'Waits for its day.' },
    DONE: { description: 'Its day came, and it was made.' },
    CANCELLED: { description: 'Taken back before.' },
    FAILED: { description: 'Its day came, and it was not possible any more; `failure` says why.' },
  } as const,
});

/** What the journal and the plan say alike: who moves, from where to where, and by whose decision. */
const MovementEntry = builder.interfaceRef<Movement>('MovementEntry').implement({
  description: 'That somebody moves: a child or an employee, from where to where, and by which decision.',
  fields: (t) => ({
    movementKind: t.field({ type: MovementKindEnum, description: 'How.', resolve: ({ kind }) => kind }),
    child: t.field({
      type: ChildType,
      nullable: true,
      description: 'Which child. Null: an employee moves, or not for this viewer.',
      resolve: async ({ childId }, _args, ctx) => {
        const child = childId ? await ctx.loadExisting(childById, childId) : null;
        return child && ctx.sees(canSeeChild, child) ? child : null;
      },
    }),
    employee: t.field({
      type: UserType,
      nullable: true,
      description: 'Which employee. Null: a child moves.',
      resolve: ({ userId, organizationId }, _args, ctx) =>
        userId ? ctx.load(personOf, { userId, organizationId }) : null,
    }),
    position: t.field({
      type: PositionEnum,
      nullable: true,
      description: 'As what an employee works in the group.',
      resolve: ({ position }) => position,
    }),
    fromGroup: t.field({
      type: GroupType,
      nullable: true,
      description: 'From which group. Null: from none, or not for this viewer.',
      resolve: async ({ fromGroupId }, _args, ctx) => {
        const group = fromGroupId ? await ctx.loadExisting(groupById, fromGroupId) : null;
        return group && ctx.sees(canSeeGroup, group) ? group : null;
      },
    }),
    toGroup: t.field({
      type: GroupType,
      nullable: true,
      description: 'Into which group. Null: into none, or not for this viewer.',
      resolve: async ({ toGroupId }, _args, ctx) => {
        const group = toGroupId ? await ctx.loadExisting(groupById, toGroupId) : null;
        return group && ctx.sees(canSeeGroup, group) ? group : null;
      },
    }),
    effectiveOn: t.expose('effectiveOn', {
      type: 'Date',
      description: 'The day from which it counts, where the institution is.',
    }),
    orderNumber: t.exposeString('orderNumber', { nullable: true, description: 'The order’s number, where given.' }),
    orderDate: t.expose('orderDate', { type: 'Date', nullable: true, description: 'The order’s day, where given.' }),
    note: t.exposeString('note', { nullable: true, description: 'What was noted with it.' }),
    decidedBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Who wrote the decision down; null: it followed from the register when the person joined.',
      resolve: ({ decidedBy, organizationId }, _args, ctx) =>
        decidedBy ? ctx.load(personOf, { userId: decidedBy, organizationId }) : null,
    }),
    recordedAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written down.' }),
  }),
});

export const MovementType = builder.objectRef<Movement>('Movement');
builder.node(MovementType, {
  description:
    'An entry of the journal (§2.1.12), never changed. Seen by administrators and the head, the staff of either group, the ' +
    'child’s guardians, and the employee who moved.',
  interfaces: [MovementEntry],
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(movementById, canSeeMovement),
});
showOrganization(MovementType);

export const PlannedMovementType = builder.objectRef<PlannedMovement>('PlannedMovement');
builder.node(PlannedMovementType, {
  description: 'A movement that takes effect on a day to come, by itself. Seen as a movement is.',
  interfaces: [MovementEntry],
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(plannedMovementById, canSeeMovement),
  fields: (t) => ({
    state: t.field({ type: PlannedMovementStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    failure: t.exposeString('failure', {
      nullable: true,
      description: 'The code of the error that kept it from happening; null: none did.',
    }),
  }),
});
showOrganization(PlannedMovementType);

/** What every decision says besides whom it moves where. */
export const decisionInput = (input: PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>) => ({
  effectiveOn: input.field({
    type: 'Date',
    description:
      'From which day it counts, where the institution is: today unless told, at most a year away. A day to come is ' +
      'planned, and takes effect by itself.',
  }),
  order: input.field({ type: OrderInput, description: 'The order by which it was decided, for the journal.' }),
  note: input.string({ description: 'What to note with it: up to 500 characters.' }),
});

const filterArguments = {
  kind: 'Only of this kind.',
  since: 'Only what counts from this day or a later one.',
  until: 'Only what counts from this day or an earlier one.',
};

builder.objectField(OrganizationType, 'movements', (t) =>
  t.connection({
    perViewer: true,
    type: MovementType,
    nullable: true,
    description:
      'The journal, newest entry first: all of it for administrators and the head, what concerns their groups for confirmed ' +
      'staff. Null: not for this viewer.',
    args: {
      kind: t.arg({ type: MovementKindEnum, description: filterArguments.kind }),
      since: t.arg({ type: 'Date', description: filterArguments.since }),
      until: t.arg({ type: 'Date', description: filterArguments.until }),
    },
    resolve: ({ id }, { kind = null, since = null, until = null, ...page }, ctx) =>
      canReadMovements(ctx.viewer, id)
        ? listed(ctx, page, movementsOf, { parentId: id, filter: { kind, since, until } })
        : null,
  }),
);

builder.objectField(OrganizationType, 'plannedMovements', (t) =>
  t.connection({
    perViewer: true,
    type: PlannedMovementType,
    nullable: true,
    description:
      'What takes effect on a day to come, newest plan first; for whom the journal is. Null: not for this viewer.',
    args: {
      state: t.arg({ type: PlannedMovementStateEnum, description: 'Only in this state.' }),
      kind: t.arg({ type: MovementKindEnum, description: filterArguments.kind }),
      since: t.arg({ type: 'Date', description: filterArguments.since }),
      until: t.arg({ type: 'Date', description: filterArguments.until }),
    },
    resolve: ({ id }, { state = null, kind = null, since = null, until = null, ...page }, ctx) =>
      canReadMovements(ctx.viewer, id)
        ? listed(ctx, page, plannedMovementsOf, { parentId: id, filter: { state, kind, since, until } })
        : null,
  }),
);

builder.objectField(ChildType, 'movements', (t) =>
  t.connection({
    perViewer: true,
    type: MovementType,
    description: 'How it has moved, newest first, as far as the viewer may know.',
    resolve: ({ id }, args, ctx) => listed(ctx, args, movementsOfChild, { parentId: id, filter: null }),
  }),
);

liveEvent('PlannedMovementChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    MOVEMENT_PLANNED: 'Planned for a day to come.',
    MOVEMENT_CANCELLED: 'Taken back before its day.',
    MOVEMENT_TOOK_EFFECT: 'Its day came, and it was made.',
    MOVEMENT_FAILED: 'Its day came, and it was not possible any more.',
  },
  description: 'A movement was planned, or something became of a plan. For administrators.',
  subject: { name: 'plannedMovement', type: PlannedMovementType, by: plannedMovementById, canSee: canSeeMovement },
});
