import type { Viewer } from '../viewer.ts';

/** Sees how much room an organization's files take. */
export const canReadStorage = (viewer: Viewer, organizationId: string): boolean => viewer.leads(organizationId);

/** Reads an organization's audit log (§2.1.18, 2.2.7). Everybody reads their own actions. */
export const canReadAuditLog = (viewer: Viewer, organizationId: string): boolean => viewer.leads(organizationId);

/** Reads what was changed, and why: of what happened in an organization its leaders, of one's own account oneself. */
export const canReadDetails = (
  viewer: Viewer,
  { organizationId }: { readonly organizationId: string | null },
): boolean => organizationId === null || canReadAuditLog(viewer, organizationId);
