import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { settleAudiences } from '../audiences/commands.ts';
import { enterChild, findGroup, recordChildren } from '../children/commands.ts';
import { canArrangeChildren } from '../children/policy.ts';
import { familiesOf } from '../children/queries.ts';
import { type Child, children, enrollments } from '../children/tables.ts';
import { inserts } from '../database/chunks.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { beginFamilies, endFamilies } from '../guardians/commands.ts';
import { valid } from '../input.ts';
import { transact } from '../log/append.ts';
import {
  type Decision,
  decided,
  decision,
  isToCome,
  type Move,
  planMovement,
  recordMovements,
} from '../movements/commands.ts';
import type { Movement, PlannedMovement } from '../movements/tables.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';

const ends = { TRANSFERRED: 'TRANSFERRED', GRADUATED: 'GRADUATED', WITHDRAWN: 'WITHDRAWN' } as const;

/** How a child's place may change. */
export type ChildMovement = 'ENROLLED' | keyof typeof ends;

/** What became of a decision: made at once, kept for its day, or neither, since it was so already. */
export interface MovedChild {
  readonly child: Child;
  readonly movement: Movement | null;
  readonly plannedMovement: PlannedMovement | null;
}

const Leave = z.object({ childId: z.string(), ...decision });
const Place = Leave.extend({ groupId: z.string() });

/** Gives a child a place in a group (§2.1.12). @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const enrollChild = (db: Database, viewer: Viewer, input: unknown) =>
  decide(db, viewer, 'ENROLLED', valid(Place, input));

/** Moves a child into another group; its family follows. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const transferChild = (db: Database, viewer: Viewer, input: unknown) =>
  decide(db, viewer, 'TRANSFERRED', valid(Place, input));

/** The child has finished here. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const graduateChild = (db: Database, viewer: Viewer, input: unknown) =>
  decide(db, viewer, 'GRADUATED', { ...valid(Leave, input), groupId: null });

/** The child leaves before it has finished. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const withdrawChild = (db: Database, viewer: Viewer, input: unknown) =>
  decide(db, viewer, 'WITHDRAWN', { ...valid(Leave, input), groupId: null });

async function decide(
  db: Database,
  viewer: Viewer,
  kind: ChildMovement,
  wish: z.output<typeof Leave> & { readonly groupId: string | null },
): Promise<MovedChild> {
  return transact(db, async (tx) => {
    const { organization, child, viewer: fresh } = await enterChild(tx, viewer, wish.childId);
    if (!canArrangeChildren(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (wish.groupId) await findGroup(tx, fresh, organization.id, wish.groupId, 'groupId');
    const change = { kind, childId: child.id, toGroupId: wish.groupId, ...decided(organization, viewer.userId, wish) };
    if (isToCome(organization, change)) {
      const plannedMovement = await planMovement(tx, organization, asMove(change, child.groupId));
      return { child, movement: null, plannedMovement };
    }
    if (isSo(change, child)) return { child, movement: null, plannedMovement: null };
    demandPossible(change, child);
    const [movement] = await moveChildren(tx, organization, [change]);
    return { child: { ...child, groupId: wish.groupId }, movement: movement ?? null, plannedMovement: null };
  });
}

/** A child, and the place it gets; null: none here any more. */
export interface ChildMove extends Decision {
  readonly kind: ChildMovement;
  readonly childId: string;
  readonly toGroupId: string | null;
}

const asMove = (
  { kind, childId, toGroupId, effectiveOn, orderNumber, orderDate, note, decidedBy }: ChildMove,
  fromGroupId: string | null,
): Move & Decision => ({
  kind,
  childId,
  membershipId: null,
  userId: null,
  position: null,
  fromGroupId,
  toGroupId,
  effectiveOn,
  orderNumber,
  orderDate,
  note,
  decidedBy,
});

/** Whether nothing is left to do: a repeat. */
const isSo = ({ toGroupId }: ChildMove, { groupId }: Child): boolean => groupId === toGroupId;

/** @throws InvalidState unless the child has a place to leave, or none and is to get one */
export function demandPossible({ kind }: ChildMove, { groupId }: Child): void {
  if ((kind === 'ENROLLED') === (groupId !== null)) throw new InvalidState(groupId ? 'ENROLLED' : 'NOT_ENROLLED');
}

/**
 * Gives children their new places, and everything that follows from that: the journal, their families' memberships, who
 * may see what, and who hears of it; as many children as there are in a few statements. Holds the organization's lock; the
 * moves are possible. @throws InvalidInput when one counts from a day before the child came, or left another time
 */
export async function moveChildren(
  tx: Transaction,
  organization: Organization,
  moves: readonly ChildMove[],
): Promise<Movement[]> {
  if (moves.length === 0) return [];
  const from = await endEnrollments(tx, moves);
  await demandLater(tx, moves);
  const placed = moves.flatMap(({ childId, toGroupId, effectiveOn }) =>
    toGroupId ? [{ organizationId: organization.id, childId, groupId: toGroupId, startedOn: effectiveOn }] : [],
  );
  for (const some of inserts(placed)) await tx.insert(enrollments).values(some);
  await setGroups(tx, moves);
  const made = await recordMovements(
    tx,
    organization,
    moves.map((move) => asMove(move, from.get(move.childId) ?? null)),
  );
  await moveFamilies(tx, organization, moves);
  await announce(tx, organization, moves, from);
  return made;
}

/** Ends the open enrollments of children; returns the group that each leaves. */
async function endEnrollments(tx: Transaction, moves: readonly ChildMove[]): Promise<Map<string, string>> {
  const leaving = moves.filter(({ kind }) => kind !== 'ENROLLED');
  const ended = await rows<{ childId: string; groupId: string; late: boolean }>(
    tx,
    sql`
    update ${enrollments} e set ended_on = greatest(m.day, e.started_on), "end" = m.kind::enrollment_end
    from unnest(
      ${sql.param(leaving.map(({ childId }) => childId))}::uuid[],
      ${sql.param(leaving.map(({ effectiveOn }) => effectiveOn))}::date[],
      ${sql.param(leaving.map(({ kind }) => kind))}::text[]
    ) m (child_id, day, kind)
    where e.child_id = m.child_id and e.ended_on is null
    returning e.child_id as "childId", e.group_id as "groupId", m.day < e.started_on as late`,
  );
  if (ended.some(({ late }) => late)) throw new InvalidInput('effectiveOn', 'INVALID_BEFORE_START');
  return new Map(ended.map(({ childId, groupId }) => [childId, groupId]));
}

/** A child is in one group at a time, also in what has been. @throws InvalidInput */
async function demandLater(tx: Transaction, moves: readonly ChildMove[]): Promise<void> {
  const [still] = await rows(
    tx,
    sql`
    select from ${enrollments} e join unnest(
      ${sql.param(moves.map(({ childId }) => childId))}::uuid[],
      ${sql.param(moves.map(({ effectiveOn }) => effectiveOn))}::date[]
    ) m (child_id, day) on e.child_id = m.child_id and e.ended_on > m.day limit 1`,
  );
  if (still) throw new InvalidInput('effectiveOn', 'INVALID_BEFORE_START');
}

async function setGroups(tx: Transaction, moves: readonly ChildMove[]): Promise<void> {
  await tx.execute(sql`
    update ${children} c set group_id = m.group_id, changed_at = now()
    from unnest(
      ${sql.param(moves.map(({ childId }) => childId))}::uuid[],
      ${sql.param(moves.map(({ toGroupId }) => toGroupId))}::uuid[]
    ) m (child_id, group_id)
    where c.id = m.child_id`);
}

/** Whoever has no child here any more is no member; whoever has one again is. */
async function moveFamilies(tx: Transaction, organization: Organization, moves: readonly ChildMove[]): Promise<void> {
  const families = await familiesOf(
    tx,
    moves.map(({ childId }) => childId),
  );
  const people = (which: (move: ChildMove) => boolean) => [
    ...new Set(moves.filter(which).flatMap(({ childId }) => families.get(childId) ?? [])),
  ];
  const actorId = moves[0]?.decidedBy ?? null;
  await beginFamilies(
    tx,
    organization,
    actorId,
    people(({ kind }) => kind === 'ENROLLED'),
  );
  await endFamilies(
    tx,
    organization,
    actorId,
    people(({ toGroupId }) => toGroupId === null),
  );
  await settleAudiences(
    tx,
    organization.id,
    people(() => true),
  );
}

const events = {
  ENROLLED: 'CHILD_ENROLLED',
  TRANSFERRED: 'CHILD_TRANSFERRED',
  GRADUATED: 'CHILD_GRADUATED',
  WITHDRAWN: 'CHILD_WITHDRAWN',
} as const;

async function announce(
  tx: Transaction,
  organization: Organization,
  moves: readonly ChildMove[],
  from: ReadonlyMap<string, string>,
): Promise<void> {
  const group = (id: string | null | undefined) => ({ groupId: id ? globalId('Group', id) : null });
  for (const [kind, changed] of Map.groupBy(moves, (move) => move.kind)) {
    await recordChildren(
      tx,
      organization,
      changed[0]?.decidedBy ?? null,
      events[kind],
      changed.map(({ childId: id, toGroupId, effectiveOn }) => ({
        id,
        groupId: toGroupId,
        fromGroupId: from.get(id) ?? null,
        before: group(from.get(id)),
        after: { ...group(toGroupId), effectiveOn },
      })),
    );
  }
}
