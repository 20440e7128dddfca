import type { Viewer } from '../viewer.ts';
import type { Channel } from './tables.ts';

export type ChannelPlace = Pick<Channel, 'organizationId' | 'kind' | 'groupId'>;

/** Reads a channel: COMMUNITY every member, STAFF administrators and verified staff, GROUP everybody in it and leaders (§3). */
export function canReadChannel(viewer: Viewer, { organizationId, kind, groupId }: ChannelPlace): boolean {
  if (kind === 'COMMUNITY') return viewer.belongsTo(organizationId);
  if (kind === 'STAFF') return viewer.administers(organizationId) || viewer.isVerifiedStaffOf(organizationId);
  return viewer.leads(organizationId) || (groupId !== null && viewer.isOfGroup(groupId));
}

/** Answers for what is told in a channel: administrators, and of a group's channel the head and the group's staff (§3). */
export const isPublisher = (viewer: Viewer, { organizationId, kind, groupId }: ChannelPlace): boolean =>
  viewer.administers(organizationId) || (kind === 'GROUP' && (viewer.heads(organizationId) || viewer.teaches(groupId)));

/** Publishes in a channel that is in use. */
export const canPublish = (viewer: Viewer, channel: ChannelPlace & Pick<Channel, 'state'>): boolean =>
  channel.state === 'ACTIVE' && isPublisher(viewer, channel);

/** Suggests posts for a channel where others publish (§2.2.5): the head and verified staff. */
export const canSuggest = (viewer: Viewer, channel: ChannelPlace & Pick<Channel, 'state'>): boolean =>
  channel.state === 'ACTIVE' && channel.kind !== 'GROUP' && viewer.isVerifiedStaffOf(channel.organizationId);

/** Adds channels, edits and archives them (§2.1.14). */
export const canKeepChannels = (viewer: Viewer, organizationId: string): boolean => viewer.administers(organizationId);
