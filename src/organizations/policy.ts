import type { Viewer } from '../viewer.ts';

/** Sees that the organization exists, its name and its settings. */
export const canSeeOrganization = (viewer: Viewer, organizationId: string): boolean =>
  viewer.belongsTo(organizationId) || viewer.isOperator;

/** Edits the organization's data and policy (§2.1.4). */
export const canUpdateOrganization = (viewer: Viewer, organizationId: string): boolean =>
  viewer.administers(organizationId);

/** Closes and reopens an organization; also reads the list of all of them. */
export const canGovernOrganizations = (viewer: Viewer): boolean => viewer.isOperator;
