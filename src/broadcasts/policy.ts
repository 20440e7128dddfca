import { type ChannelPlace, canReadChannel, isPublisher } from '../channels/policy.ts';
import type { Channel } from '../channels/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { BroadcastRow } from './tables.ts';

/** A broadcast as rules ask about it: with the channel for whose readers it is. */
export type BroadcastPlace = Pick<BroadcastRow, 'state' | 'hostId'> & {
  readonly channel: ChannelPlace & Pick<Channel, 'state'>;
};

/** Sees that there is a broadcast, and what became of it: the channel's readers. */
export const canSeeBroadcast = (viewer: Viewer, { channel }: Pick<BroadcastPlace, 'channel'>): boolean =>
  canReadChannel(viewer, channel);

/** Watches it, and asks questions: the channel's readers, but not employees whose status is not confirmed (§3). */
export const canWatch = (viewer: Viewer, broadcast: Pick<BroadcastPlace, 'channel'>): boolean =>
  canSeeBroadcast(viewer, broadcast) && viewer.takesPartIn(broadcast.channel.organizationId);

/** Hosts broadcasts of a channel: verified employees who read it (§2.1.15). */
export const canHost = (viewer: Viewer, channel: ChannelPlace): boolean =>
  viewer.isVerifiedStaffOf(channel.organizationId) && canReadChannel(viewer, channel);

/** Says who is to host: administrators and the head. */
export const canAppointHost = (viewer: Viewer, { organizationId }: ChannelPlace): boolean =>
  viewer.leads(organizationId);

/** Schedules a broadcast: who leads in every channel, verified staff as host where they publish. */
export const canSchedule = (viewer: Viewer, channel: ChannelPlace & Pick<Channel, 'state'>): boolean =>
  channel.state === 'ACTIVE' &&
  (canAppointHost(viewer, channel) || (canHost(viewer, channel) && isPublisher(viewer, channel)));

/** Is the host of a broadcast, and still may be: sees its stream key, and replaces it. */
export const isHostOf = (viewer: Viewer, { hostId, channel }: Pick<BroadcastPlace, 'hostId' | 'channel'>): boolean =>
  hostId === viewer.userId && canHost(viewer, channel);

/** Starts and ends a broadcast, changes and cancels it, minds its questions and sees who watched: its host, and who leads. */
export const canRunBroadcast = (viewer: Viewer, broadcast: Pick<BroadcastPlace, 'hostId' | 'channel'>): boolean =>
  viewer.leads(broadcast.channel.organizationId) || isHostOf(viewer, broadcast);

/** Nothing of it changes any more. */
export const isOver = ({ state }: Pick<BroadcastPlace, 'state'>): boolean => state === 'ENDED' || state === 'CANCELLED';
