import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import { byId, listsOf } from '../graphql/batches.ts';
import type { Viewer } from '../viewer.ts';
import type { QuestionPlace } from './policy.ts';
import { type BroadcastQuestionRow, broadcastQuestions } from './tables.ts';

/** What the rules about a question ask for, read with each. */
const place = {
  broadcast: sql<QuestionPlace['broadcast']>`(
    select json_build_object('hostId', b.host_id, 'channel',
      json_build_object('organizationId', h.organization_id, 'kind', h.kind, 'groupId', h.group_id, 'state', h.state))
    from broadcasts b join channels h on h.id = b.channel_id where b.id = ${broadcastQuestions}.broadcast_id)`.as(
    'broadcast',
  ),
  limitedIn: sql<(string | null)[]>`array(
    select h.group_id from hidden_people h
    where h.user_id = ${broadcastQuestions}.author_id and h.organization_id = ${broadcastQuestions}.organization_id)`.as(
    'limited_in',
  ),
};

export type Question = BroadcastQuestionRow & QuestionPlace;

/** Questions by their ids, whoever asks. */
export const questionById = byId(broadcastQuestions, place);

export interface QuestionFilter {
  readonly state: BroadcastQuestionRow['state'] | null;
  /** Whether the viewer runs the broadcast. */
  readonly runs: boolean;
}

/** `canSeeQuestion`, for the questions of a broadcast that the viewer sees. */
const narrowed = ({ state, runs }: QuestionFilter, { userId }: Viewer): SQL | undefined =>
  and(
    state ? eq(broadcastQuestions.state, state) : undefined,
    runs
      ? undefined
      : or(inArray(broadcastQuestions.state, ['SHOWN', 'ANSWERED']), eq(broadcastQuestions.authorId, userId)),
  );

export const questionsOf = listsOf(broadcastQuestions, broadcastQuestions.broadcastId, narrowed, place);
