import type { Role, Viewer } from '../viewer.ts';
import type { ChatRow } from './tables.ts';

/** Messages of a chat: those behind one number, up to another; null: and all that come. */
export interface Stretch {
  readonly after: number;
  readonly through: number | null;
}

/** What somebody is to a chat: as what they take part now, and what they may read of it. */
export interface Presence {
  /** Empty: they take part no longer. */
  readonly capacities: readonly Role[];
  readonly stretches: readonly Stretch[];
}

/** Takes part in a chat, or did: what was said while one was there stays readable (§4.6). */
export const canReadChat = ({ stretches }: Presence): boolean => stretches.length > 0;

export const takesPart = ({ capacities }: Presence): boolean => capacities.length > 0;

/** Takes part as one of the staff, who answer for what happens in a chat. */
export const isStaffIn = ({ capacities }: Presence): boolean => capacities.includes('EMPLOYEE');

/** Reads what was said at a place of the chat. */
export const canReadAt = ({ stretches }: Presence, number: number): boolean =>
  stretches.some(({ after, through }) => after < number && (through === null || number <= through));

/** What keeps somebody who reads a chat from writing in it; null: nothing does. */
export function obstacleTo(
  presence: Presence,
  { state }: Pick<ChatRow, 'state'>,
): 'READ_ONLY' | 'ARCHIVED' | 'LEFT' | null {
  if (!takesPart(presence)) return 'LEFT';
  return state === 'ACTIVE' ? null : state;
}

/** Writes in a chat, and reacts and votes there (§3). */
export const canWriteIn = (presence: Presence, chat: Pick<ChatRow, 'state'>): boolean =>
  obstacleTo(presence, chat) === null;

/** A chat as rules about its management ask: `isOrphaned` when who made it is not of its staff any more. */
export type ManagedChat = Pick<ChatRow, 'organizationId' | 'kind' | 'creatorId'> & { readonly isOrphaned: boolean };

/**
 * Names a CUSTOM chat, puts people into it and takes them out, closes it: whoever made it, and who leads where they take part;
 * when who made it is gone, any of its staff. The institution's own chats follow their causes.
 */
export const canManageChat = (viewer: Viewer, chat: ManagedChat, presence: Presence): boolean =>
  chat.kind === 'CUSTOM' &&
  isStaffIn(presence) &&
  (chat.creatorId === viewer.userId || viewer.leads(chat.organizationId) || chat.isOrphaned);

/** Pins messages and takes back those of families: the staff of a chat; between two, both may pin. */
export const canKeepChat = (viewer: Viewer, chat: ManagedChat, presence: Presence): boolean =>
  takesPart(presence) &&
  (chat.kind === 'DIRECT' || (chat.kind === 'CUSTOM' ? canManageChat(viewer, chat, presence) : isStaffIn(presence)));

/** Gives messages a weight, and asks that note be taken of them: the staff of a chat. */
export const canStress = (presence: Presence): boolean => isStaffIn(presence);

/** Disturbs people also at night: administrators and the head, as such. */
export const canDisturb = (
  viewer: Viewer,
  { organizationId }: Pick<ChatRow, 'organizationId'>,
  presence: Presence,
): boolean => isStaffIn(presence) && viewer.leads(organizationId);
