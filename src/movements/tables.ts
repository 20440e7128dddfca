import { sql } from 'drizzle-orm';
import { check, date, foreignKey, index, pgEnum, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { children } from '../children/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { memberships, positionEnum } from '../memberships/tables.ts';

export const movementKind = pgEnum('movement_kind', [
  'ENROLLED',
  'TRANSFERRED',
  'GRADUATED',
  'WITHDRAWN',
  'ASSIGNED',
  'RELEASED',
]);
export const plannedMovementState = pgEnum('planned_movement_state', ['PLANNED', 'DONE', 'CANCELLED', 'FAILED']);

/** Whom a movement moves, from where to where, and by whose decision: of a child or of an employee. */
const movement = () => ({
  id: id(),
  organizationId: uuid('organization_id').notNull(),
  kind: movementKind('kind').notNull(),
  childId: uuid('child_id'),
  membershipId: uuid('membership_id'),
  userId: uuid('user_id'),
  position: positionEnum('position'),
  fromGroupId: uuid('from_group_id'),
  toGroupId: uuid('to_group_id'),
  /** The day from which it counts, in the organization's calendar. */
  effectiveOn: date('effective_on', { mode: 'string' }).notNull(),
  orderNumber: text('order_number'),
  orderDate: date('order_date', { mode: 'string' }),
  note: text('note'),
  decidedBy: uuid('decided_by').references(() => users.id),
  createdAt: createdAt(),
});

/** The journal (§2.1.12): appended to in the transaction that moves somebody, never changed. */
export const movements = pgTable('movements', movement(), (t) => [
  foreignKey({
    name: 'movements_child_fkey',
    columns: [t.childId, t.organizationId],
    foreignColumns: [children.id, children.organizationId],
  }),
  foreignKey({
    name: 'movements_membership_fkey',
    columns: [t.membershipId, t.organizationId, t.userId],
    foreignColumns: [memberships.id, memberships.organizationId, memberships.userId],
  }),
  foreignKey({
    name: 'movements_from_group_fkey',
    columns: [t.fromGroupId, t.organizationId],
    foreignColumns: [groups.id, groups.organizationId],
  }),
  foreignKey({
    name: 'movements_to_group_fkey',
    columns: [t.toGroupId, t.organizationId],
    foreignColumns: [groups.id, groups.organizationId],
  }),
  index('movements_organization_index').on(t.organizationId, t.id),
  index('movements_child_index').on(t.childId, t.id),
  index('movements_membership_index').on(t.membershipId, t.id),
  check('movements_subject_check', sql`num_nonnulls(${t.childId}, ${t.membershipId}) = 1`),
  check('movements_groups_check', sql`num_nonnulls(${t.fromGroupId}, ${t.toGroupId}) > 0`),
]);

/** A movement that takes effect on a day to come; on that day a job makes it, or says why it could not. */
export const plannedMovements = pgTable(
  'planned_movements',
  {
    ...movement(),
    state: plannedMovementState('state').notNull().default('PLANNED'),
    /** The code of the error that kept it from happening. */
    failure: text('failure'),
    decidedAt: instant('decided_at'),
  },
  (t) => [
    foreignKey({
      name: 'planned_movements_child_fkey',
      columns: [t.childId, t.organizationId],
      foreignColumns: [children.id, children.organizationId],
    }),
    foreignKey({
      name: 'planned_movements_membership_fkey',
      columns: [t.membershipId, t.organizationId, t.userId],
      foreignColumns: [memberships.id, memberships.organizationId, memberships.userId],
    }),
    foreignKey({
      name: 'planned_movements_group_fkey',
      columns: [t.toGroupId, t.organizationId],
      foreignColumns: [groups.id, groups.organizationId],
    }),
    uniqueIndex('planned_movements_child_key')
      .on(t.childId, t.effectiveOn)
      .where(sql`${t.state} = 'PLANNED' and ${t.childId} is not null`),
    uniqueIndex('planned_movements_staff_key')
      .on(t.membershipId, t.effectiveOn, t.kind, t.position, sql`coalesce(${t.toGroupId}, ${t.fromGroupId})`)
      .where(sql`${t.state} = 'PLANNED' and ${t.membershipId} is not null`),
    index('planned_movements_due_index').on(t.effectiveOn).where(sql`${t.state} = 'PLANNED'`),
    index('planned_movements_organization_index').on(t.organizationId, t.id),
    check('planned_movements_subject_check', sql`num_nonnulls(${t.childId}, ${t.membershipId}) = 1`),
    check('planned_movements_failure_check', sql`(${t.state} = 'FAILED') = (${t.failure} is not null)`),
    check('planned_movements_decision_check', sql`(${t.state} = 'PLANNED') = (${t.decidedAt} is null)`),
  ],
);

export type Movement = typeof movements.$inferSelect;
export type PlannedMovement = typeof plannedMovements.$inferSelect;
