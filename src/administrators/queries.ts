import { eq } from 'drizzle-orm';
import { byId, listsOf } from '../graphql/batches.ts';
import { administratorGrants } from '../memberships/tables.ts';

export const grantById = byId(administratorGrants);

/** The grants of organizations; `revoked` chooses those that are over. */
export const grantsOf = listsOf(
  administratorGrants,
  administratorGrants.organizationId,
  ({ revoked }: { revoked: boolean }) => eq(administratorGrants.state, revoked ? 'REVOKED' : 'ACTIVE'),
);
