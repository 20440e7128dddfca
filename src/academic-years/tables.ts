import { sql } from 'drizzle-orm';
import { check, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { createdAt, id } from '../database/columns.ts';
import { organizations } from '../organizations/tables.ts';

/** What became of one group when its year ended. */
export interface GroupRollover {
  readonly fromGroupId: string;
  readonly fromName: string;
  /** The group in which it went on; null: its children have finished here. */
  readonly toGroupId: string | null;
  readonly toName: string | null;
  readonly childCount: number;
  readonly staffCount: number;
}

/** One academic year going over into the next (§2.1.12): once for each year, so that a repeat finds what the first did. */
export const academicYearRollovers = pgTable(
  'academic_year_rollovers',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    fromYear: text('from_year').notNull(),
    toYear: text('to_year').notNull(),
    groups: jsonb('groups').$type<readonly GroupRollover[]>().notNull(),
    decidedBy: uuid('decided_by')
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [
    unique('academic_year_rollovers_year_key').on(t.organizationId, t.fromYear),
    check('academic_year_rollovers_years_check', sql`${t.fromYear} < ${t.toYear}`),
  ],
);

export type AcademicYearRollover = typeof academicYearRollovers.$inferSelect;
