import type { Transaction } from '../database/connect.ts';
import type { Organization } from '../organizations/tables.ts';
import { text } from '../texts.ts';
import { chats } from './tables.ts';

/** The chat of the head and the confirmed staff (§2.2.6a), made with the organization. */
export async function createHeadStaffChat(tx: Transaction, organization: Organization): Promise<void> {
  await tx.insert(chats).values({
    organizationId: organization.id,
    kind: 'HEAD_STAFF',
    name: text(organization.locale, 'CHAT_HEAD_STAFF'),
    audienceId: organization.verifiedStaffAudienceId,
  });
}
