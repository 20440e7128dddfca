import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { audit, type Deed } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { type GroupRow, groups } from '../groups/tables.ts';
import { demandComingYear, idempotencyKey, line, prose, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { enterOrganization, visitOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { text } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { canKeepChannels, canReadChannel } from './policy.ts';
import { type Channel, channelKind, channelMarks, channels, commenting } from './tables.ts';

/** The two system channels (§2.1.14), made with the organization: for all members, and for confirmed staff. */
export async function createSystemChannels(tx: Transaction, organization: Organization): Promise<void> {
  const { id: organizationId, locale, membersAudienceId, staffAudienceId, administratorsAudienceId } = organization;
  const common = { organizationId, isSystem: true, publishersAudienceId: administratorsAudienceId };
  await tx.insert(channels).values([
    { ...common, kind: 'COMMUNITY', name: text(locale, 'CHANNEL_COMMUNITY'), audienceId: membersAudienceId },
    { ...common, kind: 'STAFF', name: text(locale, 'CHANNEL_STAFF'), audienceId: staffAudienceId },
  ]);
}

/** The channel of a group, made with it: for everybody in it and whoever leads. */
export async function createGroupChannel(tx: Transaction, group: GroupRow): Promise<void> {
  const { id: groupId, organizationId, name, audienceId, staffAudienceId: publishersAudienceId } = group;
  await tx
    .insert(channels)
    .values({ organizationId, kind: 'GROUP', groupId, isSystem: true, name, audienceId, publishersAudienceId });
}

/** A group's channels follow it: its own by name, all of them by whether anything is still told there. */
export async function updateGroupChannels(tx: Transaction, before: GroupRow, after: GroupRow): Promise<void> {
  const ofGroup = eq(channels.groupId, after.id);
  const own = and(ofGroup, eq(channels.isSystem, true));
  if (after.name !== before.name) await tx.update(channels).set({ name: after.name }).where(own);
  const { state, archivedAt } = after;
  if (state === before.state) return;
  // With the group come back those that went with it; what was put away by itself stays so.
  const alongside = before.archivedAt ? eq(channels.archivedAt, before.archivedAt) : eq(channels.state, 'ACTIVE');
  await tx.update(channels).set({ state, archivedAt }).where(and(ofGroup, alongside));
}

const channelName = line(100);
const description = prose(500);
const CreateChannel = z.object({
  organizationId: z.string(),
  kind: z.enum(channelKind.enumValues),
  groupId: z.string().nullish(),
  name: channelName,
  description,
  commenting: z.enum(commenting.enumValues).nullish(),
  idempotencyKey,
});

/** Adds a channel for the readers of a kind. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function createChannel(db: Database, viewer: Viewer, input: unknown): Promise<Channel> {
  const wish = valid(CreateChannel, input);
  return transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, wish.organizationId);
    if (!canKeepChannels(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    const first = wish.idempotencyKey ? await channelByKey(tx, organization, wish.idempotencyKey) : null;
    if (first && (first.name !== wish.name || first.kind !== wish.kind || first.groupId !== (wish.groupId ?? null)))
      throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
    if (first) return first;
    const [channel] = await tx
      .insert(channels)
      .values({
        ...wish,
        commenting: wish.commenting ?? 'OFF',
        isSystem: false,
        ...(await readersOf(tx, organization, wish)),
      })
      .returning();
    if (!channel) throw new Error('insert returned no row');
    await recordChannel(tx, viewer, channel, 'CHANNEL_CREATED', {
      action: 'channel.create',
      after: described(channel),
    });
    return channel;
  });
}

async function channelByKey(tx: Transaction, { id }: Organization, key: string): Promise<Channel | null> {
  const [found] = await tx
    .select()
    .from(channels)
    .where(and(eq(channels.organizationId, id), eq(channels.idempotencyKey, key)));
  return found ?? null;
}

async function readersOf(
  tx: Transaction,
  organization: Organization,
  { kind, groupId }: Pick<z.output<typeof CreateChannel>, 'kind' | 'groupId'>,
): Promise<Pick<Channel, 'groupId' | 'audienceId' | 'publishersAudienceId'>> {
  if ((kind === 'GROUP') !== (groupId != null)) throw new InvalidInput('groupId', 'INVALID_CHANNEL_GROUP');
  if (!groupId) {
    const audienceId = kind === 'STAFF' ? organization.staffAudienceId : organization.membersAudienceId;
    return { groupId: null, audienceId, publishersAudienceId: organization.administratorsAudienceId };
  }
  const [group] = await tx
    .select()
    .from(groups)
    .where(and(eq(groups.id, groupId), eq(groups.organizationId, organization.id)));
  if (!group) throw new NotFound();
  if (group.kind === 'STAFF') throw new InvalidInput('groupId', 'INVALID_STAFF_GROUP');
  if (group.state !== 'ACTIVE') throw new InvalidInput('groupId', 'INVALID_ARCHIVED_GROUP');
  return { groupId, audienceId: group.audienceId, publishersAudienceId: group.staffAudienceId };
}

const described = ({ name, description, commenting }: Channel) => ({ name, description, commenting });

const UpdateChannel = z.object({ name: channelName, description, commenting: z.enum(commenting.enumValues) }).partial();

/** Edits a channel; what is left out stays. A group's own channel has the group's name. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function updateChannel(db: Database, viewer: Viewer, channelId: string, input: unknown): Promise<Channel> {
  const changes = valid(UpdateChannel, input);
  return change(db, viewer, channelId, async (tx, before) => {
    if (Object.keys(changes).length === 0) return before;
    if (before.state !== 'ACTIVE') throw new InvalidState(before.state);
    if ('name' in changes && before.kind === 'GROUP' && before.isSystem)
      throw new InvalidInput('name', 'INVALID_GROUP_CHANNEL_NAME');
    const channel = await update(tx, before, changes);
    await recordChannel(tx, viewer, channel, 'CHANNEL_UPDATED', {
      action: 'channel.update',
      before: described(before),
      after: described(channel),
    });
    return channel;
  });
}

/** Puts a channel away: what was told there can still be read. System channels stay (§2.1.14). @throws NotFound, Forbidden, InvalidState */
export const archiveChannel = (db: Database, viewer: Viewer, channelId: string): Promise<Channel> =>
  change(db, viewer, channelId, async (tx, before) => {
    if (before.state === 'ARCHIVED') return before;
    if (before.isSystem) throw new InvalidInput('channelId', 'INVALID_SYSTEM_CHANNEL');
    const channel = await update(tx, before, { state: 'ARCHIVED', archivedAt: sql`now()` });
    await recordChannel(tx, viewer, channel, 'CHANNEL_ARCHIVED', { action: 'channel.archive' });
    return channel;
  });

/** Takes a channel into use again; a group's only while the group is in use. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const restoreChannel = (db: Database, viewer: Viewer, channelId: string): Promise<Channel> =>
  change(db, viewer, channelId, async (tx, before) => {
    if (before.state === 'ACTIVE') return before;
    const [group] = before.groupId ? await tx.select().from(groups).where(eq(groups.id, before.groupId)) : [];
    if (group && group.state !== 'ACTIVE') throw new InvalidInput('channelId', 'INVALID_ARCHIVED_GROUP');
    const channel = await update(tx, before, { state: 'ACTIVE', archivedAt: null });
    await recordChannel(tx, viewer, channel, 'CHANNEL_RESTORED', { action: 'channel.restore' });
    return channel;
  });

async function change(
  db: Database,
  viewer: Viewer,
  channelId: string,
  make: (tx: Transaction, channel: Channel) => Promise<Channel>,
): Promise<Channel> {
  return transact(db, async (tx) => {
    const find = () => tx.select().from(channels).where(eq(channels.id, channelId));
    const [known] = await find();
    if (!known) throw new NotFound();
    const { viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    const [channel] = await find(); // again: only now does the organization's lock keep it still
    if (!channel || !canReadChannel(fresh, channel)) throw new NotFound();
    if (!canKeepChannels(fresh, channel.organizationId)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    return make(tx, channel);
  });
}

async function update(
  tx: Transaction,
  { id }: Channel,
  changes: Parameters<ReturnType<typeof tx.update<typeof channels>>['set']>[0],
): Promise<Channel> {
  const [channel] = await tx.update(channels).set(changes).where(eq(channels.id, id)).returning();
  if (!channel) throw new NotFound();
  return channel;
}

async function recordChannel(
  tx: Transaction,
  { userId }: Viewer,
  { id, organizationId, audienceId }: Channel,
  kind: string,
  deed: Pick<Deed, 'action' | 'before' | 'after'>,
): Promise<void> {
  await append(tx, { kind, organizationId, audienceId, subjectId: id, payload: { placeId: id } });
  await audit(tx, userId, { ...deed, target: { type: 'Channel', id }, organizationId });
}

/**
 * Keeps a channel quiet for oneself: no notifications until then, or until `unmuteChannel`. It can be read all the same.
 * @throws NotFound, InvalidInput, InvalidState
 */
export async function muteChannel(
  db: Database,
  viewer: Viewer,
  channelId: string,
  until: Date | null,
): Promise<Channel> {
  demandComingYear('until', until);
  return mark(db, viewer, channelId, { mutedAt: sql`now()`, mutedUntil: until });
}

/** Hears of a channel again. @throws NotFound, InvalidState */
export const unmuteChannel = (db: Database, viewer: Viewer, channelId: string): Promise<Channel> =>
  mark(db, viewer, channelId, { mutedAt: null, mutedUntil: null });

async function mark(
  db: Database,
  viewer: Viewer,
  channelId: string,
  marks: Parameters<ReturnType<typeof db.update<typeof channelMarks>>['set']>[0],
): Promise<Channel> {
  return transact(db, async (tx) => {
    const { channel } = await visitChannel(tx, viewer, channelId);
    await tx
      .insert(channelMarks)
      .values({ ...(marks as typeof channelMarks.$inferInsert), channelId, userId: viewer.userId })
      .onConflictDoUpdate({ target: [channelMarks.userId, channelMarks.channelId], set: marks });
    await append(tx, {
      kind: 'CHANNEL_MUTED',
      organizationId: channel.organizationId,
      audienceId: viewer.userId,
      subjectId: channelId,
    });
    return channel;
  });
}

/** A channel that the viewer reads, and who they are, while nobody's rights change. @throws NotFound, InvalidState */
export async function visitChannel(
  tx: Transaction,
  viewer: Viewer,
  channelId: string,
): Promise<{ channel: Channel; viewer: Viewer }> {
  const find = () => tx.select().from(channels).where(eq(channels.id, channelId));
  const [known] = await find();
  if (!known) throw new NotFound();
  const { viewer: fresh } = await visitOrganization(tx, viewer, known.organizationId);
  const [channel] = await find(); // again: it may have been put away while the organization was waited for
  if (!channel || !canReadChannel(fresh, channel)) throw new NotFound();
  return { channel, viewer: fresh };
}
