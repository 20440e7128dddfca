import { and, eq, inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { DomainError, Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { valid } from '../input.ts';
import { append } from '../log/append.ts';
import { type HeldPoll, tellPlace, withPoll } from '../polls/commands.ts';
import { anonymityStep, isFinal, obstacleAt } from '../polls/policy.ts';
import { electorsIn, type OwnElector } from '../polls/queries.ts';
import { pollOptions, pollVoters, pollVotes } from '../polls/tables.ts';
import type { Viewer } from '../viewer.ts';

/** An anonymous vote was cast: nobody knows which one it is, so it stays. */
export class VoteIsFinal extends DomainError {
  readonly code = 'VOTE_IS_FINAL';
  constructor() {
    super('VOTE_IS_FINAL');
  }
}

const childIds = z
  .array(z.string())
  .max(50)
  .nullish()
  .transform((ids) => (ids ? [...new Set(ids)] : null));

const Vote = z.object({
  positions: z
    .array(z.int())
    .min(1)
    .max(12)
    .transform((positions) => [...new Set(positions)].toSorted((one, other) => one - other)),
  childIds,
});

/**
 * Votes; in a poll for children for those named, else for all of the viewer's own for whom they have not voted yet, else for all of them.
 * Where it is written down who chose what, the vote takes the place of the former one. @throws NotFound, Forbidden, InvalidInput,
 * InvalidState, VoteIsFinal
 */
export const vote = async (db: Database, viewer: Viewer, pollId: string, input: unknown): Promise<string> => {
  const { positions, childIds: named } = valid(Vote, input);
  return withPoll(db, viewer, pollId, 'share', async (tx, held) => {
    const { poll } = held;
    const all = await electorsOf(tx, held, named);
    const waiting = all.filter(({ hasVoted }) => !hasVoted);
    const electors = named || waiting.length === 0 ? all : waiting;
    if (!poll.multiple && positions.length > 1) throw new InvalidInput('positions', 'INVALID_POLL_ONE');
    const [{ size } = { size: 0 }] = await rows<{ size: number }>(
      tx,
      sql`select count(*)::int as size from poll_options where poll_id = ${pollId} and position = any(${sql.param(positions)}::int[])`,
    );
    if (size < positions.length) throw new InvalidInput('positions', 'INVALID_POLL_OPTION');
    if (electors.some((elector) => isFinal(poll, elector))) throw new VoteIsFinal();
    const changed = poll.anonymous
      ? await drop(tx, held, electors, positions)
      : await write(tx, held, electors, positions);
    if (changed) await tell(tx, held);
    return pollId;
  });
};

/** Takes votes back, as `vote` gives them. Repeating it changes nothing. @throws as `vote` */
export const retractVote = (db: Database, viewer: Viewer, pollId: string, input: unknown): Promise<string> => {
  const { childIds: named } = valid(z.object({ childIds }), input);
  return withPoll(db, viewer, pollId, 'share', async (tx, held) => {
    const wanted = idsOf(await electorsOf(tx, held, named));
    if (held.poll.anonymous) throw new VoteIsFinal();
    const { elector } = pollVoters;
    const amongThem = (ids: string[]) =>
      and(eq(pollVoters.pollId, pollId), inArray(elector, ids), eq(pollVoters.userId, viewer.userId));
    const cast = await tx.select({ elector }).from(pollVoters).where(amongThem(wanted)).orderBy(elector).for('update');
    if (cast.length === 0) return pollId;
    const electors = cast.map((voter) => voter.elector);
    await replace(tx, held, electors, []);
    await tx.delete(pollVoters).where(amongThem(electors));
    await tell(tx, held);
    return pollId;
  });
};

/** For whom of those that they name, or of all their own, the viewer may vote now. */
async function electorsOf(
  tx: Transaction,
  { poll, isDue, place, viewer }: HeldPoll,
  named: readonly string[] | null,
): Promise<readonly OwnElector[]> {
  if (poll.state === 'CLOSED' || isDue) throw new InvalidState('CLOSED');
  const obstacle = obstacleAt(viewer, place);
  if (obstacle === 'LEFT') throw new Forbidden('FORBIDDEN_LEFT_CHAT');
  if (obstacle === 'UNVERIFIED') throw new Forbidden('FORBIDDEN_UNVERIFIED');
  if (obstacle) throw new InvalidState('chat' in place ? place.chat.state : stateOf(place.post));
  if (poll.electorate === 'PERSON' && named) throw new InvalidInput('childIds', 'INVALID_POLL_PERSON');
  const [own = []] = await electorsIn(tx, [poll.id], () => viewer);
  if (own.length === 0) throw new Forbidden('FORBIDDEN_POLL_GUARDIANS');
  const electors = named ? own.filter(({ elector }) => named.includes(elector)) : own;
  if (electors.length === 0 || electors.length < (named?.length ?? 0))
    throw new InvalidInput('childIds', 'INVALID_POLL_CHILD');
  return electors;
}

/** Why nobody votes in a post: for itself, or for its channel. */
const stateOf = ({
  state,
  channel,
}: {
  readonly state: string;
  readonly channel: { readonly state: string };
}): string => (state === 'PUBLISHED' ? channel.state : state);

const idsOf = (electors: readonly OwnElector[]): string[] => electors.map(({ elector }) => elector);

const votersFor = ({ poll, viewer }: HeldPoll, electors: readonly OwnElector[]) =>
  electors.map(({ elector, childId }) => ({ pollId: poll.id, elector, childId, userId: viewer.userId }));

/** An anonymous vote: that it was cast is written down, and the answers are counted. The two are tied by nothing. */
async function drop(
  tx: Transaction,
  held: HeldPoll,
  electors: readonly OwnElector[],
  positions: readonly number[],
): Promise<true> {
  const cast = await tx.insert(pollVoters).values(votersFor(held, electors)).onConflictDoNothing().returning();
  if (cast.length < electors.length) throw new VoteIsFinal();
  const { id } = held.poll;
  await lockOptions(tx, id);
  // A child for whom another guardian has voted counts by that vote: which one it was nobody knows.
  const [{ all, before } = { all: 0, before: 0 }] = await rows<{ all: number; before: number }>(
    tx,
    sql`
    select count(distinct elector)::int as all, count(distinct elector) filter (where earlier)::int as before
    from (
      select elector, not (elector = any(${sql.param(idsOf(electors))}::uuid[]) and user_id = ${held.viewer.userId}) as earlier
      from poll_voters where poll_id = ${id}) v`,
  );
  const isStep = Math.floor(all / anonymityStep) > Math.floor(before / anonymityStep);
  const chosen = sql`case when position = any(${sql.param(positions)}::int[]) then ${all - before}::int else 0 end`;
  // Every answer's row is written anew, the chosen and the others: else the version of a row would name its last voter's transaction.
  await tx.execute(sql`
    update poll_options set vote_count = vote_count + ${chosen},
      shown_count = case when ${isStep} then vote_count + ${chosen} else shown_count end
    where poll_id = ${id}`);
  return true;
}

/** A vote that is written down. @returns whether it differs from the former */
async function write(
  tx: Transaction,
  held: HeldPoll,
  electors: readonly OwnElector[],
  positions: readonly number[],
): Promise<boolean> {
  await tx
    .insert(pollVoters)
    .values(votersFor(held, electors))
    .onConflictDoUpdate({
      target: [pollVoters.pollId, pollVoters.elector, pollVoters.userId],
      set: { userId: sql`excluded.user_id` },
    });
  return replace(tx, held, idsOf(electors), positions);
}

/** Makes what some have chosen what is given, and the counts right. Their rows of `poll_voters` are locked. */
async function replace(
  tx: Transaction,
  { poll: { id: pollId }, viewer: { userId } }: HeldPoll,
  electors: readonly string[],
  positions: readonly number[],
): Promise<boolean> {
  await lockOptions(tx, pollId);
  const chosen = sql`${sql.param(positions)}::int[]`;
  const changed = await rows(
    tx,
    sql`
    with gone as (
      delete from ${pollVotes} v
      where v.poll_id = ${pollId} and v.elector = any(${sql.param(electors)}::uuid[]) and v.user_id = ${userId}
        and v.position <> all(${chosen})
      returning v.position
    ),
    come as (
      insert into ${pollVotes} (poll_id, elector, user_id, position)
      select ${pollId}::uuid, e, ${userId}::uuid, p from unnest(${sql.param(electors)}::uuid[]) e, unnest(${chosen}) p
      on conflict do nothing
      returning position
    ),
    moved as (
      select position, sum(step) as steps
      from (select position, 1 as step from come union all select position, -1 from gone) m group by position
    )
    update ${pollOptions} o set vote_count = o.vote_count + moved.steps
    from moved where o.poll_id = ${pollId} and o.position = moved.position
    returning o.position`,
  );
  return changed.length > 0;
}

/** Those who vote at once count one after the other; all take the answers in one order, so that none wait for each other. */
const lockOptions = (tx: Transaction, pollId: string) =>
  tx
    .select({ position: pollOptions.position })
    .from(pollOptions)
    .where(eq(pollOptions.pollId, pollId))
    .orderBy(pollOptions.position)
    .for('update');

/** All who see it, if they see how the votes stand and a chat is no larger than that; else the voter's own devices. Who voted is not told. */
async function tell(tx: Transaction, { poll, place, placeId, viewer }: HeldPoll): Promise<void> {
  if ('chat' in place && !poll.anonymous && poll.electorate === 'PERSON' && poll.results === 'ALWAYS')
    return tellPlace(tx, poll, 'POLL_VOTED');
  const { id: subjectId, organizationId } = poll;
  await append(tx, { kind: 'POLL_VOTED', organizationId, subjectId, audienceId: viewer.userId, payload: { placeId } });
}
