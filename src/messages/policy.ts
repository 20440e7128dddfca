import { canSeePerson, type Met } from '../audiences/policy.ts';
import { canReadAt, canWriteIn, type ManagedChat, type Presence } from '../chats/policy.ts';
import type { ChatRow } from '../chats/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { MessageRow } from './tables.ts';

/** How long one may change what one has said. */
export const editHours = 24;

/** A message as rules ask about it; its author's `limitedIn` counts where they speak as a guardian. */
export type MessagePlace = Pick<MessageRow, 'number' | 'authorId' | 'state' | 'capacity' | 'sentAt'> &
  Omit<Met, 'userId'>;

const isAuthor = (viewer: Viewer, { authorId }: Pick<MessageRow, 'authorId'>): boolean => authorId === viewer.userId;

/** Sees a message: what was said while one took part; what is still to be sent, or never was, its author alone. */
export const canSeeMessage = (viewer: Viewer, message: MessagePlace, presence: Presence): boolean =>
  message.number === null ? isAuthor(viewer, message) : canReadAt(presence, message.number);

/** Sees who said something. */
export const canSeeAuthor = (viewer: Viewer, message: MessagePlace): boolean =>
  canSeePerson(viewer, { ...message, userId: message.authorId });

/** Changes what one has said, within a day, while one could still say it. */
export const canEditMessage = (
  viewer: Viewer,
  message: MessagePlace,
  presence: Presence,
  chat: Pick<ChatRow, 'state'>,
  now: Date,
): boolean =>
  isAuthor(viewer, message) && message.state === 'SENT' && canWriteIn(presence, chat) && !isTooOld(message, now);

export const isTooOld = ({ sentAt }: Pick<MessageRow, 'sentAt'>, now: Date): boolean =>
  sentAt !== null && now.getTime() - sentAt.getTime() > editHours * 3_600_000;

/**
 * Deletes a message: one's own while one takes part; those who answer for a chat also what families said in it. Of a CUSTOM
 * chat those who manage it whatever was said there; between two each only their own.
 */
export const canDeleteMessage = (
  viewer: Viewer,
  message: MessagePlace,
  presence: Presence,
  chat: ManagedChat,
  keeps: boolean,
): boolean =>
  presence.capacities.length > 0 &&
  (isAuthor(viewer, message) ||
    (chat.kind !== 'DIRECT' && keeps && (chat.kind === 'CUSTOM' || message.capacity !== 'EMPLOYEE')));

/** Sees what became of a message, its earlier words and who took note of it: its author, and the staff of the chat. */
export const canOversee = (viewer: Viewer, message: MessagePlace, presence: Presence): boolean =>
  isAuthor(viewer, message) || presence.capacities.includes('EMPLOYEE');

/** How often people reacted in one way. */
interface ReactionCount {
  readonly emoji: string;
  readonly count: number;
}

/** How people reacted to a message. */
export interface Reacted {
  readonly organizationId: string;
  readonly reactionCounts: readonly ReactionCount[];
  /** Those of them by people whom not everybody meets, each with what decides who does. */
  readonly hiddenReactions: readonly (Omit<Met, 'organizationId'> & { readonly emoji: string })[];
}

/** How often those whom somebody meets reacted to a message in which way, the most frequent first. */
export function reactionsMet(
  { reactionCounts, hiddenReactions, organizationId }: Reacted,
  meets: (person: Met) => boolean,
): readonly ReactionCount[] {
  const hidden = hiddenReactions.filter((reaction) => !meets({ ...reaction, organizationId }));
  if (hidden.length === 0) return reactionCounts;
  const without = Map.groupBy(hidden, ({ emoji }) => emoji);
  return reactionCounts
    .map(({ emoji, count }) => ({ emoji, count: count - (without.get(emoji)?.length ?? 0) }))
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => other.count - one.count || (one.emoji < other.emoji ? -1 : 1));
}
