import type { Viewer } from '../viewer.ts';
import type { JoinRequest } from './tables.ts';

/** Reads an organization's join requests. */
export const canListJoinRequests = (viewer: Viewer, organizationId: string): boolean =>
  viewer.administers(organizationId);

/** Sees a request: who asked, and who decides. */
export const canSeeJoinRequest = (viewer: Viewer, request: Pick<JoinRequest, 'organizationId' | 'userId'>): boolean =>
  request.userId === viewer.userId || canListJoinRequests(viewer, request.organizationId);

/** Decides on somebody else's request (§2.1.10). */
export const canDecideJoinRequest = (
  viewer: Viewer,
  request: Pick<JoinRequest, 'organizationId' | 'userId'>,
): boolean => canListJoinRequests(viewer, request.organizationId) && request.userId !== viewer.userId;
