import { sql } from 'drizzle-orm';
import { check, foreignKey, index, pgEnum, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { audiences } from '../audiences/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const groupKind = pgEnum('group_kind', ['STAFF', 'AGE_GROUP', 'CLASS', 'OTHER']);
export const groupState = pgEnum('group_state', ['ACTIVE', 'ARCHIVED']);

/**
 * A structural unit (§2.1.5, 2.1.6) of one academic year; the group «Staff» exists once in every organization, in every
 * year. `audienceId` is everybody in it and whoever leads the organization, `staffAudienceId` those assigned to it.
 */
export const groups = pgTable(
  'groups',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    parentId: uuid('parent_id'),
    kind: groupKind('kind').notNull(),
    name: text('name').notNull(),
    academicYear: text('academic_year'),
    state: groupState('state').notNull().default('ACTIVE'),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    staffAudienceId: uuid('staff_audience_id')
      .notNull()
      .references(() => audiences.id),
    idempotencyKey: text('idempotency_key'),
    createdAt: createdAt(),
    archivedAt: instant('archived_at'),
  },
  (t) => [
    unique('groups_place_key').on(t.id, t.organizationId),
    unique('groups_year_key').on(t.id, t.organizationId, t.academicYear),
    unique('groups_idempotency_key').on(t.organizationId, t.idempotencyKey),
    uniqueIndex('groups_staff_key').on(t.organizationId).where(sql`${t.kind} = 'STAFF'`),
    uniqueIndex('groups_name_key').on(t.organizationId, t.academicYear, t.name).where(sql`${t.state} = 'ACTIVE'`),
    index('groups_organization_index').on(t.organizationId, t.id),
    index('groups_parent_index').on(t.parentId),
    // A part belongs to the same organization and the same year as the whole.
    foreignKey({
      name: 'groups_parent_fkey',
      columns: [t.parentId, t.organizationId, t.academicYear],
      foreignColumns: [t.id, t.organizationId, t.academicYear],
    }),
    check('groups_staff_check', sql`${t.kind} <> 'STAFF' or (${t.state} = 'ACTIVE' and ${t.parentId} is null)`),
    check('groups_academic_year_check', sql`(${t.kind} = 'STAFF') = (${t.academicYear} is null)`),
    check('groups_parent_check', sql`${t.parentId} <> ${t.id}`),
    check('groups_archive_check', sql`(${t.state} = 'ARCHIVED') = (${t.archivedAt} is not null)`),
  ],
);

export type GroupRow = typeof groups.$inferSelect;
