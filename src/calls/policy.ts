import { isStaffIn, obstacleTo, type Presence, takesPart } from '../chats/policy.ts';
import type { ChatRow } from '../chats/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { CallRow } from './tables.ts';

/** A chat as rules about its calls ask. */
type CalledChat = Pick<ChatRow, 'kind' | 'state'>;

/**
 * What keeps somebody who reads a chat from calling those in it; null: nothing does. Between two both call; several are called by
 * the staff (§3).
 */
export function obstacleToCalling(
  presence: Presence,
  chat: CalledChat,
): NonNullable<ReturnType<typeof obstacleTo>> | 'NOT_STAFF' | null {
  return obstacleTo(presence, chat) ?? (chat.kind === 'DIRECT' || isStaffIn(presence) ? null : 'NOT_STAFF');
}

/** Takes part in a call that goes on: whoever takes part in the chat. */
export const canAnswer = (presence: Presence): boolean => takesPart(presence);

/** Ends a call for everybody: who called, and the staff of the chat; between two, both. */
export const canEndCall = (
  viewer: Viewer,
  presence: Presence,
  chat: Pick<ChatRow, 'kind'>,
  { callerId }: Pick<CallRow, 'callerId'>,
): boolean => takesPart(presence) && (callerId === viewer.userId || chat.kind === 'DIRECT' || isStaffIn(presence));

/** Goes on: it rings, or people talk. */
export const isOpen = ({ state }: Pick<CallRow, 'state'>): boolean => state === 'RINGING' || state === 'ACTIVE';

/** What somebody has done about a call. */
export interface OwnPart {
  /** Whether they took part in the chat when it began. */
  readonly wasCalled: boolean;
  readonly hasAnswered: boolean;
  readonly hasDeclined: boolean;
  readonly isThere: boolean;
  /** Whether they took part in the chat until it was over, or do while it goes on. */
  readonly hasStayed: boolean;
}

/** Is to hear it ring: who was called, is still there and has not reacted, unless the chat is muted or they are not to be disturbed. */
export const rings = (
  viewer: Pick<Viewer, 'userId'>,
  call: Pick<CallRow, 'state' | 'callerId' | 'ringsUntil'>,
  part: OwnPart,
  { isMuted, isQuiet, now }: { readonly isMuted: boolean; readonly isQuiet: boolean; readonly now: Date },
): boolean =>
  isOpen(call) &&
  call.ringsUntil > now &&
  call.callerId !== viewer.userId &&
  part.wasCalled &&
  part.hasStayed &&
  !part.hasAnswered &&
  !part.hasDeclined &&
  !isMuted &&
  !isQuiet;

/** Sees who takes part in a call: who is of the chat, or was when it was over. Who went before learns no more of it. */
export const canSeeParticipants = ({ hasStayed }: Pick<OwnPart, 'hasStayed'>): boolean => hasStayed;

/** Has missed it: who was called and did nothing until it was over. */
export const hasMissed = (
  viewer: Pick<Viewer, 'userId'>,
  call: Pick<CallRow, 'state' | 'callerId'>,
  part: OwnPart,
): boolean =>
  !isOpen(call) && call.callerId !== viewer.userId && part.wasCalled && !part.hasAnswered && !part.hasDeclined;
