import { and, eq } from 'drizzle-orm';
import type { Transaction } from '../database/connect.ts';
import type { GroupRow } from '../groups/tables.ts';
import type { Organization } from '../organizations/tables.ts';
import { text } from '../texts.ts';
import { channels } from './tables.ts';

/** The two system channels (§2.1.14), made with the organization: for all members, and for confirmed staff. */
export async function createSystemChannels(tx: Transaction, organization: Organization): Promise<void> {
  const { id: organizationId, locale, membersAudienceId, staffAudienceId, administratorsAudienceId } = organization;
  const common = { organizationId, isSystem: true, publishersAudienceId: administratorsAudienceId };
  await tx.insert(channels).values([
    { ...common, kind: 'COMMUNITY', name: text(locale, 'CHANNEL_COMMUNITY'), audienceId: membersAudienceId },
    { ...common, kind: 'STAFF', name: text(locale, 'CHANNEL_STAFF'), audienceId: staffAudienceId },
  ]);
}

/** The channel of a group, made with it: for everybody in it and whoever leads. */
export async function createGroupChannel(tx: Transaction, group: GroupRow): Promise<void> {
  const { id: groupId, organizationId, name, audienceId, staffAudienceId: publishersAudienceId } = group;
  await tx
    .insert(channels)
    .values({ organizationId, kind: 'GROUP', groupId, isSystem: true, name, audienceId, publishersAudienceId });
}

/** A group's channels follow it: the own one its name, all of them whether anything is still told there. */
export async function updateGroupChannels(tx: Transaction, { id, name, archivedAt }: GroupRow): Promise<void> {
  const own = and(eq(channels.groupId, id), eq(channels.isSystem, true));
  await tx.update(channels).set({ name }).where(own);
  const state = archivedAt ? 'ARCHIVED' : 'ACTIVE';
  // Further ones that were put away before stay so when the group comes back.
  await tx
    .update(channels)
    .set({ state, archivedAt })
    .where(archivedAt ? eq(channels.groupId, id) : own);
}
