import type { Viewer } from '../viewer.ts';

/** Brings in the institution's own tables of children and staff, and takes them out (§1.4). */
export const canImportRoster = (viewer: Viewer, organizationId: string): boolean => viewer.administers(organizationId);
