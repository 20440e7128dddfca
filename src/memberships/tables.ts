import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  date,
  foreignKey,
  index,
  pgEnum,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const roleEnum = pgEnum('role', ['EMPLOYEE', 'GUARDIAN', 'STUDENT']);
export const positionEnum = pgEnum('position', [
  'HEAD',
  'DEPUTY_HEAD',
  'EDUCATOR',
  'ASSISTANT',
  'SPECIALIST',
  'OFFICE',
  'OTHER',
]);
export const membershipState = pgEnum('membership_state', ['ACTIVE', 'SUSPENDED', 'ENDED']);
export const membershipEnd = pgEnum('membership_end', ['LEFT', 'REMOVED', 'CHILDREN_LEFT']);
export const verificationState = pgEnum('verification_state', ['PENDING', 'VERIFIED', 'REJECTED', 'REVOKED']);
export const grantState = pgEnum('administrator_grant_state', ['ACTIVE', 'REVOKED']);

const user = (name: string) => uuid(name).references(() => users.id);

/** One period of a person in an organization in one role. The role never changes; a new period is a new row. */
export const memberships = pgTable(
  'memberships',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    userId: user('user_id').notNull(),
    role: roleEnum('role').notNull(),
    position: positionEnum('position'),
    state: membershipState('state').notNull().default('ACTIVE'),
    reason: text('reason'),
    endedBy: membershipEnd('ended_by'),
    createdAt: createdAt(),
    endedAt: instant('ended_at'),
    /** When and by whom it was last suspended, restored or ended; of `CHILDREN_LEFT` nobody decides. */
    changedAt: instant('changed_at'),
    changedBy: user('changed_by'),
  },
  (t) => [
    uniqueIndex('memberships_open_key').on(t.userId, t.organizationId, t.role).where(sql`${t.state} <> 'ENDED'`),
    uniqueIndex('memberships_head_key')
      .on(t.organizationId)
      .where(sql`${t.position} = 'HEAD' and ${t.state} <> 'ENDED'`),
    unique('memberships_identity_key').on(t.id, t.organizationId, t.userId),
    index('memberships_organization_index').on(t.organizationId, t.id),
    index('memberships_user_index').on(t.userId, t.id),
    check('memberships_position_check', sql`${t.position} is null or ${t.role} = 'EMPLOYEE'`),
    check(
      'memberships_end_check',
      sql`(${t.state} = 'ENDED') = (${t.endedAt} is not null and ${t.endedBy} is not null)`,
    ),
  ],
);

/** One submission of evidence for the status «employee» (§2.1.11) and what became of it. */
export const verifications = pgTable(
  'verifications',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    membershipId: uuid('membership_id').notNull(),
    userId: uuid('user_id').notNull(),
    state: verificationState('state').notNull().default('PENDING'),
    evidence: text('evidence'),
    reason: text('reason'),
    createdAt: createdAt(),
    decidedAt: instant('decided_at'),
    decidedBy: user('decided_by'),
  },
  (t) => [
    foreignKey({
      name: 'verifications_membership_fkey',
      columns: [t.membershipId, t.organizationId, t.userId],
      foreignColumns: [memberships.id, memberships.organizationId, memberships.userId],
    }),
    uniqueIndex('verifications_open_key').on(t.membershipId).where(sql`${t.state} in ('PENDING', 'VERIFIED')`),
    index('verifications_membership_index').on(t.membershipId, t.id),
    index('verifications_organization_index').on(t.organizationId, t.id),
    check('verifications_own_check', sql`${t.decidedBy} <> ${t.userId} or ${t.state} = 'REVOKED'`),
    check('verifications_decision_check', sql`(${t.state} = 'PENDING') = (${t.decidedAt} is null)`),
  ],
);

/** The right to administer (§2.1.1, 2.1.8). `reserved` marks the first one, made with the organization (§2.1.3). */
export const administratorGrants = pgTable(
  'administrator_grants',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    membershipId: uuid('membership_id').notNull(),
    userId: uuid('user_id').notNull(),
    state: grantState('state').notNull().default('ACTIVE'),
    reserved: boolean('reserved').notNull().default(false),
    orderNumber: text('order_number'),
    orderDate: date('order_date', { mode: 'string' }),
    grantedBy: user('granted_by'),
    createdAt: createdAt(),
    revokedAt: instant('revoked_at'),
    revokedBy: user('revoked_by'),
  },
  (t) => [
    foreignKey({
      name: 'administrator_grants_membership_fkey',
      columns: [t.membershipId, t.organizationId, t.userId],
      foreignColumns: [memberships.id, memberships.organizationId, memberships.userId],
    }),
    uniqueIndex('administrator_grants_active_key').on(t.membershipId).where(sql`${t.state} = 'ACTIVE'`),
    index('administrator_grants_organization_index').on(t.organizationId, t.id),
    check('administrator_grants_end_check', sql`(${t.state} = 'REVOKED') = (${t.revokedAt} is not null)`),
  ],
);

export type Membership = typeof memberships.$inferSelect;

export type Verification = typeof verifications.$inferSelect;

export type AdministratorGrant = typeof administratorGrants.$inferSelect;
