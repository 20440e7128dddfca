import type { Viewer } from '../viewer.ts';
import type { Channel } from './tables.ts';

/** Reads a channel: COMMUNITY every member; STAFF administrators and verified staff (the members of its audience). */
export function canReadChannel(
  viewer: Viewer,
  { organizationId, kind }: Pick<Channel, 'organizationId' | 'kind'>,
): boolean {
  if (kind === 'COMMUNITY') return viewer.belongsTo(organizationId);
  return kind === 'STAFF' && (viewer.administers(organizationId) || viewer.isVerifiedStaffOf(organizationId));
}
