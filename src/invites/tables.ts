import { sql } from 'drizzle-orm';
import { boolean, check, foreignKey, index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { children } from '../children/tables.ts';
import { bytea, createdAt, id, instant } from '../database/columns.ts';
import { groups } from '../groups/tables.ts';
import { joinRequests } from '../join-requests/tables.ts';
import { memberships, positionEnum, roleEnum } from '../memberships/tables.ts';
import { organizations } from '../organizations/tables.ts';

/** For one child: how many people a link may take, how many of them without a decision, and how long it is good for. */
export const maxChildUses = 4;
export const freeUses = 2;
export const maxChildDays = 30;

/** A link into one group in one role (§2.1.7). Its code is stored hashed; its state is derived from the columns. */
export const invites = pgTable(
  'invites',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    groupId: uuid('group_id')
      .notNull()
      .references(() => groups.id),
    role: roleEnum('role').notNull(),
    /** For whom a guardian or a student comes; the group is then the child's, wherever it is by the time. */
    childId: uuid('child_id'),
    position: positionEnum('position'),
    codeHash: bytea('code_hash').notNull(),
    maxUses: integer('max_uses').notNull().default(1),
    useCount: integer('use_count').notNull().default(0),
    requiresApproval: boolean('requires_approval').notNull().default(false),
    intendedPhone: text('intended_phone'),
    createdBy: uuid('created_by')
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
    expiresAt: instant('expires_at').notNull(),
    revokedAt: instant('revoked_at'),
    idempotencyKey: text('idempotency_key'),
  },
  (t) => [
    unique('invites_code_key').on(t.codeHash),
    unique('invites_idempotency_key').on(t.createdBy, t.idempotencyKey),
    index('invites_organization_index').on(t.organizationId, t.id),
    index('invites_group_index').on(t.groupId),
    foreignKey({
      name: 'invites_child_fkey',
      columns: [t.childId, t.organizationId],
      foreignColumns: [children.id, children.organizationId],
    }),
    check('invites_child_check', sql`${t.childId} is null or ${t.role} <> 'EMPLOYEE'`),
    check(
      'invites_child_uses_check',
      sql`${t.childId} is null or ${t.maxUses} <= greatest(${sql.raw(String(maxChildUses))}, ${t.useCount})`,
    ),
    check('invites_uses_check', sql`${t.useCount} between 0 and ${t.maxUses}`),
    check('invites_position_check', sql`${t.position} is null or (${t.role} = 'EMPLOYEE' and ${t.position} <> 'HEAD')`),
  ],
);

/** One person's use of an invite; a second use by the same person finds the first. */
export const inviteRedemptions = pgTable(
  'invite_redemptions',
  {
    id: id(),
    inviteId: uuid('invite_id')
      .notNull()
      .references(() => invites.id),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    membershipId: uuid('membership_id').references(() => memberships.id),
    joinRequestId: uuid('join_request_id').references(() => joinRequests.id),
    createdAt: createdAt(),
  },
  (t) => [
    unique('invite_redemptions_user_key').on(t.inviteId, t.userId),
    check('invite_redemptions_result_check', sql`num_nonnulls(${t.membershipId}, ${t.joinRequestId}) = 1`),
  ],
);

export type Invite = typeof invites.$inferSelect;
