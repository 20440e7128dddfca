import { sql } from 'drizzle-orm';
import { check, date, foreignKey, index, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { memberships, positionEnum } from '../memberships/tables.ts';
import { organizations } from '../organizations/tables.ts';

/** An employee's work in one group (§2.1.9), by days of the organization's calendar: what makes the group theirs. */
export const staffAssignments = pgTable(
  'staff_assignments',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    groupId: uuid('group_id').notNull(),
    membershipId: uuid('membership_id').notNull(),
    userId: uuid('user_id').notNull(),
    position: positionEnum('position').notNull(),
    startedOn: date('started_on', { mode: 'string' }).notNull(),
    endedOn: date('ended_on', { mode: 'string' }),
    createdAt: createdAt(),
  },
  (t) => [
    foreignKey({
      name: 'staff_assignments_group_fkey',
      columns: [t.groupId, t.organizationId],
      foreignColumns: [groups.id, groups.organizationId],
    }),
    foreignKey({
      name: 'staff_assignments_membership_fkey',
      columns: [t.membershipId, t.organizationId, t.userId],
      foreignColumns: [memberships.id, memberships.organizationId, memberships.userId],
    }),
    uniqueIndex('staff_assignments_open_key')
      .on(t.membershipId, t.groupId, t.position)
      .where(sql`${t.endedOn} is null`),
    index('staff_assignments_group_index').on(t.groupId, t.id),
    index('staff_assignments_membership_index').on(t.membershipId, t.id),
    check('staff_assignments_position_check', sql`${t.position} <> 'HEAD'`),
    check('staff_assignments_days_check', sql`${t.endedOn} >= ${t.startedOn}`),
  ],
);

/**
 * What the institution's own register says of an employee (§1.4), kept by its external id also before the person joins.
 * `groupIds` are where they are to work.
 */
export const staffRecords = pgTable(
  'staff_records',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    externalId: text('external_id').notNull(),
    phone: text('phone').notNull(),
    familyName: text('family_name').notNull(),
    givenName: text('given_name').notNull(),
    patronymic: text('patronymic'),
    position: positionEnum('position').notNull(),
    groupIds: uuid('group_ids').array().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    unique('staff_records_external_key').on(t.organizationId, t.externalId),
    unique('staff_records_phone_key').on(t.organizationId, t.phone),
    check('staff_records_position_check', sql`${t.position} <> 'HEAD'`),
  ],
);

export type StaffAssignmentRow = typeof staffAssignments.$inferSelect;
export type StaffRecord = typeof staffRecords.$inferSelect;
