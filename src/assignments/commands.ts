import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { settleAudiences } from '../audiences/commands.ts';
import { audit } from '../audit/commands.ts';
import { findGroup } from '../children/commands.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { type GroupRow, groups } from '../groups/tables.ts';
import { day, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { enterMembership } from '../memberships/commands.ts';
import { type Membership, memberships, positionEnum } from '../memberships/tables.ts';
import {
  type Decision,
  decided,
  decision,
  isToCome,
  type Move,
  planMovement,
  recordMovements,
} from '../movements/commands.ts';
import type { PlannedMovement } from '../movements/tables.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canAssignStaff, canSeeAssignment } from './policy.ts';
import { type StaffAssignmentRow, type StaffRecord, staffAssignments, staffRecords } from './tables.ts';

/** What became of a decision: an assignment that has begun or ended, or a plan for its day. */
export interface Assigned {
  readonly assignmentId: string | null;
  readonly plannedMovements: readonly PlannedMovement[];
}

const AssignStaff = z.object({
  groupId: z.string(),
  membershipId: z.string(),
  position: z.enum(positionEnum.enumValues).exclude(['HEAD']),
  endsOn: day.nullish().transform((value) => value ?? null),
  ...decision,
});

/**
 * Assigns an employee to a group in a position (§2.1.9): once their status is confirmed, the group is theirs. A second
 * position in the same group is a second assignment; the same one again is found.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function assignStaff(db: Database, viewer: Viewer, input: unknown): Promise<Assigned> {
  const wish = valid(AssignStaff, input);
  return transact(db, async (tx) => {
    const { organization, membership, viewer: fresh } = await enterMembership(tx, viewer, wish.membershipId);
    if (!canAssignStaff(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    const group = await findGroup(tx, fresh, organization.id, wish.groupId, 'groupId');
    demandEmployed(membership);
    const { effectiveOn, ...why } = decided(organization, viewer.userId, wish);
    const place = { groupId: group.id, position: wish.position };
    const planned: PlannedMovement[] = [];
    if (wish.endsOn) {
      const end = { ...why, effectiveOn: wish.endsOn };
      if (end.effectiveOn < effectiveOn) throw new InvalidInput('endsOn', 'INVALID_BEFORE_START');
      if (!isToCome(organization, end)) throw new InvalidInput('endsOn', 'INVALID_EFFECTIVE_ON');
      planned.push(await planMovement(tx, organization, asMove('RELEASED', membership, place, end)));
    }
    const move = asMove('ASSIGNED', membership, place, { ...why, effectiveOn });
    if (isToCome(organization, move)) {
      planned.unshift(await planMovement(tx, organization, move));
      return { assignmentId: null, plannedMovements: planned };
    }
    const [assignment] = await assign(tx, organization, [{ ...place, membership, decision: move }]);
    return { assignmentId: assignment?.id ?? null, plannedMovements: planned };
  });
}

const asMove = (
  kind: 'ASSIGNED' | 'RELEASED',
  { id: membershipId, userId }: Pick<Membership, 'id' | 'userId'>,
  { groupId, position }: Pick<StaffAssignmentRow, 'groupId' | 'position'>,
  { effectiveOn, orderNumber, orderDate, note, decidedBy }: Decision,
): Move & Decision => ({
  kind,
  childId: null,
  membershipId,
  userId,
  position,
  fromGroupId: kind === 'RELEASED' ? groupId : null,
  toGroupId: kind === 'ASSIGNED' ? groupId : null,
  effectiveOn,
  orderNumber,
  orderDate,
  note,
  decidedBy,
});

/** @throws InvalidInput, InvalidState unless it is an employee's membership that has not ended */
export function demandEmployed({ role, state }: Membership): void {
  if (role !== 'EMPLOYEE') throw new InvalidInput('membershipId', 'INVALID_EMPLOYEE');
  if (state === 'ENDED') throw new InvalidState(state);
}

/** Somebody, and the place in a group that they get. */
export interface Post extends Pick<StaffAssignmentRow, 'groupId' | 'position'> {
  readonly membership: Pick<Membership, 'id' | 'userId'>;
  readonly decision: Decision;
}

/** Assigns people, with everything that follows; returns their assignments, made or found. Holds the organization's lock. */
export async function assign(
  tx: Transaction,
  organization: Organization,
  posts: readonly Post[],
): Promise<StaffAssignmentRow[]> {
  const found: StaffAssignmentRow[] = [];
  const begun: StaffAssignmentRow[] = [];
  for (const { membership, groupId, position, decision } of posts) {
    const [made] = await tx
      .insert(staffAssignments)
      .values({
        organizationId: organization.id,
        membershipId: membership.id,
        userId: membership.userId,
        groupId,
        position,
        startedOn: decision.effectiveOn,
      })
      .onConflictDoNothing()
      .returning();
    if (made) await recordMovements(tx, organization, [asMove('ASSIGNED', membership, made, decision)]);
    if (made) begun.push(made);
    found.push(made ?? (await openAssignment(tx, membership.id, groupId, position)));
  }
  await settleAudiences(tx, organization.id, [...new Set(posts.map(({ membership }) => membership.userId))]);
  await recordAssignments(tx, organization, posts[0]?.decision.decidedBy ?? null, 'STAFF_ASSIGNED', begun);
  return found;
}

async function openAssignment(
  tx: Transaction,
  membershipId: string,
  groupId: string,
  position: StaffAssignmentRow['position'],
): Promise<StaffAssignmentRow> {
  const [open] = await tx
    .select()
    .from(staffAssignments)
    .where(
      and(
        eq(staffAssignments.membershipId, membershipId),
        eq(staffAssignments.groupId, groupId),
        eq(staffAssignments.position, position),
        isNull(staffAssignments.endedOn),
      ),
    );
  if (!open) throw new NotFound();
  return open;
}

const EndStaffAssignment = z.object({ staffAssignmentId: z.string(), ...decision });

/** Ends somebody's work in a group, now or on a day to come. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function endStaffAssignment(db: Database, viewer: Viewer, input: unknown): Promise<Assigned> {
  const wish = valid(EndStaffAssignment, input);
  return transact(db, async (tx) => {
    const find = () => tx.select().from(staffAssignments).where(eq(staffAssignments.id, wish.staffAssignmentId));
    const [known] = await find();
    if (!known) throw new NotFound();
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    const [assignment] = await find();
    if (!assignment || !canSeeAssignment(fresh, assignment)) throw new NotFound();
    if (!canAssignStaff(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (assignment.endedOn) return { assignmentId: assignment.id, plannedMovements: [] };
    const move = asMove(
      'RELEASED',
      { id: assignment.membershipId, userId: assignment.userId },
      assignment,
      decided(organization, viewer.userId, wish),
    );
    if (move.effectiveOn < assignment.startedOn) throw new InvalidInput('effectiveOn', 'INVALID_BEFORE_START');
    if (isToCome(organization, move))
      return { assignmentId: assignment.id, plannedMovements: [await planMovement(tx, organization, move)] };
    await release(tx, organization, [assignment], move);
    return { assignmentId: assignment.id, plannedMovements: [] };
  });
}

/** Ends assignments, with everything that follows. Holds the organization's lock. */
export async function release(
  tx: Transaction,
  organization: Organization,
  open: readonly StaffAssignmentRow[],
  decision: Decision,
): Promise<void> {
  if (open.length === 0) return;
  const ended = await rows<{ id: string }>(
    tx,
    sql`
    update ${staffAssignments} set ended_on = greatest(${decision.effectiveOn}::date, started_on)
    where id = any(${sql.param(open.map(({ id }) => id))}::uuid[]) and ended_on is null returning id`,
  );
  const ids = new Set(ended.map(({ id }) => id));
  const released = open.filter(({ id }) => ids.has(id));
  await recordMovements(
    tx,
    organization,
    released.map((assignment) =>
      asMove('RELEASED', { id: assignment.membershipId, userId: assignment.userId }, assignment, decision),
    ),
  );
  await recordAssignments(tx, organization, decision.decidedBy, 'STAFF_ASSIGNMENT_ENDED', released);
  await settleAudiences(tx, organization.id, [...new Set(released.map(({ userId }) => userId))]);
}

/** A leaving employee's work in groups ends with the employment. */
export async function releaseEmployee(
  tx: Transaction,
  organization: Organization,
  membership: Membership,
  decidedBy: string,
): Promise<void> {
  const open = await tx
    .select()
    .from(staffAssignments)
    .where(and(eq(staffAssignments.membershipId, membership.id), isNull(staffAssignments.endedOn)));
  const today = decided(organization, decidedBy, { effectiveOn: null, order: null, note: null });
  await release(tx, organization, open, today);
}

/** What the institution's register says of an employee who has just joined takes effect. Holds the organization's lock. */
export async function admitEmployee(
  tx: Transaction,
  organization: Organization,
  membership: Membership,
  record: StaffRecord,
): Promise<void> {
  await tx
    .update(memberships)
    .set({ position: sql`coalesce(${memberships.position}, ${record.position})` })
    .where(eq(memberships.id, membership.id));
  const open = await tx
    .select({ id: groups.id })
    .from(groups)
    .where(and(sql`${groups.id} = any(${sql.param(record.groupIds)}::uuid[])`, eq(groups.state, 'ACTIVE')));
  const decision = decided(organization, null, { effectiveOn: null, order: null, note: null });
  const { position } = record;
  await assign(
    tx,
    organization,
    open.map(({ id: groupId }) => ({ groupId, position, membership, decision })),
  );
}

/** What the institution's register says of somebody, whom it knows by their phone. */
export async function staffRecordOf(
  tx: Transaction,
  organizationId: string,
  userId: string,
): Promise<StaffRecord | null> {
  const [record] = await tx
    .select()
    .from(staffRecords)
    .where(
      and(
        eq(staffRecords.organizationId, organizationId),
        sql`${staffRecords.phone} = (select u.phone from users u where u.id = ${userId})`,
      ),
    );
  return record ?? null;
}

/** Tells everybody in the groups, who leads among them; staff of a group are known to all in it. */
async function recordAssignments(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  kind: 'STAFF_ASSIGNED' | 'STAFF_ASSIGNMENT_ENDED',
  changed: readonly StaffAssignmentRow[],
): Promise<void> {
  const ids = [...new Set(changed.map(({ groupId }) => groupId))];
  const found: Pick<GroupRow, 'id' | 'audienceId'>[] = await tx
    .select({ id: groups.id, audienceId: groups.audienceId })
    .from(groups)
    .where(sql`${groups.id} = any(${sql.param(ids)}::uuid[])`);
  const audiences = new Map(found.map(({ id, audienceId }) => [id, audienceId]));
  await append(
    tx,
    ...changed.map(({ id, groupId }) => ({
      kind,
      organizationId: organization.id,
      audienceId: audiences.get(groupId) ?? organization.administratorsAudienceId,
      subjectId: id,
    })),
  );
  await audit(
    tx,
    actorId,
    ...changed.map(({ id, groupId, membershipId, position }) => ({
      action: kind === 'STAFF_ASSIGNED' ? 'staffAssignment.assign' : 'staffAssignment.end',
      target: { type: 'StaffAssignment', id },
      organizationId: organization.id,
      after: { groupId: globalId('Group', groupId), membershipId: globalId('Membership', membershipId), position },
    })),
  );
}
