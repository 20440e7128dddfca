import { sql } from 'drizzle-orm';
import { check, date, foreignKey, index, pgEnum, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { organizations } from '../organizations/tables.ts';

export const enrollmentEnd = pgEnum('enrollment_end', ['TRANSFERRED', 'GRADUATED', 'WITHDRAWN']);
export const guardianLinkState = pgEnum('guardian_link_state', ['PENDING', 'ACTIVE', 'REVOKED']);
export const contactVisibility = pgEnum('contact_visibility', ['FULL', 'LIMITED']);

const user = (name: string) => uuid(name).references(() => users.id);

/**
 * A child's record. Children of a kindergarten have no accounts; `userId` is a student's own. `groupId` is the group of
 * the open enrollment, null while none is open; whoever opens or ends an enrollment sets it.
 */
export const children = pgTable(
  'children',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    externalId: text('external_id'),
    familyName: text('family_name').notNull(),
    givenName: text('given_name').notNull(),
    patronymic: text('patronymic'),
    birthDate: date('birth_date', { mode: 'string' }),
    groupId: uuid('group_id'),
    userId: user('user_id'),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
    changedAt: instant('changed_at').notNull().defaultNow(),
  },
  (t) => [
    unique('children_place_key').on(t.id, t.organizationId),
    unique('children_external_key').on(t.organizationId, t.externalId),
    unique('children_idempotency_key').on(t.organizationId, t.idempotencyKey),
    unique('children_user_key').on(t.organizationId, t.userId),
    index('children_organization_index').on(t.organizationId, t.id),
    index('children_group_index').on(t.groupId, t.id),
    index('children_user_index').on(t.userId),
    foreignKey({
      name: 'children_group_fkey',
      columns: [t.groupId, t.organizationId],
      foreignColumns: [groups.id, groups.organizationId],
    }),
  ],
);

/** A child's time in one group, by days of the organization's calendar; both are days in the group. */
export const enrollments = pgTable(
  'enrollments',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    childId: uuid('child_id').notNull(),
    groupId: uuid('group_id').notNull(),
    startedOn: date('started_on', { mode: 'string' }).notNull(),
    endedOn: date('ended_on', { mode: 'string' }),
    end: enrollmentEnd('end'),
    createdAt: createdAt(),
  },
  (t) => [
    foreignKey({
      name: 'enrollments_child_fkey',
      columns: [t.childId, t.organizationId],
      foreignColumns: [children.id, children.organizationId],
    }),
    foreignKey({
      name: 'enrollments_group_fkey',
      columns: [t.groupId, t.organizationId],
      foreignColumns: [groups.id, groups.organizationId],
    }),
    uniqueIndex('enrollments_open_key').on(t.childId).where(sql`${t.endedOn} is null`),
    index('enrollments_child_index').on(t.childId, t.id),
    check('enrollments_end_check', sql`(${t.end} is null) = (${t.endedOn} is null)`),
    check('enrollments_days_check', sql`${t.endedOn} >= ${t.startedOn}`),
  ],
);

/**
 * Who stands for a child. PENDING: the institution names a person who has not joined yet. An ACTIVE one reaches what the
 * child's open enrollment reaches, and nothing else.
 */
export const guardianLinks = pgTable(
  'guardian_links',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    childId: uuid('child_id').notNull(),
    userId: user('user_id').notNull(),
    state: guardianLinkState('state').notNull(),
    contactVisibility: contactVisibility('contact_visibility').notNull().default('FULL'),
    reason: text('reason'),
    createdAt: createdAt(),
    activatedAt: instant('activated_at'),
    revokedAt: instant('revoked_at'),
    /** Themselves: they have left. Anybody else: they were sent away, and come back by a decision alone. */
    revokedBy: user('revoked_by'),
  },
  (t) => [
    foreignKey({
      name: 'guardian_links_child_fkey',
      columns: [t.childId, t.organizationId],
      foreignColumns: [children.id, children.organizationId],
    }),
    uniqueIndex('guardian_links_open_key').on(t.childId, t.userId).where(sql`${t.state} <> 'REVOKED'`),
    index('guardian_links_child_index').on(t.childId, t.id),
    index('guardian_links_user_index').on(t.userId, t.organizationId),
    check('guardian_links_active_check', sql`${t.state} <> 'ACTIVE' or ${t.activatedAt} is not null`),
    check('guardian_links_revoked_check', sql`(${t.state} = 'REVOKED') = (${t.revokedAt} is not null)`),
  ],
);

export type Child = typeof children.$inferSelect;
export type Enrollment = typeof enrollments.$inferSelect;
export type GuardianLinkRow = typeof guardianLinks.$inferSelect;
