import { sql } from 'drizzle-orm';
import { boolean, check, pgEnum, pgTable, text, time, uuid } from 'drizzle-orm/pg-core';
import { localeEnum } from '../accounts/tables.ts';
import { audiences } from '../audiences/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';

export const organizationKind = pgEnum('organization_kind', ['KINDERGARTEN', 'SCHOOL']);
export const organizationState = pgEnum('organization_state', ['ACTIVE', 'SUSPENDED', 'ARCHIVED']);

const audience = (name: string) =>
  uuid(name)
    .notNull()
    .references(() => audiences.id);

export const organizations = pgTable(
  'organizations',
  {
    id: id(),
    kind: organizationKind('kind').notNull(),
    name: text('name').notNull(),
    address: text('address'),
    website: text('website'),
    timeZone: text('time_zone').notNull().default('Europe/Moscow'),
    locale: localeEnum('locale').notNull().default('ru'),
    studentsAllowed: boolean('students_allowed').notNull().default(false),
    /** Whether guardians may begin a chat with their children's staff. */
    guardianChatsAllowed: boolean('guardian_chats_allowed').notNull().default(false),
    /** When nobody is to be disturbed, by the institution's clock; null: never quiet. */
    quietFrom: time('quiet_from').default('21:00'),
    quietUntil: time('quiet_until').default('07:00'),
    state: organizationState('state').notNull().default('ACTIVE'),
    suspensionReason: text('suspension_reason'),
    membersAudienceId: audience('members_audience_id'),
    employeesAudienceId: audience('employees_audience_id'),
    staffAudienceId: audience('staff_audience_id'),
    verifiedStaffAudienceId: audience('verified_staff_audience_id'),
    administratorsAudienceId: audience('administrators_audience_id'),
    createdAt: createdAt(),
    changedAt: instant('changed_at').notNull().defaultNow(),
  },
  (t) => [
    check('organizations_students_check', sql`${t.kind} <> 'KINDERGARTEN' or not ${t.studentsAllowed}`),
    check('organizations_quiet_check', sql`(${t.quietFrom} is null) = (${t.quietUntil} is null)`),
  ],
);

export type Organization = typeof organizations.$inferSelect;
