import type { Viewer } from '../viewer.ts';
import type { Chat } from './tables.ts';

/** Takes part in the chat of the head and the staff (the members of its audience). */
export const canReadChat = (viewer: Viewer, chat: Pick<Chat, 'organizationId'>): boolean =>
  viewer.isVerifiedStaffOf(chat.organizationId);
