import { eq } from 'drizzle-orm';
import { createAudience } from '../audiences/commands.ts';
import type { Transaction } from '../database/connect.ts';
import type { GroupRow } from '../groups/tables.ts';
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

/** The chat of a group's staff and guardians (§2.2.6b), made with the group. */
export async function createGroupChat(tx: Transaction, group: GroupRow): Promise<void> {
  await tx.insert(chats).values({
    organizationId: group.organizationId,
    kind: 'GROUP_GUARDIANS',
    groupId: group.id,
    name: group.name,
    audienceId: await createAudience(tx, group.organizationId, 'GROUP_GUARDIANS', group.id),
  });
}

/** A group's chat follows it: its name, and whether one may still write there. */
export async function updateGroupChat(tx: Transaction, { id, name, state }: GroupRow): Promise<void> {
  await tx
    .update(chats)
    .set({ name, state: state === 'ACTIVE' ? 'ACTIVE' : 'READ_ONLY' })
    .where(eq(chats.groupId, id));
}
