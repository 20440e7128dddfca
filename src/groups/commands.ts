import type { Transaction } from '../database/connect.ts';
import type { Organization } from '../organizations/tables.ts';
import { text } from '../texts.ts';
import { type GroupRow, groups } from './tables.ts';

/** The group «Staff» (§2.1.5), made with the organization; its people are the employees. */
export async function createStaffGroup(tx: Transaction, organization: Organization): Promise<GroupRow> {
  const [group] = await tx
    .insert(groups)
    .values({
      organizationId: organization.id,
      kind: 'STAFF',
      name: text(organization.locale, 'GROUP_STAFF'),
      audienceId: organization.employeesAudienceId,
      staffAudienceId: organization.staffAudienceId,
    })
    .returning();
  if (!group) throw new Error('insert returned no row');
  return group;
}
