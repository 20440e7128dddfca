import { sql } from 'drizzle-orm';
import { check, index, pgEnum, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { audiences } from '../audiences/tables.ts';
import { createdAt, id } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

export const groupKind = pgEnum('group_kind', ['STAFF', 'AGE_GROUP', 'CLASS', 'OTHER']);
export const groupState = pgEnum('group_state', ['ACTIVE', 'ARCHIVED']);

/** A structural unit (§2.1.5, 2.1.6). The group «Staff» exists once in every organization, in every year. */
export const groups = pgTable(
  'groups',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    kind: groupKind('kind').notNull(),
    name: text('name').notNull(),
    academicYear: text('academic_year'),
    state: groupState('state').notNull().default('ACTIVE'),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('groups_staff_key').on(t.organizationId).where(sql`${t.kind} = 'STAFF'`),
    uniqueIndex('groups_name_key').on(t.organizationId, t.academicYear, t.name).where(sql`${t.state} = 'ACTIVE'`),
    index('groups_organization_index').on(t.organizationId, t.id),
    check('groups_staff_check', sql`${t.kind} <> 'STAFF' or (${t.state} = 'ACTIVE' and ${t.academicYear} is null)`),
  ],
);

export type Group = typeof groups.$inferSelect;
