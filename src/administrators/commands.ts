import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { settleAudiences } from '../audiences/commands.ts';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { type Order, order, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { demandVerifiedEmployee, enterMembership, revokeGrants } from '../memberships/commands.ts';
import { canAppointAdministrators, canSeeAdministrators } from '../memberships/policy.ts';
import { type AdministratorGrant, administratorGrants, type Membership } from '../memberships/tables.ts';
import { enterOrganization, tell } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';

/** The grant of a membership, made or found. `reserved`: the first one, which needs no confirmed status (§2.1.3). */
export async function giveGrant(
  tx: Transaction,
  organization: Organization,
  membership: Membership,
  given: { by: string | null; order: Order | null; reserved: boolean },
): Promise<AdministratorGrant> {
  const [made] = await tx
    .insert(administratorGrants)
    .values({
      organizationId: organization.id,
      membershipId: membership.id,
      userId: membership.userId,
      grantedBy: given.by,
      orderNumber: given.order?.number,
      orderDate: given.order?.date,
      reserved: given.reserved,
    })
    .onConflictDoNothing()
    .returning();
  if (made) {
    await settleAudiences(tx, organization.id, [membership.userId]);
    await tell(tx, organization, { kind: 'ADMINISTRATOR_GRANTED', subjectId: made.id }, membership.userId);
    await audit(tx, given.by, {
      action: 'administrator.grant',
      target: { type: 'AdministratorGrant', id: made.id },
      organizationId: organization.id,
      after: { membershipId: globalId('Membership', membership.id), order: given.order, reserved: given.reserved },
    });
    return made;
  }
  const [found] = await tx
    .select()
    .from(administratorGrants)
    .where(and(eq(administratorGrants.membershipId, membership.id), eq(administratorGrants.state, 'ACTIVE')));
  if (!found) throw new Error('a grant that conflicts is missing');
  return found;
}

const GrantAdministrator = z.object({ membershipId: z.string(), order: order.nullish() });

/**
 * Appoints a further administrator from the verified employees (§2.1.8, 2.2.2). Repeating it returns the same grant.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function grantAdministrator(db: Database, viewer: Viewer, input: unknown): Promise<AdministratorGrant> {
  const { membershipId, order } = valid(GrantAdministrator, input);
  return transact(db, async (tx) => {
    const { organization, membership, viewer: fresh } = await enterMembership(tx, viewer, membershipId);
    if (!canAppointAdministrators(fresh, organization.id)) throw new Forbidden('FORBIDDEN_LEADERS');
    await demandVerifiedEmployee(tx, membership);
    return giveGrant(tx, organization, membership, { by: viewer.userId, order: order ?? null, reserved: false });
  });
}

/** Takes the right to administer; the membership stays. @throws NotFound, Forbidden, InvalidState, LastAdministrator */
export async function revokeAdministrator(
  db: Database,
  viewer: Viewer,
  input: { grantId: string },
): Promise<AdministratorGrant> {
  return transact(db, async (tx) => {
    const find = () => tx.select().from(administratorGrants).where(eq(administratorGrants.id, input.grantId));
    const [known] = await find();
    if (!known) throw new NotFound();
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    const [before] = await find();
    if (!before || !canSeeAdministrators(fresh, organization.id)) throw new NotFound();
    if (!canAppointAdministrators(fresh, organization.id)) throw new Forbidden('FORBIDDEN_LEADERS');
    if (before.state === 'REVOKED') return before;
    const [grant] = await revokeGrants(tx, fresh, organization, eq(administratorGrants.id, before.id));
    if (!grant) throw new NotFound();
    await settleAudiences(tx, organization.id, [grant.userId]);
    return grant;
  });
}
