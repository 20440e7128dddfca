import { and, eq, type SQL } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { byId } from '../graphql/batches.ts';
import { type Page, paged } from '../graphql/connections.ts';
import { type Organization, organizations } from './tables.ts';

export const organizationById = byId(organizations);

const inState = (state: Organization['state'] | null | undefined): SQL | undefined =>
  state ? eq(organizations.state, state) : undefined;

/** A page of all organizations, newest first. */
export function allOrganizations(db: Database, state: Organization['state'] | null | undefined, page: Page) {
  const { where, orderBy, limit } = paged(organizations.id, page);
  return db
    .select()
    .from(organizations)
    .where(and(inState(state), where))
    .orderBy(orderBy)
    .limit(limit);
}

export const countOrganizations = (db: Database, state: Organization['state'] | null | undefined): Promise<number> =>
  db.$count(organizations, inState(state));

/** The day it is where the organization is: `2026-09-01`. */
export const today = ({ timeZone }: Pick<Organization, 'timeZone'>, now = new Date()): string =>
  new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short' }).format(now);
