import { canSeePerson } from '../audiences/policy.ts';
import { type BroadcastPlace, canRunBroadcast, canSeeBroadcast, canWatch } from '../broadcasts/policy.ts';
import type { BroadcastRow } from '../broadcasts/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { BroadcastQuestionRow } from './tables.ts';

/** A question as rules ask about it: with its broadcast, and the groups where its author is somebody's LIMITED guardian. */
export type QuestionPlace = Pick<BroadcastQuestionRow, 'state' | 'authorId' | 'organizationId'> & {
  readonly broadcast: Pick<BroadcastPlace, 'hostId' | 'channel'>;
  readonly limitedIn: readonly (string | null)[];
};

const isAuthor = (viewer: Viewer, { authorId }: Pick<QuestionPlace, 'authorId'>): boolean => authorId === viewer.userId;

/** Is shown to all. */
export const isShown = ({ state }: Pick<QuestionPlace, 'state'>): boolean => state === 'SHOWN' || state === 'ANSWERED';

/** Sees a question: who sees the broadcast what is shown, its author and whoever runs the broadcast all. */
export const canSeeQuestion = (viewer: Viewer, question: QuestionPlace): boolean =>
  canSeeBroadcast(viewer, question.broadcast) &&
  (isShown(question) || isAuthor(viewer, question) || canRunBroadcast(viewer, question.broadcast));

/** Sees who asked. */
export const canSeeAsker = (viewer: Viewer, question: QuestionPlace): boolean =>
  canSeePerson(viewer, { ...question, userId: question.authorId });

/** Asks the host: who may watch, while it goes on and questions are taken. */
export const canAsk = (viewer: Viewer, broadcast: BroadcastPlace & Pick<BroadcastRow, 'questioning'>): boolean =>
  canWatch(viewer, broadcast) && broadcast.state === 'LIVE' && broadcast.questioning !== 'OFF';

/** Takes one's own question back, until it is decided otherwise. */
export const canWithdrawQuestion = (viewer: Viewer, question: QuestionPlace): boolean =>
  isAuthor(viewer, question) && (question.state === 'PENDING' || question.state === 'SHOWN');

/** Shows questions, answers and rejects them: who runs the broadcast. */
export const canMindQuestion = (viewer: Viewer, question: QuestionPlace): boolean =>
  question.state !== 'WITHDRAWN' && canRunBroadcast(viewer, question.broadcast);
