import { and, eq } from 'drizzle-orm';
import { admitEmployee, staffRecordOf } from '../assignments/commands.ts';
import { settleAudiences } from '../audiences/commands.ts';
import { type Child, children, guardianLinks } from '../children/tables.ts';
import type { Transaction } from '../database/connect.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { linkGuardian, linkStudent } from '../guardians/commands.ts';
import { AlreadyMember, beginMembership } from '../memberships/commands.ts';
import { openMembership } from '../memberships/queries.ts';
import type { Membership } from '../memberships/tables.ts';
import type { Organization } from '../organizations/tables.ts';

/** As what somebody comes, and for which child. */
export interface Arrival extends Pick<Membership, 'userId' | 'role' | 'position'> {
  readonly childId: string | null;
}

/**
 * Somebody comes into an organization: a membership, and what the institution has prepared for them. A guardian who is
 * there already comes for a further child. Holds the organization's lock.
 * @throws AlreadyMember, Forbidden, InvalidInput, InvalidState
 */
export async function admit(tx: Transaction, organization: Organization, arrival: Arrival): Promise<Membership> {
  const { userId, role, position, childId } = arrival;
  const child = childId ? await findChild(tx, organization, arrival) : null;
  const present = await presentMembership(tx, { userId, role, childId, organizationId: organization.id });
  const record = await staffRecordOf(tx, organization.id, userId);
  const membership = present ?? (await beginMembership(tx, organization, { userId, role, position }, record));
  if (role === 'EMPLOYEE' && record) await admitEmployee(tx, organization, membership, record);
  if (role === 'GUARDIAN') await linkGuardian(tx, organization, userId, childId);
  if (role === 'STUDENT' && child) await linkStudent(tx, userId, child);
  await settleAudiences(tx, organization.id, [userId]);
  return membership;
}

/** The child that somebody comes for. @throws NotFound, InvalidInput */
async function findChild(tx: Transaction, organization: Organization, { childId, role }: Arrival): Promise<Child> {
  const [child] = await tx
    .select()
    .from(children)
    .where(and(eq(children.id, childId ?? ''), eq(children.organizationId, organization.id)));
  if (!child) throw new NotFound();
  if (role === 'EMPLOYEE') throw new InvalidInput('childId', 'INVALID_ROLE');
  return child;
}

/**
 * The membership of who is there already and comes for a child that is not theirs yet; null: they come anew.
 * @throws AlreadyMember when there is nothing for them to come for
 */
export async function presentMembership(
  tx: Transaction,
  { childId, ...person }: Pick<Membership, 'userId' | 'role' | 'organizationId'> & Pick<Arrival, 'childId'>,
): Promise<Membership | null> {
  const present = await openMembership(tx, person);
  if (present && (await hasAll(tx, present, childId))) throw new AlreadyMember();
  return present;
}

/** Whether somebody is where they would come to: a member in the role, be it suspended, and for a child one of its own. */
export async function isThere(
  tx: Transaction,
  { childId, ...person }: Pick<Membership, 'userId' | 'role' | 'organizationId'> & Pick<Arrival, 'childId'>,
): Promise<boolean> {
  const present = await openMembership(tx, person);
  return present !== null && hasAll(tx, present, childId);
}

const hasAll = async (tx: Transaction, { state, userId }: Membership, childId: string | null): Promise<boolean> =>
  state !== 'ACTIVE' || childId === null || isLinked(tx, userId, childId);

/** Whether somebody stands for a child already, or is it. */
async function isLinked(tx: Transaction, userId: string, childId: string): Promise<boolean> {
  const [link] = await tx
    .select({ id: guardianLinks.id })
    .from(guardianLinks)
    .where(
      and(eq(guardianLinks.userId, userId), eq(guardianLinks.childId, childId), eq(guardianLinks.state, 'ACTIVE')),
    );
  const [own] = await tx
    .select({ id: children.id })
    .from(children)
    .where(and(eq(children.id, childId), eq(children.userId, userId)));
  return Boolean(link ?? own);
}
