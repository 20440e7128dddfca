import {
  canKeepChat,
  canWriteIn,
  isStaffIn,
  type ManagedChat,
  obstacleTo,
  type Presence,
  takesPart,
} from '../chats/policy.ts';
import type { ChatRow } from '../chats/tables.ts';
import { canEditPost, canKeepPost, canTakePart, type PostPlace } from '../posts/policy.ts';
import type { Role, Viewer } from '../viewer.ts';
import type { PollRow } from './tables.ts';

/** Where a poll is, with what whoever asks is to it. */
export type PollPlace =
  | { readonly chat: ManagedChat & Pick<ChatRow, 'state'>; readonly own: Presence }
  | { readonly post: PostPlace };

/** For whom somebody votes: themself, or a child of theirs. */
export interface Elector {
  /** The id of the person, or of the child. */
  readonly elector: string;
  readonly childId: string | null;
  /** Whether this very person has. What another guardian of the child did is not theirs to know (§4.11). */
  readonly hasVoted: boolean;
}

/** Creates a poll in a chat: whoever writes there, but not as a student. */
export const canAskInChat = (
  presence: Presence,
  chat: Pick<ChatRow, 'state'>,
  capacity: Role | undefined = presence.capacities.find((one) => one !== 'STUDENT'),
): boolean =>
  canWriteIn(presence, chat) &&
  capacity !== undefined &&
  capacity !== 'STUDENT' &&
  presence.capacities.includes(capacity);

/** Asks a group's guardians to vote for their children: its staff, as such. */
export const canAskForChildren = (presence: Presence, capacity: Role): boolean =>
  isStaffIn(presence) && capacity === 'EMPLOYEE';

/** Attaches a poll to a post, or takes it off: whoever may edit it, until it is published. */
export const canAttachPoll = (viewer: Viewer, post: PostPlace): boolean =>
  isUnpublished(post) && canEditPost(viewer, post);

export const isUnpublished = ({ state }: Pick<PostPlace, 'state'>): boolean =>
  state === 'DRAFT' || state === 'SUGGESTED' || state === 'APPROVED' || state === 'SCHEDULED';

/** Whether a place is of a group's, or all, families, so that votes can be asked for children there. */
export const isOfFamilies = (place: PollPlace): boolean =>
  'chat' in place ? place.chat.kind === 'GROUP_GUARDIANS' : place.post.channel.kind !== 'STAFF';

/** What keeps somebody who sees a poll from voting in it. */
export type VoteObstacle = 'CLOSED' | 'PLACE_CLOSED' | 'LEFT' | 'UNVERIFIED' | 'NOT_CONCERNED' | 'FINAL';

/** What of the place keeps somebody from voting there; null: nothing does. */
export function obstacleAt(viewer: Viewer, place: PollPlace): 'PLACE_CLOSED' | 'LEFT' | 'UNVERIFIED' | null {
  if ('chat' in place) {
    const obstacle = obstacleTo(place.own, place.chat);
    return obstacle === null || obstacle === 'LEFT' ? obstacle : 'PLACE_CLOSED';
  }
  const { post } = place;
  if (post.state !== 'PUBLISHED' || post.channel.state !== 'ACTIVE') return 'PLACE_CLOSED';
  return canTakePart(viewer, post) ? null : 'UNVERIFIED';
}

type Rules = Pick<PollRow, 'state' | 'anonymous' | 'closesAt'>;

/** What keeps somebody from voting for any of those for whom they could; null: nothing does. */
export function obstacleToVote(
  viewer: Viewer,
  poll: Rules,
  place: PollPlace,
  electors: readonly Elector[],
  now: Date,
): VoteObstacle | null {
  if (isOver(poll, now)) return 'CLOSED';
  const obstacle = obstacleAt(viewer, place);
  if (obstacle) return obstacle;
  if (electors.length === 0) return 'NOT_CONCERNED';
  return electors.every((elector) => isFinal(poll, elector)) ? 'FINAL' : null;
}

/** Past its deadline nobody votes, also before the poll has been closed by it. */
const isOver = ({ state, closesAt }: Rules, now: Date): boolean =>
  state === 'CLOSED' || (closesAt !== null && closesAt <= now);

/** An anonymous vote was written down nowhere, so it can be neither changed nor taken back. */
export const isFinal = ({ anonymous }: Pick<PollRow, 'anonymous'>, { hasVoted }: Elector): boolean =>
  anonymous && hasVoted;

type Counted = Pick<PollRow, 'state' | 'results' | 'anonymous' | 'electorate'> & { readonly voterCount: number };

/** Fewer votes than this say who chose what, and so does each that is seen to come. */
export const anonymityStep = 5;

/** How many have voted, as is shown: of an anonymous poll that is open in steps, so that no vote is seen to come. */
export const shownVoterCount = ({ state, anonymous, voterCount }: Counted): number =>
  anonymous && state === 'OPEN' ? voterCount - (voterCount % anonymityStep) : voterCount;

/**
 * Sees how the votes stand: nobody before, unless the poll shows them to all, or to those who have voted. Of a poll for children nobody
 * until it is closed, for until then a child may have several votes; of an anonymous one nobody while there are fewer than five.
 */
export function canSeeResults(poll: Counted, electors: readonly Pick<Elector, 'hasVoted'>[]): boolean {
  if (poll.anonymous && poll.voterCount < anonymityStep) return false;
  if (poll.state === 'CLOSED') return true;
  if (poll.electorate === 'CHILD') return false;
  return poll.results === 'ALWAYS' || (poll.results === 'AFTER_VOTE' && electors.some(({ hasVoted }) => hasVoted));
}

/** Whether all who see a poll see how many have voted: while one for children is open it could tell families of each other (§4.11). */
export const tellsVoterCount = ({ electorate, state }: Pick<Counted, 'electorate' | 'state'>): boolean =>
  electorate === 'PERSON' || state === 'CLOSED';

/**
 * Sees who chose what: of a poll that is not anonymous, with the results, the staff who take part. Families see how many: who is missing
 * among the names would be a guardian who is hidden from them (§4.11). Between two both do.
 */
export const canSeeVoters = (
  viewer: Viewer,
  poll: Counted,
  place: PollPlace,
  electors: readonly Pick<Elector, 'hasVoted'>[],
): boolean =>
  !poll.anonymous &&
  obstacleAt(viewer, place) !== 'LEFT' &&
  isAmongStaff(viewer, place) &&
  canSeeResults(poll, electors);

function isAmongStaff(viewer: Viewer, place: PollPlace): boolean {
  if ('chat' in place) return place.chat.kind === 'DIRECT' || isStaffIn(place.own);
  const { organizationId } = place.post.channel;
  return viewer.isVerifiedStaffOf(organizationId) || viewer.leads(organizationId);
}

/** Closes a poll: its creator, and whoever answers for what is said in its place; between two each only their own. */
export const canClosePoll = (viewer: Viewer, { creatorId }: Pick<PollRow, 'creatorId'>, place: PollPlace): boolean =>
  'chat' in place
    ? takesPart(place.own) &&
      (creatorId === viewer.userId || (place.chat.kind !== 'DIRECT' && canKeepChat(viewer, place.chat, place.own)))
    : creatorId === viewer.userId || canKeepPost(viewer, place.post);
