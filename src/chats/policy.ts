import type { Viewer } from '../viewer.ts';
import type { Chat } from './tables.ts';

/** Takes part in the chat of the head and the staff, or of a group's staff and guardians (the members of its audience). */
export function canReadChat(viewer: Viewer, chat: Pick<Chat, 'organizationId' | 'kind' | 'groupId'>): boolean {
  if (chat.kind === 'HEAD_STAFF') return viewer.isVerifiedStaffOf(chat.organizationId);
  const { kind, groupId } = chat;
  return kind === 'GROUP_GUARDIANS' && groupId !== null && (viewer.teaches(groupId) || viewer.hasChildIn(groupId));
}
