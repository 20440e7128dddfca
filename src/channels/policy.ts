import type { Viewer } from '../viewer.ts';
import type { Channel } from './tables.ts';

/** Reads a channel: COMMUNITY every member; STAFF administrators and verified staff (the members of its audience). */
export const canReadChannel = (viewer: Viewer, channel: Pick<Channel, 'organizationId' | 'kind'>): boolean =>
  channel.kind === 'COMMUNITY'
    ? viewer.belongsTo(channel.organizationId)
    : viewer.administers(channel.organizationId) || viewer.isVerifiedStaffOf(channel.organizationId);
