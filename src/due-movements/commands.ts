import { and, eq, isNull, sql } from 'drizzle-orm';
import { assign, demandEmployed, release } from '../assignments/commands.ts';
import { staffAssignments } from '../assignments/tables.ts';
import { settleAudiences } from '../audiences/commands.ts';
import { familiesOf } from '../children/queries.ts';
import { children } from '../children/tables.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { demandPossible, moveChildren } from '../enrollments/commands.ts';
import { DomainError, Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { canArrangeGroups } from '../groups/policy.ts';
import { groups } from '../groups/tables.ts';
import { endFamilies } from '../guardians/commands.ts';
import { transact } from '../log/append.ts';
import { memberships } from '../memberships/tables.ts';
import { closePlan, plannedMovement } from '../movements/commands.ts';
import { canSeeMovement } from '../movements/policy.ts';
import { type PlannedMovement, plannedMovements } from '../movements/tables.ts';
import { enterOrganization, lockOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';

/**
 * Makes every planned movement whose day has come where the organization is, in their order, each in a transaction of its
 * own. It was the institution's decision: it stands also when whoever wrote it down has left. What is not possible any
 * more is marked as FAILED, and the administrators are told.
 */
export async function makeDueMovements(db: Database): Promise<void> {
  const due = await rows<{ id: string; organizationId: string }>(
    db,
    sql`
    select p.id, p.organization_id as "organizationId" from planned_movements p
    join organizations o on o.id = p.organization_id and o.state = 'ACTIVE'
    where p.state = 'PLANNED' and p.effective_on <= (now() at time zone o.time_zone)::date
    order by p.effective_on, p.id`,
  );
  const failures: unknown[] = [];
  for (const { id, organizationId } of due)
    await makeDue(db, organizationId, id).catch((error: unknown) => failures.push(error));
  // One that the database refuses must not keep the others waiting; it is tried again.
  if (failures.length > 0) throw failures[0];
}

const makeDue = (db: Database, organizationId: string, id: string): Promise<void> =>
  transact(db, async (tx) => {
    const organization = await lockOrganization(tx, organizationId);
    const [planned] = await tx.select().from(plannedMovements).where(eq(plannedMovements.id, id));
    if (planned?.state !== 'PLANNED') return;
    await close(tx, organization, null, planned, ...(await outcome(tx, organization, planned)));
  });

/** Takes back what is planned; what is taken back stays so. @throws NotFound, Forbidden, InvalidState */
export async function cancelPlannedMovement(db: Database, viewer: Viewer, id: string): Promise<PlannedMovement> {
  return transact(db, async (tx) => {
    const known = await plannedMovement(tx, id);
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    if (!canSeeMovement(fresh, known)) throw new NotFound();
    if (!canArrangeGroups(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    const before = await plannedMovement(tx, id);
    if (before.state === 'CANCELLED') return before;
    if (before.state !== 'PLANNED') throw new InvalidState(before.state);
    return close(tx, organization, viewer.userId, before, 'CANCELLED');
  });
}

/** Says what became of a plan. Whoever was here only because a child was expected, is not if it does not come. */
async function close(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  planned: PlannedMovement,
  ...became: readonly ['CANCELLED'] | Outcome
): Promise<PlannedMovement> {
  const [state, failure = null] = became;
  const closed = await closePlan(tx, organization, actorId, planned, state, failure);
  if (state !== 'DONE' && planned.kind === 'ENROLLED' && planned.childId) {
    const people = [...(await familiesOf(tx, [planned.childId])).values()].flat();
    await endFamilies(tx, organization, actorId, people);
    await settleAudiences(tx, organization.id, people);
  }
  return closed;
}

type Outcome = readonly [state: 'DONE' | 'FAILED', failure: string | null];

async function outcome(tx: Transaction, organization: Organization, planned: PlannedMovement): Promise<Outcome> {
  try {
    // A savepoint: what was begun of one that fails is undone, what is said about it is kept.
    await tx.transaction((nested) => make(nested, organization, planned));
    return ['DONE', null];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return ['FAILED', error.code];
  }
}

async function make(tx: Transaction, organization: Organization, planned: PlannedMovement): Promise<void> {
  if (planned.toGroupId) await demandOpen(tx, planned.toGroupId);
  if (planned.kind === 'ASSIGNED' || planned.kind === 'RELEASED') return moveEmployee(tx, organization, planned);
  const { kind, childId, toGroupId } = planned;
  const [child] = await tx
    .select()
    .from(children)
    .where(eq(children.id, childId ?? ''));
  if (!child) throw new NotFound();
  if (child.groupId === toGroupId) return;
  const move = { ...planned, kind, childId: child.id };
  demandPossible(move, child);
  await moveChildren(tx, organization, [move]);
}

async function moveEmployee(tx: Transaction, organization: Organization, planned: PlannedMovement): Promise<void> {
  const [membership] = await tx
    .select()
    .from(memberships)
    .where(eq(memberships.id, planned.membershipId ?? ''));
  if (!membership || !planned.position) throw new NotFound();
  if (planned.toGroupId) {
    demandEmployed(membership);
    const { toGroupId: groupId, position } = planned;
    await assign(tx, organization, [{ groupId, position, membership, decision: planned }]);
    return;
  }
  const open = await tx
    .select()
    .from(staffAssignments)
    .where(
      and(
        eq(staffAssignments.membershipId, membership.id),
        eq(staffAssignments.groupId, planned.fromGroupId ?? ''),
        eq(staffAssignments.position, planned.position),
        isNull(staffAssignments.endedOn),
      ),
    );
  await release(tx, organization, open, planned);
}

/** The group may have been archived since. @throws InvalidInput */
async function demandOpen(tx: Transaction, groupId: string): Promise<void> {
  const [group] = await tx.select().from(groups).where(eq(groups.id, groupId));
  if (group?.state !== 'ACTIVE') throw new InvalidInput('groupId', 'INVALID_ARCHIVED_GROUP');
}
