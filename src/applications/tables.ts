import { sql } from 'drizzle-orm';
import { check, date, index, pgEnum, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { users } from '../accounts/tables.ts';
import { createdAt, id, instant } from '../database/columns.ts';
import { organizationKind, organizations } from '../organizations/tables.ts';

export const applicationState = pgEnum('organization_application_state', [
  'SUBMITTED',
  'CHANGES_REQUESTED',
  'APPROVED',
  'REJECTED',
  'WITHDRAWN',
]);

/** An institution's application to open its space (§2.1.2), with the order that appoints its administrator. */
export const organizationApplications = pgTable(
  'organization_applications',
  {
    id: id(),
    applicantId: uuid('applicant_id')
      .notNull()
      .references(() => users.id),
    kind: organizationKind('kind').notNull(),
    organizationName: text('organization_name').notNull(),
    address: text('address'),
    orderNumber: text('order_number').notNull(),
    orderDate: date('order_date', { mode: 'string' }).notNull(),
    familyName: text('family_name').notNull(),
    givenName: text('given_name').notNull(),
    patronymic: text('patronymic'),
    phone: text('phone').notNull(),
    email: text('email').notNull(),
    state: applicationState('state').notNull().default('SUBMITTED'),
    reason: text('reason'),
    organizationId: uuid('organization_id').references(() => organizations.id),
    createdAt: createdAt(),
    submittedAt: instant('submitted_at').notNull().defaultNow(),
    decidedAt: instant('decided_at'),
    decidedBy: uuid('decided_by').references(() => users.id),
    idempotencyKey: text('idempotency_key'),
  },
  (t) => [
    unique('organization_applications_idempotency_key').on(t.applicantId, t.idempotencyKey),
    unique('organization_applications_organization_key').on(t.organizationId),
    index('organization_applications_applicant_index').on(t.applicantId, t.id),
    index('organization_applications_state_index').on(t.state, t.id),
    check(
      'organization_applications_approved_check',
      sql`(${t.state} = 'APPROVED') = (${t.organizationId} is not null)`,
    ),
  ],
);

export type Application = typeof organizationApplications.$inferSelect;
