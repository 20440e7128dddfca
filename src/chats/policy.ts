import type { Viewer } from '../viewer.ts';
import type { Chat } from './tables.ts';

/** Takes part in the chat of the head and the staff (the members of its audience). */
export const canReadChat = (viewer: Viewer, chat: Pick<Chat, 'organizationId' | 'kind'>): boolean =>
  chat.kind === 'HEAD_STAFF' && viewer.isVerifiedStaffOf(chat.organizationId);
