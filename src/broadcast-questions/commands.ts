import { and, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { audit } from '../audit/commands.ts';
import { canRunBroadcast, canSeeBroadcast, canWatch } from '../broadcasts/policy.ts';
import { type Broadcast, broadcastById } from '../broadcasts/queries.ts';
import { broadcasts } from '../broadcasts/tables.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { forget } from '../forgetting/commands.ts';
import type { Limiter } from '../graphql/rates.ts';
import { idempotencyKey, prose, requiredProse, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { visitOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canAsk, canMindQuestion, canSeeQuestion, isShown } from './policy.ts';
import { type Question, questionById } from './queries.ts';
import { type BroadcastQuestionRow, broadcastQuestions } from './tables.ts';

const AskQuestion = z.object({ text: requiredProse(1000), idempotencyKey });

/**
 * Asks the host of a broadcast that is LIVE; where questions are moderated, and the asker does not run it, it waits for approval.
 * `limit` is how often one person may. @throws NotFound, Forbidden, InvalidInput, InvalidState, RateLimited
 */
export async function askBroadcastQuestion(
  db: Database,
  viewer: Viewer,
  broadcastId: string,
  limit: Limiter,
  input: unknown,
): Promise<BroadcastQuestionRow> {
  const wish = valid(AskQuestion, input);
  return visit(db, viewer, broadcastId, async (tx, visited) => {
    const { broadcast, viewer: fresh } = visited;
    const first = wish.idempotencyKey ? await firstByKey(tx, viewer, wish.idempotencyKey) : null;
    if (first) return sameWish(first, broadcastId, wish);
    if (!canWatch(fresh, broadcast)) throw new Forbidden('FORBIDDEN_WATCH');
    if (broadcast.state !== 'LIVE') throw new InvalidState(broadcast.state);
    if (!canAsk(fresh, broadcast)) throw new InvalidInput('broadcastId', 'INVALID_QUESTIONS_OFF');
    const waits = broadcast.questioning === 'MODERATED' && !canRunBroadcast(fresh, broadcast);
    const [question] = await tx
      .insert(broadcastQuestions)
      .values({
        ...wish,
        broadcastId,
        organizationId: broadcast.organizationId,
        authorId: viewer.userId,
        state: waits ? 'PENDING' : 'SHOWN',
      })
      .onConflictDoNothing({ target: [broadcastQuestions.authorId, broadcastQuestions.idempotencyKey] })
      .returning();
    if (!question) {
      const made = await firstByKey(tx, viewer, wish.idempotencyKey ?? '');
      if (!made) throw new Error('insert returned no row');
      return sameWish(made, broadcastId, wish);
    }
    await limit(`${viewer.userId} ${broadcastId}`);
    await tellOf(tx, visited, question, waits ? 'BROADCAST_QUESTION_SUBMITTED' : 'BROADCAST_QUESTION_SHOWN');
    return question;
  });
}

/** @throws InvalidInput when the key was another wish’s */
function sameWish(
  first: BroadcastQuestionRow,
  broadcastId: string,
  { text }: z.output<typeof AskQuestion>,
): BroadcastQuestionRow {
  if (first.broadcastId === broadcastId && (first.state === 'WITHDRAWN' || first.text === text)) return first;
  throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
}

async function firstByKey(tx: Transaction, { userId }: Viewer, key: string): Promise<BroadcastQuestionRow | null> {
  const [first] = await tx
    .select()
    .from(broadcastQuestions)
    .where(and(eq(broadcastQuestions.authorId, userId), eq(broadcastQuestions.idempotencyKey, key)));
  return first ?? null;
}

/** Shows a question to all. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const approveBroadcastQuestion = (
  db: Database,
  viewer: Viewer,
  questionId: string,
): Promise<BroadcastQuestionRow> =>
  mind(db, viewer, questionId, async (tx, visited, before) => {
    if (isShown(before)) return before;
    const question = await set(tx, before, { state: 'SHOWN', ...by(viewer) });
    await tellOf(tx, visited, question, 'BROADCAST_QUESTION_SHOWN');
    await record(tx, viewer, question, 'approve');
    return question;
  });

/** Does not show a question, or no longer. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const rejectBroadcastQuestion = (
  db: Database,
  viewer: Viewer,
  questionId: string,
): Promise<BroadcastQuestionRow> =>
  mind(db, viewer, questionId, async (tx, visited, before) => {
    if (before.state === 'REJECTED') return before;
    const question = await set(tx, before, { state: 'REJECTED', answer: null, ...by(viewer) });
    await tellOf(tx, visited, before, 'BROADCAST_QUESTION_REMOVED');
    await record(tx, viewer, question, 'reject');
    return question;
  });

const Answer = z.object({ answer: prose(2000) });

/** Marks a question as answered: aloud, or in writing, which may be changed by answering anew. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function answerBroadcastQuestion(
  db: Database,
  viewer: Viewer,
  questionId: string,
  input: unknown,
): Promise<BroadcastQuestionRow> {
  const { answer } = valid(Answer, input);
  return mind(db, viewer, questionId, async (tx, visited, before) => {
    if (before.state === 'ANSWERED' && before.answer === answer) return before;
    const question = await set(tx, before, { state: 'ANSWERED', answer, ...by(viewer) });
    await tellOf(tx, visited, question, 'BROADCAST_QUESTION_ANSWERED');
    await record(tx, viewer, question, 'answer');
    return question;
  });
}

/** Takes one's own question back, unless it was answered or rejected. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const withdrawBroadcastQuestion = (
  db: Database,
  viewer: Viewer,
  questionId: string,
): Promise<BroadcastQuestionRow> =>
  change(db, viewer, questionId, async (tx, visited, before) => {
    if (before.authorId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
    if (before.state === 'WITHDRAWN') return before;
    if (before.state !== 'PENDING' && before.state !== 'SHOWN') throw new InvalidState(before.state);
    const { organizationId } = before;
    await forget(tx, viewer.userId, { type: 'BroadcastQuestion', id: questionId, organizationId });
    const question = await set(tx, before, { state: 'WITHDRAWN' });
    await tellOf(tx, visited, before, 'BROADCAST_QUESTION_REMOVED');
    return question;
  });

const by = ({ userId }: Viewer) => ({ decidedBy: userId, decidedAt: sql`now()` });

interface Visited {
  readonly organization: Organization;
  readonly broadcast: Broadcast;
  readonly viewer: Viewer;
}

/** Does something with a broadcast that the viewer sees, while nobody starts or ends it. @throws NotFound, InvalidState */
const visit = <Result>(
  db: Database,
  viewer: Viewer,
  broadcastId: string,
  make: (tx: Transaction, visited: Visited) => Promise<Result>,
): Promise<Result> =>
  transact(db, async (tx) => {
    const [known] = await broadcastById(tx, [broadcastId], () => viewer);
    if (!known) throw new NotFound();
    const { organization, viewer: fresh } = await visitOrganization(tx, viewer, known.organizationId);
    await tx.select({ id: broadcasts.id }).from(broadcasts).where(eq(broadcasts.id, broadcastId)).for('share');
    const [broadcast] = await broadcastById(tx, [broadcastId], () => fresh);
    if (!broadcast || !canSeeBroadcast(fresh, broadcast)) throw new NotFound();
    return make(tx, { organization, broadcast, viewer: fresh });
  });

type Made = (tx: Transaction, visited: Visited, question: Question) => Promise<BroadcastQuestionRow>;

async function change(db: Database, viewer: Viewer, questionId: string, make: Made): Promise<BroadcastQuestionRow> {
  const [known] = await questionById(db, [questionId], () => viewer);
  if (!known) throw new NotFound();
  return visit(db, viewer, known.broadcastId, async (tx, visited) => {
    const held = eq(broadcastQuestions.id, questionId);
    await tx.select({ id: broadcastQuestions.id }).from(broadcastQuestions).where(held).for('update');
    const [question] = await questionById(tx, [questionId], () => visited.viewer);
    if (!question || !canSeeQuestion(visited.viewer, question)) throw new NotFound();
    return make(tx, visited, question);
  });
}

const mind = (db: Database, viewer: Viewer, questionId: string, make: Made): Promise<BroadcastQuestionRow> =>
  change(db, viewer, questionId, (tx, visited, question) => {
    if (!canRunBroadcast(visited.viewer, visited.broadcast)) throw new Forbidden('FORBIDDEN_BROADCAST');
    if (!canMindQuestion(visited.viewer, question)) throw new InvalidState(question.state);
    return make(tx, visited, question);
  });

async function set(
  tx: Transaction,
  { id }: BroadcastQuestionRow,
  changes: Parameters<ReturnType<typeof tx.update<typeof broadcastQuestions>>['set']>[0],
): Promise<BroadcastQuestionRow> {
  const [question] = await tx.update(broadcastQuestions).set(changes).where(eq(broadcastQuestions.id, id)).returning();
  if (!question) throw new NotFound();
  return question;
}

/** What is shown, or was, is told to the channel's readers; else to who runs the broadcast and who asked, as long as they read it. */
async function tellOf(
  tx: Transaction,
  { organization, broadcast: { id: partId, channelId: placeId, hostId, channel } }: Visited,
  question: BroadcastQuestionRow,
  kind: string,
): Promise<void> {
  const { id: subjectId, organizationId, authorId } = question;
  const { administratorsAudienceId } = organization;
  const told = isShown(question)
    ? [channel.audienceId]
    : [administratorsAudienceId, ...(await alone(tx, organization, channel.audienceId, [hostId, authorId]))];
  const payload = { placeId, partId };
  await append(tx, ...told.map((audienceId) => ({ kind, organizationId, audienceId, subjectId, payload })));
}

/** Of the head and some people those readers who are not told with the administrators: each is told once. */
async function alone(
  tx: Transaction,
  { id, administratorsAudienceId }: Organization,
  readersAudienceId: string,
  userIds: readonly string[],
): Promise<string[]> {
  const isIn = (audienceId: string): SQL => sql`exists (
    select from audience_members m where m.audience_id = ${audienceId} and m.user_id = p.id and m.until is null)`;
  const found = await rows<{ id: string }>(
    tx,
    sql`
    select p.id from (
      select unnest(${sql.param([...userIds])}::uuid[]) as id union
      select user_id from active_standings where organization_id = ${id} and position = 'HEAD' and verified
    ) p where ${isIn(readersAudienceId)} and not ${isIn(administratorsAudienceId)}`,
  );
  return found.map((person) => person.id);
}

const record = (
  tx: Transaction,
  { userId }: Viewer,
  { id, organizationId }: BroadcastQuestionRow,
  deed: string,
): Promise<void> =>
  audit(tx, userId, {
    action: `broadcast-question.${deed}`,
    target: { type: 'BroadcastQuestion', id },
    organizationId,
  });
