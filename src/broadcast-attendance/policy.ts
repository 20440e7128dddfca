import { type BroadcastPlace, canRunBroadcast } from '../broadcasts/policy.ts';
import type { Viewer } from '../viewer.ts';

/**
 * Sees by name who has watched: who leads; a host where they know those who do, in their group and among colleagues. Of a broadcast for
 * all they would learn the families of other groups (§3).
 */
export const canSeeAttendance = (viewer: Viewer, broadcast: Pick<BroadcastPlace, 'hostId' | 'channel'>): boolean =>
  canRunBroadcast(viewer, broadcast) &&
  (broadcast.channel.kind !== 'COMMUNITY' || viewer.leads(broadcast.channel.organizationId));
