import { and, eq, type SQL } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { byId, listsOf } from '../graphql/batches.ts';
import { type Page, paged } from '../graphql/connections.ts';
import { type Application, organizationApplications } from './tables.ts';

export const applicationById = byId(organizationApplications);

type State = Application['state'] | null | undefined;

const inState = (state: State): SQL | undefined => (state ? eq(organizationApplications.state, state) : undefined);

/** A page of the operators' queue, newest first. */
export function allApplications(db: Database, state: State, page: Page) {
  const { where, orderBy, limit } = paged(organizationApplications.id, page);
  return db
    .select()
    .from(organizationApplications)
    .where(and(inState(state), where))
    .orderBy(orderBy)
    .limit(limit);
}

export const countApplications = (db: Database, state: State): Promise<number> =>
  db.$count(organizationApplications, inState(state));

/** The applications that people made, for themselves. */
export const applicationsOfUser = listsOf(
  organizationApplications,
  organizationApplications.applicantId,
  ({ state }: { state: State }) => inState(state),
);
