import { sql } from 'drizzle-orm';
import { check, index, pgEnum, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { children } from '../children/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { memberships, positionEnum, roleEnum } from '../memberships/tables.ts';
import { organizations } from '../organizations/tables.ts';

export const joinRequestState = pgEnum('join_request_state', [
  'PENDING',
  'APPROVED',
  'REJECTED',
  'WITHDRAWN',
  'EXPIRED',
]);

/** A person's wish to become a member in a role (§2.1.10). */
export const joinRequests = pgTable(
  'join_requests',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    role: roleEnum('role').notNull(),
    position: positionEnum('position'),
    note: text('note'),
    /** The invite it came by (`requiresApproval`); no foreign key, for invites stand on a higher floor. */
    inviteId: uuid('invite_id'),
    /** For whom a guardian or a student comes: told by the invite, or by who approves. */
    childId: uuid('child_id').references(() => children.id),
    state: joinRequestState('state').notNull().default('PENDING'),
    reason: text('reason'),
    membershipId: uuid('membership_id').references(() => memberships.id),
    createdAt: createdAt(),
    expiresAt: instant('expires_at').notNull(),
    decidedAt: instant('decided_at'),
    decidedBy: uuid('decided_by').references(() => users.id),
    idempotencyKey: text('idempotency_key'),
  },
  (t) => [
    uniqueIndex('join_requests_pending_key').on(t.userId, t.organizationId, t.role).where(sql`${t.state} = 'PENDING'`),
    unique('join_requests_idempotency_key').on(t.userId, t.idempotencyKey),
    index('join_requests_organization_index').on(t.organizationId, t.id),
    index('join_requests_user_index').on(t.userId, t.id),
    check('join_requests_own_check', sql`${t.decidedBy} <> ${t.userId}`),
    check('join_requests_membership_check', sql`(${t.state} = 'APPROVED') = (${t.membershipId} is not null)`),
  ],
);

export type JoinRequest = typeof joinRequests.$inferSelect;
