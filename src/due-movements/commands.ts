import { and, eq, isNull, sql } from 'drizzle-orm';
import { assign, demandEmployed, release } from '../assignments/commands.ts';
import { staffAssignments } from '../assignments/tables.ts';
import { children } from '../children/tables.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { demandPossible, moveChildren } from '../enrollments/commands.ts';
import { DomainError, InvalidInput, NotFound } from '../errors.ts';
import { groups } from '../groups/tables.ts';
import { transact } from '../log/append.ts';
import { memberships } from '../memberships/tables.ts';
import { closePlan } from '../movements/commands.ts';
import { type PlannedMovement, plannedMovements } from '../movements/tables.ts';
import { lockOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';

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
  for (const { id, organizationId } of due) {
    await transact(db, async (tx) => {
      const organization = await lockOrganization(tx, organizationId);
      const [planned] = await tx.select().from(plannedMovements).where(eq(plannedMovements.id, id));
      if (planned?.state !== 'PLANNED') return;
      await closePlan(tx, organization, null, planned, ...(await outcome(tx, organization, planned)));
    });
  }
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
