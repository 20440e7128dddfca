import { eq } from 'drizzle-orm';
import { createAudience } from '../audiences/commands.ts';
import { audiencesMeeting } from '../audiences/queries.ts';
import type { Transaction } from '../database/connect.ts';
import { NotFound } from '../errors.ts';
import type { GroupRow } from '../groups/tables.ts';
import { append } from '../log/append.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { text } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { type Chat, chatWithin, type Own } from './queries.ts';
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
export async function updateGroupChat(tx: Transaction, before: GroupRow, { id, name, state }: GroupRow): Promise<void> {
  const [chat] = await tx
    .update(chats)
    .set({ name, state: state === 'ACTIVE' ? 'ACTIVE' : 'READ_ONLY' })
    .where(eq(chats.groupId, id))
    .returning();
  if (chat && state !== before.state) await tellChat(tx, chat, 'CHAT_UPDATED');
}

/** A chat as somebody who does something in it finds it, and who they are, as of now. */
export interface Visit {
  readonly organization: Organization;
  readonly chat: Chat;
  readonly own: Own;
  readonly viewer: Viewer;
}

/**
 * The beginning of a command in a chat: while it runs, nobody's rights change; with the lock `no key update` nobody else
 * arranges chats. @throws NotFound, InvalidState
 */
export async function visitChat(
  tx: Transaction,
  viewer: Viewer,
  chatId: string,
  lock: 'share' | 'no key update' = 'share',
): Promise<Visit> {
  const [known] = await tx.select({ organizationId: chats.organizationId }).from(chats).where(eq(chats.id, chatId));
  if (!known) throw new NotFound();
  const { organization, viewer: fresh } = await enterOrganization(
    tx,
    viewer,
    known.organizationId,
    lock === 'share' ? 'share' : undefined,
  );
  const chat = await chatWithin(tx, fresh, chatId);
  if (!chat) throw new NotFound();
  return { organization, chat, own: chat.own, viewer: fresh };
}

/**
 * Tells those in a chat who meet one of the people who did something there: all of them, unless these are hidden from others. Told
 * that something happened that they are not shown, others would know who did it (§4.11).
 */
export async function tellThoseWhoMeet(
  tx: Transaction,
  chat: Pick<Chat, 'id' | 'organizationId' | 'audienceId'>,
  userIds: readonly string[],
  kind: string,
  subjectId = chat.id,
): Promise<void> {
  for (const audienceId of await audiencesMeeting(tx, chat, userIds))
    await tellChat(tx, { ...chat, audienceId }, kind, subjectId);
}

/** Tells all who take part in a chat. */
export const tellChat = (
  tx: Transaction,
  { id, organizationId, audienceId }: Pick<Chat, 'id' | 'organizationId' | 'audienceId'>,
  kind: string,
  subjectId = id,
): Promise<void> => append(tx, { kind, organizationId, audienceId, subjectId, payload: { placeId: id } });
