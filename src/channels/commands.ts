import type { Transaction } from '../database/connect.ts';
import type { Organization } from '../organizations/tables.ts';
import { text } from '../texts.ts';
import { channels } from './tables.ts';

/** The two system channels (§2.1.14), made with the organization: for all members, and for confirmed staff. */
export async function createSystemChannels(tx: Transaction, organization: Organization): Promise<void> {
  const { id: organizationId, locale, membersAudienceId, staffAudienceId } = organization;
  await tx.insert(channels).values([
    { organizationId, kind: 'COMMUNITY', name: text(locale, 'CHANNEL_COMMUNITY'), audienceId: membersAudienceId },
    { organizationId, kind: 'STAFF', name: text(locale, 'CHANNEL_STAFF'), audienceId: staffAudienceId },
  ]);
}
