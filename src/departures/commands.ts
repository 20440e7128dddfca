import { and, eq, ne } from 'drizzle-orm';
import { z } from 'zod';
import { releaseEmployee } from '../assignments/commands.ts';
import { children } from '../children/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { InvalidState, NotFound } from '../errors.ts';
import { revokeLinks } from '../guardians/commands.ts';
import { line, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { changeMembership, moveMembership } from '../memberships/commands.ts';
import { type Membership, memberships } from '../memberships/tables.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';

const EndMembership = z.object({ membershipId: z.string(), reason: line(500) });

/**
 * Ends a membership for good: a new period is a new membership. Ending employment also ends the work in groups, the status
 * of employee and the right to administer; a guardian stands for no child any more.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState, LastAdministrator
 */
export async function endMembership(db: Database, viewer: Viewer, input: unknown): Promise<Membership> {
  const { membershipId, reason } = valid(EndMembership, input);
  return changeMembership(db, viewer, membershipId, 'end', {
    from: ['ACTIVE', 'SUSPENDED'],
    to: 'ENDED',
    reason,
    before: (tx, { organization, membership }) => endWork(tx, organization, membership, viewer, reason),
  });
}

/** Leaves an organization in all roles, or in one. @throws NotFound, InvalidState, LastAdministrator */
export async function leaveOrganization(
  db: Database,
  viewer: Viewer,
  input: { organizationId: string; role?: Membership['role'] | null },
): Promise<Membership[]> {
  return transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, input.organizationId);
    const own = await tx
      .select()
      .from(memberships)
      .where(
        and(
          eq(memberships.organizationId, organization.id),
          eq(memberships.userId, viewer.userId),
          ne(memberships.state, 'ENDED'),
          input.role ? eq(memberships.role, input.role) : undefined,
        ),
      );
    if (own.length === 0) throw new NotFound();
    // Leaving and joining anew would lift a suspension.
    if (own.some(({ state }) => state === 'SUSPENDED')) throw new InvalidState('SUSPENDED');
    const left: Membership[] = [];
    for (const membership of own) {
      await endWork(tx, organization, membership, viewer, null);
      const change = { to: 'ENDED', reason: null, endedBy: 'LEFT' } as const;
      left.push(await moveMembership(tx, fresh, organization, membership, 'leave', change));
    }
    return left;
  });
}

/** What a membership was for ends before it does. */
async function endWork(
  tx: Transaction,
  organization: Organization,
  membership: Membership,
  { userId: actorId }: Viewer,
  reason: string | null,
): Promise<void> {
  const { role, userId } = membership;
  if (role === 'EMPLOYEE') await releaseEmployee(tx, organization, membership, actorId);
  if (role === 'GUARDIAN') await revokeLinks(tx, organization, actorId, [userId], { reason });
  if (role === 'STUDENT') {
    await tx
      .update(children)
      .set({ userId: null })
      .where(and(eq(children.organizationId, organization.id), eq(children.userId, userId)));
  }
}
